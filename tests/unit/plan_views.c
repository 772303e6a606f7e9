/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Long chains of views: slices of slices, and slices, broadcasts and reshapes in turn. A chain is one view of its first
 * operand, found node by node: the numbers are those of that operand at shifted indices. The chains are so long that
 * one function call per node on the stack, or one walk along the chain per node, would not do. Then short views whose
 * axes of one element are summed, and a gradient through more slices than one list of parts holds;
 * at the end a chain of pads. */
#include <stdlib.h>
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

/* The pairs of neighbours without the first or the last pair. */
static dyn_node shorter_by_pair(dyn_graph *g, dyn_node x, int first)
{
    int64_t length;

    dyn_graph_shape(g, x, &length);
    x = dyn_graph_reshape(g, x, 2, (const int64_t[]){ length / 2, 2 });
    x = dyn_graph_slice(g, x, (const int64_t[]){ first, 0 }, (const int64_t[]){ length / 2 - 1, 2 });
    return dyn_graph_reshape(g, x, 1, (const int64_t[]){ length - 2 });
}

/* Run y = 2 end, the sum of end and the column sums of end as [LEFT / 2, 2], on x_i = i: end_i must be i + shift. */
static void check_chain(dyn_graph *g, dyn_node end, int64_t length, int64_t shift)
{
    static double x[100000 + LEFT];
    const int32_t axis = 0;
    const dyn_node pairs = dyn_graph_reshape(g, end, 2, (const int64_t[]){ LEFT / 2, 2 });
    const dyn_node out[3] = { dyn_graph_scale(g, end, 2), dyn_graph_sum(g, pairs, 1, &axis),
                              dyn_graph_sum(g, end, 1, &axis) };
    double twice[LEFT], sums[2], total, want[2] = { 0, 0 };
    dyn_plan *p = NULL;
    dyn_exec *e = NULL;

    for (int64_t i = 0; i < length; i++)
        x[i] = (double)i;
    CHECK_OK(ctx, dyn_plan_compile(g, 3, out, NULL, &p));
    CHECK_OK(ctx, dyn_exec_create(p, &e));
    CHECK_OK(ctx, dyn_exec_bind(e, "x", DYN_F64, length, x));
    CHECK_OK(ctx, dyn_exec_bind_output(e, 0, DOUBLES(twice)));
    CHECK_OK(ctx, dyn_exec_bind_output(e, 1, DOUBLES(sums)));
    CHECK_OK(ctx, dyn_exec_bind_output(e, 2, DYN_F64, 1, &total));
    CHECK_OK(ctx, dyn_exec_run(e));
    for (int i = 0; i < LEFT; i++) {
        CHECK(twice[i] == 2 * (double)(i + shift));
        want[i % 2] += (double)(i + shift);
    }
    CHECK(sums[0] == want[0] && sums[1] == want[1]);
    CHECK(total == want[0] + want[1]);
    dyn_exec_free(e);
    dyn_plan_unref(p);
}

typedef dyn_node (*link)(dyn_graph *g, dyn_node x, int i);

/* So many links, each of which takes `drops` elements, `shift` of them in all from the front. */
static void check_links(int links, int64_t drops, int64_t shift, link next)
{
    const int64_t length = drops * links + LEFT;
    dyn_graph *g = NULL;
    dyn_node x;

    CHECK_OK(ctx, dyn_graph_create(ctx, DYN_F64, &g));
    x = dyn_graph_input(g, "x", 1, &length);
    for (int i = 0; i < links; i++)
        x = next(g, x, i);
    check_chain(g, x, length, shift);
    dyn_graph_free(g);
}

static dyn_node slice(dyn_graph *g, dyn_node x, int i) { return shorter(g, x, i % 4 == 0); }
TEST(slices_of_slices) { check_links(100000, 1, 25000, slice); }

