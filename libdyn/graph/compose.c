/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Functions that users expect by name and that are short compositions of primitives. Each is written so that it and its
 * derivatives of any order stay finite wherever the function is. */
#include "graph/graph.h"

dyn_node dyn_graph_relu(dyn_graph *g, dyn_node x)
{
    DYN__ENTER_NODE(g, x);
    return dyn_graph_max(g, x, dyn_graph_constant(g, 0, 0, NULL));
}

dyn_node dyn_graph_abs(dyn_graph *g, dyn_node x)
{
    DYN__ENTER_NODE(g, x);
    dyn_node zero = dyn_graph_constant(g, 0, 0, NULL);
    return dyn_graph_select(g, dyn_graph_greater(g, x, zero), x, dyn_graph_neg(g, x));
}

dyn_node dyn_graph_sign(dyn_graph *g, dyn_node x)
{
    DYN__ENTER_NODE(g, x);
    dyn_node zero = dyn_graph_constant(g, 0, 0, NULL);
    return dyn_graph_sub(g, dyn_graph_greater(g, x, zero), dyn_graph_greater(g, zero, x));
}

dyn_node dyn_graph_sigmoid(dyn_graph *g, dyn_node x)
{
    DYN__ENTER_NODE(g, x);
    dyn_node t = dyn_graph_tanh(g, dyn_graph_scale(g, x, 0.5));
    return dyn_graph_add(g, dyn_graph_scale(g, t, 0.5), dyn_graph_constant(g, 0.5, 0, NULL));
}

/* max(x,0) + log(1 + e^-|x|): no overflow, and no cancellation for x far below 0. */
dyn_node dyn_graph_softplus(dyn_graph *g, dyn_node x)
{
    DYN__ENTER_NODE(g, x);
    dyn_node tail = dyn_graph_log1p(g, dyn_graph_exp(g, dyn_graph_neg(g, dyn_graph_abs(g, x))));
    return dyn_graph_add(g, dyn_graph_relu(g, x), tail);
}

/* m + log sum e^(x-m). The result does not depend on m, so m may be held fixed in derivatives. */
dyn_node dyn_graph_logsumexp(dyn_graph *g, dyn_node x)
{
    const int32_t last = -1;
    int64_t dim[DYN_MAX_RANK];

    DYN__ENTER_NODE(g, x);
    const int32_t rank = dyn_graph_shape(g, x, dim);
    if (rank < 1)
        return DYN__FAIL(g->ctx, DYN_ESHAPE, "node %d has no axis to sum over", (int)x);
    dyn_node m = dyn_graph_stop(g, dyn_graph_amax(g, x, 1, &last));
    dim[rank - 1] = 1;
    dyn_node shifted = dyn_graph_sub(g, x, dyn_graph_reshape(g, m, rank, dim));
    return dyn_graph_add(g, dyn_graph_log(g, dyn_graph_sum(g, dyn_graph_exp(g, shifted), 1, &last)), m);
}

dyn_node dyn_graph_mean(dyn_graph *g, dyn_node x)
{
    static const int32_t axes[DYN_MAX_RANK] = {0, 1, 2, 3, 4, 5, 6, 7};

    DYN__ENTER_NODE(g, x);
    const int32_t rank = dyn_graph_shape(g, x, NULL);
    const int64_t size = dyn__shape_size(&dyn__at(g, x)->shape);
    return dyn_graph_scale(g, dyn_graph_sum(g, x, rank, axes), 1.0 / (double)size);
}
