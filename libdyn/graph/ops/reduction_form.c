/* SPDX-License-Identifier: BSD-3-Clause
 *
 * How reductions are compiled: the kernel for the axes that are summed, or of which the largest is taken. A product
 * that only a sum reads becomes a dot product. */
#include "graph/ops/op.h"

uint32_t dyn__axis_mask(const dyn__node *n)
{
    uint32_t mask = 0;
    for (int64_t k = 0; k < n->attr.n; k++)
        mask |= 1u << n->attr.i[k];
    return mask;
}

dyn_node dyn__without_axes(dyn_graph *g, dyn_node x, uint32_t mask)
{
    dyn__shape from = dyn__at(g, x)->shape, to = {0};

    for (int i = 0; i < from.rank; i++)
        if (!(mask >> i & 1))
            to.dim[to.rank++] = from.dim[i];
    return dyn__reshape_to(g, x, &to);
}

/* Output strides in the space of the operand: zero along what is summed. */
static void reduced_strides(const dyn__compiler *k, dyn__instr *q, dyn_node y)
{
    const dyn__node *n = dyn__at(k->g, y);
    const dyn__shape *from = &dyn__at(k->g, n->in[0])->shape;
    const int outer = k->node[y].outer, rows = k->node[y].row_axes;
    const int64_t *full = k->node[y].view.stride;
    int kept = outer, g = 0;

    q->arg[0] = (dyn__operand_ref){.node = y, .view_set = outer ? full[0] : 0};
    for (int i = outer; i < from->rank; i++) {
        const int d = i < outer + rows ? 0 : i - outer - rows + 1;      /* of rows, the last axis counts */
        if (g < n->attr.n && n->attr.i[g] == i) {
            g++;
            q->arg[0].stride[d] = 0;
        } else {
            q->arg[0].stride[d] = full[kept++];
        }
    }
    q->arg[0].view_row = k->node[y].role == DYN__ROW ? q->arg[0].stride[0] : 0;
}

/* The kernel for a sum over this space, or -1 if none fits. dot: two factors. */
static int sum_kernel(const dyn__compiler *k, const dyn__instr *q, dyn_node y, int dot)
{
    int last = q->ndim - 1, row = k->node[y].role == DYN__ROW;

    if (!dyn__columns_readable(q))
        return -1;
    if (q->arg[0].stride[last] == 0) {
        if (!row)       /* all is summed */
            return dot ? DYN__K_DOT : DYN__K_SUM;
        return q->ndim >= 2 && q->arg[0].stride[last - 1] != 0 ? (dot ? DYN__K_ROW_DOT : DYN__K_ROW_SUM) : -1;
    }
    if (q->ndim < 2 || q->arg[0].stride[last] != 1 || q->arg[0].stride[last - 1] != 0)
        return -1;
    return dot ? (q->arg[1].stride[last] == 1 ? DYN__K_COL_DOT : -1) : DYN__K_COL_SUM;
}

static int select_dot(dyn__compiler *k, dyn__instr *q, dyn_node y, dyn_node x)
{
    const dyn__node *m = dyn__at(k->g, x);

    for (int swap = 0; swap < 2; swap++) {
        q->nargs = 3;
        q->arg[1] = dyn__over_rows(k, y, m->in[swap]);
        q->arg[2] = dyn__over_rows(k, y, m->in[1 - swap]);
        reduced_strides(k, q, y);
        dyn__space_of(q, &m->shape, k->node[y].outer, k->node[y].row_axes);
        dyn__canonical(q);
        q->kernel = sum_kernel(k, q, y, 1);
        if (q->kernel >= 0) {
            dyn__absorb(k, x);
            return 1;
        }
    }
    return 0;
}

dyn_status dyn__select_reduction(dyn__compiler *k, dyn__instr *q, dyn_node y, dyn_node into)
{
    const dyn__node *n = dyn__at(k->g, y);
    dyn_node x = n->in[0];

    (void)into;
    if (!(n->op == DYN__OP_sum && dyn__absorbable(k, y, x, DYN__OP_mul) && select_dot(k, q, y, x))) {
        q->nargs = 2;
        q->arg[1] = dyn__over_rows(k, y, x);
        reduced_strides(k, q, y);
        dyn__space_of(q, &dyn__at(k->g, x)->shape, k->node[y].outer, k->node[y].row_axes);
        dyn__canonical(q);
        q->kernel = n->op == DYN__OP_amax ? DYN__K_ROW_MAX : sum_kernel(k, q, y, 0);
    }
    if (q->kernel < 0)
        return DYN__FAIL(k->ctx, DYN_EINTERNAL, "no kernel for the reduction at node %d", (int)y);
    q->zero = k->node[y].role == DYN__ROW && (q->kernel == DYN__K_COL_SUM || q->kernel == DYN__K_COL_DOT);
    return DYN_OK;
}
