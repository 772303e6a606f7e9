/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Attention: heads as an axis before that of the places, and the weighted mean of values. */
#include <math.h>
#include "layer/attention.h"

dyn_node dyn_layer_split_heads(dyn_graph *g, dyn_node x, int32_t heads)
{
    DYN__ENTER_NODE(g, x);
    DYN__TRY(dyn__need_rank(g, "x", x, 2));
    dyn__shape s = *dyn__shape_of(g, x);
    const int64_t width = dyn__last(&s);
    if (heads < 1 || width % heads || s.rank == DYN_MAX_RANK)
        return DYN__FAIL(g->ctx, DYN_EINVAL, "%d heads of %lld features", (int)heads, (long long)width);
    s.dim[s.rank - 1] = heads;
    s.dim[s.rank++] = width / heads;
    return dyn__swap_axes(g, dyn__reshape_to(g, x, &s), s.rank - 3, s.rank - 2);
}

dyn_node dyn_layer_merge_heads(dyn_graph *g, dyn_node x)
{
    DYN__ENTER_NODE(g, x);
    DYN__TRY(dyn__need_rank(g, "x", x, 3));
    const int32_t rank = dyn__shape_of(g, x)->rank;
    x = dyn__swap_axes(g, x, rank - 3, rank - 2);
    DYN__TRY(x);
    dyn__shape s = *dyn__shape_of(g, x);
    s.dim[rank - 2] *= s.dim[rank - 1];
    s.rank--;
    return dyn__reshape_to(g, x, &s);
}

/* Keys or values of fewer heads: each head repeated in place, so that it serves a run of query heads. */
static dyn_node repeated(dyn_graph *g, dyn_node x, const dyn__shape *q, int32_t axis)
{
    dyn__shape s = *dyn__shape_of(g, x), wide = s, more;

    if (s.dim[axis] == q->dim[axis] || s.dim[axis] < 1 || q->dim[axis] % s.dim[axis])
        return x;
    more = s;
    for (int32_t i = s.rank; i > axis + 1; i--)
        more.dim[i] = s.dim[i - 1];
    more.rank++;
    more.dim[axis + 1] = 1;
    wide.dim[axis] = q->dim[axis];
    x = dyn__reshape_to(g, x, &more);
    more.dim[axis + 1] = q->dim[axis] / s.dim[axis];
    return dyn__reshape_to(g, dyn_graph_broadcast_to(g, x, more.rank, more.dim), &wide);
}

static dyn_status check_shapes(dyn_graph *g, dyn_node q, dyn_node k, dyn_node v)
{
    const dyn__shape *s = dyn__shape_of(g, q), *t = dyn__shape_of(g, k), *u = dyn__shape_of(g, v);
    char a[128], b[128], c[128];

    if (s->rank != t->rank || s->rank != u->rank || dyn__last(s) != dyn__last(t) ||
        t->dim[t->rank - 2] != u->dim[u->rank - 2])
        return DYN__FAIL(g->ctx, DYN_ESHAPE, "q %s, k %s, v %s: expected q [.., L, dk], k [.., S, dk], v [.., S, dv]",
                         dyn__shape_text(s, a), dyn__shape_text(t, b), dyn__shape_text(u, c));
    return DYN_OK;
}

/* The given mask and the causal one: 1 where both are not 0. */
static dyn_node joined_mask(dyn_graph *g, dyn_node mask, int32_t causal, const dyn__shape *scores)
{
    if (!causal)
        return mask;
    dyn_node before = dyn_layer_causal_mask(g, scores->dim[scores->rank - 2], dyn__last(scores));
    return mask == DYN_NO_NODE ? before : dyn_graph_select(g, mask, before, dyn__scalar(g, 0));
}

/* ---- the three steps: x of [.., L, dk], y of [.., S, ..] ---- */

dyn_node dyn__attention_heads(dyn_graph *g, dyn_node y, dyn_node x)
{
    const dyn__shape s = *dyn__shape_of(g, x);

    return s.rank > 2 ? repeated(g, y, &s, s.rank - 3) : y;
}

double dyn__attention_scale(const dyn_graph *g, dyn_node q, double scale)
{
    return isnan(scale) ? 1 / sqrt((double)dyn__last(dyn__shape_of(g, q))) : scale;
}

dyn_node dyn__attention_scores(dyn_graph *g, dyn_node q, dyn_node k, double scale)
{
    scale = dyn__attention_scale(g, q, scale);
    return dyn_graph_scale(g, dyn_graph_matmul(g, q, dyn__attention_heads(g, k, q), 0, 1), scale);
}

dyn_node dyn__attention_weights(dyn_graph *g, dyn_node scores, dyn_node mask, int32_t causal)
{
    DYN__TRY(scores);
    const dyn__shape s = *dyn__shape_of(g, scores);

    return dyn_layer_softmax(g, scores, joined_mask(g, mask, causal, &s));
}

dyn_node dyn__attention_values(dyn_graph *g, dyn_node weights, dyn_node v)
{
    DYN__TRY(weights);
    return dyn_graph_matmul(g, weights, dyn__attention_heads(g, v, weights), 0, 0);
}

dyn_node dyn_layer_scaled_dot_product_attention(dyn_graph *g, dyn_node q, dyn_node k, dyn_node v, dyn_node mask,
                                                int32_t causal, double scale, dyn_node *weights)
{
    DYN__ENTER_NODE(g, q);
    DYN__TRY(dyn__need_rank(g, "q", q, 2));
    DYN__TRY(dyn__need_rank(g, "k", k, 2));
    DYN__TRY(dyn__need_rank(g, "v", v, 2));
    DYN__TRY(dyn__check_optional(g, mask));
    DYN__TRY(check_shapes(g, q, k, v));
    if (!weights && dyn__attention_has_blocks(g, q))
        return dyn__attention_in_blocks(g, q, k, v, mask, causal, scale);
    dyn_node w = dyn__attention_weights(g, dyn__attention_scores(g, q, k, scale), mask, causal);
    if (weights)
        *weights = w;
    return dyn__attention_values(g, w, v);
}
