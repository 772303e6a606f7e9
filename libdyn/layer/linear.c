/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Layers that are products with weights, and the look-up of rows, which is one with a one-hot matrix. */
#include <dyn/model.h>
#include "layer/layer.h"

dyn_node dyn_layer_linear(dyn_graph *g, dyn_node x, dyn_node w, dyn_node bias)
{
    char p[128], q[128];

    DYN__ENTER_NODE(g, x);
    DYN__TRY(dyn__need_rank(g, "x", x, 1));
    DYN__TRY(dyn__need_rank(g, "w", w, 2));
    DYN__TRY(dyn__check_optional(g, bias));
    const dyn__shape *s = dyn__shape_of(g, x), *t = dyn__shape_of(g, w);
    if (t->rank != 2 || t->dim[0] != dyn__last(s))
        return DYN__FAIL(g->ctx, DYN_ESHAPE, "x %s and w %s: expected w [%lld, out]", dyn__shape_text(s, p),
                         dyn__shape_text(t, q), (long long)dyn__last(s));
    if (s->rank > 1)
        return dyn__plus(g, dyn_graph_matmul(g, x, w, 0, 0), bias);
    x = dyn_graph_matmul(g, dyn_graph_reshape(g, x, 2, (int64_t[]){1, s->dim[0]}), w, 0, 0);
    DYN__TRY(x);
    return dyn__plus(g, dyn_graph_reshape(g, x, 1, &dyn__shape_of(g, x)->dim[1]), bias);
}

dyn_node dyn_layer_embedding(dyn_graph *g, dyn_node ids, dyn_node table)
{
    char text[128];

    DYN__ENTER_NODE(g, ids);
    DYN__TRY(dyn__check_node(g, table));
    const dyn__shape *t = dyn__shape_of(g, table);
    if (t->rank != 2)
        return DYN__FAIL(g->ctx, DYN_ESHAPE, "the table has shape %s, expected [rows, features]",
                         dyn__shape_text(t, text));
    return dyn_graph_gather(g, table, ids);
}

dyn_node dyn_layer_feed_forward(dyn_graph *g, dyn_node x, dyn_node w1, dyn_node b1, dyn_node wg, dyn_node w2,
                                dyn_node b2, int32_t activation)
{
    DYN__ENTER_NODE(g, x);
    DYN__TRY(dyn__check_optional(g, wg));
    dyn_node h = dyn_layer_linear(g, x, w1, b1);
    if (wg == DYN_NO_NODE)
        h = dyn_graph_activation(g, activation, h);
    else
        h = dyn_graph_mul(g, dyn_graph_activation(g, activation, dyn_layer_linear(g, x, wg, DYN_NO_NODE)), h);
    return dyn_layer_linear(g, h, w2, b2);
}
