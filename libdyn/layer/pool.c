/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Pooling, axis by axis: the largest of a rectangle is the largest of its rows' largest, the mean the mean of means. Of
 * equal elements the first is the largest and alone has the derivative. */
#include <math.h>
#include "layer/window.h"

/* ---- one axis ---- */

/* `size` elements of this value, shaped as x but along the axis. */
static dyn_node filler(dyn_graph *g, dyn_node x, int32_t axis, double value, int64_t size)
{
    dyn__shape s = *dyn__shape_of(g, x);

    s.dim[axis] = size;
    return dyn_graph_constant(g, value, s.rank, s.dim);
}

static dyn_node padded(dyn_graph *g, dyn_node x, int32_t axis, double value, const dyn__window *w)
{
    if (w->before)
        x = dyn_graph_concat(g, filler(g, x, axis, value, w->before), x, axis);
    if (w->after)
        x = dyn_graph_concat(g, x, filler(g, x, axis, value, w->after), axis);
    return x;
}

/* Element k of windows that stand side by side and fill the axis: they are an axis of their own, and what its elements
 * send back is set side by side again instead of added up. */
static dyn_node element_of_block(dyn_graph *g, dyn_node x, int32_t axis, const dyn__window *w, int64_t k)
{
    dyn__shape s = *dyn__shape_of(g, x), blocks = {s.rank + 1, {0}};

    for (int32_t i = 0; i < s.rank; i++)
        blocks.dim[i + (i > axis)] = s.dim[i];
    blocks.dim[axis] = s.dim[axis] = w->count;
    blocks.dim[axis + 1] = w->size;
    return dyn__reshape_to(g, dyn__part(g, dyn__reshape_to(g, x, &blocks), axis + 1, k, 1), &s);
}

/* Element k of windows anywhere. */
static dyn_node element(dyn_graph *g, dyn_node x, int32_t axis, const dyn__window *w, int64_t k)
{
    int64_t start[DYN_MAX_RANK] = {0}, step[DYN_MAX_RANK] = {1, 1, 1, 1, 1, 1, 1, 1};

    DYN__TRY(x);
    dyn__shape s = *dyn__shape_of(g, x);
    if (w->stride == w->size && w->dilation == 1 && w->count * w->size == s.dim[axis])
        return element_of_block(g, x, axis, w, k);
    start[axis] = k * w->dilation;
    step[axis] = w->stride;
    s.dim[axis] = w->count;
    return dyn_graph_slice_step(g, x, start, s.dim, step);
}

/* dyn_graph_max gives the derivative to its second operand at a tie: the element that came before. */
static dyn_node largest(dyn_graph *g, dyn_node x, int32_t axis, const dyn__window *w)
{
    x = padded(g, x, axis, -INFINITY, w);
    dyn_node y = element(g, x, axis, w, 0);
    for (int64_t k = 1; k < w->size && y >= 0; k++)
        y = dyn_graph_max(g, element(g, x, axis, w, k), y);
    return y;
}

static dyn_node sums(dyn_graph *g, dyn_node x, int32_t axis, const dyn__window *w)
{
    const int32_t inner = axis + 1;

    x = dyn_graph_unfold(g, x, axis, w->size, w->stride, w->dilation, w->before, w->after);
    return dyn_graph_sum(g, x, 1, &inner);
}

/* How many elements of the padded input each window has, shaped to be a divisor along the axis. Zeros beyond the padding,
 * which ceil_mode adds, are none; those of the padding are, if wanted. */
static dyn_node counts(dyn_graph *g, dyn_node x, int32_t axis, const dyn__window *w, int64_t padding, int count_padding)
{
    const dyn__shape *s = dyn__shape_of(g, x);
    const int64_t inside = count_padding ? padding : 0, ones = w->length + 2 * inside;
    dyn__shape column = {s->rank - axis, {w->count, 1, 1, 1, 1, 1, 1, 1}};

    if (w->after <= inside && w->before <= inside)
        return dyn__scalar(g, (double)w->size);
    dyn__window all = *w;
    all.before -= inside;
    all.after -= inside;
    if (all.after < 0)
        all.after = 0;
    return dyn__reshape_to(g, sums(g, dyn_graph_constant(g, 1, 1, &ones), 0, &all), &column);
}

/* ---- all axes ---- */

