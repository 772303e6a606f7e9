/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The builders of random numbers. */
#include "graph/graph.h"

dyn_node dyn_graph_uniform(dyn_graph *g, dyn_node key, uint32_t site, int32_t rank, const int64_t *shape)
{
    const dyn__attr attr = {{0}, 0, site};
    dyn__shape s = {0};

    DYN__ENTER_NODE(g, key);
    if (rank < 0 || rank > DYN_MAX_RANK || (rank > 0 && !shape))
        return DYN__FAIL(g->ctx, DYN_ESHAPE, "rank %d is outside [0, %d] or the shape is missing", (int)rank,
                         DYN_MAX_RANK);
    s.rank = rank;
    for (int k = 0; k < rank; k++)
        s.dim[k] = shape[k];
    return dyn__insert1(g, DYN__OP_random, key, &attr, &s);
}

dyn_node dyn_graph_bernoulli(dyn_graph *g, dyn_node key, uint32_t site, double p, int32_t rank, const int64_t *shape)
{
    DYN__ENTER_NODE(g, key);
    if (!(p >= 0 && p <= 1))
        return DYN__FAIL(g->ctx, DYN_EINVAL, "probability %g is outside [0, 1]", p);
    dyn_node u = dyn_graph_uniform(g, key, site, rank, shape);
    return dyn_graph_greater(g, dyn_graph_constant(g, p, 0, NULL), u);
}
