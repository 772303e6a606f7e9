/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Memory: a plan says to the byte what its executors take; a limit is met by chunks of samples, also with a shorter
 * last one, and the results stay those of the whole; all that one operator or gradient keeps is below the limit
 * together; a limit that cannot be met is an error that gives the bytes. */
#include "base/base.h"
#include "exec_problems.h"

enum { GRAPHS = 400000 };   /* bytes, at most, of the graphs and instructions of an evaluation */

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

/* Chunks are other sums, so that some number has another last bit. */
static int same_part(const results *a, const results *b, int part)
{
    const size_t bytes = (size_t)(a->at[part + 1] - a->at[part]) * sizeof *a->number;
    return memcmp(a->number + a->at[part], b->number + a->at[part], bytes) == 0;
}

static results gradient_only(dyn_ctx *ctx, const problem *p)
{
    dyn_objective *o = make_objective(ctx, p, p->samples);
    double *theta = start_of(o);
    results r = make_results(dyn_objective_size(o), dyn_objective_outputs(o));

    CHECK_OK(ctx, dyn_objective_gradient(o, theta, r.number + r.at[GRADIENT], r.number + r.at[LOSS]));
    dyn_objective_unref(o);
    free(theta);
    return r;
}

/* The gradient, or every derivative, can be had within the problem's limit. */
static int fits(dyn_ctx *ctx, const problem *p, int every)
{
    dyn_objective *whole = make_objective(ctx, p, p->samples), *few = make_objective(ctx, p, ROWS);
    double *theta = start_of(whole), *room = calloc((size_t)(10 * ROWS * dyn_objective_size(whole)), sizeof *room);
    dyn_operator *H = NULL, *G = NULL;
    dyn_status s = dyn_objective_gradient(whole, theta, room, NULL);

    if (s == DYN_OK && every)
        s = dyn_objective_hessian(whole, theta, &H);
    if (s == DYN_OK && every)
        s = dyn_objective_ggn(whole, theta, &G);
    if (s == DYN_OK && every)
        s = dyn_objective_jacobian(few, theta, room);
    if (s == DYN_OK && every)
        s = dyn_objective_sample_gradients(few, theta, room);
    CHECK(s == DYN_OK || s == DYN_EFULL);
    dyn_operator_unref(H);
    dyn_operator_unref(G);
    dyn_objective_unref(whole);
    dyn_objective_unref(few);
    free(theta);
    free(room);
    return s == DYN_OK;
}

/* About the smallest limit there can be. */
static problem tightest(dyn_ctx *ctx, const problem *whole, int every)
{
    problem p = *whole;

    for (p.memory_limit = 20000; !fits(ctx, &p, every) && p.memory_limit < 10000000;)
        p.memory_limit += p.memory_limit / 10;
    return p;
}

/* A gradient and every derivative in the smallest chunks there can be. */
static void check_tightest(dyn_ctx *ctx, const problem *whole, const results *expected)
{
    const double tolerance = whole->dtype == DYN_F64 ? 1e-12 : 1e-4;

    for (int every = 0; every < 2; every++) {
        const problem p = tightest(ctx, whole, every);
        CHECK(gradient_bytes(ctx, &p) <= p.memory_limit + GRAPHS);
        results r = every ? evaluate(ctx, &p, 1) : gradient_only(ctx, &p);
        CHECK(!same_part(&r, expected, every ? HESSIAN_1 : GRADIENT));
        if (every)
            check_close("in chunks", &r, expected, tolerance);
        else
            CHECK(part_error(&r, expected, LOSS) <= tolerance && part_error(&r, expected, GRADIENT) <= tolerance);
        free(r.number);
    }
}

/* 203 = 7 * 29 samples: halves of halves leave a shorter last chunk. One thread, of which the limit speaks. */
TEST(chunks_change_nothing)
{
    for (int digits = 0; digits < 2; digits++)
        for (int32_t dtype = DYN_F64; dtype <= DYN_F32; dtype++) {
            const problem p = { .digits = digits, .dtype = dtype, .samples = digits ? 203 : 77, .memory_limit = 0 };
            dyn_ctx *ctx = make_ctx(1, DYN_ISA_AUTO);
            results r = evaluate(ctx, &p, 0);

            check_tightest(ctx, &p, &r);
            free(r.number);
            dyn_ctx_free(ctx);
        }
}

/* Bytes of an operator and of all it keeps after 40 directions; 0 if the limit is too small for it. */
static int64_t operator_bytes(dyn_ctx *ctx, const problem *p, int gauss_newton, double *hv)
{
    dyn_objective *o = make_objective(ctx, p, p->samples);
    const int64_t size = dyn_objective_size(o), before = dyn_ctx_bytes(ctx);
    double *theta = start_of(o), *v = malloc((size_t)(DIRECTIONS * size) * sizeof *v);
    dyn_operator *A = NULL;
    int64_t bytes = 0;

    directions(size, v);
    dyn_status s = (gauss_newton ? dyn_objective_ggn : dyn_objective_hessian)(o, theta, &A);
    CHECK(s == (A ? DYN_OK : DYN_EFULL));
    if (A) {
        CHECK_OK(ctx, dyn_operator_apply(A, DIRECTIONS, v, hv));
        bytes = dyn_ctx_bytes(ctx) - before;
    }
    dyn_operator_unref(A);
    dyn_objective_unref(o);
    free(theta);
    free(v);
    return bytes;
}

