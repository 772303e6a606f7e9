/* SPDX-License-Identifier: BSD-3-Clause
 *
 * tanh: y = tanh x, elementwise. jvp: dy = (1 - y^2) dx. */
#include "graph/ops/op.h"

static dyn_node jvp(dyn_graph *g, dyn_node y, int i, dyn_node t)
{
    (void)i;
    return dyn_graph_mul(g, dyn_graph_sub(g, dyn__like(g, 1, y), dyn_graph_mul(g, y, y)), t);
}

static dyn_node sample(dyn_graph *g, int k)
{
    return dyn__sample_elementwise(g, DYN__OP_tanh, k, NULL);
}

const dyn__op dyn__op_tanh = {
    .name = "tanh", .nin = 1, .kernel = DYN__K_TANH,
    .infer = dyn__infer_elementwise, .jvp = jvp, .sample = sample,
};
