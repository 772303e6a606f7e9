/* SPDX-License-Identifier: BSD-3-Clause
 *
 * mul: y = a * b, elementwise. Linear in each operand. transpose: ct times the other. */
#include "graph/ops/op.h"

static dyn_node jvp(dyn_graph *g, dyn_node y, int i, dyn_node t)
{
    return dyn_graph_mul(g, t, dyn__operand(g, y, 1 - i));
}

static dyn_node transpose(dyn_graph *g, dyn_node y, int i, dyn_node ct)
{
    return dyn_graph_mul(g, ct, dyn__operand(g, y, 1 - i));
}

static dyn_node fold(dyn_graph *g, const dyn_node *in)
{
    return dyn_graph_mul(g, in[0], in[1]);
}

static dyn_node sample(dyn_graph *g, int k)
{
    return dyn__sample_elementwise(g, DYN__OP_mul, k, NULL);
}

DYN__EVALUATE(a * b)

/* ---- how it is compiled ---- */

/* h of 1 - h^2, or -1 if x is something else. */
static dyn_node root_of_slope(const dyn__compiler *k, dyn_node y, dyn_node x)
{
    const dyn__node *n = dyn__at(k->g, x);
    double one;

    if (!dyn__absorbable(k, y, x, DYN__OP_sub) || !dyn__is_constant(k->g, n->in[0], &one) || one != 1)
        return -1;
    const dyn__node *m = dyn__at(k->g, n->in[1]);
    return m->op == DYN__OP_mul && m->in[0] == m->in[1] && k->node[n->in[1]].uses == 1 && !k->node[n->in[1]].stored
        && k->node[n->in[1]].step == k->node[y].step ? m->in[0] : -1;
}

/* g (1 - h^2) and a b (1 - h^2) */
static int tanh_slope(dyn__compiler *k, dyn__instr *q, dyn_node y)
{
    const dyn__node *n = dyn__at(k->g, y);

    for (int i = 0; i < 2; i++) {
        dyn_node h = root_of_slope(k, y, n->in[i]);
        if (h < 0)
            continue;
        dyn__absorb(k, n->in[i]);
        dyn__absorb(k, dyn__at(k->g, n->in[i])->in[1]);
        if (!dyn__absorb_factors(k, q, y, n->in[1 - i])) {
            dyn__set_args(k, q, y, DYN__K_MUL_1MSQ, 2, (dyn_node[]){n->in[1 - i], h});
            return 1;
        }
        q->kernel = DYN__K_MUL2_1MSQ;
        q->nargs = 4;
        q->arg[0] = dyn__over_rows(k, y, y);
        q->arg[3] = dyn__over_rows(k, y, h);
        return 1;
    }
    return 0;
}

/* (a + b) c */
static int multiply_sum(dyn__compiler *k, dyn__instr *q, dyn_node y)
{
    const dyn__node *n = dyn__at(k->g, y);

    for (int i = 0; n->in[0] != n->in[1] && i < 2; i++) {
        const dyn_node x = n->in[i];
        if (!dyn__absorbable(k, y, x, DYN__OP_add) || dyn__is_sum_of_parts(k, x))
            continue;
        dyn__absorb(k, x);
        dyn__set_args(k, q, y, DYN__K_ADD_MUL, 3, (dyn_node[]){dyn__at(k->g, x)->in[0], dyn__at(k->g, x)->in[1],
                                                         n->in[1 - i]});
        return 1;
    }
    return 0;
}

static int fuse(dyn__compiler *k, dyn__instr *q, dyn_node y) { return tanh_slope(k, q, y) || multiply_sum(k, q, y); }

static const dyn__form form = {.role = DYN__ROW, .fuse = fuse};

const dyn__op dyn__op_mul = {
    .name = "mul", .nin = 2, .linear = 3, .kernel = DYN__K_MUL, .cheap = 1, .commutative = 1,
    .infer = dyn__infer_elementwise, .jvp = jvp, .transpose = transpose, .fold = fold, .sample = sample,
    .evaluate = evaluate, .form = &form,
};
