/* SPDX-License-Identifier: BSD-3-Clause
 *
 * exp: y = e^x, elementwise. jvp: dy = y dx. */
#include "graph/ops/op.h"

static dyn_node jvp(dyn_graph *g, dyn_node y, int i, dyn_node t)
{
    (void)i;
    return dyn_graph_mul(g, y, t);
}

static dyn_node sample(dyn_graph *g, int k)
{
    return dyn__sample_elementwise(g, DYN__OP_exp, k, NULL);
}

DYN__EVALUATE(exp(a))

const dyn__op dyn__op_exp = {
    .name = "exp", .nin = 1, .kernel = DYN__K_EXP,
    .infer = dyn__infer_elementwise, .jvp = jvp, .sample = sample, .evaluate = evaluate,
};
