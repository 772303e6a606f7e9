/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Dropout, and what it adds to a loss in expectation. What is dropped follows from the run's seed, the step, the use and
 * the place of the sample: a gradient and its curvature drop the same. What is kept is divided by the chance to be kept,
 * in training only. */
#include "layer/layer.h"

/* The shape of the draws: that of x, with 1 along the axes that share a draw. */
static dyn__shape draws(const dyn__shape *x, int32_t whole)
{
    dyn__shape s = *x;

    if (whole == DYN_DROP_PLACES)
        s.dim[s.rank - 1] = 1;
    for (int32_t i = 1; whole == DYN_DROP_CHANNELS && i < s.rank - 1; i++)
        s.dim[i] = 1;
    return s;
}

dyn_node dyn_layer_dropout(dyn_build *b, dyn_node x, double p, int32_t whole)
{
    dyn_graph *g = dyn_build_graph(b);

    DYN__ENTER_NODE(g, x);
    DYN__TRY(dyn__need_rank(g, "x", x, 2));
    if (!(p >= 0 && p <= 1))
        return DYN__FAIL(g->ctx, DYN_EINVAL, "p is %g, expected 0 to 1", p);
    if (whole < DYN_DROP_ELEMENTS || whole > DYN_DROP_CHANNELS)
        return DYN__FAIL(g->ctx, DYN_EINVAL, "whole %d is outside [0, %d]", (int)whole, DYN_DROP_CHANNELS);
    if (p == 0 || !dyn_build_training(b))
        return x;
    if (p == 1)
        return dyn__like(g, 0, x);
    const dyn__shape s = draws(dyn__shape_of(g, x), whole);
    dyn_node kept = dyn_build_bernoulli(b, 1 - p, s.rank, s.dim);
    return dyn_graph_mul(g, x, dyn_graph_scale(g, kept, 1 / (1 - p)));
}

dyn_node dyn_layer_dropout_variance(dyn_graph *g, dyn_node h, dyn_node w, double p)
{
    const int32_t last = 1;
    char a[128], b[128];

    DYN__ENTER_NODE(g, h);
    DYN__TRY(dyn__check_node(g, w));
    const dyn__shape *s = dyn__shape_of(g, h), *t = dyn__shape_of(g, w);
    if (s->rank != 2 || t->rank != 2 || s->dim[1] != t->dim[0])
        return DYN__FAIL(g->ctx, DYN_ESHAPE, "h %s and w %s: expected [n, neurons] and [neurons, outputs]",
                         dyn__shape_text(s, a), dyn__shape_text(t, b));
    if (!(p >= 0 && p < 1))
        return DYN__FAIL(g->ctx, DYN_EINVAL, "p is %g, expected 0 to below 1", p);
    dyn_node each = dyn_graph_matmul(g, dyn_graph_mul(g, h, h), dyn_graph_mul(g, w, w), 0, 0);
    return dyn_graph_scale(g, dyn_graph_sum(g, each, 1, &last), p / (1 - p));
}
