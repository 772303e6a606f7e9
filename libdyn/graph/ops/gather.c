/* SPDX-License-Identifier: BSD-3-Clause
 *
 * gather: y[i, ..] = table[index[i], ..]; an index out of range gives NaN. Linear in the table. transpose: scatter_add.
 * batch: the indices never carry the axis, so it travels behind the rows: [size, t, ..] is permuted to [t, size, ..]
 * and back. */
#include "graph/ops/op.h"

static dyn_status infer(dyn_graph *g, dyn__node *n)
{
    const dyn__node *x = dyn__at(g, n->in[0]), *index = dyn__at(g, n->in[1]);
    char p[128], q[128];

    if (x->dtype != g->dtype || index->dtype != DYN_I64)
        return DYN__FAIL(g->ctx, DYN_EDTYPE, "gather needs a table of numbers and a tensor of indices");
    if (x->shape.rank < 1 || index->shape.rank != 1)
        return DYN__FAIL(g->ctx, DYN_ESHAPE, "gather from %s by indices %s: one axis of indices is needed",
                         dyn__shape_text(&x->shape, p), dyn__shape_text(&index->shape, q));
    n->shape = x->shape;
    n->shape.dim[0] = index->shape.dim[0];
    return DYN_OK;
}

static dyn_node transpose(dyn_graph *g, dyn_node y, int i, dyn_node ct)
{
    int64_t rows = dyn__at(g, dyn__operand(g, y, i))->shape.dim[0];
    return dyn_graph_scatter_add(g, ct, dyn__operand(g, y, 1), rows);
}

static dyn_node batch(dyn_graph *g, dyn_node y, const dyn_node *in, const int *batched, int64_t size)
{
    (void)y, (void)size;
    if (batched[1])
        return DYN__FAIL(g->ctx, DYN_ENOTSUP, "gather: indices that carry the batched axis");
    return dyn__swap_lead(g, dyn_graph_gather(g, dyn__swap_lead(g, in[0]), in[1]));
}

/* Rows for every sample from a table that all share, or from tables that run along behind the rows. */
static dyn__label label(const dyn_graph *g, const dyn__node *n, const dyn__label *in, int64_t samples)
{
    (void)samples;
    if (in[0].axis < 0)
        return in[1];
    return in[1].axis >= 0 || in[0].axis == 0
               ? dyn__coupled_label()
               : dyn__label_at(in[0], in[0].axis - 1 + dyn__at(g, n->in[1])->shape.rank);
}

static dyn_node sample(dyn_graph *g, int k)
{
    if (k >= 2)
        return DYN_ENOTSUP;
    dyn_node index = dyn_graph_indices(g, "i", 1, (int64_t[]){4});
    return dyn_graph_gather(g, dyn_graph_input(g, "a", 2 - k, (int64_t[]){3, 2}), index);
}

const dyn__op dyn__op_gather = {
    .name = "gather", .nin = 2, .linear = 1, .kernel = -1,
    .infer = infer, .label = label, .transpose = transpose, .batch = batch, .sample = sample,
};
