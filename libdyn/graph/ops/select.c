/* SPDX-License-Identifier: BSD-3-Clause
 *
 * select: y = a where cond is not 0, else b, elementwise. Linear in a and b together; cond has derivative zero.
 * A zero on the other side keeps the tangent of a branch out of where it was not taken. */
#include "graph/ops/op.h"

static dyn_node jvp(dyn_graph *g, dyn_node y, int i, dyn_node t)
{
    dyn_node cond = dyn__operand(g, y, 0), zero = dyn__like(g, 0, y);

    if (i == 0)
        return DYN__ZERO;
    return i == 1 ? dyn_graph_select(g, cond, t, zero) : dyn_graph_select(g, cond, zero, t);
}

static dyn_node transpose(dyn_graph *g, dyn_node y, int i, dyn_node ct)
{
    dyn_node cond = dyn__operand(g, y, 0), zero = dyn__like(g, 0, y);

    return i == 1 ? dyn_graph_select(g, cond, ct, zero) : dyn_graph_select(g, cond, zero, ct);
}

static dyn_node fold(dyn_graph *g, const dyn_node *in)
{
    return dyn_graph_select(g, in[0], in[1], in[2]);
}

static dyn_node sample(dyn_graph *g, int k)
{
    return dyn__sample_elementwise(g, DYN__OP_select, k, NULL);
}

DYN__EVALUATE(a != 0 ? b : c)

const dyn__op dyn__op_select = {
    .name = "select", .nin = 3, .linear = 6, .kernel = DYN__K_SELECT, .cheap = 1,
    .infer = dyn__infer_elementwise, .jvp = jvp, .transpose = transpose, .fold = fold, .sample = sample,
    .evaluate = evaluate,
};
