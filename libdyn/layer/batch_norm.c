/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Batch norm: the one norm that joins samples, and that keeps states. Only a training step writes them, however often a
 * loss is evaluated between steps. */
#include <math.h>
#include <stdio.h>
#include "layer/layer.h"
#include "model/build.h"

typedef struct moments { dyn_node mean, var; } moments;     /* [channels] */

static dyn_node state(dyn_build *b, const char *name, const char *what, int64_t channels, double initial)
{
    char full[256];

    if (snprintf(full, sizeof full, "%s.%s", name, what) >= (int)sizeof full)
        return DYN__FAIL(b->draft->ctx, DYN_EINVAL, "the name \"%.40s...\" is too long", name);
    return dyn_build_state(b, full, 1, &channels, initial);
}

/* Biased moments of the batch; x [values, channels]. */
static moments of_batch(dyn_graph *g, dyn_node x)
{
    const int32_t first = 0;
    const double share = 1 / (double)dyn__shape_of(g, x)->dim[0];
    moments m;

    m.mean = dyn_graph_scale(g, dyn_graph_sum(g, x, 1, &first), share);
    dyn_node d = dyn_graph_sub(g, x, m.mean);
    m.var = dyn_graph_scale(g, dyn_graph_sum(g, dyn_graph_mul(g, d, d), 1, &first), share);
    return m;
}

/* old + share (new - old) */
static dyn_status move(dyn_build *b, dyn_node old, dyn_node new, double share)
{
    dyn_graph *g = b->draft->g;
    dyn_node to = dyn_graph_add(g, dyn_graph_scale(g, old, 1 - share), dyn_graph_scale(g, new, share));

    return to < 0 ? to : dyn_build_update(b, old, to);
}

/* The moments to normalise by; in training the running ones move. */
static dyn_status choose(dyn_build *b, dyn_node x, moments running, double momentum, moments *out)
{
    dyn_graph *g = b->draft->g;
    const int64_t values = dyn__shape_of(g, x)->dim[0];

    *out = running;
    if (!b->draft->training)
        return DYN_OK;
    if (values < 2 && !dyn__build_declares(b))
        return DYN__FAIL(g->ctx, DYN_ESHAPE, "one value per channel in training: its variance is not defined");
    *out = of_batch(g, x);
    const double unbiased = values < 2 ? 1 : (double)values / (double)(values - 1);
    DYN__TRY(move(b, running.mean, out->mean, momentum));
    return move(b, running.var, dyn_graph_scale(g, out->var, unbiased), momentum);
}

dyn_node dyn_layer_batch_norm(dyn_build *b, const char *name, dyn_node x, dyn_node gain, dyn_node shift,
                              double momentum, double eps)
{
    moments running, m;

    if (!b)
        return DYN_EINVAL;
    DYN__ENTER(b->draft->ctx);
    dyn_graph *g = b->draft->g;
    DYN__NEED(g->ctx, name);
    DYN__TRY(dyn__need_rank(g, "x", x, 2));
    if (!(momentum >= 0 && momentum <= 1) || !(eps >= 0) || !isfinite(eps))
        return DYN__FAIL(g->ctx, DYN_EINVAL, "momentum is %g, expected 0 to 1; eps is %g, expected >= 0", momentum, eps);
    const dyn__shape s = *dyn__shape_of(g, x);
    const int64_t channels = dyn__last(&s);
    DYN__TRY(running.mean = state(b, name, "mean", channels, 0));
    DYN__TRY(running.var = state(b, name, "var", channels, 1));
    x = dyn_graph_reshape(g, x, 2, (int64_t[]){dyn__shape_size(&s) / channels, channels});
    DYN__TRY(choose(b, x, running, momentum, &m));
    dyn_node scale = dyn_graph_sqrt(g, dyn_graph_add(g, m.var, dyn__scalar(g, eps)));
    x = dyn__reshape_to(g, dyn_graph_div(g, dyn_graph_sub(g, x, m.mean), scale), &s);
    return dyn__plus(g, dyn__times(g, x, gain), shift);
}
