/* SPDX-License-Identifier: BSD-3-Clause
 *
 * amax: y = largest element of x over the axes attr.i[0 .. n-1], which disappear.
 * jvp: mean of dx over the places where x equals y, so that ties share. */
#include "graph/ops/op.h"

static dyn_status infer(dyn_graph *g, dyn__node *n)
{
    return dyn__infer_reduction(g, n);
}

static dyn_node jvp(dyn_graph *g, dyn_node y, int i, dyn_node t)
{
    int32_t axes[DYN_MAX_RANK];
    int32_t n = (int32_t)dyn__at(g, y)->attr.n;
    dyn_node x = dyn__operand(g, y, 0);

    (void)i;
    for (int32_t k = 0; k < n; k++)
        axes[k] = (int32_t)dyn__at(g, y)->attr.i[k];
    dyn_node hit = dyn_graph_equal(g, x, dyn__spread(g, y, y));
    dyn_node total = dyn_graph_sum(g, dyn_graph_mul(g, hit, t), n, axes);
    return dyn_graph_div(g, total, dyn_graph_sum(g, hit, n, axes));
}

static dyn_node batch(dyn_graph *g, dyn_node y, const dyn_node *in, const int *batched, int64_t size)
{
    int32_t axes[DYN_MAX_RANK];
    int32_t n = dyn__shifted_axes(g, y, axes);

    (void)batched, (void)size;
    return dyn_graph_amax(g, in[0], n, axes);
}

static dyn_node sample(dyn_graph *g, int k)
{
    return dyn__sample_reduction(g, DYN__OP_amax, k);
}

const dyn__op dyn__op_amax = {
    .name = "amax", .nin = 1, .kernel = -1,
    .infer = infer, .label = dyn__label_reduction, .jvp = jvp, .batch = batch, .sample = sample,
};