static dyn_status describe(dyn_graph *g, dyn_node x, const dyn__window_options *o, dyn__window *w, int32_t *axes)
{
    DYN__TRY(dyn__need_rank(g, "x", x, 3));
    *axes = dyn__shape_of(g, x)->rank - 2;
    DYN__TRY(dyn__windows(g, x, *axes, o, w));
    for (int32_t i = 0; i < *axes; i++)
        if (dyn__entry(o->padding, i, 0) < 0 || 2 * dyn__entry(o->padding, i, 0) > w[i].size)
            return DYN__FAIL(g->ctx, DYN_EINVAL, "axis %d: padding %lld, expected 0 to half the size %lld", (int)i,
                             (long long)o->padding[i], (long long)w[i].size);
    return DYN_OK;
}

dyn_node dyn_layer_max_pool(dyn_graph *g, dyn_node x, const int64_t *size, const int64_t *stride,
                            const int64_t *padding, const int64_t *dilation, int32_t ceil_mode)
{
    const dyn__window_options o = {size, stride ? stride : size, padding, dilation, ceil_mode};
    dyn__window w[DYN__SPATIAL];
    int32_t axes;

    DYN__ENTER_NODE(g, x);
    DYN__TRY(describe(g, x, &o, w, &axes));
    for (int32_t i = axes - 1; i >= 0; i--)     /* the last axis first: then the first of equals is so row by row */
        x = largest(g, x, 1 + i, &w[i]);
    return x;
}

dyn_node dyn_layer_avg_pool(dyn_graph *g, dyn_node x, const int64_t *size, const int64_t *stride,
                            const int64_t *padding, int32_t ceil_mode, int32_t count_padding)
{
    const dyn__window_options o = {size, stride ? stride : size, padding, NULL, ceil_mode};
    dyn__window w[DYN__SPATIAL];
    int32_t axes;

    DYN__ENTER_NODE(g, x);
    DYN__TRY(dyn__check_flag(g->ctx, "count_padding", count_padding));
    DYN__TRY(describe(g, x, &o, w, &axes));
    for (int32_t i = 0; i < axes && x >= 0; i++) {
        dyn_node divisor = counts(g, x, 1 + i, &w[i], dyn__entry(padding, i, 0), count_padding);
        x = dyn_graph_div(g, sums(g, x, 1 + i, &w[i]), divisor);
    }
    return x;
}

/* ---- adaptive ---- */

typedef dyn_node (*pool_axis)(dyn_graph *g, dyn_node x, int32_t axis, const dyn__window *w);

static dyn_node means(dyn_graph *g, dyn_node x, int32_t axis, const dyn__window *w)
{
    return dyn_graph_scale(g, sums(g, x, axis, w), 1 / (double)w->size);
}

/* Windows from floor(i length / count) to ceil((i + 1) length / count): all alike where count divides the length. */
static dyn_node adapt_axis(dyn_graph *g, dyn_node x, int32_t axis, int64_t count, pool_axis pool)
{
    dyn_node all = -1;

    DYN__TRY(x);
    const int64_t length = dyn__shape_of(g, x)->dim[axis];
    if (count < 1)
        return DYN__FAIL(g->ctx, DYN_EINVAL, "axis %d: %lld outputs", (int)axis - 1, (long long)count);
    if (length % count == 0)
        return pool(g, x, axis, &(dyn__window){length, length / count, length / count, 1, 0, 0, count});
    for (int64_t i = 0; i < count; i++) {
        const int64_t start = i * length / count, size = ((i + 1) * length + count - 1) / count - start;
        dyn_node one = pool(g, dyn__part(g, x, axis, start, size), axis, &(dyn__window){size, size, 1, 1, 0, 0, 1});
        all = i == 0 ? one : dyn_graph_concat(g, all, one, axis);
    }
    return all;
}

static dyn_node adapt(dyn_graph *g, dyn_node x, const int64_t *count, pool_axis pool)
{
    DYN__NEED(g->ctx, count);
    DYN__TRY(dyn__need_rank(g, "x", x, 3));
    for (int32_t i = dyn__shape_of(g, x)->rank - 3; i >= 0; i--)
        x = adapt_axis(g, x, 1 + i, count[i], pool);
    return x;
}

dyn_node dyn_layer_adaptive_avg_pool(dyn_graph *g, dyn_node x, const int64_t *count)
{
    DYN__ENTER_NODE(g, x);
    return adapt(g, x, count, means);
}

dyn_node dyn_layer_adaptive_max_pool(dyn_graph *g, dyn_node x, const int64_t *count)
{
    DYN__ENTER_NODE(g, x);
    return adapt(g, x, count, largest);
}
