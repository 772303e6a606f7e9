/* SPDX-License-Identifier: BSD-3-Clause
 *
 * scatter_add: a table of attr.n rows, zero but for x[i, ..] added at row index[i] in the order of i; indices out of
 * range are skipped. Linear in x. transpose: gather. batch: as gather. */
#include "graph/ops/op.h"

static dyn_status infer(dyn_graph *g, dyn__node *n)
{
    const dyn__node *x = dyn__at(g, n->in[0]), *index = dyn__at(g, n->in[1]);
    char p[128], q[128];

    if (x->dtype != g->dtype || index->dtype != DYN_I64)
        return DYN__FAIL(g->ctx, DYN_EDTYPE, "scatter_add needs a tensor of numbers and a tensor of indices");
    if (x->shape.rank < 1 || index->shape.rank != 1 || index->shape.dim[0] != x->shape.dim[0] || n->attr.n < 1)
        return DYN__FAIL(g->ctx, DYN_ESHAPE, "scatter_add of %s by indices %s into %lld rows",
                         dyn__shape_text(&x->shape, p),
                         dyn__shape_text(&index->shape, q), (long long)n->attr.n);
    n->shape = x->shape;
    n->shape.dim[0] = n->attr.n;
    return DYN_OK;
}

static dyn_node transpose(dyn_graph *g, dyn_node y, int i, dyn_node ct)
{
    (void)i;
    return dyn_graph_gather(g, ct, dyn__operand(g, y, 1));
}

static dyn_node batch(dyn_graph *g, dyn_node y, const dyn_node *in, const int *batched, int64_t size)
{
    int64_t rows = dyn__at(g, y)->attr.n;

    (void)size;
    if (batched[1])
        return DYN__FAIL(g->ctx, DYN_ENOTSUP, "scatter_add: indices that carry the batched axis");
    return dyn__swap_lead(g, dyn_graph_scatter_add(g, dyn__swap_lead(g, in[0]), in[1], rows));
}

static dyn__label label(const dyn_graph *g, const dyn__node *n, const dyn__label *in, int64_t samples)
{
    (void)g, (void)n, (void)samples;
    return in[1].axis >= 0 || in[0].axis == 0 ? dyn__coupled_label() : in[0];
}

static dyn_node sample(dyn_graph *g, int k)
{
    if (k >= 2)
        return DYN_ENOTSUP;
    dyn_node index = dyn_graph_indices(g, "i", 1, (int64_t[]){4});
    return dyn_graph_scatter_add(g, dyn_graph_input(g, "a", 2 - k, (int64_t[]){4, 2}), index, 3);
}

const dyn__op dyn__op_scatter_add = {
    .name = "scatter_add", .nin = 2, .linear = 1, .kernel = -1,
    .infer = infer, .label = label, .transpose = transpose, .batch = batch, .sample = sample,
};
