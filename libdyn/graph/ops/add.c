/* SPDX-License-Identifier: BSD-3-Clause
 *
 * add: y = a + b, elementwise. Linear in both together, so a tangent passes unchanged. transpose: ct to each. */
#include "graph/ops/op.h"

static dyn_node jvp(dyn_graph *g, dyn_node y, int i, dyn_node t)
{
    (void)g, (void)y, (void)i;
    return t;
}

static dyn_node transpose(dyn_graph *g, dyn_node y, int i, dyn_node ct)
{
    (void)g, (void)y, (void)i;
    return ct;
}

static dyn_node fold(dyn_graph *g, const dyn_node *in)
{
    return dyn_graph_add(g, in[0], in[1]);
}

static dyn_node sample(dyn_graph *g, int k)
{
    return dyn__sample_elementwise(g, DYN__OP_add, k, NULL);
}

const dyn__op dyn__op_add = {
    .name = "add", .nin = 2, .linear = 3, .kernel = DYN__K_ADD, .commutative = 1,
    .infer = dyn__infer_elementwise, .jvp = jvp, .transpose = transpose, .fold = fold, .sample = sample,
};
