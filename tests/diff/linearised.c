/* SPDX-License-Identifier: BSD-3-Clause
 *
 * What a linearised plan is given: the last result of a long chain of arithmetic, which it would have to do anew for
 * every direction, but of a short one what that begins with. */
#include <math.h>
#include "compile/compile.h"
#include "tests/test.h"

enum { N = 100 };

static dyn_ctx *ctx;

/* t, then length times: t = t h + h, for h = t = tanh x. */
static dyn_node chain(dyn_graph *g, dyn_node h, int length)
{
    dyn_node t = h;

    for (int i = 0; i < length; i++)
        t = dyn_graph_add(g, dyn_graph_mul(g, t, h), h);
    return t;
}

static double value(double h, int length)
{
    double t = h;

    for (int i = 0; i < length; i++)
        t = t * h + h;
    return t;
}

/* y = v chain(tanh x), given the end of the chain or its beginning. */
static void check(int length, int ends)
{
    double given[N], v[N], y[N];
    dyn_graph *g = NULL;
    dyn_plan *plan = NULL;
    dyn_exec *e = NULL;
    dyn_node cut[64];

    CHECK_OK(ctx, dyn_graph_create(ctx, DYN_F64, &g));
    const dyn_node h = dyn_graph_tanh(g, dyn_graph_input(g, "x", 1, (int64_t[]){N}));
    const dyn_node t = chain(g, h, length), in = dyn_graph_input(g, "v", 1, (int64_t[]){N});
    const dyn_node out = dyn_graph_mul(g, t, in);
    const int32_t cuts = dyn__frontier(g, 1, &out, 1, &in, cut);
    if (cuts != 1 || cut[0] != (ends ? t : h)) {
        TEST_FAIL("chain of %d: %d cuts", length, (int)cuts);
        dyn_graph_free(g);
        return;
    }
    const dyn__compile_options opt = {.threads = 1, .cuts = cuts, .cut = cut};
    CHECK_OK(ctx, dyn__compile(g, 1, &out, &opt, &plan));
    for (int i = 0; i < N; i++) {
        v[i] = i - 3;
        given[i] = ends ? value(tanh(i / 30.0), length) : tanh(i / 30.0);
    }
    CHECK_OK(ctx, dyn_exec_create(plan, &e));
    dyn__exec_set_input(e, dyn__plan_find(plan, in), v);
    dyn__exec_set_input(e, dyn__plan_find(plan, cut[0]), given);
    dyn__exec_set_output(e, 0, y);
    dyn__exec_go(e);
    for (int i = 0; i < N; i++)
        CHECK(fabs(y[i] - v[i] * value(tanh(i / 30.0), length)) <= 1e-13 * N * length);
    dyn_exec_free(e);
    dyn_plan_unref(plan);
    dyn_graph_free(g);
}

TEST(short_arithmetic_is_done_again)
{
    check(1, 0);
    check(3, 0);
}

TEST(long_arithmetic_is_given)
{
    check(5, 1);
}

int main(void)
{
    if (dyn_ctx_create(NULL, &ctx) != DYN_OK)
        return 1;
    RUN(short_arithmetic_is_done_again);
    RUN(long_arithmetic_is_given);
    dyn_ctx_free(ctx);
    return test_end();
}
