/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Windows: see window.h. "Same" padding keeps ceil(length / stride) windows; an odd zero goes to the right. */
#include "layer/window.h"

static int64_t reach(const dyn__window *w) { return w->dilation * (w->size - 1) + 1; }

static dyn_status check_axis(dyn_graph *g, int32_t i, const dyn__window *w, int64_t padding)
{
    if (w->size < 1 || w->stride < 1 || w->dilation < 1 || padding < DYN_SAME)
        return DYN__FAIL(g->ctx, DYN_EINVAL, "axis %d: size %lld, stride %lld, dilation %lld, padding %lld", (int)i,
                         (long long)w->size, (long long)w->stride, (long long)w->dilation, (long long)padding);
    return DYN_OK;
}

static void pad_same(dyn__window *w)
{
    const int64_t most = (w->length + w->stride - 1) / w->stride;
    const int64_t zeros = (most - 1) * w->stride + reach(w) - w->length;

    w->before = zeros > 0 ? zeros / 2 : 0;
    w->after = zeros > 0 ? zeros - w->before : 0;
}

/* With ceil_mode: zeros to the right that complete a last window, if it begins left of the padding's end. */
static void pad_last(dyn__window *w)
{
    const int64_t rest = (w->before + w->length + w->after - reach(w)) % w->stride;

    if (rest == 0)
        return;
    const int64_t start = w->before + w->length + w->after - reach(w) - rest + w->stride;
    if (start < w->before + w->length)
        w->after += w->stride - rest;
}

static dyn_status set_axis(dyn_graph *g, int32_t i, const dyn__window_options *o, dyn__window *w)
{
    const int64_t padding = dyn__entry(o->padding, i, 0);

    w->size = o->size[i];
    w->stride = dyn__entry(o->stride, i, 1);
    w->dilation = dyn__entry(o->dilation, i, 1);
    DYN__TRY(check_axis(g, i, w, padding));
    w->before = w->after = padding;
    if (padding == DYN_SAME)
        pad_same(w);
    if (w->before + w->length + w->after < reach(w))
        return DYN__FAIL(g->ctx, DYN_ESHAPE, "axis %d: %lld elements and %lld zeros, a window reaches over %lld", (int)i,
                         (long long)w->length, (long long)(w->before + w->after), (long long)reach(w));
    if (o->ceil_mode)
        pad_last(w);
    w->count = (w->before + w->length + w->after - reach(w)) / w->stride + 1;
    return DYN_OK;
}

dyn_status dyn__windows(dyn_graph *g, dyn_node x, int32_t axes, const dyn__window_options *o, dyn__window *w)
{
    char text[128];

    DYN__NEED(g->ctx, o->size);
    DYN__TRY(dyn__check_flag(g->ctx, "ceil_mode", o->ceil_mode));
    const dyn__shape *s = dyn__shape_of(g, x);
    if (axes < 1 || axes > DYN__SPATIAL || s->rank != axes + 2)
        return DYN__FAIL(g->ctx, DYN_ESHAPE, "x has shape %s, expected [n, 1 to %d spatial axes, channels]%s",
                         dyn__shape_text(s, text), DYN__SPATIAL, s->rank == axes + 2 ? "" : ", as many as the kernel has");
    for (int32_t i = 0; i < axes; i++) {
        w[i].length = s->dim[i + 1];
        DYN__TRY(set_axis(g, i, o, &w[i]));
    }
    return DYN_OK;
}
