/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The builders of products, reductions and of everything that moves elements. They check what the caller wrote; the
 * primitives' own shape rules check the rest. Constants pass through, since every element is the same. */
#include <string.h>
#include "graph/graph.h"

/* ---- broadcast and reshape ---- */

/* Broadcast of the broadcast x: one broadcast of the source. */
static dyn_node merged_broadcast(dyn_graph *g, dyn_node x, const dyn__shape *shape, const int64_t *axes)
{
    const dyn__node *n = dyn__at(g, x);
    int64_t all[DYN_MAX_RANK];

    for (int64_t i = 0; i < n->attr.n; i++)
        all[i] = axes[n->attr.i[i]];
    return dyn__broadcast(g, n->in[0], shape, all);
}

dyn_node dyn__broadcast(dyn_graph *g, dyn_node x, const dyn__shape *shape, const int64_t *axes)
{
    dyn__attr attr = {{0}, 0, 0};
    double c;

    if (x < 0)
        return x;
    if (dyn__shape_equal(&dyn__at(g, x)->shape, shape))
        return x;
    if (dyn__is_constant(g, x, &c))
        return dyn__splat(g, c, shape);
    if (dyn__at(g, x)->op == DYN__OP_broadcast)
        return merged_broadcast(g, x, shape, axes);
    attr.n = dyn__at(g, x)->shape.rank;
    memcpy(attr.i, axes, (size_t)attr.n * sizeof *axes);
    return dyn__insert1(g, DYN__OP_broadcast, x, &attr, shape);
}

dyn_node dyn__lead(dyn_graph *g, dyn_node x, int64_t size)
{
    int64_t axes[DYN_MAX_RANK];

    if (x < 0)
        return x;
    dyn__shape s = dyn__shape_lead(&dyn__at(g, x)->shape, size);
    for (int i = 0; i + 1 < s.rank && i < DYN_MAX_RANK; i++)
        axes[i] = i + 1;
    return dyn__broadcast(g, x, &s, axes);
}

dyn_node dyn__reshape_to(dyn_graph *g, dyn_node x, const dyn__shape *shape)
{
    double c;

    if (x < 0)
        return x;
    while (!dyn__shape_equal(&dyn__at(g, x)->shape, shape) && dyn__at(g, x)->op == DYN__OP_reshape)
        x = dyn__at(g, x)->in[0];
    if (dyn__shape_equal(&dyn__at(g, x)->shape, shape))
        return x;
    if (dyn__is_constant(g, x, &c))
        return dyn__splat(g, c, shape);
    return dyn__insert1(g, DYN__OP_reshape, x, NULL, shape);
}

dyn_node dyn_graph_reshape(dyn_graph *g, dyn_node x, int32_t rank, const int64_t *dim)
{
    dyn__shape s = {0};

    DYN__ENTER_NODE(g, x);
    if (rank < 0 || rank > DYN_MAX_RANK || (rank > 0 && !dim))
        return DYN__FAIL(g->ctx, DYN_ESHAPE, "rank %d is outside [0, %d] or the shape is missing", (int)rank,
                         DYN_MAX_RANK);
    s.rank = rank;
    for (int i = 0; i < rank; i++)
        s.dim[i] = dim[i];
    return dyn__reshape_to(g, x, &s);
}

/* ---- reductions ---- */

/* Ascending list of axes as an attribute; -1 is the last axis. */
static dyn_status axis_list(dyn_graph *g, int32_t rank, int32_t count, const int32_t *axes, dyn__attr *attr)
{
    uint32_t mask = 0;

    if (count < 0 || count > DYN_MAX_RANK || (count > 0 && !axes))
        return DYN__FAIL(g->ctx, DYN_EINVAL, "%d axes of a tensor of rank %d", (int)count, (int)rank);
    for (int i = 0; i < count; i++) {
        int32_t a = axes[i] < 0 ? axes[i] + rank : axes[i];
        if (a < 0 || a >= rank || (mask >> a & 1))
            return DYN__FAIL(g->ctx, DYN_EINVAL, "axis %d is repeated or outside a tensor of rank %d", (int)axes[i],
                             (int)rank);
        mask |= 1u << a;
    }
    memset(attr, 0, sizeof *attr);
    for (int a = 0; a < rank; a++)
        if (mask >> a & 1)
            attr->i[attr->n++] = a;
    return DYN_OK;
}

static dyn_node reduction(dyn_graph *g, int op, dyn_node x, int32_t count, const int32_t *axes)
{
    dyn__attr attr;

    DYN__TRY(axis_list(g, dyn__at(g, x)->shape.rank, count, axes, &attr));
    return count == 0 ? x : dyn__insert1(g, op, x, &attr, NULL);
}

dyn_node dyn_graph_sum(dyn_graph *g, dyn_node x, int32_t count, const int32_t *axes)
{
    double c;

    DYN__ENTER_NODE(g, x);
    dyn_node y = reduction(g, DYN__OP_sum, x, count, axes);
    if (y >= 0 && y != x && dyn__is_constant(g, x, &c)) {
        int64_t n = dyn__shape_size(&dyn__at(g, x)->shape) / dyn__shape_size(&dyn__at(g, y)->shape);
        return dyn__like(g, c * (double)n, y);
    }
    return y;
}

dyn_node dyn_graph_amax(dyn_graph *g, dyn_node x, int32_t count, const int32_t *axes)
{
    double c;

    DYN__ENTER_NODE(g, x);
    dyn_node y = reduction(g, DYN__OP_amax, x, count, axes);
    return y >= 0 && y != x && dyn__is_constant(g, x, &c) ? dyn__like(g, c, y) : y;
}

/* ---- product ---- */

