/* SPDX-License-Identifier: BSD-3-Clause
 *
 * log1p: y = ln(1 + x), elementwise. jvp: dy = dx / (1 + x). */
#include "graph/ops/op.h"

static dyn_node jvp(dyn_graph *g, dyn_node y, int i, dyn_node t)
{
    (void)i;
    dyn_node x = dyn__operand(g, y, 0);

    return dyn_graph_div(g, t, dyn_graph_add(g, x, dyn__like(g, 1, x)));
}

static dyn_node sample(dyn_graph *g, int k)
{
    return dyn__sample_elementwise(g, DYN__OP_log1p, k, NULL);
}

DYN__EVALUATE(log1p(a))

const dyn__op dyn__op_log1p = {
    .name = "log1p", .nin = 1, .kernel = DYN__K_LOG1P,
    .infer = dyn__infer_elementwise, .jvp = jvp, .sample = sample, .evaluate = evaluate,
};
