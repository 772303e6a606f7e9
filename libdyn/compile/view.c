/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Views: broadcast, slice, unfold and reshape are other strides over the same elements. */
#include <string.h>
#include "compile/compile.h"
#include "graph/ops/op.h"

void dyn__dense_strides(const dyn__shape *s, int64_t *stride)
{
    int64_t n = 1;
    for (int i = s->rank - 1; i >= 0; i--) {
        stride[i] = n;
        n *= s->dim[i];
    }
}

int dyn__view_dense(const dyn__view *v, const dyn__shape *s)
{
    int64_t n = 1;
    for (int i = s->rank - 1; i >= 0; i--) {
        if (s->dim[i] != 1 && v->stride[i] != n)
            return 0;
        n *= s->dim[i];
    }
    return 1;
}

static void broadcast_view(const dyn__node *n, const dyn__view *in, dyn__view *v)
{
    for (int64_t k = 0; k < n->attr.n; k++)
        v->stride[n->attr.i[k]] = in->stride[k];
}

static void slice_view(const dyn__node *n, const dyn__view *in, dyn__view *v)
{
    for (int i = 0; i < n->shape.rank; i++) {
        v->offset += n->attr.i[i] * in->stride[i];
        v->stride[i] = in->stride[i];
    }
}

/* All windows lie within the axis: see lower.c. */
static void unfold_view(const dyn__node *n, const dyn__view *in, dyn__view *v)
{
    const int64_t axis = n->attr.i[DYN__WINDOW_AXIS], step = in->stride[axis];

    for (int i = 0; i + 1 < n->shape.rank; i++)
        v->stride[i + (i > axis)] = in->stride[i];
    v->offset += n->attr.i[DYN__WINDOW_START] * step;
    v->stride[axis] = n->attr.i[DYN__WINDOW_STRIDE] * step;
    v->stride[axis + 1] = n->attr.i[DYN__WINDOW_DILATION] * step;
}

/* Dense elements take the strides of the new shape. Otherwise only axes of size 1 come or go: see lower.c. */
static void reshape_view(const dyn__shape *from, const dyn__shape *to, const dyn__view *in, dyn__view *v)
{
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

static int is_view(const dyn__node *n)
{
    return n->op == DYN__OP_broadcast || n->op == DYN__OP_slice || n->op == DYN__OP_unfold || n->op == DYN__OP_reshape;
}

void dyn__view_through(const dyn_graph *g, dyn_node x, const dyn__view *in, dyn__view *v)
{
    const dyn__node *n = dyn__at(g, x);

    if (!is_view(n)) {
        *v = (dyn__view){x, 0, {0}};
        if (n->op != DYN__OP_constant)
            dyn__dense_strides(&n->shape, v->stride);
        return;
    }
    *v = (dyn__view){in->base, in->offset, {0}};
    switch (n->op) {
    case DYN__OP_broadcast: broadcast_view(n, in, v); break;
    case DYN__OP_slice: slice_view(n, in, v); break;
    case DYN__OP_unfold: unfold_view(n, in, v); break;
    default: reshape_view(&dyn__at(g, n->in[0])->shape, &n->shape, in, v);
    }
}
