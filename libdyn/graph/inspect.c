/* SPDX-License-Identifier: BSD-3-Clause
 *
 * A node as callers may look at it. */
#include <string.h>
#include <dyn/inspect.h>
#include "graph/graph.h"

static void fill(const dyn_graph *g, const dyn__node *n, dyn_node x, dyn_node_info *out)
{
    const int is_input = n->op == DYN__OP_input;

    *out = (dyn_node_info){.operation = dyn__op_of(n)->name, .number = n->attr.f, .count = n->attr.n, .rank = n->shape.rank,
                           .dtype = n->dtype, .operands = n->nin};
    memcpy(out->attribute, n->attr.i, sizeof out->attribute);
    memcpy(out->shape, n->shape.dim, sizeof out->shape);
    memcpy(out->operand, n->in, (size_t)n->nin * sizeof *n->in);
    if (is_input && n->attr.i[0] == DYN__ARRAY)
        out->values = g->array[n->attr.i[1]];
    else if (is_input)
        out->name = dyn__name_of(g, x);
}

dyn_status dyn_graph_inspect(const dyn_graph *g, dyn_node x, dyn_node_info *out)
{
    if (!g)
        return DYN_EINVAL;
    DYN__ENTER(g->ctx);
    DYN__NEED(g->ctx, out);
    if (x < 0 || x >= g->count)
        return DYN__FAIL(g->ctx, DYN_EINVAL, "node %d: the graph has %d", (int)x, (int)g->count);
    fill(g, dyn__at(g, x), x, out);
    return DYN_OK;
}
