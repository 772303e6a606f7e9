/* SPDX-License-Identifier: BSD-3-Clause
 *
 * stop: y = x, elementwise, with derivative zero at every order. */
#include "graph/ops/op.h"

static dyn_node jvp(dyn_graph *g, dyn_node y, int i, dyn_node t)
{
    (void)g, (void)y, (void)i, (void)t;
    return DYN__ZERO;
}

static dyn_node sample(dyn_graph *g, int k)
{
    return dyn__sample_elementwise(g, DYN__OP_stop, k, NULL);
}

/* Only derivatives know it. */
static dyn_node lower(dyn__lowering *l, const dyn__node *n, const dyn_node *in)
{
    (void)l, (void)n;
    return in[0];
}

DYN__EVALUATE(a)

static const dyn__form form = {.role = DYN__ROW, .lower = lower};

const dyn__op dyn__op_stop = {
    .name = "stop", .nin = 1, .kernel = DYN__K_COPY,
    .infer = dyn__infer_elementwise, .jvp = jvp, .sample = sample, .evaluate = evaluate, .form = &form,
};
