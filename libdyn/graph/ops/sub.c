/* SPDX-License-Identifier: BSD-3-Clause
 *
 * sub: y = a - b, elementwise. Linear in both together. transpose: ct to a, -ct to b. */
#include "graph/ops/op.h"

static dyn_node jvp(dyn_graph *g, dyn_node y, int i, dyn_node t)
{
    (void)y;
    return i == 0 ? t : dyn_graph_neg(g, t);
}

static dyn_node transpose(dyn_graph *g, dyn_node y, int i, dyn_node ct)
{
    (void)y;
    return i == 0 ? ct : dyn_graph_neg(g, ct);
}

static dyn_node fold(dyn_graph *g, const dyn_node *in)
{
    return dyn_graph_sub(g, in[0], in[1]);
}

static dyn_node sample(dyn_graph *g, int k)
{
    return dyn__sample_elementwise(g, DYN__OP_sub, k, NULL);
}

static int fuse(dyn__compiler *k, dyn__instr *q, dyn_node y) { return dyn__multiply_add(k, q, y, y); }

DYN__EVALUATE(a - b)

static const dyn__form form = {.role = DYN__ROW, .fuse = fuse};

const dyn__op dyn__op_sub = {
    .name = "sub", .nin = 2, .linear = 3, .kernel = DYN__K_SUB, .cheap = 1,
    .infer = dyn__infer_elementwise, .jvp = jvp, .transpose = transpose, .fold = fold, .sample = sample,
    .evaluate = evaluate, .form = &form,
};
