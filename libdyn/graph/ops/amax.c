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

/* Over the last axes. */
static dyn_node lower(dyn__lowering *l, const dyn__node *node, const dyn_node *in)
{
    const uint32_t mask = dyn__axis_mask(node);
    dyn_graph *g = l->to;
    dyn_node x = in[0];
    dyn__shape s = dyn__at(g, x)->shape, kept = {0}, flat = {.rank = 2, .dim = {1, 1}};
    int32_t order[DYN_MAX_RANK], n = 0, last = 1;

    for (int i = 0; i < s.rank; i++)
        if (!(mask >> i & 1)) {
            order[n++] = i;
            kept.dim[kept.rank++] = s.dim[i];
            flat.dim[0] *= s.dim[i];
        }
    for (int i = 0; i < s.rank; i++)
        if (mask >> i & 1) {
            order[n++] = i;
            flat.dim[1] *= s.dim[i];
        }
    if (flat.dim[1] == 1)
        return dyn__without_axes(g, x, mask);
    /* the last axes: as they are */
    if (kept.rank > 0 && mask == (((1u << s.rank) - 1u) & ~((1u << kept.rank) - 1u))) {
        for (int i = kept.rank; i < s.rank; i++)
            order[i - kept.rank] = i;
        return dyn_graph_amax(g, dyn__densely(l, x), s.rank - kept.rank, order);
    }
    x = dyn__reshape_to(g, dyn_graph_permute(g, x, order), &flat);
    return dyn__reshape_to(g, dyn_graph_amax(g, x, 1, &last), &kept);
}

static void assign(dyn__compiler *k, dyn_node x, const int32_t *readers)
{
    const dyn__node *n = dyn__at(k->g, x);

    (void)readers;
    dyn__assign_rows(k, x, dyn__shape_of(k, n->in[0]), (int)n->attr.i[0]);
}

static void evaluate(const dyn__frame *f)
{
    for (int64_t i = 0; i < f->size; i++)
        f->out[i] = -INFINITY;
    for (int64_t i = 0; i < dyn__shape_size(f->shape[0]); i++) {
        double *y = &f->out[dyn__reduced_index(f, i)], x = f->in[0][i];
        *y = isnan(x) || isnan(*y) ? (double)NAN : x > *y ? x : *y;
    }
}

static const dyn__form form = {.role = DYN__ROW, .lower = lower, .assign = assign, .select = dyn__select_reduction};

const dyn__op dyn__op_amax = {
    .name = "amax", .nin = 1, .kernel = -1,
    .infer = infer, .label = dyn__label_reduction, .jvp = jvp, .batch = batch, .sample = sample,
    .evaluate = evaluate, .form = &form,
};
