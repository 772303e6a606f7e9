/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Instruction selection: every node of a cluster becomes one kernel over an iteration space, whose first dimension
 * counts rows of the tile. Dimensions are merged where the strides of all operands allow it. A product or a square
 * that only one sum or difference reads is absorbed into it (fused multiply-add, dot products). */
#include <string.h>
#include "compile/select.h"

/* ---- elementwise ---- */

/* x is elementwise, read by this instruction alone, in the same cluster: it can be computed inside it. */
static int absorbable(const dyn__compiler *k, dyn_node y, dyn_node x, int op)
{
    const dyn__cnode *c = &k->node[x];
    return dyn__at(k->g, x)->op == op && c->uses == 1 && !c->stored && c->step == k->node[y].step;
}

static void absorb(dyn__compiler *k, dyn_node x) { k->node[x].absorbed = 1; }

/* Operand x, of the shape over which y iterates. */
static dyn__operand_ref over_rows(const dyn__compiler *k, dyn_node y, dyn_node x)
{
    return dyn__ref_of(k, x, k->node[y].outer, k->node[y].row_axes);
}

static void set_args(const dyn__compiler *k, dyn__instr *q, dyn_node y, int kernel, int n, const dyn_node *in)
{
    q->kernel = kernel;
    q->nargs = n + 1;
    q->arg[0] = over_rows(k, y, y);
    for (int i = 0; i < n; i++)
        q->arg[i + 1] = over_rows(k, y, in[i]);
}

/* x = a b elementwise, or an outer product of columns and rows: a and b as arguments 1 and 2 over the elements of y. */
static int absorb_factors(dyn__compiler *k, dyn__instr *q, dyn_node y, dyn_node x)
{
    if (absorbable(k, y, x, DYN__OP_mul)) {
        q->arg[1] = over_rows(k, y, dyn__at(k->g, x)->in[0]);
        q->arg[2] = over_rows(k, y, dyn__at(k->g, x)->in[1]);
    } else if (!absorbable(k, y, x, DYN__OP_matmul) || !dyn__outer_factors(k, x, &q->arg[1], &q->arg[2])) {
        return 0;
    }
    absorb(k, x);
    return 1;
}

/* y = a + b, where both are matrix products, or sums over rows (roles.c), or such sums again: they can be worked out in
 * the place of y. */
static int is_sum_of_parts(const dyn__compiler *k, dyn_node y)
{
    const dyn__node *n = dyn__at(k->g, y);

    if (n->op != DYN__OP_add || n->in[0] == n->in[1] || k->node[y].sums > DYN__MOST_SUMS)
        return 0;
    for (int i = 0; k->node[y].role != DYN__TERM && i < 2; i++) {
        const dyn_node x = n->in[i];
        if (!(absorbable(k, y, x, DYN__OP_matmul) && dyn__is_large_product(k, x))
            && !(absorbable(k, y, x, DYN__OP_add) && is_sum_of_parts(k, x)))
            return 0;
    }
    return 1;
}

/* a b + c, c - a b, a b - c of the sum or difference x, over the elements of y. */
static int multiply_add(dyn__compiler *k, dyn__instr *q, dyn_node y, dyn_node x)
{
    const dyn__node *n = dyn__at(k->g, x);

    for (int i = 0; i < 2; i++) {
        if (n->in[0] == n->in[1] || !absorb_factors(k, q, y, n->in[i]))
            continue;
        q->kernel = n->op == DYN__OP_add ? DYN__K_FMA : i == 0 ? DYN__K_FMS : DYN__K_FNMA;
        q->nargs = 4;
        q->arg[0] = over_rows(k, y, y);
        q->arg[3] = over_rows(k, y, n->in[1 - i]);
        return 1;
    }
    return 0;
}

/* tanh(a b + c) and tanh(a + b) */
static int tanh_of_sum(dyn__compiler *k, dyn__instr *q, dyn_node y)
{
    dyn_node x = dyn__at(k->g, y)->in[0];

    if (!absorbable(k, y, x, DYN__OP_add) || is_sum_of_parts(k, x))
        return 0;
    absorb(k, x);
    if (multiply_add(k, q, y, x)) {
        q->kernel = DYN__K_TANH_FMA;
        return 1;
    }
    set_args(k, q, y, DYN__K_TANH_ADD, 2, dyn__at(k->g, x)->in);
    return 1;
}

