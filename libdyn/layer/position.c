/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Places in a sequence: numbers, masks and angles made of them. They depend on sizes only; equal ones in several layers
 * are one node. */
#include <math.h>
#include "layer/layer.h"

/* Doubles a run of numbers until it is long enough: the graph has constants of one value only. */
dyn_node dyn_layer_arange(dyn_graph *g, int64_t count)
{
    const int64_t one = 1;

    if (!g)
        return DYN_EINVAL;
    DYN__ENTER(g->ctx);
    if (count < 1)
        return DYN__FAIL(g->ctx, DYN_EINVAL, "count is %lld", (long long)count);
    dyn_node x = dyn_graph_constant(g, 0, 1, &one);
    for (int64_t n = 1; n < count && x >= 0; n *= 2)
        x = dyn_graph_concat(g, x, dyn_graph_add(g, x, dyn__scalar(g, (double)n)), 0);
    return dyn__part(g, x, 0, 0, count);
}

static dyn_node as_column(dyn_graph *g, dyn_node x, int64_t length)
{
    return dyn_graph_reshape(g, x, 2, (int64_t[]){length, 1});
}

dyn_node dyn_layer_causal_mask(dyn_graph *g, int64_t queries, int64_t keys)
{
    if (!g)
        return DYN_EINVAL;
    DYN__ENTER(g->ctx);
    dyn_node query = as_column(g, dyn_layer_arange(g, queries), queries);
    return dyn_graph_greater_equal(g, query, dyn_layer_arange(g, keys));
}

/* t base^(-2 j / width). shape: [length, width / 2] */
static dyn_node angles(dyn_graph *g, int64_t length, int64_t width, double base)
{
    if (width < 2 || width % 2)
        return DYN__FAIL(g->ctx, DYN_ESHAPE, "the width is %lld, expected an even number", (long long)width);
    if (!(base > 0) || !isfinite(base))
        return DYN__FAIL(g->ctx, DYN_EINVAL, "base is %g, expected a number above 0", base);
    const double step = -2 * log(base) / (double)width;
    dyn_node frequency = dyn_graph_exp(g, dyn_graph_scale(g, dyn_layer_arange(g, width / 2), step));
    return dyn_graph_mul(g, as_column(g, dyn_layer_arange(g, length), length), frequency);
}

/* a and b [.., m] one element after the other: [.., 2 m] */
static dyn_node interleave(dyn_graph *g, dyn_node a, dyn_node b)
{
    DYN__TRY(a);
    dyn__shape s = *dyn__shape_of(g, a), whole = s;
    whole.dim[whole.rank - 1] *= 2;
    s.dim[s.rank++] = 1;
    return dyn__reshape_to(g, dyn_graph_concat(g, dyn__reshape_to(g, a, &s), dyn__reshape_to(g, b, &s), -1), &whole);
}

dyn_node dyn_layer_sinusoidal(dyn_graph *g, int64_t length, int64_t width, double base)
{
    if (!g)
        return DYN_EINVAL;
    DYN__ENTER(g->ctx);
    dyn_node a = angles(g, length, width, base);
    return interleave(g, dyn_graph_sin(g, a), dyn_graph_cos(g, a));
}

/* Element 0 or 1 of the pairs 2 j, 2 j + 1. */
static dyn_node of_pairs(dyn_graph *g, dyn_node x, int which)
{
    dyn__shape s = *dyn__shape_of(g, x), half = s;

    half.dim[half.rank - 1] /= 2;
    s.dim[s.rank - 1] /= 2;
    s.dim[s.rank++] = 2;
    return dyn__reshape_to(g, dyn__part(g, dyn__reshape_to(g, x, &s), s.rank - 1, which, 1), &half);
}

dyn_node dyn_layer_rotary(dyn_graph *g, dyn_node x, double base, int32_t interleaved)
{
    DYN__ENTER_NODE(g, x);
    DYN__TRY(dyn__need_rank(g, "x", x, 2));
    const dyn__shape s = *dyn__shape_of(g, x);
    const int64_t half = dyn__last(&s) / 2;
    dyn_node turn = angles(g, s.dim[s.rank - 2], dyn__last(&s), base);
    DYN__TRY(turn);
    dyn_node c = dyn_graph_cos(g, turn), d = dyn_graph_sin(g, turn);
    dyn_node a = interleaved ? of_pairs(g, x, 0) : dyn__part(g, x, s.rank - 1, 0, half);
    dyn_node b = interleaved ? of_pairs(g, x, 1) : dyn__part(g, x, s.rank - 1, half, half);
    dyn_node u = dyn_graph_sub(g, dyn_graph_mul(g, a, c), dyn_graph_mul(g, b, d));
    dyn_node v = dyn_graph_add(g, dyn_graph_mul(g, a, d), dyn_graph_mul(g, b, c));
    return interleaved ? interleave(g, u, v) : dyn_graph_concat(g, u, v, -1);
}
