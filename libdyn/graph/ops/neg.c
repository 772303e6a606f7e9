/* SPDX-License-Identifier: BSD-3-Clause
 *
 * neg: y = -x, elementwise. Linear. transpose: -ct. */
#include "graph/ops/op.h"

static dyn_node transpose(dyn_graph *g, dyn_node y, int i, dyn_node ct)
{
    (void)y, (void)i;
    return dyn_graph_neg(g, ct);
}

static dyn_node fold(dyn_graph *g, const dyn_node *in)
{
    return dyn_graph_neg(g, in[0]);
}

static dyn_node sample(dyn_graph *g, int k)
{
    return dyn__sample_elementwise(g, DYN__OP_neg, k, NULL);
}

DYN__EVALUATE(-a)

const dyn__op dyn__op_neg = {
    .name = "neg", .nin = 1, .linear = 1, .kernel = DYN__K_NEG, .cheap = 1,
    .infer = dyn__infer_elementwise, .transpose = transpose, .fold = fold, .sample = sample, .evaluate = evaluate,
};