/* h of 1 - h^2, or -1 if x is something else. */
static dyn_node root_of_slope(const dyn__compiler *k, dyn_node y, dyn_node x)
{
    const dyn__node *n = dyn__at(k->g, x);
    double one;

    if (!absorbable(k, y, x, DYN__OP_sub) || !dyn__is_constant(k->g, n->in[0], &one) || one != 1)
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
        absorb(k, n->in[i]);
        absorb(k, dyn__at(k->g, n->in[i])->in[1]);
        if (!absorb_factors(k, q, y, n->in[1 - i])) {
            set_args(k, q, y, DYN__K_MUL_1MSQ, 2, (dyn_node[]){n->in[1 - i], h});
            return 1;
        }
        q->kernel = DYN__K_MUL2_1MSQ;
        q->nargs = 4;
        q->arg[0] = over_rows(k, y, y);
        q->arg[3] = over_rows(k, y, h);
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
        if (!absorbable(k, y, x, DYN__OP_add) || is_sum_of_parts(k, x))
            continue;
        absorb(k, x);
        set_args(k, q, y, DYN__K_ADD_MUL, 3, (dyn_node[]){dyn__at(k->g, x)->in[0], dyn__at(k->g, x)->in[1],
                                                         n->in[1 - i]});
        return 1;
    }
    return 0;
}

static void select_elementwise(dyn__compiler *k, dyn__instr *q, dyn_node y)
{
    const dyn__node *n = dyn__at(k->g, y);
    int fused = n->op == DYN__OP_mul ? tanh_slope(k, q, y) || multiply_sum(k, q, y)
              : n->op == DYN__OP_add || n->op == DYN__OP_sub ? multiply_add(k, q, y, y)
              : n->op == DYN__OP_tanh ? tanh_of_sum(k, q, y) : 0;

    if (!fused)
        set_args(k, q, y, dyn__op_of(n)->kernel, n->nin, n->in);
    q->c = n->op == DYN__OP_powi ? (double)n->attr.n : n->attr.f;
    dyn__space_of(q, &n->shape, k->node[y].outer, k->node[y].row_axes);
    dyn__elementwise_space(q);
}

/* ---- sums and maxima ---- */

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
        q->arg[1] = over_rows(k, y, m->in[swap]);
        q->arg[2] = over_rows(k, y, m->in[1 - swap]);
        reduced_strides(k, q, y);
        dyn__space_of(q, &m->shape, k->node[y].outer, k->node[y].row_axes);
        dyn__canonical(q);
        q->kernel = sum_kernel(k, q, y, 1);
        if (q->kernel >= 0) {
            absorb(k, x);
            return 1;
        }
    }
    return 0;
}

static dyn_status select_reduction(dyn__compiler *k, dyn__instr *q, dyn_node y)
{
    const dyn__node *n = dyn__at(k->g, y);
    dyn_node x = n->in[0];

    if (!(n->op == DYN__OP_sum && absorbable(k, y, x, DYN__OP_mul) && select_dot(k, q, y, x))) {
        q->nargs = 2;
        q->arg[1] = over_rows(k, y, x);
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

/* ---- the cluster ---- */

/* The instruction for y, which writes to the place of `into`: y itself or a sum of which y is a part. */
static dyn_status select_node(dyn__compiler *k, dyn__instr *q, dyn_node y, dyn_node into)
{
    int op = dyn__at(k->g, y)->op;

    memset(q, 0, sizeof *q);
    if (op == DYN__OP_matmul)
        DYN__TRY(dyn__select_product(k, q, y, into));
    else if (op == DYN__OP_sum || op == DYN__OP_amax)
        DYN__TRY(select_reduction(k, q, y));
    else
        select_elementwise(k, q, y);
    q->node = q->arg[0].node = into;
    q->row_size = k->node[into].pitch;
    return DYN_OK;
}

/* y, or its parts if it is a sum of such; the last first. The first part of rows overwrites what is there, the others
 * add; parts of a sum over rows add anyway. */
static dyn_status append(dyn__compiler *k, dyn__step *step, int64_t *capacity, dyn_node y, dyn_node into, int adds)
{
    const dyn__node *n = dyn__at(k->g, y);

    if (is_sum_of_parts(k, y)) {
        absorb(k, n->in[0]);
        absorb(k, n->in[1]);
        DYN__TRY(append(k, step, capacity, n->in[1], into, 1));
        return append(k, step, capacity, n->in[0], into, adds);
    }
    DYN__TRY(dyn__grow(k->ctx, (void **)&step->instr, capacity, step->instrs + 1, sizeof *step->instr));
    DYN__TRY(select_node(k, &step->instr[step->instrs], y, into));
    step->instr[step->instrs++].whole.accumulate |= adds;
    return DYN_OK;
}

/* From the last node to the first, so that readers absorb before their operands are selected; then the list is
 * reversed. */
dyn_status dyn__select(dyn__compiler *k, int32_t s)
{
    dyn__step *step = &k->plan->step[s];
    int64_t capacity = 0;

    for (dyn_node y = dyn__step_end(k, s); y >= 0; y = k->node[y].before) {
        if (!k->node[y].absorbed)
            DYN__TRY(append(k, step, &capacity, y, y, 0));
    }
    for (int32_t i = 0, j = step->instrs - 1; i < j; i++, j--) {
        dyn__instr t = step->instr[i];
        step->instr[i] = step->instr[j];
        step->instr[j] = t;
    }
    return dyn__fuse_column_sums(k, step);
}