/* From too little to more than enough: whole, parts and block plans alike take no more than the limit, and what they
 * compute is the same. */
static void check_operator_limits(int gauss_newton)
{
    dyn_ctx *ctx = make_ctx(1, DYN_ISA_AUTO);
    problem p = { .digits = 1, .samples = 101 };
    enum { SIZE = 17610 };
    double *expected = calloc(2 * DIRECTIONS * SIZE, sizeof *expected), *hv = expected + DIRECTIONS * SIZE;
    const int64_t most = operator_bytes(ctx, &p, gauss_newton, expected);
    int refused = 0, met = 0;

    for (p.memory_limit = 100000; p.memory_limit < 2 * most; p.memory_limit += p.memory_limit / 4) {
        const int64_t bytes = operator_bytes(ctx, &p, gauss_newton, hv);
        double worst = 0;

        CHECK(bytes <= p.memory_limit + GRAPHS);
        CHECK(met == 0 || bytes > 0);
        for (int64_t i = 0; bytes > 0 && i < DIRECTIONS * SIZE; i++)
            worst = fmax(worst, fabs(hv[i] - expected[i]));
        CHECK(worst < 1e-12);
        refused += bytes == 0;
        met += bytes > 0;
    }
    CHECK(refused > 3 && met > 10);
    free(expected);
    dyn_ctx_free(ctx);
}

TEST(an_operator_has_one_budget)
{
    check_operator_limits(0);
    check_operator_limits(1);
}

/* A layer of 50 units that notes for how many samples it was asked last and before. */
static dyn_node noting_model(void *user, dyn_graph *g, dyn_node x)
{
    int64_t shape[DYN_MAX_RANK], *asked = user;

    dyn_graph_shape(g, x, shape);
    asked[0] = asked[1];
    asked[1] = shape[0];
    dyn_node w = dyn_graph_parameter(g, "w", 2, (int64_t[]){ 3, 50 });
    dyn_node v = dyn_graph_parameter(g, "v", 2, (int64_t[]){ 50, 1 });
    return dyn_graph_matmul(g, dyn_graph_tanh(g, dyn_graph_matmul(g, x, w, 0, 0)), v, 0, 0);
}

/* A prime number of samples goes in chunks of several, too: halves of halves and a tail. */
TEST(prime_number_of_samples)
{
    enum { N = 4999, SIZE = 200 };
    dyn_ctx *ctx = make_ctx(2, DYN_ISA_AUTO);
    dyn_objective_options opt = DYN_OBJECTIVE_OPTIONS_INIT;
    double theta[SIZE], hv[2][SIZE];
    int64_t asked[2];
    dyn_array *x = NULL, *y = NULL;
    dyn_model *m = NULL;

    CHECK_OK(ctx, dyn_model_from_callback(ctx, noting_model, asked, 1, (int64_t[]){ 3 }, &m));
    CHECK_OK(ctx, dyn_array_linspace(ctx, DYN_F64, -1, 1, 3 * N, &x));
    CHECK_OK(ctx, dyn_array_linspace(ctx, DYN_F64, 1, -1, N, &y));
    dyn_array *rows = NULL;
    CHECK_OK(ctx, dyn_array_reshape(x, 2, (int64_t[]){ N, 3 }, &rows));
    for (int i = 0; i < SIZE; i++)
        theta[i] = sin(1 + i);
    for (int limited = 0; limited < 2; limited++) {
        dyn_objective *o = NULL;
        dyn_operator *H = NULL;

        opt.memory_limit = limited ? 250000 : INT64_MAX;
        CHECK_OK(ctx, dyn_objective_create(ctx, m, rows, y, &opt, &o));
        CHECK_OK(ctx, dyn_objective_hessian(o, theta, &H));
        CHECK_OK(ctx, dyn_operator_apply(H, 1, theta, hv[limited]));
        dyn_operator_unref(H);
        dyn_objective_unref(o);
    }
    CHECK(asked[0] > 50 && asked[0] < N && asked[1] == N % asked[0]);
    for (int i = 0; i < SIZE; i++)
        CHECK_NEAR(hv[1][i], hv[0][i], 1e-11);
    dyn_array_unref(x);
    dyn_array_unref(y);
    dyn_array_unref(rows);
    dyn_model_unref(m);
    dyn_ctx_free(ctx);
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
    RUN(an_operator_has_one_budget);
    RUN(prime_number_of_samples);
    RUN(predictions_in_chunks);
    RUN(impossible_limit);
    return test_end();
}
