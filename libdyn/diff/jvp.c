/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Forward mode. For every node that depends on an input, its tangent is the sum of its rule's contributions. The new
 * nodes lie behind all old ones, so a walk over the old numbers sees each node after its operands. */
#include <string.h>
#include "diff/diff.h"

void dyn__mark_dependent(const dyn_graph *g, int32_t count, int32_t n_in, const dyn_node *inputs, uint8_t *dep)
{
    memset(dep, 0, (size_t)count);
    for (int32_t i = 0; i < n_in; i++)
        if (inputs[i] < count)
            dep[inputs[i]] = 1;
    for (int32_t x = 0; x < count; x++)
        for (int k = 0; k < g->node[x].nin && !dep[x]; k++)
            dep[x] = dep[g->node[x].in[k]];
}

dyn_status dyn__check_nodes(dyn_graph *g, const char *what, int32_t count, const dyn_node *list)
{
    if (count < 0 || (count > 0 && !list))
        return DYN__FAIL(g->ctx, DYN_EINVAL, "%d %s given as %s", (int)count, what, list ? "a list" : "NULL");
    for (int32_t i = 0; i < count; i++) {
        DYN__TRY(list[i]);      /* the status of the builder that failed, whose message stands */
        if (list[i] >= g->count)
            return DYN__FAIL(g->ctx, DYN_EINVAL, "%s %d is node %d: the graph has %d", what, (int)i, (int)list[i],
                             (int)g->count);
    }
    return DYN_OK;
}

dyn_status dyn__check_shape(dyn_graph *g, const char *what, int32_t i, dyn_node x, const dyn__shape *shape)
{
    char p[128], q[128];

    if (dyn__shape_equal(&dyn__at(g, x)->shape, shape))
        return DYN_OK;
    return DYN__FAIL(g->ctx, DYN_ESHAPE, "%s %d has shape %s, expected %s", what, (int)i,
                     dyn__shape_text(&dyn__at(g, x)->shape, p), dyn__shape_text(shape, q));
}

/* The contribution of operand i, by the rule or, where the op is linear, by the op itself. */
static dyn_node contribution(dyn_graph *g, dyn_node y, int i, dyn_node t)
{
    const dyn__node n = *dyn__at(g, y);
    dyn_node in[DYN__MAX_IN];

    if (dyn__op_of(&n)->jvp)
        return dyn__op_of(&n)->jvp(g, y, i, t);
    if (!(dyn__op_of(&n)->linear >> i & 1))
        return DYN__ZERO;       /* operands such as indices, which do not vary */
    memcpy(in, n.in, sizeof in);
    in[i] = t;
    return dyn__again(g, y, in);
}

/* All operands of y have a tangent, and y is linear in all of them together. */
static int goes_at_once(const dyn__node *n, const dyn_node *tangent)
{
    for (int i = 0; i < n->nin; i++)
        if (tangent[n->in[i]] == DYN__ZERO)
            return 0;
    return dyn__op_of(n)->jointly;
}

static dyn_node tangent_of(dyn_graph *g, dyn_node y, const dyn_node *tangent)
{
    const dyn__node n = *dyn__at(g, y);
    dyn_node sum = DYN__ZERO, in[DYN__MAX_IN];

    if (goes_at_once(&n, tangent)) {
        for (int i = 0; i < n.nin; i++)
            in[i] = tangent[n.in[i]];
        return dyn__again(g, y, in);
    }
    for (int i = 0; i < n.nin; i++) {
        if (tangent[n.in[i]] == DYN__ZERO)
            continue;
        dyn_node c = contribution(g, y, i, tangent[n.in[i]]);
        if (c == DYN__ZERO)
            continue;
        sum = sum == DYN__ZERO ? c : dyn_graph_add(g, sum, c);
        if (sum < 0)
            return sum;
    }
    return sum;
}

dyn_status dyn__jvp(dyn_graph *g, int32_t n_out, const dyn_node *outputs, int32_t n_in, const dyn_node *inputs,
                    const dyn_node *tangents, int solid, dyn_node *out)
{
    const int32_t count = g->count;
    uint8_t *need = dyn__alloc(g->ctx, (size_t)count + 1, 1);
    dyn_node *tangent = dyn__alloc(g->ctx, (size_t)count + 1, sizeof *tangent);
    dyn_status s = need && tangent ? DYN_OK : DYN_ENOMEM;

    if (s == DYN_OK)
        dyn__mark_needed(g, n_out, outputs, need);
    for (int32_t i = 0; s == DYN_OK && i < count; i++)
        tangent[i] = DYN__ZERO;
    for (int32_t i = 0; s == DYN_OK && i < n_in; i++) {
        need[inputs[i]] = 0;    /* a path ends here */
        tangent[inputs[i]] = tangents[i];
    }
    for (int32_t y = 0; s == DYN_OK && y < count; y++)
        if (need[y]) {
            tangent[y] = tangent_of(g, y, tangent);
            s = tangent[y] < 0 && tangent[y] != DYN__ZERO ? tangent[y] : DYN_OK;
        }
    for (int32_t j = 0; s == DYN_OK && j < n_out; j++) {
        dyn_node t = tangent[outputs[j]];
        out[j] = t == DYN__ZERO && solid ? dyn__like(g, 0, outputs[j]) : t;
        s = out[j] < 0 && out[j] != DYN__ZERO ? out[j] : DYN_OK;
    }
    dyn__free(g->ctx, tangent);
    dyn__free(g->ctx, need);
    return s;
}

dyn_status dyn_graph_jvp(dyn_graph *g, int32_t n_out, const dyn_node *outputs, int32_t n_in, const dyn_node *inputs,
                         const dyn_node *tangents, dyn_node *out)
{
    if (!g)
        return DYN_EINVAL;
    DYN__ENTER(g->ctx);
    DYN__NEED(g->ctx, out);
    DYN__TRY(dyn__check_nodes(g, "output", n_out, outputs));
    DYN__TRY(dyn__check_nodes(g, "input", n_in, inputs));
    DYN__TRY(dyn__check_nodes(g, "tangent", n_in, tangents));
    for (int32_t i = 0; i < n_in; i++)
        DYN__TRY(dyn__check_shape(g, "tangent", i, tangents[i], &dyn__at(g, inputs[i])->shape));
    return dyn__jvp(g, n_out, outputs, n_in, inputs, tangents, 1, out);
}

dyn_node dyn_graph_derivative(dyn_graph *g, dyn_node v, dyn_node t, int32_t order)
{
    DYN__ENTER_NODE(g, v);
    DYN__TRY(dyn__check_node(g, t));
    const dyn__shape *s = &dyn__at(g, t)->shape;
    char text[128];

    if (s->rank < 1 || s->dim[s->rank - 1] != 1 || order < 0)
        return DYN__FAIL(g->ctx, s->rank < 1 || s->dim[s->rank - 1] != 1 ? DYN_ESHAPE : DYN_EINVAL,
                         "order %d by node %d of shape %s: its last axis must have size 1, the order not be negative",
                         (int)order, (int)t, dyn__shape_text(s, text));
    const dyn_node ones = dyn__like(g, 1, t);
    DYN__TRY(ones);
    for (int32_t k = 0; k < order; k++)
        DYN__TRY(dyn_graph_jvp(g, 1, &v, 1, &t, &ones, &v));
    return v;
}
