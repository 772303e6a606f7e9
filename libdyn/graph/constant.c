/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Constants: nodes all of whose elements have one value, rounded to the element type of the graph, and arrays: inputs
 * whose values the graph holds. */
#include <string.h>
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

const double *dyn__array_of(const dyn_graph *g, dyn_node x)
{
    const dyn__node *n = dyn__at(g, x);

    return n->op == DYN__OP_input && n->attr.i[0] == DYN__ARRAY ? g->array[n->attr.i[1]] : NULL;
}

static dyn_status shape_of(dyn_graph *g, int32_t rank, const int64_t *dim, dyn__shape *s)
{
    *s = (dyn__shape){0};
    if (rank < 0 || rank > DYN_MAX_RANK || (rank > 0 && !dim))
        return DYN__FAIL(g->ctx, DYN_ESHAPE, "rank %d is outside [0, %d] or the shape is missing", (int)rank,
                         DYN_MAX_RANK);
    s->rank = rank;
    for (int i = 0; i < rank; i++)
        s->dim[i] = dim[i];
    return DYN_OK;
}

dyn_node dyn_graph_constant(dyn_graph *g, double value, int32_t rank, const int64_t *dim)
{
    dyn__shape s;

    if (!g)
        return DYN_EINVAL;
    DYN__ENTER(g->ctx);
    DYN__TRY(shape_of(g, rank, dim, &s));
    return dyn__splat(g, value, &s);
}

static int all_equal(int64_t n, const double *values)
{
    int64_t i = 1;

    while (i < n && values[i] == values[0])
        i++;
    return i >= n;
}

/* The node comes first, as making it checks the shape. Should memory end behind it, nobody knows its number. */
static dyn_node make_array(dyn_graph *g, const dyn__shape *shape, const double *values)
{
    const dyn__attr attr = {{DYN__ARRAY, g->arrays, g->dtype}, 0, 0};
    const dyn_node x = dyn__insert(g, DYN__OP_input, 0, NULL, &attr, shape);

    if (x < 0)
        return x;
    const size_t size = (size_t)dyn__shape_size(shape);
    if (all_equal((int64_t)size, values))
        return dyn__splat(g, values[0], shape);
    DYN__TRY(dyn__grow(g->ctx, (void **)&g->array, &g->arrays_capacity, g->arrays + 1, sizeof *g->array));
    double *copy = dyn__alloc(g->ctx, size, sizeof *copy);
    if (!copy)
        return DYN_ENOMEM;
    memcpy(copy, values, size * sizeof *copy);
    g->array[g->arrays++] = copy;
    return x;
}

dyn_node dyn_graph_constant_array(dyn_graph *g, int32_t rank, const int64_t *shape, const double *values)
{
    dyn__shape s;

    if (!g)
        return DYN_EINVAL;
    DYN__ENTER(g->ctx);
    DYN__NEED(g->ctx, values);
    DYN__TRY(shape_of(g, rank, shape, &s));
    return make_array(g, &s, values);
}
