/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Rows in parts: a layer cut into gates, which overlap, go different ways and are put together again in another order,
 * step by step through time. Value, gradient, Hessian product and a block of directions against the oracle, for parts
 * that do and do not begin on a cache line; and all of it in one cluster. */
#include "tests/diff/compiled.h"
#include "tests/test.h"

enum { SETS = 3, STEPS = 3, MANY = 200 };

static dyn_ctx *ctx;

static dyn_node part(dyn_graph *g, dyn_node x, int64_t from, int64_t columns)
{
    return dyn_graph_slice(g, x, (int64_t[]){0, from}, (int64_t[]){dyn__at(g, x)->shape.dim[0], columns});
}

/* [n, 2 w + 1] to [n, w]: two parts that share w / 2 columns, joined behind a third and cut once more. */
static dyn_node cell(dyn_graph *g, dyn_node x, int64_t w)
{
    dyn_node a = dyn_graph_tanh(g, part(g, x, 0, w)), b = dyn_graph_sin(g, part(g, x, w - w / 2, w));
    dyn_node all = dyn_graph_concat(g, part(g, x, 2 * w, 1), dyn_graph_concat(g, dyn_graph_mul(g, a, b), b, 1), 1);

    return dyn_graph_add(g, part(g, all, 1, w), part(g, all, w, w));
}

/* As a function of W [w, 2 w + 1] and b: a network in time on x [n, w], of which every state is read. */
static function unrolled(problem *p, int64_t n, int64_t w)
{
    dyn_graph *g = p->g;
    const double most = 1 / sqrt((double)w);
    function f = {.n = 2, .x = {problem_input(p, &(dyn__shape){2, {w, 2 * w + 1}}, -most, most),
                                problem_input(p, &(dyn__shape){1, {2 * w + 1}}, -1, 1)}};
    dyn_node h = problem_input(p, &(dyn__shape){2, {n, w}}, -1, 1), states = h;

    for (int t = 0; t < STEPS; t++) {
        h = cell(g, dyn_graph_add(g, dyn_graph_matmul(g, h, f.x[0], 0, 0), f.x[1]), w);
        states = dyn_graph_concat(g, h, states, 1);
    }
    f.y = dyn_graph_mean(g, dyn_graph_mul(g, dyn_graph_mul(g, states, states), states));
    return f;
}

static void check(int64_t n, int64_t w, int32_t dtype)
{
    dyn_node v[MAX_X], u[MAX_X], out[1 + 3 * MAX_X];
    problem p;

    problem_new(&p, ctx, dtype);
    function f = unrolled(&p, n, w);
    problem_directions(&p, &f, v);
    out[0] = f.y;
    CHECK_OK(ctx, dyn_graph_gradient(p.g, f.y, f.n, f.x, out + 1));
    CHECK_OK(ctx, dyn_graph_hvp(p.g, f.y, f.n, f.x, v, out + 3));
    for (int i = 0; i < f.n; i++) {
        const dyn__shape block = dyn__shape_lead(&dyn__at(p.g, v[i])->shape, SETS);
        u[i] = problem_input(&p, &block, -1, 1);
    }
    CHECK_OK(ctx, dyn_graph_batch(p.g, SETS, f.n, out + 3, f.n, v, u, out + 5));
    for (int unfused = 0; unfused < 2; unfused++) {
        dyn_plan_options opt = DYN_PLAN_OPTIONS_INIT;
        opt.unfused = unfused;
        const double error = compiled_error(&p, 7, out, &opt);
        if (!(error <= (dtype == DYN_F64 ? 1e-12 : 2e-4)))
            TEST_FAIL("%d rows of %d, unfused %d: error %.3g: %s", (int)n, (int)w, unfused, error, dyn_ctx_message(ctx));
    }
    problem_free(&p);
}

TEST(rows_in_parts)
{
    static const struct { int64_t n, w; } sizes[] = {{1, 2}, {5, 3}, {33, 16}, {100, 41}, {300, 48}, {7, 150}};

    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        check(sizes[i].n, sizes[i].w, DYN_F64);
        check(sizes[i].n, sizes[i].w, DYN_F32);
    }
}

/* MANY parts one by one, each before (side 0) or behind what is there: more than one step of parts takes. */
static function chained(problem *p, int side)
{
    dyn_graph *g = p->g;
    function f = {.n = 1, .x = {problem_input(p, &(dyn__shape){2, {5, 3}}, -1, 1)}};
    dyn_node all = f.x[0];

    for (int i = 0; i < MANY; i++) {
        dyn_node next = dyn_graph_tanh(g, dyn_graph_scale(g, f.x[0], 1 + 0.01 * i));
        all = dyn_graph_concat(g, side ? all : next, side ? next : all, 1);
    }
    f.y = dyn_graph_mean(g, dyn_graph_mul(g, all, all));
    return f;
}

TEST(many_parts)
{
    for (int side = 0; side < 2; side++) {
        dyn_node out[1 + MAX_X];
        problem p;

        problem_new(&p, ctx, DYN_F64);
        function f = chained(&p, side);
        out[0] = f.y;
        CHECK_OK(ctx, dyn_graph_gradient(p.g, f.y, f.n, f.x, out + 1));
        const double error = compiled_error(&p, 2, out, NULL);
        if (!(error <= 1e-12))
            TEST_FAIL("side %d: error %.3g: %s", side, error, dyn_ctx_message(ctx));
        problem_free(&p);
    }
}

/* The rows, and what makes their sum a mean: no step that moves parts. */
TEST(one_cluster)
{
    static const struct { int64_t n, w; } sizes[] = {{5, 3}, {33, 16}, {100, 41}, {7, 150}};

    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        dyn_node out[1 + MAX_X];
        dyn_plan *plan = NULL;
        problem p;

        problem_new(&p, ctx, DYN_F64);
        function f = unrolled(&p, sizes[i].n, sizes[i].w);
        out[0] = f.y;
        CHECK_OK(ctx, dyn_graph_gradient(p.g, f.y, f.n, f.x, out + 1));
        CHECK_OK(ctx, dyn_plan_compile(p.g, 1 + f.n, out, NULL, &plan));
        if (dyn_plan_steps(plan) > 2)
            TEST_FAIL("%d rows of %d: %d steps", (int)sizes[i].n, (int)sizes[i].w, (int)dyn_plan_steps(plan));
        dyn_plan_unref(plan);
        problem_free(&p);
    }
}

int main(void)
{
    if (dyn_ctx_create(NULL, &ctx) != DYN_OK)
        return 1;
    RUN(rows_in_parts);
    RUN(many_parts);
    RUN(one_cluster);
    dyn_ctx_free(ctx);
    return test_end();
}
