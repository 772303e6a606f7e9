/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Constants: nodes all of whose elements have one value, rounded to the element type of the graph. */
#include "graph/graph.h"

static double rounded(const dyn_graph *g, double v) { return g->dtype == DYN_F32 ? (double)(float)v : v; }

dyn_node dyn__splat(dyn_graph *g, double value, const dyn__shape *shape)
{
    dyn__attr attr = {{0}, rounded(g, value) + 0.0, 0};     /* + 0.0: one zero, not two */
    return dyn__insert(g, DYN__OP_constant, 0, NULL, &attr, shape);
}

dyn_node dyn__like(dyn_graph *g, double value, dyn_node x)
{
    if (x < 0)
        return x;
    dyn__shape s = dyn__at(g, x)->shape;
    return dyn__splat(g, value, &s);
}

int dyn__is_constant(const dyn_graph *g, dyn_node x, double *value)
{
    if (x < 0 || dyn__at(g, x)->op != DYN__OP_constant)
        return 0;
    *value = dyn__at(g, x)->attr.f;
    return 1;
}

dyn_node dyn_graph_constant(dyn_graph *g, double value, int32_t rank, const int64_t *dim)
{
    dyn__shape s = {0};

    if (!g)
        return DYN_EINVAL;
    DYN__ENTER(g->ctx);
    if (rank < 0 || rank > DYN_MAX_RANK || (rank > 0 && !dim))
        return DYN__FAIL(g->ctx, DYN_ESHAPE, "rank %d is outside [0, %d] or the shape is missing", (int)rank,
                         DYN_MAX_RANK);
    s.rank = rank;
    for (int i = 0; i < rank; i++)
        s.dim[i] = dim[i];
    return dyn__splat(g, value, &s);
}
