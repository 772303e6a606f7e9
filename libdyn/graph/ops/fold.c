/* SPDX-License-Identifier: BSD-3-Clause
 *
 * fold: two axes, windows and the elements of each, become one of attr.n elements, each the sum of those that stand for
 * it; what stands for none is dropped. Linear. transpose: unfold. */
#include "graph/ops/op.h"

static dyn_status infer(dyn_graph *g, dyn__node *n)
{
    const dyn__shape x = dyn__at(g, n->in[0])->shape;
    const int64_t axis = n->attr.i[DYN__WINDOW_AXIS], *w = n->attr.i;
    char p[128];

    DYN__TRY(dyn__check_windows(g, n, 2));
    if (x.dim[axis] != w[DYN__WINDOWS] || x.dim[axis + 1] != w[DYN__WINDOW_SIZE] || n->attr.n < 1)
        return DYN__FAIL(g->ctx, DYN_ESHAPE,
                         "fold of %s to an axis of %lld: axes %lld and %lld are not %lld windows of %lld elements",
                         dyn__shape_text(&x, p), (long long)n->attr.n, (long long)axis, (long long)axis + 1,
                         (long long)w[DYN__WINDOWS], (long long)w[DYN__WINDOW_SIZE]);
    n->shape = (dyn__shape){.rank = x.rank - 1};
    for (int k = 0; k < n->shape.rank; k++)
        n->shape.dim[k] = x.dim[k + (k > axis)];
    n->shape.dim[axis] = n->attr.n;
    return DYN_OK;
}

static dyn_node transpose(dyn_graph *g, dyn_node y, int i, dyn_node ct)
{
    dyn__attr attr = dyn__at(g, y)->attr;

    (void)i;
    attr.n = 0;
    return dyn__insert1(g, DYN__OP_unfold, ct, &attr, NULL);
}

static dyn_node batch(dyn_graph *g, dyn_node y, const dyn_node *in, const int *batched, int64_t size)
{
    const dyn__attr attr = dyn__windows_behind_lead(g, y);

    (void)batched, (void)size;
    return dyn__insert1(g, DYN__OP_fold, in[0], &attr, NULL);
}

static dyn__label label(const dyn_graph *g, const dyn__node *n, const dyn__label *in, int64_t samples)
{
    const int64_t axis = n->attr.i[DYN__WINDOW_AXIS], k = in[0].axis;

    (void)g, (void)samples;
    return k == axis || k == axis + 1 ? dyn__coupled_label() : dyn__label_at(in[0], k - (k > axis));
}

static dyn_node sample(dyn_graph *g, int k)
{
    dyn__attr attr;

    if (!dyn__sample_windows(k, &attr))
        return DYN_ENOTSUP;
    int64_t shape[4] = {4, 6, 2, 2};
    shape[attr.i[DYN__WINDOW_AXIS]] = attr.i[DYN__WINDOWS];
    shape[attr.i[DYN__WINDOW_AXIS] + 1] = attr.i[DYN__WINDOW_SIZE];
    attr.n = 6;
    return dyn__insert1(g, DYN__OP_fold, dyn_graph_input(g, "a", 4, shape), &attr, NULL);
}

const dyn__op dyn__op_fold = {
    .name = "fold", .nin = 1, .linear = 1, .kernel = -1,
    .infer = infer, .label = label, .transpose = transpose, .batch = batch, .sample = sample,
};
