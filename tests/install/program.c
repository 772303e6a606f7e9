/* SPDX-License-Identifier: BSD-3-Clause
 *
 * A program outside the tree: the gradient of sum(tanh(x) * x) at two points, and the versions. It touches the kernels,
 * BLIS and LAPACK, so that a library missing from the link shows. */
#include <stdio.h>
#include <string.h>
#include <dyn/dyn.h>

static dyn_status gradient(dyn_ctx *ctx, const double *x, double *dx)
{
    const int64_t shape[1] = { 2 };
    const int32_t axis = 0;
    dyn_graph *g = NULL;
    dyn_plan *plan = NULL;
    dyn_exec *exec = NULL;
    dyn_node in, y, d;
    dyn_status s = dyn_graph_create(ctx, DYN_F64, &g);

    if (s < 0)
        return s;
    in = dyn_graph_input(g, "x", 1, shape);
    y = dyn_graph_sum(g, dyn_graph_mul(g, dyn_graph_tanh(g, in), in), 1, &axis);
    s = dyn_graph_gradient(g, y, 1, &in, &d);
    if (s == DYN_OK)
        s = dyn_plan_compile(g, 1, &d, NULL, &plan);
    if (s == DYN_OK)
        s = dyn_exec_create(plan, &exec);
    if (s == DYN_OK)
        s = dyn_exec_bind(exec, "x", DYN_F64, shape[0], x);
    if (s == DYN_OK)
        s = dyn_exec_bind_output(exec, 0, DYN_F64, shape[0], dx);
    if (s == DYN_OK)
        s = dyn_exec_run(exec);
    dyn_exec_free(exec);
    dyn_plan_unref(plan);
    dyn_graph_free(g);
    return s;
}

static int differ(double a, double b)
{
    return !(a - b < 1e-12 && b - a < 1e-12);
}

int main(void)
{
    const double x[2] = { 0.5, -2.0 }, matrix[4] = { 2.0, 1.0, 1.0, 2.0 };
    const double expected[2] = { 0.8553410237429735, -1.1053292297821458 };     /* tanh(x) + x (1 - tanh(x)^2) */
    double dx[2], values[2];
    dyn_ctx *ctx = NULL;
    int bad = 0;

    if (dyn_ctx_create(NULL, &ctx) != DYN_OK || strcmp(dyn_version(), "0.1.0") != 0)
        return 1;
    if (gradient(ctx, x, dx) != DYN_OK || dyn_dense_eigh(ctx, 2, matrix, values, NULL) != DYN_OK)
        bad = 1;
    for (int i = 0; i < 2 && !bad; i++)
        bad = differ(dx[i], expected[i]) || differ(values[i], i ? 3.0 : 1.0);
    if (bad)
        fprintf(stderr, "%s\n", dyn_ctx_message(ctx));
    dyn_ctx_free(ctx);
    return bad;
}
