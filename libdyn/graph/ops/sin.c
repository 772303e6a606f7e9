/* SPDX-License-Identifier: BSD-3-Clause
 *
 * sin: y = sin x, elementwise. jvp: dy = cos x dx. */
#include "graph/ops/op.h"

static dyn_node jvp(dyn_graph *g, dyn_node y, int i, dyn_node t)
{
    (void)i;
    return dyn_graph_mul(g, dyn_graph_cos(g, dyn__operand(g, y, 0)), t);
}

static dyn_node sample(dyn_graph *g, int k)
{
    return dyn__sample_elementwise(g, DYN__OP_sin, k, NULL);
}

DYN__EVALUATE(sin(a))

const dyn__op dyn__op_sin = {
    .name = "sin", .nin = 1, .kernel = DYN__K_SIN,
    .infer = dyn__infer_elementwise, .jvp = jvp, .sample = sample, .evaluate = evaluate,
};
