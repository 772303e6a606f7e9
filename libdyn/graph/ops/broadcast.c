/* SPDX-License-Identifier: BSD-3-Clause
 *
 * broadcast: axis k of x becomes axis attr.i[k] of y (ascending), the other axes of y repeat it. Linear. transpose:
 * sum over them. */
#include "graph/ops/op.h"

static dyn_status infer(dyn_graph *g, dyn__node *n)
{
    const dyn__shape *x = &dyn__at(g, n->in[0])->shape;
    char p[128], q[128];

    if (dyn__at(g, n->in[0])->dtype != g->dtype)
        return DYN__FAIL(g->ctx, DYN_EDTYPE, "broadcast of a tensor of indices");
    for (int k = 0; k < x->rank; k++) {
        int64_t a = n->attr.i[k];
        if (a < 0 || a >= n->shape.rank || (k && a <= n->attr.i[k - 1]) || n->shape.dim[a] != x->dim[k])
            return DYN__FAIL(g->ctx, DYN_ESHAPE, "broadcast of %s to %s", dyn__shape_text(x, p),
                             dyn__shape_text(&n->shape, q));
    }
    return DYN_OK;
}

static dyn_node transpose(dyn_graph *g, dyn_node y, int i, dyn_node ct)
{
    const dyn__node *n = dyn__at(g, y);
    int32_t axes[DYN_MAX_RANK], count = 0;
    int64_t k = 0;

    (void)i;
    for (int32_t a = 0; a < n->shape.rank; a++)
        if (k < n->attr.n && n->attr.i[k] == a)
            k++;
        else
            axes[count++] = a;
    return dyn_graph_sum(g, ct, count, axes);
}

static dyn_node batch(dyn_graph *g, dyn_node y, const dyn_node *in, const int *batched, int64_t size)
{
    const dyn__node n = *dyn__at(g, y);
    int64_t axes[DYN_MAX_RANK] = {0};
    dyn__shape s = dyn__shape_lead(&n.shape, size);

    (void)batched;
    for (int64_t k = 0; k < n.attr.n && k + 1 < DYN_MAX_RANK; k++)
        axes[k + 1] = n.attr.i[k] + 1;
    return dyn__broadcast(g, in[0], &s, axes);
}

static dyn__label label(const dyn_graph *g, const dyn__node *n, const dyn__label *in, int64_t samples)
{
    (void)g, (void)samples;
    return dyn__label_at(in[0], n->attr.i[in[0].axis]);
}

static dyn_node sample(dyn_graph *g, int k)
{
    static const struct { int32_t rank; int64_t dim[2], axes[2]; } c[] = {
        {1, {3}, {1}}, {1, {4}, {0}}, {0, {0}, {0}}, {2, {4, 5}, {0, 2}},
    };
    dyn__shape to = {3, {4, 3, 5}};
    if (k >= (int)(sizeof c / sizeof c[0]))
        return DYN_ENOTSUP;
    return dyn__broadcast(g, dyn_graph_input(g, "a", c[k].rank, c[k].dim), &to, c[k].axes);
}

static void view(const dyn_graph *g, dyn_node x, const dyn__view *in, dyn__view *v)
{
    const dyn__attr *attr = &dyn__at(g, x)->attr;

    for (int64_t k = 0; k < attr->n; k++)
        v->stride[attr->i[k]] = in->stride[k];
}

static void evaluate(const dyn__frame *f)
{
    int64_t at[DYN_MAX_RANK], from[DYN_MAX_RANK] = {0};

    for (int64_t i = 0; i < f->size; i++) {
        dyn__coordinates(&f->n->shape, i, at);
        for (int k = 0; k < f->shape[0]->rank; k++)
            from[k] = at[f->n->attr.i[k]];
        f->out[i] = f->in[0][dyn__flat(f->shape[0], from)];
    }
}

static const dyn__form form = {.role = DYN__VIEW, .view = view};

const dyn__op dyn__op_broadcast = {
    .name = "broadcast", .nin = 1, .linear = 1, .kernel = -1, .cheap = 1, .shaped = 1,
    .infer = infer, .label = label, .transpose = transpose, .batch = batch, .sample = sample,
    .evaluate = evaluate, .form = &form,
};
