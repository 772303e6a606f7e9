/* SPDX-License-Identifier: BSD-3-Clause
 *
 * identity: y = x, elementwise, as a node of its own: no builder looks through it, so a derivative with respect to y
 * meets every path. Linear. transpose: ct. */
#include "graph/ops/op.h"

static dyn_node transpose(dyn_graph *g, dyn_node y, int i, dyn_node ct)
{
    (void)g, (void)y, (void)i;
    return ct;
}

static dyn_node jvp(dyn_graph *g, dyn_node y, int i, dyn_node t)
{
    (void)g, (void)y, (void)i;
    return t;
}

static dyn_node sample(dyn_graph *g, int k)
{
    return dyn__sample_elementwise(g, DYN__OP_identity, k, NULL);
}

/* Only derivatives know it. */
static dyn_node lower(dyn__lowering *l, const dyn__node *n, const dyn_node *in)
{
    (void)l, (void)n;
    return in[0];
}

DYN__EVALUATE(a)

static const dyn__form form = {.role = DYN__ROW, .lower = lower};

const dyn__op dyn__op_identity = {
    .name = "identity", .nin = 1, .linear = 1, .kernel = DYN__K_COPY,
    .infer = dyn__infer_elementwise, .jvp = jvp, .transpose = transpose, .sample = sample,
    .evaluate = evaluate, .form = &form,
};
