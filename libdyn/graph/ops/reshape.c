/* SPDX-License-Identifier: BSD-3-Clause
 *
 * reshape: the elements of x in row-major order under another shape. Linear. transpose: reshape back. */
#include "graph/ops/op.h"

static dyn_status infer(dyn_graph *g, dyn__node *n)
{
    const dyn__node *x = dyn__at(g, n->in[0]);
    char p[128], q[128];

    n->dtype = x->dtype;
    if (dyn__shape_size(&x->shape) != dyn__shape_size(&n->shape))
        return DYN__FAIL(g->ctx, DYN_ESHAPE, "reshape of %s to %s changes the number of elements",
                         dyn__shape_text(&x->shape, p), dyn__shape_text(&n->shape, q));
    return DYN_OK;
}

static dyn_node transpose(dyn_graph *g, dyn_node y, int i, dyn_node ct)
{
    dyn__shape s = dyn__at(g, dyn__operand(g, y, i))->shape;
    return dyn__reshape_to(g, ct, &s);
}

static dyn_node batch(dyn_graph *g, dyn_node y, const dyn_node *in, const int *batched, int64_t size)
{
    dyn__shape s = dyn__shape_lead(&dyn__at(g, y)->shape, size);

    (void)batched;
    return dyn__reshape_to(g, in[0], &s);
}

/* The axis of the result in whose index, read in row-major order, the sample is a digit of its own. */
static dyn__label label(const dyn_graph *g, const dyn__node *n, const dyn__label *in, int64_t samples)
{
    const dyn__shape *x = &dyn__at(g, n->in[0])->shape;
    int64_t before = in[0].outer, lead = 1;     /* values the digits before the sample take */

    for (int k = 0; k < in[0].axis; k++)
        before *= x->dim[k];
    for (int k = 0; k < n->shape.rank && lead <= before; lead *= n->shape.dim[k++]) {
        const int64_t outer = before / lead;
        if (before % lead == 0 && n->shape.dim[k] % (outer * samples) == 0)
            return (dyn__label){k, outer, n->shape.dim[k] / (outer * samples)};
    }
    return dyn__coupled_label();
}

static dyn_node sample(dyn_graph *g, int k)
{
    dyn_node x;

    if (k >= 2)
        return DYN_ENOTSUP;
    x = dyn_graph_input(g, "a", 2, (int64_t[]){4, 6});
    return k ? dyn_graph_reshape(g, x, 1, (int64_t[]){24}) : dyn_graph_reshape(g, x, 3, (int64_t[]){2, 2, 6});
}

static int only_ones_differ(const dyn__shape *a, const dyn__shape *b)
{
    int i = 0, j = 0;
    for (;;) {
        while (i < a->rank && a->dim[i] == 1)
            i++;
        while (j < b->rank && b->dim[j] == 1)
            j++;
        if (i == a->rank || j == b->rank)
            return i == a->rank && j == b->rank;
        if (a->dim[i++] != b->dim[j++])
            return 0;
    }
}

static dyn_node lower(dyn__lowering *l, const dyn__node *n, const dyn_node *in)
{
    const int as_it_is = only_ones_differ(&dyn__at(l->to, in[0])->shape, &n->shape);

    return dyn__reshape_to(l->to, as_it_is ? in[0] : dyn__densely(l, in[0]), &n->shape);
}

/* Dense elements take the strides of the new shape. Otherwise only axes of size 1 come or go. */
static void view(const dyn_graph *g, dyn_node x, const dyn__view *in, dyn__view *v)
{
    const dyn__shape *from = &dyn__at(g, dyn__operand(g, x, 0))->shape, *to = &dyn__at(g, x)->shape;
    int k = 0;

    if (dyn__view_dense(in, from)) {
        dyn__dense_strides(to, v->stride);
        return;
    }
    for (int i = 0; i < to->rank; i++) {
        if (to->dim[i] == 1)
            continue;
        while (from->dim[k] == 1)
            k++;
        v->stride[i] = in->stride[k++];
    }
}

/* Numbers or indices. */
static void evaluate(const dyn__frame *f)
{
    if (f->index[0])
        memcpy(f->out, f->index[0], (size_t)f->size * sizeof *f->out);
    else
        memcpy(f->out, f->in[0], (size_t)f->size * sizeof *f->out);
}

static const dyn__form form = {.role = DYN__VIEW, .lower = lower, .view = view};

const dyn__op dyn__op_reshape = {
    .name = "reshape", .nin = 1, .linear = 1, .kernel = -1, .cheap = 1, .shaped = 1,
    .infer = infer, .label = label, .transpose = transpose, .batch = batch, .sample = sample,
    .evaluate = evaluate, .form = &form,
};
