/* SPDX-License-Identifier: BSD-3-Clause
 *
 * What the files of the primitives share: the shape rule of elementwise operations, and the same operation on other
 * operands. */
#include "graph/graph.h"

dyn_status dyn__infer_elementwise(dyn_graph *g, dyn__node *n)
{
    char p[128], q[128];

    n->shape = dyn__at(g, n->in[0])->shape;
    for (int i = 0; i < n->nin; i++) {
        const dyn__node *x = dyn__at(g, n->in[i]);
        if (x->dtype != g->dtype)
            return DYN__FAIL(g->ctx, DYN_EDTYPE, "%s: operand %d is a tensor of indices", dyn__op_of(n)->name, i);
        if (!dyn__shape_equal(&x->shape, &n->shape))
            return DYN__FAIL(g->ctx, DYN_ESHAPE, "%s: shapes %s and %s differ", dyn__op_of(n)->name,
                             dyn__shape_text(&n->shape, p), dyn__shape_text(&x->shape, q));
    }
    return DYN_OK;
}

dyn_node dyn__again(dyn_graph *g, dyn_node y, const dyn_node *in)
{
    dyn__node n = *dyn__at(g, y);
    const dyn__op *op = dyn__op_of(&n);

    return op->fold ? op->fold(g, in) : dyn__insert_like(g, &n, in);
}

dyn_node dyn__sample_elementwise(dyn_graph *g, int op, int k, const dyn__attr *attr)
{
    static const char *const names[DYN__MAX_IN] = {"a", "b", "c"};
    static const int64_t shapes[3][2] = {{2, 3}, {1, 1}, {5, 17}};
    dyn_node in[DYN__MAX_IN];

    if (k >= 3)
        return DYN_ENOTSUP;
    for (int i = 0; i < dyn__ops[op]->nin; i++)
        in[i] = dyn_graph_input(g, names[i], 2, shapes[k]);
    return dyn__insert(g, op, dyn__ops[op]->nin, in, attr, NULL);
}
