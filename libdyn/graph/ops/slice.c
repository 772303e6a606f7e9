/* SPDX-License-Identifier: BSD-3-Clause
 *
 * slice: y holds the elements of x from attr.i[k] on, along every axis k. Linear. transpose: pad with zeros. */
#include "graph/ops/op.h"

static dyn_status infer(dyn_graph *g, dyn__node *n)
{
    return dyn__infer_window(g, n, &n->shape, &dyn__at(g, n->in[0])->shape);
}

static dyn_node transpose(dyn_graph *g, dyn_node y, int i, dyn_node ct)
{
    const dyn__node n = *dyn__at(g, y);
    const dyn__shape x = dyn__at(g, n.in[i])->shape;

    return dyn_graph_pad(g, ct, n.attr.i, x.dim);
}

static dyn_node batch(dyn_graph *g, dyn_node y, const dyn_node *in, const int *batched, int64_t size)
{
    const dyn__shape s = dyn__shape_lead(&dyn__at(g, y)->shape, size);
    int64_t start[DYN_MAX_RANK];

    (void)batched;
    dyn__shifted_start(g, y, start);
    return dyn_graph_slice(g, in[0], start, s.dim);
}

/* Whole blocks of all samples may be cut out. */
static dyn__label label(const dyn_graph *g, const dyn__node *n, const dyn__label *in, int64_t samples)
{
    const int32_t k = in[0].axis;
    const int64_t block = samples * in[0].inner;

    (void)g;
    if (n->attr.i[k] % block || n->shape.dim[k] % block)
        return dyn__coupled_label();
    return (dyn__label){k, n->shape.dim[k] / block, in[0].inner};
}

static dyn_node sample(dyn_graph *g, int k)
{
    static const int64_t start[2][2] = {{1, 2}, {0, 0}}, size[2][2] = {{2, 3}, {4, 1}};
    return k < 2 ? dyn_graph_slice(g, dyn_graph_input(g, "a", 2, (int64_t[]){4, 6}), start[k], size[k]) : DYN_ENOTSUP;
}

static void view(const dyn_graph *g, dyn_node x, const dyn__view *in, dyn__view *v)
{
    const dyn__node *n = dyn__at(g, x);

    for (int i = 0; i < n->shape.rank; i++) {
        v->offset += n->attr.i[i] * in->stride[i];
        v->stride[i] = in->stride[i];
    }
}

static void evaluate(const dyn__frame *f)
{
    int64_t at[DYN_MAX_RANK];

    for (int64_t i = 0; i < f->size; i++) {
        dyn__coordinates(&f->n->shape, i, at);
        for (int k = 0; k < f->n->shape.rank; k++)
            at[k] += f->n->attr.i[k];
        f->out[i] = f->in[0][dyn__flat(f->shape[0], at)];
    }
}

static const dyn__form form = {.role = DYN__VIEW, .view = view};

const dyn__op dyn__op_slice = {
    .name = "slice", .nin = 1, .linear = 1, .kernel = -1, .cheap = 1, .shaped = 1,
    .infer = infer, .label = label, .transpose = transpose, .batch = batch, .sample = sample,
    .evaluate = evaluate, .form = &form,
};
