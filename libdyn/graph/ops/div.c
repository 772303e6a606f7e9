/* SPDX-License-Identifier: BSD-3-Clause
 *
 * div: y = a / b, elementwise. Linear in a. jvp: da / b - (y / b) db. transpose: ct / b to a. */
#include "graph/ops/op.h"

static dyn_node jvp(dyn_graph *g, dyn_node y, int i, dyn_node t)
{
    dyn_node b = dyn__operand(g, y, 1);

    if (i == 0)
        return dyn_graph_div(g, t, b);
    return dyn_graph_neg(g, dyn_graph_mul(g, dyn_graph_div(g, y, b), t));
}

static dyn_node transpose(dyn_graph *g, dyn_node y, int i, dyn_node ct)
{
    (void)i;
    return dyn_graph_div(g, ct, dyn__operand(g, y, 1));
}

static dyn_node fold(dyn_graph *g, const dyn_node *in)
{
    return dyn_graph_div(g, in[0], in[1]);
}

static dyn_node sample(dyn_graph *g, int k)
{
    return dyn__sample_elementwise(g, DYN__OP_div, k, NULL);
}

DYN__EVALUATE(a / b)

const dyn__op dyn__op_div = {
    .name = "div", .nin = 2, .linear = 1, .kernel = DYN__K_DIV,
    .infer = dyn__infer_elementwise, .jvp = jvp, .transpose = transpose, .fold = fold, .sample = sample,
    .evaluate = evaluate,
};
