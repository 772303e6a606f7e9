/* SPDX-License-Identifier: BSD-3-Clause
 *
 * eq: y = 1 where a == b, else 0, elementwise. Its derivative is zero wherever it exists, and taken as zero
 * elsewhere. */
#include "graph/ops/op.h"

static dyn_node jvp(dyn_graph *g, dyn_node y, int i, dyn_node t)
{
    (void)g, (void)y, (void)i, (void)t;
    return DYN__ZERO;
}

static dyn_node sample(dyn_graph *g, int k)
{
    return dyn__sample_elementwise(g, DYN__OP_eq, k, NULL);
}

DYN__EVALUATE(a == b)

const dyn__op dyn__op_eq = {
    .name = "eq", .nin = 2, .linear = 0, .kernel = DYN__K_EQ, .cheap = 1, .commutative = 1,
    .infer = dyn__infer_elementwise, .jvp = jvp, .sample = sample, .evaluate = evaluate,
};
