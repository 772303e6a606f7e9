/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Memory: a plan says to the byte what its executors take; a limit is met by chunks of samples, also with a shorter
 * last one, and the results stay those of the whole; a limit that cannot be met is an error that gives the bytes. */
#include "base/base.h"
#include "exec_problems.h"

enum { GRAPHS = 160000 };   /* bytes, at most, of two graphs of a gradient */

/* ---- plans ---- */

static dyn_graph *small_graph(dyn_ctx *ctx, dyn_node *out)
{
    dyn_graph *g = NULL;

    CHECK_OK(ctx, dyn_graph_create(ctx, DYN_F64, &g));
    dyn_node x = dyn_graph_input(g, "x", 2, (int64_t[]){ 300, 70 });
    dyn_node w = dyn_graph_parameter(g, "w", 2, (int64_t[]){ 70, 50 });
    dyn_node h = dyn_graph_tanh(g, dyn_graph_matmul(g, x, w, 0, 0));
    CHECK_OK(ctx, dyn_graph_gradient(g, dyn_graph_mean(g, dyn_graph_mul(g, h, h)), 1, &w, out));
    return g;
}

static int64_t header_bytes(dyn_ctx *ctx)
{
    const int64_t before = dyn_ctx_bytes(ctx);
    void *p = dyn__alloc(ctx, 1, 1);
    const int64_t header = dyn_ctx_bytes(ctx) - before - 1;

    dyn__free(ctx, p);
    return header;
}

TEST(plan_bytes_are_the_executors)
{
    for (int32_t threads = 1; threads <= 7; threads += 3)
        for (int32_t unfused = 0; unfused < 2; unfused++) {
            dyn_ctx *ctx = make_ctx(threads, DYN_ISA_AUTO);
            dyn_plan_options opt = DYN_PLAN_OPTIONS_INIT;
            dyn_plan *plan = NULL;
            dyn_exec *e = NULL;
            dyn_node y;
            dyn_graph *g = small_graph(ctx, &y);

            opt.unfused = unfused;
            CHECK_OK(ctx, dyn_plan_compile(g, 1, &y, &opt, &plan));
            const int64_t before = dyn_ctx_bytes(ctx);
            CHECK_OK(ctx, dyn_exec_create(plan, &e));
            CHECK(dyn_ctx_bytes(ctx) - before == dyn_plan_bytes(plan) + 4 * header_bytes(ctx));
            dyn_exec_free(e);
            CHECK(dyn_ctx_bytes(ctx) == before);
            dyn_plan_unref(plan);
            dyn_graph_free(g);
            dyn_ctx_free(ctx);
        }
}

TEST(arena_limit)
{
    dyn_ctx *ctx = make_ctx(2, DYN_ISA_AUTO);
    dyn_plan_options opt = DYN_PLAN_OPTIONS_INIT;
    dyn_plan *plan = NULL;
    dyn_node y;
    dyn_graph *g = small_graph(ctx, &y);
    char text[64];

    CHECK_OK(ctx, dyn_plan_compile(g, 1, &y, NULL, &plan));
    const int64_t bytes = dyn_plan_bytes(plan), before = dyn_ctx_bytes(ctx);
    dyn_plan_unref(plan);
    opt.arena_limit = bytes;
    CHECK_OK(ctx, dyn_plan_compile(g, 1, &y, &opt, &plan));
    CHECK(dyn_ctx_bytes(ctx) == before);
    dyn_plan_unref(plan);
    opt.arena_limit = bytes - 1;
    CHECK(dyn_plan_compile(g, 1, &y, &opt, &plan) == DYN_EFULL && !plan);
    snprintf(text, sizeof text, "needs %lld bytes, the limit is %lld", (long long)bytes, (long long)bytes - 1);
    CHECK_STR(dyn_ctx_message(ctx), text);
    dyn_graph_free(g);
    dyn_ctx_free(ctx);
}

/* ---- objectives ---- */

/* Bytes that the first gradient adds: its executors stay with the objective, and their graphs. */
static int64_t gradient_bytes(dyn_ctx *ctx, const problem *p)
{
    dyn_objective *o = make_objective(ctx, p, p->samples);
    double *theta = start_of(o), *g = calloc((size_t)dyn_objective_size(o), sizeof *g);
    const int64_t before = dyn_ctx_bytes(ctx);

    CHECK_OK(ctx, dyn_objective_gradient(o, theta, g, NULL));
    const int64_t bytes = dyn_ctx_bytes(ctx) - before;
    dyn_objective_unref(o);
    free(theta);
    free(g);
    return bytes;
}

/* The limit forces chunks: the whole takes more (of the curve only the Hessian does), and beside graphs and one vector
 * the chunks stay below. */
