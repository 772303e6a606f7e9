/* SPDX-License-Identifier: BSD-3-Clause
 *
 * pow: y = x^c for a fixed real c, elementwise, NaN for x < 0. jvp: dy = c x^(c-1) dx. */
#include "graph/ops/op.h"

static dyn_node jvp(dyn_graph *g, dyn_node y, int i, dyn_node t)
{
    (void)i;
    double c = dyn__at(g, y)->attr.f;

    return dyn_graph_mul(g, dyn_graph_scale(g, dyn_graph_pow(g, dyn__operand(g, y, 0), c - 1), c), t);
}

static int print(const dyn_graph *g, dyn_node x, char *text, size_t size)
{
    return snprintf(text, size, " %.9g", dyn__at(g, x)->attr.f);
}

static dyn_node sample(dyn_graph *g, int k)
{
    return dyn__sample_elementwise(g, DYN__OP_pow, k, &(dyn__attr){.f = 1.7});
}

DYN__EVALUATE(pow(a, f->n->attr.f))

const dyn__op dyn__op_pow = {
    .name = "pow", .nin = 1, .kernel = DYN__K_POW,
    .infer = dyn__infer_elementwise, .jvp = jvp, .sample = sample, .evaluate = evaluate, .print = print,
};
