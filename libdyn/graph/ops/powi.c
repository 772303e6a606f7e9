/* SPDX-License-Identifier: BSD-3-Clause
 *
 * powi: y = x^n for a fixed integer n, elementwise, also for x < 0. jvp: dy = n x^(n-1) dx. */
#include "graph/ops/op.h"

static dyn_node jvp(dyn_graph *g, dyn_node y, int i, dyn_node t)
{
    (void)i;
    int64_t n = dyn__at(g, y)->attr.n;

    return dyn_graph_mul(g, dyn_graph_scale(g, dyn_graph_powi(g, dyn__operand(g, y, 0), n - 1), (double)n), t);
}

static int print(const dyn_graph *g, dyn_node x, char *text, size_t size)
{
    return snprintf(text, size, " %lld", (long long)dyn__at(g, x)->attr.n);
}

static dyn_node sample(dyn_graph *g, int k)
{
    return dyn__sample_elementwise(g, DYN__OP_powi, k, &(dyn__attr){.n = 3});
}

static double scalar(const dyn__node *n) { return (double)n->attr.n; }

DYN__EVALUATE(pow(a, (double)f->n->attr.n))

static const dyn__form form = {.role = DYN__ROW, .scalar = scalar};

const dyn__op dyn__op_powi = {
    .name = "powi", .nin = 1, .kernel = DYN__K_POWI,
    .infer = dyn__infer_elementwise, .jvp = jvp, .sample = sample,
    .evaluate = evaluate, .print = print, .form = &form,
};
