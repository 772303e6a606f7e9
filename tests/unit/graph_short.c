/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Short ways: elements along one axis, derivatives by an input. */
#include <dyn/dyn.h>
#include "test.h"

static dyn_ctx *ctx;

/* Elements 1 and 2 of the last axis of [2, 4] are those of the slice; it is the same node. */
TEST(narrow)
{
    dyn_graph *g = NULL;
    int64_t shape[DYN_MAX_RANK];

    CHECK_OK(ctx, dyn_graph_create(ctx, DYN_F64, &g));
    const dyn_node x = dyn_graph_input(g, "x", 2, (int64_t[]){ 2, 4 });
    const dyn_node part = dyn_graph_slice(g, x, (int64_t[]){ 0, 1 }, (int64_t[]){ 2, 2 });
    CHECK(dyn_graph_narrow(g, x, 1, 1, 2) == part && dyn_graph_narrow(g, x, -1, 1, 2) == part);
    CHECK(dyn_graph_shape(g, dyn_graph_narrow(g, x, 0, 1, 1), shape) == 2 && shape[0] == 1 && shape[1] == 4);
    CHECK(dyn_graph_narrow(g, x, 2, 0, 1) == DYN_ESHAPE && dyn_graph_narrow(g, x, -3, 0, 1) == DYN_ESHAPE);
    CHECK_STR(dyn_ctx_message(ctx), "axis -3");
    CHECK(dyn_graph_narrow(g, x, 1, 3, 2) == DYN_ESHAPE && dyn_graph_narrow(g, x, 0, -1, 1) == DYN_ESHAPE);
    CHECK(dyn_graph_narrow(g, DYN_ENOMEM, 1, 0, 1) == DYN_ENOMEM && dyn_graph_narrow(NULL, x, 1, 0, 1) == DYN_EINVAL);
    dyn_graph_free(g);
}

/* d^k sin(3 t) = 3^k sin(3 t + k pi / 2), row by row. */
TEST(derivative)
{
    static const double t_[2] = { 0.3, -1.1 };
    dyn_graph *g = NULL;
    dyn_plan *plan = NULL;
    dyn_exec *e = NULL;
    dyn_node out[4];
    double found[4][2];

    CHECK_OK(ctx, dyn_graph_create(ctx, DYN_F64, &g));
    const dyn_node t = dyn_graph_input(g, "t", 2, (int64_t[]){ 2, 1 });
    const dyn_node v = dyn_graph_sin(g, dyn_graph_scale(g, t, 3));
    for (int32_t k = 0; k < 4; k++)
        out[k] = dyn_graph_derivative(g, v, t, k);
    CHECK(out[0] == v);
    CHECK_OK(ctx, dyn_plan_compile(g, 4, out, NULL, &plan));
    CHECK_OK(ctx, dyn_exec_create(plan, &e));
    CHECK_OK(ctx, dyn_exec_bind(e, "t", DOUBLES(t_)));
    for (int32_t k = 0; k < 4; k++)
        CHECK_OK(ctx, dyn_exec_bind_output(e, k, DOUBLES(found[k])));
    CHECK_OK(ctx, dyn_exec_run(e));
    for (int k = 0; k < 4; k++)
        for (int i = 0; i < 2; i++)
            CHECK_NEAR(found[k][i], pow(3, k) * sin(3 * t_[i] + k * acos(0)), 1e-13);
    CHECK(dyn_graph_derivative(g, v, t, -1) == DYN_EINVAL);
    CHECK(dyn_graph_derivative(g, v, dyn_graph_input(g, "wide", 2, (int64_t[]){ 2, 2 }), 1) == DYN_ESHAPE);
    CHECK_STR(dyn_ctx_message(ctx), "[2, 2]");
    CHECK(dyn_graph_derivative(g, v, 99, 1) < 0 && dyn_graph_derivative(g, DYN_ESHAPE, t, 1) == DYN_ESHAPE);
    dyn_exec_free(e);
    dyn_plan_unref(plan);
    dyn_graph_free(g);
}

int main(void)
{
    CHECK(dyn_ctx_create(NULL, &ctx) == DYN_OK);
    RUN(narrow);
    RUN(derivative);
    dyn_ctx_free(ctx);
    return test_end();
}
