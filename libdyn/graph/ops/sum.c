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

/* ---- how it is compiled ---- */

/* Groups of neighbouring axes are summed one after the other, the last group first; axes of size 1 just go. */
static dyn_node lower_sum(dyn__lowering *l, dyn_node x, uint32_t mask)
{
    dyn_graph *g = l->to;
    int32_t axes[DYN_MAX_RANK];

    while (mask && x >= 0) {
        int hi = 31 - __builtin_clz(mask), lo = hi, n = 0;
        while (lo > 0 && (mask >> (lo - 1) & 1))
            lo--;
        int64_t size = 1;
        for (int a = lo; a <= hi; a++) {
            axes[n++] = a;
            size *= dyn__at(g, x)->shape.dim[a];
            mask &= ~(1u << a);
        }
        uint32_t group = ((1u << n) - 1u) << lo;
        x = size == 1 ? dyn__without_axes(g, x, group) : dyn_graph_sum(g, dyn__densely(l, x), n, axes);
    }
    return x;
}

/* A sum over one group of neighbouring axes, or a product. */
static dyn_node lower(dyn__lowering *l, const dyn__node *n, const dyn_node *in)
{
    const dyn_node product = dyn__lower_sum_of_products(l, in[0], dyn__axis_mask(n));

    return product >= 0 ? product : lower_sum(l, in[0], dyn__axis_mask(n));
}

/* Over the first axes: a term. Else within rows. */
static void assign(dyn__compiler *k, dyn_node x, const int32_t *readers)
{
    const dyn__node *n = dyn__at(k->g, x);
    dyn__cnode *c = &k->node[x];
    const dyn__shape *from = dyn__shape_of(k, n->in[0]);
    const int outer = k->batched[n->in[0]] && from->rank >= 2 && from->dim[0] == k->V && n->attr.i[0] != 0;
    const int is_term = n->attr.i[0] == outer, most = is_term ? (int)n->attr.n : (int)n->attr.i[0] - outer;

    (void)readers;
    dyn__set_rows(c, from, outer, dyn__axes_for(k, x, from, outer, most));
    c->role = is_term ? DYN__TERM : DYN__ROW;
    c->C = dyn__shape_size(&n->shape) / (is_term ? c->V : c->V * c->R);
}

static void evaluate(const dyn__frame *f)
{
    memset(f->out, 0, (size_t)f->size * sizeof *f->out);
    for (int64_t i = 0; i < dyn__shape_size(f->shape[0]); i++)
        f->out[dyn__reduced_index(f, i)] += f->in[0][i];
}

static const dyn__form form = {.role = DYN__ROW, .lower = lower, .assign = assign, .select = dyn__select_reduction};

const dyn__op dyn__op_sum = {
    .name = "sum", .nin = 1, .linear = 1, .kernel = -1,
    .infer = infer, .label = dyn__label_reduction, .transpose = transpose, .batch = batch, .sample = sample,
    .evaluate = evaluate,
    .form = &form,
};
