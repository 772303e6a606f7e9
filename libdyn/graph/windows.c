/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The builders of windows along an axis, and of slices with steps, which are windows of one element. */
#include "graph/graph.h"
#include "graph/windows.h"

static int32_t axis_of(const dyn_graph *g, dyn_node x, int32_t axis)
{
    return axis < 0 ? axis + dyn__at(g, x)->shape.rank : axis;
}

/* Windows of `size` elements that fit into an axis of so many, or less than 1. */
static int64_t windows_in(int64_t length, int64_t size, int64_t stride, int64_t dilation)
{
    int64_t reach;

    if (size < 1 || stride < 1 || dilation < 1 || __builtin_mul_overflow(size - 1, dilation, &reach) || reach >= length)
        return 0;
    return (length - 1 - reach) / stride + 1;
}

static dyn_status fail(dyn_graph *g, int64_t length, int64_t size, int64_t stride, int64_t dilation)
{
    return DYN__FAIL(g->ctx, DYN_ESHAPE, "windows of %lld elements, stride %lld, dilation %lld, on an axis of %lld",
                     (long long)size, (long long)stride, (long long)dilation, (long long)length);
}

dyn_node dyn_graph_unfold(dyn_graph *g, dyn_node x, int32_t axis, int64_t size, int64_t stride, int64_t dilation,
                          int64_t before, int64_t after)
{
    int64_t length = 0;

    DYN__ENTER_NODE(g, x);
    const int32_t a = axis_of(g, x, axis);
    if (a < 0 || a >= dyn__at(g, x)->shape.rank)
        return DYN__FAIL(g->ctx, DYN_EINVAL, "axis %d of a tensor of rank %d", (int)axis,
                         (int)dyn__at(g, x)->shape.rank);
    if (before < 0 || after < 0 || __builtin_add_overflow(dyn__at(g, x)->shape.dim[a], before, &length)
        || __builtin_add_overflow(length, after, &length))
        return DYN__FAIL(g->ctx, DYN_EINVAL, "%lld zeros before and %lld after", (long long)before, (long long)after);
    const int64_t windows = windows_in(length, size, stride, dilation);
    if (windows < 1)
        return fail(g, length, size, stride, dilation);
    const dyn__attr attr = {{a, -before, stride, dilation, windows, size}, 0, 0};
    return dyn__insert1(g, DYN__OP_unfold, x, &attr, NULL);
}

dyn_node dyn_graph_fold(dyn_graph *g, dyn_node x, int32_t axis, int64_t length, int64_t stride, int64_t dilation,
                        int64_t before)
{
    DYN__ENTER_NODE(g, x);
    const dyn__shape s = dyn__at(g, x)->shape;
    const int32_t a = axis_of(g, x, axis);
    if (a < 0 || a + 1 >= s.rank)
        return DYN__FAIL(g->ctx, DYN_EINVAL, "axes %d and the next of a tensor of rank %d", (int)axis, (int)s.rank);
    if (before < 0 || stride < 1 || dilation < 1)
        return fail(g, length, s.dim[a + 1], stride, dilation);
    const dyn__attr attr = {{a, -before, stride, dilation, s.dim[a], s.dim[a + 1]}, 0, length};
    return dyn__insert1(g, DYN__OP_fold, x, &attr, NULL);
}

/* Every step-th of size elements along an axis, from `start` on. */
static dyn_node with_step(dyn_graph *g, dyn_node x, int32_t axis, int64_t start, int64_t size, int64_t step)
{
    const dyn__attr attr = {{axis, start, step, 1, size, 1}, 0, 0};
    dyn__shape s = dyn__at(g, x)->shape;

    s.dim[axis] = size;
    return dyn__reshape_to(g, dyn__insert1(g, DYN__OP_unfold, x, &attr, NULL), &s);
}

/* Is start + step (size - 1) an index of an axis of this length, as start is? */
static int inside(int64_t length, int64_t start, int64_t size, int64_t step)
{
    int64_t last;

    return size >= 1 && start >= 0 && start < length && !__builtin_mul_overflow(size - 1, step, &last)
        && !__builtin_add_overflow(last, start, &last) && last >= 0 && last < length;
}

dyn_node dyn_graph_slice_step(dyn_graph *g, dyn_node x, const int64_t *start, const int64_t *size, const int64_t *step)
{
    int64_t from[DYN_MAX_RANK] = {0}, whole[DYN_MAX_RANK] = {0};

    DYN__ENTER_NODE(g, x);
    DYN__NEED(g->ctx, start);
    DYN__NEED(g->ctx, size);
    DYN__NEED(g->ctx, step);
    const dyn__shape s = dyn__at(g, x)->shape;
    for (int k = 0; k < s.rank; k++) {
        if (step[k] == 0 || !inside(s.dim[k], start[k], size[k], step[k]))
            return DYN__FAIL(g->ctx, DYN_ESHAPE, "%lld elements from %lld on in steps of %lld along axis %d of %lld",
                             (long long)size[k], (long long)start[k], (long long)step[k], k, (long long)s.dim[k]);
        from[k] = step[k] == 1 ? start[k] : 0;
        whole[k] = step[k] == 1 ? size[k] : s.dim[k];
    }
    dyn_node y = dyn_graph_slice(g, x, from, whole);
    for (int32_t k = 0; y >= 0 && k < s.rank; k++)
        if (step[k] != 1)
            y = with_step(g, y, k, start[k], size[k], step[k]);
    return y;
}
