/* SPDX-License-Identifier: BSD-3-Clause
 *
 * mul: y = a * b, elementwise. Linear in each operand. transpose: ct times the other. */
#include "graph/ops/op.h"

static dyn_node jvp(dyn_graph *g, dyn_node y, int i, dyn_node t)
{
    return dyn_graph_mul(g, t, dyn__operand(g, y, 1 - i));
}

static dyn_node transpose(dyn_graph *g, dyn_node y, int i, dyn_node ct)
{
    return dyn_graph_mul(g, ct, dyn__operand(g, y, 1 - i));
}

static dyn_node fold(dyn_graph *g, const dyn_node *in)
{
    return dyn_graph_mul(g, in[0], in[1]);
}

static dyn_node sample(dyn_graph *g, int k)
{
    return dyn__sample_elementwise(g, DYN__OP_mul, k, NULL);
}

const dyn__op dyn__op_mul = {
    .name = "mul", .nin = 2, .linear = 3, .kernel = DYN__K_MUL, .commutative = 1,
    .infer = dyn__infer_elementwise, .jvp = jvp, .transpose = transpose, .fold = fold, .sample = sample,
};
