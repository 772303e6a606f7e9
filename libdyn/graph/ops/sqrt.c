/* SPDX-License-Identifier: BSD-3-Clause
 *
 * sqrt: y = x^(1/2), elementwise. jvp: dy = dx / (2 y). */
#include "graph/ops/op.h"

static dyn_node jvp(dyn_graph *g, dyn_node y, int i, dyn_node t)
{
    (void)i;
    return dyn_graph_div(g, dyn_graph_scale(g, t, 0.5), y);
}

static dyn_node sample(dyn_graph *g, int k)
{
    return dyn__sample_elementwise(g, DYN__OP_sqrt, k, NULL);
}

DYN__EVALUATE(sqrt(a))

const dyn__op dyn__op_sqrt = {
    .name = "sqrt", .nin = 1, .kernel = DYN__K_SQRT,
    .infer = dyn__infer_elementwise, .jvp = jvp, .sample = sample, .evaluate = evaluate,
};
