/* SPDX-License-Identifier: BSD-3-Clause
 *
 * powi: y = x^n for a fixed integer n, elementwise, also for x < 0. jvp: dy = n x^(n-1) dx. */
#include "graph/ops/op.h"

static dyn_node jvp(dyn_graph *g, dyn_node y, int i, dyn_node t)
{
    (void)i;
    int64_t n = dyn__at(g, y)->attr.n;

    return dyn_graph_mul(g, dyn_graph_scale(g, dyn_graph_powi(g, dyn__operand(g, y, 0), n - 1), (double)n), t);
}

static dyn_node sample(dyn_graph *g, int k)
{
    return dyn__sample_elementwise(g, DYN__OP_powi, k, &(dyn__attr){.n = 3});
}

const dyn__op dyn__op_powi = {
    .name = "powi", .nin = 1, .kernel = DYN__K_POWI,
    .infer = dyn__infer_elementwise, .jvp = jvp, .sample = sample,
};
