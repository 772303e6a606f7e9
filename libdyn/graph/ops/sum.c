/* SPDX-License-Identifier: BSD-3-Clause
 *
 * sum: y = sum of x over the axes attr.i[0 .. n-1], which disappear. Linear. transpose: broadcast of ct over those
 * axes. */
#include "graph/ops/op.h"

static dyn_status infer(dyn_graph *g, dyn__node *n)
{
    return dyn__infer_reduction(g, n);
}

static dyn_node transpose(dyn_graph *g, dyn_node y, int i, dyn_node ct)
{
    (void)i;
    return dyn__spread(g, y, ct);
}

static dyn_node batch(dyn_graph *g, dyn_node y, const dyn_node *in, const int *batched, int64_t size)
{
    int32_t axes[DYN_MAX_RANK];
    int32_t n = dyn__shifted_axes(g, y, axes);

    (void)batched, (void)size;
    return dyn_graph_sum(g, in[0], n, axes);
}

static dyn_node sample(dyn_graph *g, int k)
{
    return dyn__sample_reduction(g, DYN__OP_sum, k);
}

const dyn__op dyn__op_sum = {
    .name = "sum", .nin = 1, .linear = 1, .kernel = -1,
    .infer = infer, .label = dyn__label_reduction, .transpose = transpose, .batch = batch, .sample = sample,
};
