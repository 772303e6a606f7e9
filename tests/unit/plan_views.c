/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Long chains of views: slices of slices, and slices, broadcasts and reshapes in turn. A chain is one view of its first
 * operand, found node by node: the numbers are those of that operand at shifted indices. */
#include <dyn/dyn.h>
#include "test.h"

enum { LEFT = 12 };     /* elements at the end of a chain */

static dyn_ctx *ctx;

/* One element less: the first or the last. */
static dyn_node shorter(dyn_graph *g, dyn_node x, int first)
{
    int64_t length, start = first;

    dyn_graph_shape(g, x, &length);
    length--;
    return dyn_graph_slice(g, x, &start, &length);
}

/* The same by a detour: the second of three equal rows, without its first element. */
static dyn_node shorter_by_rows(dyn_graph *g, dyn_node x)
{
    int64_t length;

    dyn_graph_shape(g, x, &length);
    x = dyn_graph_broadcast_to(g, x, 2, (const int64_t[]){ 3, length });
    x = dyn_graph_slice(g, x, (const int64_t[]){ 1, 1 }, (const int64_t[]){ 1, length - 1 });
    return dyn_graph_reshape(g, x, 1, (const int64_t[]){ length - 1 });
}

/* Run y = 2 end and the column sums of end as [LEFT / 2, 2], on x_i = i: end_i must be i + shift. */
static void check_chain(dyn_graph *g, dyn_node end, int64_t length, int64_t shift)
{
    static double x[30000];
    const int32_t axis = 0;
    const dyn_node pairs = dyn_graph_reshape(g, end, 2, (const int64_t[]){ LEFT / 2, 2 });
    const dyn_node out[2] = { dyn_graph_scale(g, end, 2), dyn_graph_sum(g, pairs, 1, &axis) };
    double twice[LEFT], sums[2], want[2] = { 0, 0 };
    dyn_plan *p = NULL;
    dyn_exec *e = NULL;

    for (int64_t i = 0; i < length; i++)
        x[i] = (double)i;
    CHECK_OK(ctx, dyn_plan_compile(g, 2, out, NULL, &p));
    CHECK_OK(ctx, dyn_exec_create(p, &e));
    CHECK_OK(ctx, dyn_exec_bind(e, "x", x));
    CHECK_OK(ctx, dyn_exec_bind_output(e, 0, twice));
    CHECK_OK(ctx, dyn_exec_bind_output(e, 1, sums));
    CHECK_OK(ctx, dyn_exec_run(e));
    for (int i = 0; i < LEFT; i++) {
        CHECK(twice[i] == 2 * (double)(i + shift));
        want[i % 2] += (double)(i + shift);
    }
    CHECK(sums[0] == want[0] && sums[1] == want[1]);
    dyn_exec_free(e);
    dyn_plan_unref(p);
}

TEST(slices_of_slices)
{
    enum { LINKS = 20000 };
    const int64_t length = LINKS + LEFT;
    dyn_graph *g = NULL;
    dyn_node x;

    CHECK_OK(ctx, dyn_graph_create(ctx, DYN_F64, &g));
    x = dyn_graph_input(g, "x", 1, &length);
    for (int i = 0; i < LINKS; i++)
        x = shorter(g, x, i % 4 == 0);
    check_chain(g, x, length, LINKS / 4);
    dyn_graph_free(g);
}

TEST(views_in_turn)
{
    enum { LINKS = 500 };
    const int64_t length = 2 * LINKS + LEFT;
    dyn_graph *g = NULL;
    dyn_node x;

    CHECK_OK(ctx, dyn_graph_create(ctx, DYN_F64, &g));
    x = dyn_graph_input(g, "x", 1, &length);
    for (int i = 0; i < LINKS; i++)
        x = shorter(g, shorter_by_rows(g, x), 0);
    check_chain(g, x, length, LINKS);
    dyn_graph_free(g);
}

int main(void)
{
    CHECK(dyn_ctx_create(NULL, &ctx) == DYN_OK);
    RUN(slices_of_slices);
    RUN(views_in_turn);
    dyn_ctx_free(ctx);
    return test_end();
}
