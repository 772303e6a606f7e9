/* SPDX-License-Identifier: BSD-3-Clause
 *
 * unfold: an axis becomes two, windows and the elements of each; what lies outside the axis is zero. Slices with steps
 * are windows of one element. Linear. transpose: fold. */
#include "graph/ops/op.h"

static dyn_status infer(dyn_graph *g, dyn__node *n)
{
    const dyn__shape x = dyn__at(g, n->in[0])->shape;
    const int64_t axis = n->attr.i[DYN__WINDOW_AXIS];

    DYN__TRY(dyn__check_windows(g, n, 1));
    if (x.rank == DYN_MAX_RANK)
        return DYN__FAIL(g->ctx, DYN_ESHAPE, "unfold: a tensor of rank %d has no axis left", DYN_MAX_RANK);
    n->shape = (dyn__shape){.rank = x.rank + 1};
    for (int k = 0; k < x.rank; k++)
        n->shape.dim[k + (k > axis)] = x.dim[k];
    n->shape.dim[axis] = n->attr.i[DYN__WINDOWS];
    n->shape.dim[axis + 1] = n->attr.i[DYN__WINDOW_SIZE];
    return DYN_OK;
}

static dyn_node transpose(dyn_graph *g, dyn_node y, int i, dyn_node ct)
{
    dyn__attr attr = dyn__at(g, y)->attr;

    attr.n = dyn__at(g, dyn__operand(g, y, i))->shape.dim[attr.i[DYN__WINDOW_AXIS]];
    return dyn__insert1(g, DYN__OP_fold, ct, &attr, NULL);
}

static dyn_node batch(dyn_graph *g, dyn_node y, const dyn_node *in, const int *batched, int64_t size)
{
    const dyn__attr attr = dyn__windows_behind_lead(g, y);

    (void)batched, (void)size;
    return dyn__insert1(g, DYN__OP_unfold, in[0], &attr, NULL);
}

static dyn__label label(const dyn_graph *g, const dyn__node *n, const dyn__label *in, int64_t samples)
{
    const int64_t axis = n->attr.i[DYN__WINDOW_AXIS];

    (void)g, (void)samples;
    return in[0].axis == axis ? dyn__coupled_label() : dyn__label_at(in[0], in[0].axis + (in[0].axis > axis));
}

static dyn_node sample(dyn_graph *g, int k)
{
    dyn__attr attr;

    return dyn__sample_windows(k, &attr)
               ? dyn__insert1(g, DYN__OP_unfold, dyn_graph_input(g, "a", 3, (int64_t[]){4, 6, 2}), &attr, NULL)
               : DYN_ENOTSUP;
}

/* The zeros around the axis are written out, so that all windows lie within it and are a view. */
static dyn_node lower(dyn__lowering *l, const dyn__node *n, const dyn_node *in)
{
    dyn_graph *g = l->to;
    const dyn_node x = in[0];
    dyn__attr attr = n->attr;
    const int64_t axis = attr.i[DYN__WINDOW_AXIS];
    dyn__shape s = dyn__at(g, x)->shape;
    int64_t low, high, before[DYN_MAX_RANK] = {0};

    dyn__windows_span(&attr, &low, &high);
    before[axis] = low < 0 ? -low : 0;
    s.dim[axis] = before[axis] + (high < s.dim[axis] ? s.dim[axis] : high + 1);
    attr.i[DYN__WINDOW_START] += before[axis];
    return dyn__insert1(g, DYN__OP_unfold, dyn_graph_pad(g, x, before, s.dim), &attr, NULL);
}

static void view(const dyn_graph *g, dyn_node x, const dyn__view *in, dyn__view *v)
{
    const dyn__node *n = dyn__at(g, x);
    const int64_t axis = n->attr.i[DYN__WINDOW_AXIS], step = in->stride[axis];

    for (int i = 0; i + 1 < n->shape.rank; i++)
        v->stride[i + (i > axis)] = in->stride[i];
    v->offset += n->attr.i[DYN__WINDOW_START] * step;
    v->stride[axis] = n->attr.i[DYN__WINDOW_STRIDE] * step;
    v->stride[axis + 1] = n->attr.i[DYN__WINDOW_DILATION] * step;
}

static void evaluate(const dyn__frame *f)
{
    for (int64_t i = 0; i < f->size; i++) {
        const int64_t from = dyn__whole_element(f, &f->n->shape, f->shape[0], i);
        f->out[i] = from >= 0 ? f->in[0][from] : 0;
    }
}

static const dyn__form form = {.role = DYN__VIEW, .lower = lower, .view = view};

const dyn__op dyn__op_unfold = {
    .name = "unfold", .nin = 1, .linear = 1, .kernel = -1, .cheap = 1,
    .infer = infer, .label = label, .transpose = transpose, .batch = batch, .sample = sample,
    .evaluate = evaluate, .form = &form,
};