static void check_limit(const problem *whole, const results *expected, int64_t limit)
{
    dyn_ctx *ctx = make_ctx(2, DYN_ISA_AUTO);
    problem p = *whole;

    p.memory_limit = limit;
    CHECK(!p.digits || gradient_bytes(ctx, whole) - GRAPHS > limit);
    CHECK(gradient_bytes(ctx, &p) <= limit + GRAPHS + (expected->at[HESSIAN_1] - expected->at[GRADIENT]) * 8);
    results r = evaluate(ctx, &p, 1);
    check_close("in chunks", &r, expected, p.dtype == DYN_F64 ? 1e-12 : 1e-4);
    free(r.number);
    dyn_ctx_free(ctx);
}

/* 203 = 7 * 29 samples: halves of halves leave a shorter last chunk. */
TEST(chunks_change_nothing)
{
    static const int64_t limits[2][2] = { { 180000, 140000 }, { 700000, 400000 } };

    for (int digits = 0; digits < 2; digits++)
        for (int32_t dtype = DYN_F64; dtype <= DYN_F32; dtype++) {
            const problem p = { .digits = digits, .dtype = dtype, .samples = digits ? 203 : 77, .memory_limit = 0 };
            dyn_ctx *ctx = make_ctx(2, DYN_ISA_AUTO);
            results r = evaluate(ctx, &p, 0);

            for (int i = 0; i < 2; i++)
                check_limit(&p, &r, limits[digits][i] / (dtype == DYN_F64 ? 1 : 2));
            free(r.number);
            dyn_ctx_free(ctx);
        }
}

/* Outputs and accuracy in chunks: each chunk writes its own rows. */
TEST(predictions_in_chunks)
{
    dyn_ctx *ctx = make_ctx(2, DYN_ISA_AUTO);
    const problem whole = { .digits = 1, .samples = 203 },
        part = { .digits = 1, .samples = 203, .memory_limit = 40000 };
    dyn_objective *a = make_objective(ctx, &whole, 203), *b = make_objective(ctx, &part, 203);
    double *theta = start_of(a), f[2][2030], share[2];

    CHECK_OK(ctx, dyn_objective_predict(a, theta, f[0]));
    CHECK_OK(ctx, dyn_objective_predict(b, theta, f[1]));
    for (int i = 0; i < 2030; i++)
        CHECK_NEAR(f[1][i], f[0][i], 1e-13);
    CHECK_OK(ctx, dyn_objective_accuracy(a, theta, &share[0]));
    CHECK_OK(ctx, dyn_objective_accuracy(b, theta, &share[1]));
    CHECK(share[0] == share[1]);
    dyn_objective_unref(a);
    dyn_objective_unref(b);
    free(theta);
    dyn_ctx_free(ctx);
}

TEST(impossible_limit)
{
    dyn_ctx *ctx = make_ctx(2, DYN_ISA_AUTO);
    const int64_t start = dyn_ctx_bytes(ctx);
    const problem p = { .digits = 1, .samples = 12, .memory_limit = 1000 };
    dyn_objective *o = make_objective(ctx, &p, p.samples);
    double *theta = start_of(o), *rows = calloc((size_t)(120 * dyn_objective_size(o)), sizeof *rows);
    dyn_operator *A = NULL;

#define CHECK_FULL(call)                                                        \
    do {                                                                        \
        CHECK((call) == DYN_EFULL);                                             \
        CHECK_STR(dyn_ctx_message(ctx), " bytes, the limit is ");               \
    } while (0)
    CHECK_FULL(dyn_objective_value(o, theta, rows));
    CHECK_FULL(dyn_objective_gradient(o, theta, rows, NULL));
    CHECK_STR(dyn_ctx_message(ctx), "limit is 1000");
    CHECK_FULL(dyn_objective_hessian(o, theta, &A));
    CHECK(!A);
    CHECK_FULL(dyn_objective_ggn(o, theta, &A));
    CHECK_FULL(dyn_objective_jacobian(o, theta, rows));
    CHECK_FULL(dyn_objective_sample_gradients(o, theta, rows));
    CHECK_FULL(dyn_objective_predict(o, theta, rows));
    CHECK_FULL(dyn_objective_accuracy(o, theta, rows));
    dyn_objective_unref(o);
    CHECK(dyn_ctx_bytes(ctx) == start);
    free(theta);
    free(rows);
    dyn_ctx_free(ctx);
}

int main(void)
{
    RUN(plan_bytes_are_the_executors);
    RUN(arena_limit);
    RUN(chunks_change_nothing);
    RUN(predictions_in_chunks);
    RUN(impossible_limit);
    return test_end();
}
