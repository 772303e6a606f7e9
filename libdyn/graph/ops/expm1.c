/* SPDX-License-Identifier: BSD-3-Clause
 *
 * expm1: y = e^x - 1, elementwise. jvp: dy = (y + 1) dx. */
#include "graph/ops/op.h"

static dyn_node jvp(dyn_graph *g, dyn_node y, int i, dyn_node t)
{
    (void)i;
    return dyn_graph_mul(g, dyn_graph_add(g, y, dyn__like(g, 1, y)), t);
}

static dyn_node sample(dyn_graph *g, int k)
{
    return dyn__sample_elementwise(g, DYN__OP_expm1, k, NULL);
}

DYN__EVALUATE(expm1(a))

const dyn__op dyn__op_expm1 = {
    .name = "expm1", .nin = 1, .kernel = DYN__K_EXPM1,
    .infer = dyn__infer_elementwise, .jvp = jvp, .sample = sample, .evaluate = evaluate,
};
