/* SPDX-License-Identifier: BSD-3-Clause
 *
 * max: y = max(a, b), elementwise. jvp: the tangent of a where y > b, that is where a > b, else that of b; so max(x, 0)
 * has derivative 0 at 0. It asks y, which those behind a ReLU read anyway, so that a need not be kept for it. */
#include "graph/ops/op.h"

static dyn_node jvp(dyn_graph *g, dyn_node y, int i, dyn_node t)
{
    dyn_node b = dyn__operand(g, y, 1), zero = dyn__like(g, 0, y), first = dyn_graph_greater(g, y, b);

    return i == 0 ? dyn_graph_select(g, first, t, zero) : dyn_graph_select(g, first, zero, t);
}

static dyn_node sample(dyn_graph *g, int k)
{
    return dyn__sample_elementwise(g, DYN__OP_max, k, NULL);
}

DYN__EVALUATE(isnan(a) || isnan(b) ? (double)NAN : a > b ? a : b)

const dyn__op dyn__op_max = {
    .name = "max", .nin = 2, .linear = 0, .kernel = DYN__K_MAX,
    .infer = dyn__infer_elementwise, .jvp = jvp, .sample = sample, .evaluate = evaluate,
};
