/* SPDX-License-Identifier: BSD-3-Clause
 *
 * erf: y = 2/sqrt(pi) int_0^x e^(-s^2) ds, elementwise. jvp: dy = 2/sqrt(pi) e^(-x^2) dx. */
#include "graph/ops/op.h"

static dyn_node jvp(dyn_graph *g, dyn_node y, int i, dyn_node t)
{
    (void)i;
    const double two_over_sqrt_pi = 1.12837916709551257390;
    dyn_node x = dyn__operand(g, y, 0);
    dyn_node slope = dyn_graph_exp(g, dyn_graph_neg(g, dyn_graph_mul(g, x, x)));

    return dyn_graph_mul(g, dyn_graph_scale(g, slope, two_over_sqrt_pi), t);
}

static dyn_node sample(dyn_graph *g, int k)
{
    return dyn__sample_elementwise(g, DYN__OP_erf, k, NULL);
}

DYN__EVALUATE(erf(a))

const dyn__op dyn__op_erf = {
    .name = "erf", .nin = 1, .kernel = DYN__K_ERF,
    .infer = dyn__infer_elementwise, .jvp = jvp, .sample = sample, .evaluate = evaluate,
};
