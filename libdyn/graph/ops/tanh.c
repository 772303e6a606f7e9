/* SPDX-License-Identifier: BSD-3-Clause
 *
 * tanh: y = tanh x, elementwise. jvp: dy = (1 - y^2) dx. */
#include "graph/ops/op.h"

static dyn_node jvp(dyn_graph *g, dyn_node y, int i, dyn_node t)
{
    (void)i;
    return dyn_graph_mul(g, dyn_graph_sub(g, dyn__like(g, 1, y), dyn_graph_mul(g, y, y)), t);
}

static dyn_node sample(dyn_graph *g, int k)
{
    return dyn__sample_elementwise(g, DYN__OP_tanh, k, NULL);
}

/* tanh(a b + c) and tanh(a + b) */
static int fuse(dyn__compiler *k, dyn__instr *q, dyn_node y)
{
    dyn_node x = dyn__at(k->g, y)->in[0];

    if (!dyn__absorbable(k, y, x, DYN__OP_add) || dyn__is_sum_of_parts(k, x))
        return 0;
    dyn__absorb(k, x);
    if (dyn__multiply_add(k, q, y, x)) {
        q->kernel = DYN__K_TANH_FMA;
        return 1;
    }
    dyn__set_args(k, q, y, DYN__K_TANH_ADD, 2, dyn__at(k->g, x)->in);
    return 1;
}

DYN__EVALUATE(tanh(a))

static const dyn__form form = {.role = DYN__ROW, .fuse = fuse};

const dyn__op dyn__op_tanh = {
    .name = "tanh", .nin = 1, .kernel = DYN__K_TANH,
    .infer = dyn__infer_elementwise, .jvp = jvp, .sample = sample, .evaluate = evaluate, .form = &form,
};
