/* SPDX-License-Identifier: BSD-3-Clause
 *
 * What the reductions over axes share: shape rule, the way back from the reduced shape, batched axes, samples. */
#include "graph/ops/op.h"

dyn_status dyn__infer_reduction(dyn_graph *g, dyn__node *n)
{
    const dyn__node *x = dyn__at(g, n->in[0]);
    int k = 0;

    if (x->dtype != g->dtype)
        return DYN__FAIL(g->ctx, DYN_EDTYPE, "%s of a tensor of indices", dyn__op_of(n)->name);
    n->shape = (dyn__shape){0};
    for (int i = 0; i < x->shape.rank; i++)
        if (k < n->attr.n && n->attr.i[k] == i)
            k++;
        else
            n->shape.dim[n->shape.rank++] = x->shape.dim[i];
    return DYN_OK;
}

dyn_node dyn__spread(dyn_graph *g, dyn_node y, dyn_node value)
{
    const dyn__node n = *dyn__at(g, y);
    dyn__shape to = dyn__at(g, n.in[0])->shape;
    int64_t axes[DYN_MAX_RANK];
    int k = 0, kept = 0;

    for (int i = 0; i < to.rank; i++)
        if (k < n.attr.n && n.attr.i[k] == i)
            k++;
        else
            axes[kept++] = i;
    return dyn__broadcast(g, value, &to, axes);
}

dyn__label dyn__label_reduction(const dyn_graph *g, const dyn__node *n, const dyn__label *in, int64_t samples)
{
    int32_t axis = in[0].axis;

    (void)g, (void)samples;
    for (int64_t k = 0; k < n->attr.n; k++) {
        if (n->attr.i[k] == in[0].axis)
            return dyn__coupled_label();
        axis -= n->attr.i[k] < in[0].axis;
    }
    return dyn__label_at(in[0], axis);
}

int32_t dyn__shifted_axes(const dyn_graph *g, dyn_node y, int32_t axes[DYN_MAX_RANK])
{
    const dyn__node *n = dyn__at(g, y);
    for (int i = 0; i < n->attr.n; i++)
        axes[i] = (int32_t)n->attr.i[i] + 1;
    return (int32_t)n->attr.n;
}

dyn_node dyn__sample_reduction(dyn_graph *g, int op, int k)
{
    static const dyn__attr c[] = {{{1}, 0, 1}, {{0}, 0, 1}, {{0, 1}, 0, 2}, {{0, 2}, 0, 2}, {{1, 2}, 0, 2}};
    if (k >= (int)(sizeof c / sizeof c[0]))
        return DYN_ENOTSUP;
    return dyn__insert1(g, op, dyn_graph_input(g, "a", 3, (int64_t[]){4, 3, 5}), &c[k], NULL);
}

/* Where element i of the operand goes when the axes of the attribute disappear. */
int64_t dyn__reduced_index(const dyn__frame *f, int64_t i)
{
    int64_t at[DYN_MAX_RANK], kept[DYN_MAX_RANK] = {0}, k = 0;
    int rank = 0;

    dyn__coordinates(f->shape[0], i, at);
    for (int axis = 0; axis < f->shape[0]->rank; axis++)
        if (k < f->n->attr.n && f->n->attr.i[k] == axis)
            k++;
        else
            kept[rank++] = at[axis];
    return dyn__flat(&f->n->shape, kept);
}
