/* SPDX-License-Identifier: BSD-3-Clause
 *
 * permute: axis i of y is axis attr.i[i] of x. Linear. transpose: the inverse permutation. In lowered graphs attr.f = 1
 * says that its reader takes any strides: it is a view then, and no copy. */
#include "graph/ops/op.h"

static dyn_status infer(dyn_graph *g, dyn__node *n)
{
    const dyn__node *x = dyn__at(g, n->in[0]);
    uint32_t seen = 0;

    if (x->dtype != g->dtype)
        return DYN__FAIL(g->ctx, DYN_EDTYPE, "permute of a tensor of indices");
    n->shape = x->shape;
    for (int i = 0; i < x->shape.rank; i++) {
        int64_t a = n->attr.i[i];
        if (a < 0 || a >= x->shape.rank || (seen >> a & 1))
            return DYN__FAIL(g->ctx, DYN_EINVAL, "axis %lld is repeated or outside a tensor of rank %d",
                             (long long)a, (int)x->shape.rank);
        seen |= 1u << a;
        n->shape.dim[i] = x->shape.dim[a];
    }
    return DYN_OK;
}

static dyn_node transpose(dyn_graph *g, dyn_node y, int i, dyn_node ct)
{
    const dyn__node *n = dyn__at(g, y);
    int32_t inverse[DYN_MAX_RANK] = {0};

    (void)i;
    for (int32_t k = 0; k < n->shape.rank; k++)
        inverse[n->attr.i[k]] = k;
    return dyn_graph_permute(g, ct, inverse);
}

static dyn_node batch(dyn_graph *g, dyn_node y, const dyn_node *in, const int *batched, int64_t size)
{
    const dyn__node *n = dyn__at(g, y);
    int32_t axes[DYN_MAX_RANK + 1] = {0};

    (void)batched, (void)size;
    for (int k = 0; k < n->shape.rank; k++)
        axes[k + 1] = (int32_t)n->attr.i[k] + 1;
    return dyn_graph_permute(g, in[0], axes);
}

static dyn__label label(const dyn_graph *g, const dyn__node *n, const dyn__label *in, int64_t samples)
{
    int32_t k = 0;

    (void)g, (void)samples;
    while (n->attr.i[k] != in[0].axis)
        k++;
    return dyn__label_at(in[0], k);
}

static dyn_node sample(dyn_graph *g, int k)
{
    static const int32_t axes[3][3] = {{1, 0, 2}, {2, 0, 1}, {0, 2, 1}};
    return k < 3 ? dyn_graph_permute(g, dyn_graph_input(g, "a", 3, (int64_t[]){2, 3, 4}), axes[k]) : DYN_ENOTSUP;
}

static dyn_status move(dyn__compiler *k, dyn__step *step, dyn_node y)
{
    const dyn__node *n = dyn__at(k->g, y);
    dyn__operand_ref x = dyn__ref_of(k, n->in[0], 0, 1);
    dyn__instr *q = dyn__new_instrs(k, step, 1, y);

    if (!q)
        return DYN_ENOMEM;
    q->arg[0] = dyn__ref_of(k, y, 0, 1);
    q->arg[1] = x;
    for (int i = 0; i < n->shape.rank; i++)
        q->arg[1].stride[i] = x.stride[n->attr.i[i]];
    dyn__space_of(q, &n->shape, 0, 1);
    dyn__canonical(q);
    return DYN_OK;
}

static void evaluate(const dyn__frame *f)
{
    int64_t at[DYN_MAX_RANK], from[DYN_MAX_RANK] = {0};

    for (int64_t i = 0; i < f->size; i++) {
        dyn__coordinates(&f->n->shape, i, at);
        for (int k = 0; k < f->n->shape.rank; k++)
            from[f->n->attr.i[k]] = at[k];
        f->out[i] = f->in[0][dyn__flat(f->shape[0], from)];
    }
}

static void view(const dyn_graph *g, dyn_node x, const dyn__view *in, dyn__view *v)
{
    const dyn__node *n = dyn__at(g, x);

    if (n->attr.f == 0) {
        *v = (dyn__view){.base = x};
        dyn__dense_strides(&n->shape, v->stride);
        return;
    }
    for (int i = 0; i < n->shape.rank; i++)
        v->stride[i] = in->stride[n->attr.i[i]];
}

static void assign(dyn__compiler *k, dyn_node x, const int32_t *readers)
{
    (void)readers;
    k->node[x].role = dyn__at(k->g, x)->attr.f != 0 ? DYN__VIEW : DYN__MOVE;
}

static const dyn__form form = {.role = DYN__MOVE, .assign = assign, .view = view, .move = move};

const dyn__op dyn__op_permute = {
    .name = "permute", .nin = 1, .linear = 1, .kernel = -1,
    .infer = infer, .label = label, .transpose = transpose, .batch = batch, .sample = sample,
    .evaluate = evaluate, .form = &form,
};
