/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Arrays as constants of a graph: their values without being bound, in both types, under derivatives and batches. */
#include <dyn/dyn.h>
#include "test.h"

static const double a[6] = { 1, 2, 3, 4, 5, 6 };

/* x [1, 2] A [2, 3], and the gradient of the sum of squares: 2 (x A) A^T. */
static void check(int32_t dtype)
{
    const int64_t row[2] = { 1, 2 }, matrix[2] = { 2, 3 };
    const double xd[2] = { 0.5, -1 }, product[3] = { -3.5, -4, -4.5 }, gradient[2] = { -50, -122 };
    const float xf[2] = { 0.5f, -1 };
    double out_d[3], grad_d[2];
    float out_f[3], grad_f[2];
    dyn_ctx *ctx = NULL;
    dyn_graph *g = NULL;
    dyn_plan *plan = NULL;
    dyn_exec *e = NULL;

    CHECK(dyn_ctx_create(NULL, &ctx) == DYN_OK);
    CHECK_OK(ctx, dyn_graph_create(ctx, dtype, &g));
    const dyn_node x = dyn_graph_input(g, "x", 2, row);
    const dyn_node y = dyn_graph_matmul(g, x, dyn_graph_constant_array(g, 2, matrix, a), 0, 0);
    const dyn_node sum = dyn_graph_sum(g, dyn_graph_mul(g, y, y), 2, (const int32_t[]){ 0, 1 });
    dyn_node out[2] = { y };
    CHECK_OK(ctx, dyn_graph_gradient(g, sum, 1, &x, &out[1]));
    CHECK_OK(ctx, dyn_plan_compile(g, 2, out, NULL, &plan));
    dyn_graph_free(g);          /* the plan keeps the values */
    CHECK(dyn_plan_inputs(plan) == 1);
    CHECK_OK(ctx, dyn_exec_create(plan, &e));
    CHECK_OK(ctx, dyn_exec_bind(e, "x", dtype, 2, dtype == DYN_F32 ? (const void *)xf : xd));
    CHECK_OK(ctx, dyn_exec_bind_output(e, 0, dtype, 3, dtype == DYN_F32 ? (void *)out_f : out_d));
    CHECK_OK(ctx, dyn_exec_bind_output(e, 1, dtype, 2, dtype == DYN_F32 ? (void *)grad_f : grad_d));
    CHECK_OK(ctx, dyn_exec_run(e));
    for (int i = 0; i < 3; i++)
        CHECK_NEAR(dtype == DYN_F32 ? (double)out_f[i] : out_d[i], product[i], 1e-6);
    for (int i = 0; i < 2; i++)
        CHECK_NEAR(dtype == DYN_F32 ? (double)grad_f[i] : grad_d[i], gradient[i], 1e-4);
    dyn_exec_free(e);
    dyn_plan_unref(plan);
    dyn_ctx_free(ctx);
}

TEST(values)
{
    check(DYN_F64);
    check(DYN_F32);
}

/* Equal elements make a constant, which folds; others make no node twice the same. */
TEST(nodes)
{
    const int64_t shape[1] = { 3 }, none[1] = { 0 };
    const double ones[3] = { 1, 1, 1 };
    dyn_ctx *ctx = NULL;
    dyn_graph *g = NULL;

    CHECK(dyn_ctx_create(NULL, &ctx) == DYN_OK);
    CHECK_OK(ctx, dyn_graph_create(ctx, DYN_F64, &g));
    const dyn_node x = dyn_graph_input(g, "x", 1, shape);
    CHECK(dyn_graph_mul(g, x, dyn_graph_constant_array(g, 1, shape, ones)) == x);
    CHECK(dyn_graph_constant_array(g, 1, shape, a) != dyn_graph_constant_array(g, 1, shape, a + 3));
    CHECK(dyn_graph_constant_array(g, 1, none, a) == DYN_ESHAPE);
    CHECK(dyn_graph_constant_array(g, 1, shape, NULL) == DYN_EINVAL);
    CHECK(dyn_graph_constant_array(g, 99, shape, a) == DYN_ESHAPE);
    dyn_graph_free(g);
    dyn_ctx_free(ctx);
}

int main(void)
{
    RUN(values);
    RUN(nodes);
    return test_end();
}
