/* SPDX-License-Identifier: BSD-3-Clause
 *
 * cos: y = cos x, elementwise. jvp: dy = -sin x dx. */
#include "graph/ops/op.h"

static dyn_node jvp(dyn_graph *g, dyn_node y, int i, dyn_node t)
{
    (void)i;
    return dyn_graph_neg(g, dyn_graph_mul(g, dyn_graph_sin(g, dyn__operand(g, y, 0)), t));
}

static dyn_node sample(dyn_graph *g, int k)
{
    return dyn__sample_elementwise(g, DYN__OP_cos, k, NULL);
}

DYN__EVALUATE(cos(a))

const dyn__op dyn__op_cos = {
    .name = "cos", .nin = 1, .kernel = DYN__K_COS,
    .infer = dyn__infer_elementwise, .jvp = jvp, .sample = sample, .evaluate = evaluate,
};