static dyn_node rows_and_slice(dyn_graph *g, dyn_node x, int i)
{
    (void)i;
    return shorter(g, shorter_by_rows(g, x), 0);
}
TEST(views_in_turn) { check_links(5000, 2, 5000, rows_and_slice); }

/* The elements of every view lie without gaps, so that no reshape needs a copy, but each has to find that out. */
static dyn_node pair_or_slices(dyn_graph *g, dyn_node x, int i)
{
    return i % 2 ? shorter_by_pair(g, x, i % 4 == 1) : shorter(g, shorter(g, x, 0), 0);
}
TEST(slices_and_reshapes) { check_links(10000, 2, 5000, pair_or_slices); }

/* Sums of a slice with gaps, over an axis of one element and over that and another: x_abc = 12 a + 2 b + c. */
TEST(sums_over_one_element)
{
    const int32_t axes[2] = { 0, 2 };
    double x[48], one[20], both[5];
    dyn_graph *g = NULL;
    dyn_plan *p = NULL;
    dyn_exec *e = NULL;
    dyn_node s, out[2];

    CHECK_OK(ctx, dyn_graph_create(ctx, DYN_F64, &g));
    s = dyn_graph_input(g, "x", 3, (const int64_t[]){ 4, 6, 2 });
    s = dyn_graph_slice(g, s, (const int64_t[]){ 0, 1, 1 }, (const int64_t[]){ 4, 5, 1 });
    out[0] = dyn_graph_sum(g, s, 1, axes + 1);
    out[1] = dyn_graph_sum(g, s, 2, axes);
    CHECK_OK(ctx, dyn_plan_compile(g, 2, out, NULL, &p));
    CHECK_OK(ctx, dyn_exec_create(p, &e));
    for (int i = 0; i < 48; i++)
        x[i] = i;
    CHECK_OK(ctx, dyn_exec_bind(e, "x", DOUBLES(x)));
    CHECK_OK(ctx, dyn_exec_bind_output(e, 0, DOUBLES(one)));
    CHECK_OK(ctx, dyn_exec_bind_output(e, 1, DOUBLES(both)));
    CHECK_OK(ctx, dyn_exec_run(e));
    for (int b = 0; b < 5; b++) {
        for (int a = 0; a < 4; a++)
            CHECK(one[5 * a + b] == 12 * a + 2 * (b + 1) + 1);
        CHECK(both[b] == 12 * (0 + 1 + 2 + 3) + 4 * (2 * (b + 1) + 1));
    }
    dyn_exec_free(e);
    dyn_plan_unref(p);
    dyn_graph_free(g);
}

/* ---- through many slices ---- */

enum { ROWS = 3, MOST_COLUMNS = 500 };

static dyn_node columns(dyn_graph *g, dyn_node x, int64_t begin, int64_t count)
{
    return dyn_graph_slice(g, x, (const int64_t[]){ 0, begin }, (const int64_t[]){ ROWS, count });
}

/* Run y on x_rj = r + j + 1 of so many columns: y_rj must be want_j x_rj. */
static void check_columns(dyn_graph *g, dyn_node y, int n, const double *want)
{
    static double x[ROWS * MOST_COLUMNS], result[ROWS * MOST_COLUMNS];
    dyn_plan *p = NULL;
    dyn_exec *e = NULL;

    for (int i = 0; i < ROWS * n; i++)
        x[i] = i / n + i % n + 1;
    CHECK_OK(ctx, dyn_plan_compile(g, 1, &y, NULL, &p));
    CHECK_OK(ctx, dyn_exec_create(p, &e));
    CHECK_OK(ctx, dyn_exec_bind(e, "x", DYN_F64, ROWS * n, x));
    CHECK_OK(ctx, dyn_exec_bind_output(e, 0, DYN_F64, ROWS * n, result));
    CHECK_OK(ctx, dyn_exec_run(e));
    for (int i = 0; i < ROWS * n; i++)
        CHECK(result[i] == want[i % n] * x[i]);
    dyn_exec_free(e);
    dyn_plan_unref(p);
}

