/* SPDX-License-Identifier: BSD-3-Clause
 *
 * log: y = ln x, elementwise. jvp: dy = dx / x. */
#include "graph/ops/op.h"

static dyn_node jvp(dyn_graph *g, dyn_node y, int i, dyn_node t)
{
    (void)i;
    return dyn_graph_div(g, t, dyn__operand(g, y, 0));
}

static dyn_node sample(dyn_graph *g, int k)
{
    return dyn__sample_elementwise(g, DYN__OP_log, k, NULL);
}

DYN__EVALUATE(log(a))

const dyn__op dyn__op_log = {
    .name = "log", .nin = 1, .kernel = DYN__K_LOG,
    .infer = dyn__infer_elementwise, .jvp = jvp, .sample = sample, .evaluate = evaluate,
};
