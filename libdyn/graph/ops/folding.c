/* SPDX-License-Identifier: BSD-3-Clause
 *
 * What unfold and fold share: windows along one axis, given by attr. Element k of window p stands for index
 * start + p stride + k dilation of the axis; an index outside the axis is one of the zeros around it. */
#include "graph/ops/op.h"

/* The lowest and the highest index that any window touches; 0 where they overflow. */
int dyn__windows_span(const dyn__attr *attr, int64_t *low, int64_t *high)
{
    int64_t across, within;

    *low = *high = attr->i[DYN__WINDOW_START];
    if (__builtin_mul_overflow(attr->i[DYN__WINDOWS] - 1, attr->i[DYN__WINDOW_STRIDE], &across)
        || __builtin_mul_overflow(attr->i[DYN__WINDOW_SIZE] - 1, attr->i[DYN__WINDOW_DILATION], &within)
        || __builtin_add_overflow(across < 0 ? across : 0, within < 0 ? within : 0, low)
        || __builtin_add_overflow(*low, attr->i[DYN__WINDOW_START], low)
        || __builtin_add_overflow(across > 0 ? across : 0, within > 0 ? within : 0, high)
        || __builtin_add_overflow(*high, attr->i[DYN__WINDOW_START], high))
        return 0;
    return 1;
}

/* The axis of x that has windows, or that windows of x become. */
dyn_status dyn__check_windows(dyn_graph *g, const dyn__node *n, int32_t axes)
{
    const int64_t *w = n->attr.i;
    const dyn__node *x = dyn__at(g, n->in[0]);
    int64_t low, high;
    char p[128];

    if (x->dtype != g->dtype)
        return DYN__FAIL(g->ctx, DYN_EDTYPE, "%s of a tensor of indices", dyn__op_of(n)->name);
    if (w[DYN__WINDOW_AXIS] < 0 || w[DYN__WINDOW_AXIS] + axes > x->shape.rank)
        return DYN__FAIL(g->ctx, DYN_EINVAL, "%s: axis %lld of a tensor of shape %s", dyn__op_of(n)->name,
                         (long long)w[DYN__WINDOW_AXIS], dyn__shape_text(&x->shape, p));
    if (w[DYN__WINDOWS] < 1 || w[DYN__WINDOW_SIZE] < 1 || w[DYN__WINDOW_STRIDE] == 0 || w[DYN__WINDOW_DILATION] == 0
        || !dyn__windows_span(&n->attr, &low, &high))
        return DYN__FAIL(g->ctx, DYN_EINVAL,
                         "%s: %lld windows of %lld elements from %lld on, stride %lld, dilation %lld",
                         dyn__op_of(n)->name, (long long)w[DYN__WINDOWS], (long long)w[DYN__WINDOW_SIZE],
                         (long long)w[DYN__WINDOW_START], (long long)w[DYN__WINDOW_STRIDE],
                         (long long)w[DYN__WINDOW_DILATION]);
    return DYN_OK;
}

dyn__attr dyn__windows_behind_lead(const dyn_graph *g, dyn_node y)
{
    dyn__attr attr = dyn__at(g, y)->attr;

    attr.i[DYN__WINDOW_AXIS]++;
    return attr;
}

/* Overlapping, dilated, padded on both sides, with gaps between, from the end to the start, nothing but padding. */
int dyn__sample_windows(int k, dyn__attr *attr)
{
    static const int64_t c[][DYN__WINDOW_ATTRS] = {
        {1, 0, 1, 1, 4, 3}, {1, 0, 1, 2, 2, 3}, {0, -1, 2, 1, 2, 3}, {1, 1, 3, 1, 2, 1}, {1, 5, -2, -1, 3, 2},
        {0, 7, 1, 1, 2, 2},
    };

    if (k >= (int)(sizeof c / sizeof c[0]))
        return 0;
    *attr = (dyn__attr){{0}, 0, 0};
    for (int i = 0; i < DYN__WINDOW_ATTRS; i++)
        attr->i[i] = c[k][i];
    return 1;
}

/* The index along the axis that the element of a window at these coordinates stands for. */
static int64_t window_index(const dyn__frame *f, const int64_t *at)
{
    const int64_t axis = f->n->attr.i[0], start = f->n->attr.i[1], stride = f->n->attr.i[2], dilation = f->n->attr.i[3];

    return start + at[axis] * stride + at[axis + 1] * dilation;
}

/* Element of `whole` that element i of the windows stands for; -1 outside. */
int64_t dyn__whole_element(const dyn__frame *f, const dyn__shape *windows, const dyn__shape *whole, int64_t i)
{
    const int64_t axis = f->n->attr.i[0];
    int64_t at[DYN_MAX_RANK] = {0}, to[DYN_MAX_RANK] = {0};

    dyn__coordinates(windows, i, at);
    for (int k = 0; k < whole->rank; k++)
        to[k] = at[k + (k > axis)];
    to[axis] = window_index(f, at);
    return to[axis] >= 0 && to[axis] < whole->dim[axis] ? dyn__flat(whole, to) : -1;
}
