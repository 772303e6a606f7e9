/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Norms within a sample. eps stands under the root beside the variance, so that a constant input has finite derivatives
 * of every order. */
#include <math.h>
#include "layer/layer.h"

static dyn_status check(dyn_graph *g, dyn_node gain, dyn_node shift, double eps)
{
    DYN__TRY(dyn__check_optional(g, gain));
    DYN__TRY(dyn__check_optional(g, shift));
    if (!(eps >= 0) || !isfinite(eps))
        return DYN__FAIL(g->ctx, DYN_EINVAL, "eps is %g, expected a number >= 0", eps);
    return DYN_OK;
}

/* Divided by the root of the mean square, which is taken over the axes from first to end - 1. */
static dyn_node divided(dyn_graph *g, dyn_node x, int32_t first, int32_t end, double eps)
{
    dyn_node var = dyn__mean_kept(g, dyn_graph_mul(g, x, x), first, end);

    return dyn_graph_div(g, x, dyn_graph_sqrt(g, dyn_graph_add(g, var, dyn__scalar(g, eps))));
}

static dyn_node centred(dyn_graph *g, dyn_node x, int32_t first, int32_t end)
{
    return dyn_graph_sub(g, x, dyn__mean_kept(g, x, first, end));
}

dyn_node dyn_layer_layer_norm(dyn_graph *g, dyn_node x, int32_t axes, dyn_node gain, dyn_node shift, double eps)
{
    char text[128];

    DYN__ENTER_NODE(g, x);
    DYN__TRY(check(g, gain, shift, eps));
    const int32_t rank = dyn__shape_of(g, x)->rank;
    if (axes < 1 || axes > rank)
        return DYN__FAIL(g->ctx, DYN_EINVAL, "axes is %d, x has shape %s", (int)axes,
                         dyn__shape_text(dyn__shape_of(g, x), text));
    x = divided(g, centred(g, x, rank - axes, rank), rank - axes, rank, eps);
    return dyn__plus(g, dyn__times(g, x, gain), shift);
}

dyn_node dyn_layer_rms_norm(dyn_graph *g, dyn_node x, dyn_node gain, double eps)
{
    DYN__ENTER_NODE(g, x);
    DYN__TRY(check(g, gain, DYN_NO_NODE, eps));
    DYN__TRY(dyn__need_rank(g, "x", x, 1));
    const int32_t rank = dyn__shape_of(g, x)->rank;
    return dyn__times(g, divided(g, x, rank - 1, rank, eps), gain);
}

dyn_node dyn_layer_group_norm(dyn_graph *g, dyn_node x, int64_t groups, dyn_node gain, dyn_node shift, double eps)
{
    DYN__ENTER_NODE(g, x);
    DYN__TRY(check(g, gain, shift, eps));
    DYN__TRY(dyn__need_rank(g, "x", x, 2));
    const dyn__shape s = *dyn__shape_of(g, x);
    const int64_t channels = dyn__last(&s), places = dyn__shape_size(&s) / (s.dim[0] * channels);
    if (groups < 1 || channels % groups)
        return DYN__FAIL(g->ctx, DYN_EINVAL, "%lld groups of %lld channels", (long long)groups, (long long)channels);
    /* places between samples and groups: their mean and that of a group's channels are taken one after the other */
    x = dyn_graph_reshape(g, x, 4, (int64_t[]){s.dim[0], places, groups, channels / groups});
    x = dyn_graph_sub(g, x, dyn__mean_kept(g, dyn__mean_kept(g, x, 3, 4), 1, 2));
    dyn_node var = dyn__mean_kept(g, dyn__mean_kept(g, dyn_graph_mul(g, x, x), 3, 4), 1, 2);
    x = dyn_graph_div(g, x, dyn_graph_sqrt(g, dyn_graph_add(g, var, dyn__scalar(g, eps))));
    return dyn__plus(g, dyn__times(g, dyn__reshape_to(g, x, &s), gain), shift);
}