dyn_node dyn_graph_matmul(dyn_graph *g, dyn_node a, dyn_node b, int32_t trans_a, int32_t trans_b)
{
    dyn__attr attr = {{trans_a != 0, trans_b != 0}, 0, 0};
    dyn_node in[2] = {a, b};
    double c;

    DYN__ENTER_NODE(g, a);
    DYN__TRY(dyn__check_node(g, b));
    dyn_node y = dyn__insert(g, DYN__OP_matmul, 2, in, &attr, NULL);
    if (y >= 0 && ((dyn__is_constant(g, a, &c) && c == 0) || (dyn__is_constant(g, b, &c) && c == 0)))
        return dyn__like(g, 0, y);
    return y;
}

/* ---- moving elements ---- */

dyn_node dyn_graph_permute(dyn_graph *g, dyn_node x, const int32_t *axes)
{
    dyn__attr attr = {{0}, 0, 0};
    int moved = 0;
    double c;

    DYN__ENTER_NODE(g, x);
    DYN__NEED(g->ctx, axes);
    attr.n = dyn__at(g, x)->shape.rank;
    for (int i = 0; i < attr.n; i++) {
        attr.i[i] = axes[i];
        moved |= axes[i] != i;
    }
    dyn_node y = dyn__insert1(g, DYN__OP_permute, x, &attr, NULL);
    return y < 0 ? y : dyn__is_constant(g, x, &c) ? dyn__like(g, c, y) : moved ? y : x;
}

static dyn_node placed(dyn_graph *g, int op, dyn_node x, const int64_t *start, const int64_t *size)
{
    dyn__attr attr = {{0}, 0, 0};
    dyn__shape s = {0};

    s.rank = dyn__at(g, x)->shape.rank;
    attr.n = s.rank;
    for (int i = 0; i < s.rank; i++) {
        attr.i[i] = start[i];
        s.dim[i] = size[i];
    }
    return dyn__insert1(g, op, x, &attr, &s);
}

dyn_node dyn_graph_slice(dyn_graph *g, dyn_node x, const int64_t *start, const int64_t *size)
{
    double c;

    DYN__ENTER_NODE(g, x);
    DYN__NEED(g->ctx, start);
    DYN__NEED(g->ctx, size);
    dyn_node y = placed(g, DYN__OP_slice, x, start, size);
    if (y < 0)
        return y;
    if (dyn__is_constant(g, x, &c))
        return dyn__like(g, c, y);
    return dyn__shape_equal(&dyn__at(g, x)->shape, &dyn__at(g, y)->shape) ? x : y;
}

dyn_node dyn_graph_narrow(dyn_graph *g, dyn_node x, int32_t axis, int64_t start, int64_t size)
{
    int64_t from[DYN_MAX_RANK] = {0}, whole[DYN_MAX_RANK];

    DYN__ENTER_NODE(g, x);
    const int32_t rank = dyn_graph_shape(g, x, whole), i = axis < 0 ? axis + rank : axis;
    if (i < 0 || i >= rank)
        return DYN__FAIL(g->ctx, DYN_ESHAPE, "axis %d of node %d, which has %d", (int)axis, (int)x, (int)rank);
    from[i] = start;
    whole[i] = size;
    return dyn_graph_slice(g, x, from, whole);
}

dyn_node dyn_graph_pad(dyn_graph *g, dyn_node x, const int64_t *before, const int64_t *shape)
{
    DYN__ENTER_NODE(g, x);
    DYN__NEED(g->ctx, before);
    DYN__NEED(g->ctx, shape);
    dyn_node y = placed(g, DYN__OP_pad, x, before, shape);
    return y >= 0 && dyn__shape_equal(&dyn__at(g, x)->shape, &dyn__at(g, y)->shape) ? x : y;
}

dyn_node dyn_graph_concat(dyn_graph *g, dyn_node a, dyn_node b, int32_t axis)
{
    dyn__attr attr = {{0}, 0, 0};
    dyn_node in[2] = {a, b};

    DYN__ENTER_NODE(g, a);
    DYN__TRY(dyn__check_node(g, b));
    attr.n = axis < 0 ? axis + dyn__at(g, a)->shape.rank : axis;
    return dyn__insert(g, DYN__OP_concat, 2, in, &attr, NULL);
}

dyn_node dyn_graph_gather(dyn_graph *g, dyn_node table, dyn_node indices)
{
    DYN__ENTER_NODE(g, table);
    return dyn_graph_batched_gather(g, table, indices, 0);
}

dyn_node dyn_graph_batched_gather(dyn_graph *g, dyn_node table, dyn_node indices, int32_t lead)
{
    const dyn__attr attr = {{lead}, 0, 0};
    const dyn_node in[2] = {table, indices};

    DYN__ENTER_NODE(g, table);
    DYN__TRY(dyn__check_node(g, indices));
    return dyn__insert(g, DYN__OP_gather, 2, in, &attr, NULL);
}

dyn_node dyn_graph_scatter_add(dyn_graph *g, dyn_node x, dyn_node indices, int64_t rows)
{
    DYN__ENTER_NODE(g, x);
    return dyn_graph_batched_scatter_add(g, x, indices, 0, rows);
}

dyn_node dyn_graph_batched_scatter_add(dyn_graph *g, dyn_node x, dyn_node indices, int32_t lead, int64_t rows)
{
    const dyn__attr attr = {{lead}, 0, rows};
    const dyn_node in[2] = {x, indices};

    DYN__ENTER_NODE(g, x);
    DYN__TRY(dyn__check_node(g, indices));
    return dyn__insert(g, DYN__OP_scatter_add, 2, in, &attr, NULL);
}
