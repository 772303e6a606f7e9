/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Transposed convolution, the adjoint of the convolution with the same kernel: each element times the kernel, added up
 * where kernels overlap. */
#include "layer/window.h"

typedef struct transposed {
    int32_t axes;
    int64_t groups, in, out, taps;
    int64_t size[DYN__SPATIAL], stride[DYN__SPATIAL], dilation[DYN__SPATIAL], before[DYN__SPATIAL];
    int64_t length[DYN__SPATIAL];       /* of the result */
    dyn__shape x;
} transposed;

static dyn_status set_axis(dyn_graph *g, transposed *t, int32_t i, int64_t more)
{
    const int64_t span = t->stride[i] * (t->x.dim[i + 1] - 1) + t->dilation[i] * (t->size[i] - 1) + 1;
    const int64_t limit = t->stride[i] > t->dilation[i] ? t->stride[i] : t->dilation[i];

    if (t->stride[i] < 1 || t->dilation[i] < 1 || t->before[i] < 0)
        return DYN__FAIL(g->ctx, DYN_EINVAL, "axis %d: stride %lld, dilation %lld, padding %lld", (int)i,
                         (long long)t->stride[i], (long long)t->dilation[i], (long long)t->before[i]);
    if (more < 0 || more >= limit)
        return DYN__FAIL(g->ctx, DYN_EINVAL, "axis %d: output_padding %lld must be below %lld, the larger of stride and "
                         "dilation", (int)i, (long long)more, (long long)limit);
    t->length[i] = span - 2 * t->before[i] + more;
    if (t->length[i] < 1)
        return DYN__FAIL(g->ctx, DYN_ESHAPE, "axis %d: the padding %lld leaves nothing of %lld elements", (int)i,
                         (long long)t->before[i], (long long)span);
    return DYN_OK;
}

static dyn_status check_shapes(dyn_graph *g, const transposed *t, dyn_node w)
{
    const dyn__shape *s = dyn__shape_of(g, w);
    char p[128], q[128];

    if (t->axes < 1 || t->axes > DYN__SPATIAL || t->x.rank != s->rank)
        return DYN__FAIL(g->ctx, DYN_ESHAPE, "x %s and w %s: expected [n, spatial.., channels] and [k.., in, out]",
                         dyn__shape_text(&t->x, p), dyn__shape_text(s, q));
    if (t->groups < 1 || t->in % t->groups || t->out % t->groups || s->dim[s->rank - 2] != t->in / t->groups)
        return DYN__FAIL(g->ctx, DYN_ESHAPE, "x %s, w %s, %lld groups: expected w [k.., channels / groups, out]",
                         dyn__shape_text(&t->x, p), dyn__shape_text(s, q), (long long)t->groups);
    return DYN_OK;
}

/* Each element times the kernel: [elements, taps * out]. */
static dyn_node spread(dyn_graph *g, const transposed *t, dyn_node x, dyn_node w)
{
    const int64_t in = t->in / t->groups, out = t->out / t->groups, count = dyn__shape_size(&t->x) / t->in;

    x = dyn__swap_axes(g, dyn_graph_reshape(g, x, 3, (int64_t[]){count, t->groups, in}), 0, 1);
    w = dyn_graph_reshape(g, w, 4, (int64_t[]){t->taps, in, t->groups, out});
    w = dyn_graph_permute(g, w, (int32_t[]){2, 1, 0, 3});
    w = dyn_graph_reshape(g, w, 3, (int64_t[]){t->groups, in, t->taps * out});
    dyn_node y = dyn_graph_reshape(g, dyn_graph_matmul(g, x, w, 0, 0), 4,
                                   (int64_t[]){t->groups, count, t->taps, out});
    return dyn_graph_permute(g, y, (int32_t[]){1, 2, 0, 3});
}

/* Adds up along the spatial axes, one after the other; what comes later rides along as one axis. */
static dyn_node add_up(dyn_graph *g, const transposed *t, dyn_node y)
{
    int64_t lead = t->x.dim[0], elements = dyn__shape_size(&t->x) / (t->in * lead), rest = t->taps * t->out;

    for (int32_t i = 0; i < t->axes; i++) {
        elements /= t->x.dim[i + 1];
        rest /= t->size[i];
        y = dyn_graph_reshape(g, y, 5, (int64_t[]){lead, t->x.dim[i + 1], elements, t->size[i], rest});
        y = dyn_graph_fold(g, dyn__swap_axes(g, y, 2, 3), 1, t->length[i], t->stride[i], t->dilation[i], t->before[i]);
        lead *= t->length[i];
    }
    return y;
}

dyn_node dyn_layer_conv_transpose(dyn_graph *g, dyn_node x, dyn_node w, dyn_node bias, const int64_t *stride,
                                  const int64_t *padding, const int64_t *output_padding, int64_t groups,
                                  const int64_t *dilation)
{
    DYN__ENTER_NODE(g, x);
    DYN__TRY(dyn__need_rank(g, "w", w, 3));
    DYN__TRY(dyn__check_optional(g, bias));
    const dyn__shape s = *dyn__shape_of(g, w);
    transposed t = {.axes = s.rank - 2, .groups = groups, .out = dyn__last(&s), .taps = 1, .x = *dyn__shape_of(g, x)};
    t.in = t.x.rank ? dyn__last(&t.x) : 0;
    DYN__TRY(check_shapes(g, &t, w));
    dyn__shape result = t.x;
    for (int32_t i = 0; i < t.axes; i++) {
        t.size[i] = s.dim[i];
        t.taps *= s.dim[i];
        t.stride[i] = dyn__entry(stride, i, 1);
        t.dilation[i] = dyn__entry(dilation, i, 1);
        t.before[i] = dyn__entry(padding, i, 0);
        DYN__TRY(set_axis(g, &t, i, dyn__entry(output_padding, i, 0)));
        result.dim[i + 1] = t.length[i];
    }
    result.dim[result.rank - 1] = t.out;
    return dyn__plus(g, dyn__reshape_to(g, add_up(g, &t, spread(g, &t, x, w)), &result), bias);
}
