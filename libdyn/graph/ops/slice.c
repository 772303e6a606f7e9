/* SPDX-License-Identifier: BSD-3-Clause
 *
 * slice: y holds the elements of x from attr.i[k] on, along every axis k. Linear. transpose: pad with zeros. */
#include "graph/ops/op.h"

static dyn_status infer(dyn_graph *g, dyn__node *n)
{
    const dyn__node *x = dyn__at(g, n->in[0]);
    char p[128], q[128];

    if (x->dtype != g->dtype)
        return DYN__FAIL(g->ctx, DYN_EDTYPE, "slice of a tensor of indices");
    for (int k = 0; k < x->shape.rank; k++) {
        int64_t s = n->attr.i[k];
        if (s < 0 || n->shape.dim[k] < 1 || s > x->shape.dim[k] - n->shape.dim[k])
            return DYN__FAIL(g->ctx, DYN_ESHAPE, "slice of %s from %lld along axis %d: %s does not fit",
                             dyn__shape_text(&x->shape, p), (long long)s, k, dyn__shape_text(&n->shape, q));
    }
    return DYN_OK;
}

static dyn_node transpose(dyn_graph *g, dyn_node y, int i, dyn_node ct)
{
    const dyn__node n = *dyn__at(g, y);
    const dyn__shape x = dyn__at(g, n.in[i])->shape;

    return dyn_graph_pad(g, ct, n.attr.i, x.dim);
}

static dyn_node batch(dyn_graph *g, dyn_node y, const dyn_node *in, const int *batched, int64_t size)
{
    const dyn__node n = *dyn__at(g, y);
    dyn__shape s = dyn__shape_lead(&n.shape, size);
    int64_t start[DYN_MAX_RANK + 1] = {0};

    (void)batched;
    for (int k = 0; k < n.shape.rank; k++)
        start[k + 1] = n.attr.i[k];
    return dyn_graph_slice(g, in[0], start, s.dim);
}

static dyn_node sample(dyn_graph *g, int k)
{
    static const int64_t start[2][2] = {{1, 2}, {0, 0}}, size[2][2] = {{2, 3}, {4, 1}};
    return k < 2 ? dyn_graph_slice(g, dyn_graph_input(g, "a", 2, (int64_t[]){4, 6}), start[k], size[k]) : DYN_ENOTSUP;
}

const dyn__op dyn__op_slice = {
    .name = "slice", .nin = 1, .linear = 1, .kernel = -1, .shaped = 1,
    .infer = infer, .transpose = transpose, .batch = batch, .sample = sample,
};
