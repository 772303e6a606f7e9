/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Convolution: the numbers under each place of the kernel as one row, times the kernel as a matrix. */
#include "layer/window.h"

typedef struct convolution {
    int32_t axes;
    dyn__window window[DYN__SPATIAL];
    int64_t n, places, taps;        /* outputs per channel and sample; elements of the kernel per channel */
    int64_t groups, in, out;
    dyn__shape result;
} convolution;

/* ---- what is asked for ---- */

static dyn_status check_channels(dyn_graph *g, const convolution *c, dyn_node x, dyn_node w)
{
    char p[128], q[128];
    const dyn__shape *s = dyn__shape_of(g, x), *t = dyn__shape_of(g, w);

    if (c->groups < 1 || c->in % c->groups || c->out % c->groups)
        return DYN__FAIL(g->ctx, DYN_EINVAL, "%lld groups of %lld channels in, %lld out", (long long)c->groups,
                         (long long)c->in, (long long)c->out);
    if (t->dim[t->rank - 2] != c->in / c->groups)
        return DYN__FAIL(g->ctx, DYN_ESHAPE, "x %s, w %s, %lld groups: expected x [n, .., channels] and w [k.., %lld, out]",
                         dyn__shape_text(s, p), dyn__shape_text(t, q), (long long)c->groups,
                         (long long)(c->in / c->groups));
    return DYN_OK;
}

static dyn_status describe(dyn_graph *g, dyn_node x, dyn_node w, int64_t groups, dyn__window_options *o, convolution *c)
{
    DYN__TRY(dyn__need_rank(g, "w", w, 3));
    const dyn__shape s = *dyn__shape_of(g, x), t = *dyn__shape_of(g, w);
    *c = (convolution){.axes = t.rank - 2, .n = s.dim[0], .places = 1, .taps = 1, .groups = groups, .result = s};
    o->size = t.dim;
    DYN__TRY(dyn__windows(g, x, c->axes, o, c->window));
    c->in = dyn__last(&s);
    c->out = dyn__last(&t);
    for (int32_t i = 0; i < c->axes; i++) {
        c->result.dim[i + 1] = c->window[i].count;
        c->places *= c->window[i].count;
        c->taps *= c->window[i].size;
    }
    c->result.dim[c->result.rank - 1] = c->out;
    return check_channels(g, c, x, w);
}

/* ---- rows under the kernel ---- */

/* [n * places, taps * channels], axis by axis from the last. What stands before an axis is one axis, what lies behind it
 * another: three spatial axes fit in the rank of a tensor beside those of samples and of directions that batching adds. */
static dyn_node rows(dyn_graph *g, dyn_node x, const convolution *c)
{
    int64_t places = 1, features = c->in, lead = c->n;

    for (int32_t i = 0; i < c->axes; i++)
        lead *= c->window[i].length;
    for (int32_t i = c->axes - 1; i >= 0; i--) {
        const dyn__window *w = &c->window[i];
        lead /= w->length;
        x = dyn_graph_reshape(g, x, 4, (int64_t[]){lead, w->length, places, features});
        x = dyn_graph_unfold(g, x, 1, w->size, w->stride, w->dilation, w->before, w->after);
        x = places > 1 ? dyn__swap_axes(g, x, 2, 3) : x;
        places *= w->count;
        features *= w->size;
    }
    return dyn_graph_reshape(g, x, 2, (int64_t[]){c->n * c->places, c->taps * c->in});
}

/* ---- products ---- */

static dyn_node depthwise(dyn_graph *g, dyn_node x, dyn_node w, const convolution *c)
{
    const int32_t taps = 1;

    x = dyn_graph_reshape(g, x, 4, (int64_t[]){c->n * c->places, c->taps, c->in, 1});
    w = dyn_graph_reshape(g, w, 3, (int64_t[]){c->taps, c->in, c->out / c->in});
    return dyn_graph_sum(g, dyn_graph_mul(g, x, w), 1, &taps);
}

/* Groups as a leading axis of both operands. */
static dyn_node grouped(dyn_graph *g, dyn_node x, dyn_node w, const convolution *c)
{
    const int64_t in = c->in / c->groups, out = c->out / c->groups, count = c->n * c->places;

    x = dyn_graph_reshape(g, x, 4, (int64_t[]){count, c->taps, c->groups, in});
    x = dyn_graph_permute(g, x, (int32_t[]){2, 0, 1, 3});
    x = dyn_graph_reshape(g, x, 3, (int64_t[]){c->groups, count, c->taps * in});
    w = dyn_graph_reshape(g, w, 3, (int64_t[]){c->taps * in, c->groups, out});
    return dyn__swap_axes(g, dyn_graph_matmul(g, x, dyn__swap_axes(g, w, 0, 1), 0, 0), 0, 1);
}

static dyn_node product(dyn_graph *g, dyn_node x, dyn_node w, const convolution *c)
{
    if (c->groups > 1 && c->groups == c->in)
        return depthwise(g, x, w, c);
    if (c->groups > 1)
        return grouped(g, x, w, c);
    return dyn_graph_matmul(g, x, dyn_graph_reshape(g, w, 2, (int64_t[]){c->taps * c->in, c->out}), 0, 0);
}

dyn_node dyn_layer_conv(dyn_graph *g, dyn_node x, dyn_node w, dyn_node bias, const int64_t *stride,
                        const int64_t *padding, const int64_t *dilation, int64_t groups)
{
    dyn__window_options o = {.stride = stride, .padding = padding, .dilation = dilation};
    convolution c;

    DYN__ENTER_NODE(g, x);
    DYN__TRY(dyn__check_optional(g, bias));
    DYN__TRY(describe(g, x, w, groups, &o, &c));
    dyn_node y = product(g, rows(g, x, &c), w, &c);
    return dyn__plus(g, dyn__reshape_to(g, y, &c.result), bias);
}