/* The gradient of sum_i (i + 1) |columns i to i + width - 1 of x|^2, of parts side by side or over each other. */
static void check_gradient_of_columns(int n, int width)
{
    double want[MOST_COLUMNS] = { 0 };
    dyn_graph *g = NULL;
    dyn_node x, sum, gradient;

    CHECK_OK(ctx, dyn_graph_create(ctx, DYN_F64, &g));
    x = dyn_graph_input(g, "x", 2, (const int64_t[]){ ROWS, n });
    sum = dyn_graph_constant(g, 0, 0, NULL);
    for (int i = 0; i + width <= n; i++) {
        const dyn_node part = columns(g, x, i, width);
        const dyn_node square = dyn_graph_sum(g, dyn_graph_mul(g, part, part), 2, (const int32_t[]){ 0, 1 });
        sum = dyn_graph_add(g, sum, dyn_graph_scale(g, square, i + 1));
        for (int j = i; j < i + width; j++)
            want[j] += 2 * (i + 1);
    }
    CHECK_OK(ctx, dyn_graph_gradient(g, sum, 1, &x, &gradient));
    check_columns(g, gradient, n, want);
    dyn_graph_free(g);
}

TEST(gradient_through_many_slices)
{
    for (int width = 1; width <= 2; width++)
        for (int n = 60; n < 70; n++)
            check_gradient_of_columns(n, width);
    check_gradient_of_columns(MOST_COLUMNS, 1);
    check_gradient_of_columns(MOST_COLUMNS, 2);
}

/* ---- a chain of pads ---- */

/* 2 x, padded by a column, behind and before it in turn, so many times; x_rj = r + j + 1 of two columns. */
TEST(pads_of_pads)
{
    enum { PADS = 200000, WIDTH = PADS + 2 };
    const double x[2 * ROWS] = { 1, 2, 2, 3, 3, 4 };
    double *y = calloc(ROWS * WIDTH, sizeof *y);
    dyn_graph *g = NULL;
    dyn_plan *p = NULL;
    dyn_exec *e = NULL;
    int wrong = 0;

    CHECK_OK(ctx, dyn_graph_create(ctx, DYN_F64, &g));
    dyn_node all = dyn_graph_scale(g, dyn_graph_input(g, "x", 2, (const int64_t[]){ ROWS, 2 }), 2);
    for (int i = 0; i < PADS; i++)
        all = dyn_graph_pad(g, all, (const int64_t[]){ 0, i % 2 }, (const int64_t[]){ ROWS, 3 + i });
    CHECK_OK(ctx, dyn_plan_compile(g, 1, &all, NULL, &p));
    CHECK_OK(ctx, dyn_exec_create(p, &e));
    CHECK_OK(ctx, dyn_exec_bind(e, "x", DOUBLES(x)));
    CHECK_OK(ctx, dyn_exec_bind_output(e, 0, DYN_F64, ROWS * WIDTH, y));
    CHECK_OK(ctx, dyn_exec_run(e));
    for (int i = 0; y && i < ROWS * WIDTH; i++) {
        const int j = i % WIDTH - PADS / 2;
        wrong += y[i] != (j == 0 || j == 1 ? 2 * x[2 * (i / WIDTH) + j] : 0);
    }
    CHECK(y && wrong == 0);
    dyn_exec_free(e);
    dyn_plan_unref(p);
    dyn_graph_free(g);
    free(y);
}

int main(void)
{
    CHECK(dyn_ctx_create(NULL, &ctx) == DYN_OK);
    RUN(slices_of_slices);
    RUN(views_in_turn);
    RUN(slices_and_reshapes);
    RUN(sums_over_one_element);
    RUN(gradient_through_many_slices);
    RUN(pads_of_pads);
    dyn_ctx_free(ctx);
    return test_end();
}
