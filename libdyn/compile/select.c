/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Instruction selection: every node of a cluster becomes one kernel over an iteration space, whose first dimension
 * counts rows of the tile. Dimensions are merged where the strides of all operands allow it. A product or a square
 * that only one sum or difference reads is absorbed into it (fused multiply-add, dot products). */
#include <string.h>
#include "compile/select.h"

/* ---- elementwise ---- */

/* x is elementwise, read by this instruction alone, in the same cluster: it can be computed inside it. */
int dyn__absorbable(const dyn__compiler *k, dyn_node y, dyn_node x, int op)
{
    const dyn__cnode *c = &k->node[x];
    return dyn__at(k->g, x)->op == op && c->uses == 1 && !c->stored && c->step == k->node[y].step;
}

void dyn__absorb(dyn__compiler *k, dyn_node x) { k->node[x].absorbed = 1; }

/* Operand x, of the shape over which y iterates. */
dyn__operand_ref dyn__over_rows(const dyn__compiler *k, dyn_node y, dyn_node x)
{
    return dyn__ref_of(k, x, k->node[y].outer, k->node[y].row_axes);
}

void dyn__set_args(const dyn__compiler *k, dyn__instr *q, dyn_node y, int kernel, int n, const dyn_node *in)
{
    q->kernel = kernel;
    q->nargs = n + 1;
    q->arg[0] = dyn__over_rows(k, y, y);
    for (int i = 0; i < n; i++)
        q->arg[i + 1] = dyn__over_rows(k, y, in[i]);
}

/* x = a b elementwise, or an outer product of columns and rows: a and b as arguments 1 and 2 over the elements of y. */
int dyn__absorb_factors(dyn__compiler *k, dyn__instr *q, dyn_node y, dyn_node x)
{
    if (dyn__absorbable(k, y, x, DYN__OP_mul)) {
        q->arg[1] = dyn__over_rows(k, y, dyn__at(k->g, x)->in[0]);
        q->arg[2] = dyn__over_rows(k, y, dyn__at(k->g, x)->in[1]);
    } else if (!dyn__absorbable(k, y, x, DYN__OP_matmul) || !dyn__outer_factors(k, x, &q->arg[1], &q->arg[2])) {
        return 0;
    }
    dyn__absorb(k, x);
    return 1;
}

/* y = a + b, where both are matrix products, or sums over rows (roles.c), or such sums again: they can be worked out in
 * the place of y. */
int dyn__is_sum_of_parts(const dyn__compiler *k, dyn_node y)
{
    const dyn__node *n = dyn__at(k->g, y);

    if (n->op != DYN__OP_add || n->in[0] == n->in[1] || k->node[y].sums > DYN__MOST_SUMS)
        return 0;
    for (int i = 0; k->node[y].role != DYN__TERM && i < 2; i++) {
        const dyn_node x = n->in[i];
        if (!(dyn__absorbable(k, y, x, DYN__OP_matmul) && dyn__is_large_product(k, x))
            && !(dyn__absorbable(k, y, x, DYN__OP_add) && dyn__is_sum_of_parts(k, x)))
            return 0;
    }
    return 1;
}

/* a b + c, c - a b, a b - c of the sum or difference x, over the elements of y. */
int dyn__multiply_add(dyn__compiler *k, dyn__instr *q, dyn_node y, dyn_node x)
{
    const dyn__node *n = dyn__at(k->g, x);

    for (int i = 0; i < 2; i++) {
        if (n->in[0] == n->in[1] || !dyn__absorb_factors(k, q, y, n->in[i]))
            continue;
        q->kernel = n->op == DYN__OP_add ? DYN__K_FMA : i == 0 ? DYN__K_FMS : DYN__K_FNMA;
        q->nargs = 4;
        q->arg[0] = dyn__over_rows(k, y, y);
        q->arg[3] = dyn__over_rows(k, y, n->in[1 - i]);
        return 1;
    }
    return 0;
}

static const dyn__form elementwise = {.role = DYN__ROW};

const dyn__form *dyn__form_of(const dyn__node *n) { return dyn__op_of(n)->form ? dyn__op_of(n)->form : &elementwise; }

static void select_elementwise(dyn__compiler *k, dyn__instr *q, dyn_node y)
{
    const dyn__node *n = dyn__at(k->g, y);
    const dyn__form *form = dyn__form_of(n);

    if (!form->fuse || !form->fuse(k, q, y))
        dyn__set_args(k, q, y, dyn__op_of(n)->kernel, n->nin, n->in);
    q->own = q->kernel == DYN__K_OWN ? form->own : NULL;
    q->c = form->scalar ? form->scalar(n) : n->attr.f;
    dyn__space_of(q, &n->shape, k->node[y].outer, k->node[y].row_axes);
    dyn__elementwise_space(q);
}

/* ---- the cluster ---- */

/* The instruction for y, which writes to the place of `into`: y itself or a sum of which y is a part. */
static dyn_status select_node(dyn__compiler *k, dyn__instr *q, dyn_node y, dyn_node into)
{
    const dyn__form *form = dyn__form_of(dyn__at(k->g, y));

    memset(q, 0, sizeof *q);
    if (form->select)
        DYN__TRY(form->select(k, q, y, into));
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

    if (dyn__is_sum_of_parts(k, y)) {
        dyn__absorb(k, n->in[0]);
        dyn__absorb(k, n->in[1]);
        DYN__TRY(append(k, step, capacity, n->in[1], into, 1));
        return append(k, step, capacity, n->in[0], into, adds);
    }
    if (dyn__form_of(n)->select_all)
        return dyn__form_of(n)->select_all(k, step, capacity, y);
    DYN__TRY(dyn__grow(k->ctx, (void **)&step->instr, capacity, step->instrs + 1, sizeof *step->instr));
    DYN__TRY(select_node(k, &step->instr[step->instrs], y, into));
    step->instr[step->instrs++].whole.accumulate |= adds;
    return DYN_OK;
}

/* Are all parts of the sum y products of one matrix after the other? */
static int goes_by_matrix(const dyn__compiler *k, dyn_node y)
{
    const dyn__node *n = dyn__at(k->g, y);

    return dyn__is_sum_of_parts(k, y) ? goes_by_matrix(k, n->in[0]) && goes_by_matrix(k, n->in[1]) : dyn__is_by_matrix(k, y);
}

/* The parts of y stay where they stand among the nodes: what only they read then lasts no longer than they need it. */
static void leave_parts(dyn__compiler *k, dyn_node y, dyn_node into)
{
    const dyn__node *n = dyn__at(k->g, y);

    if (dyn__is_sum_of_parts(k, y)) {
        leave_parts(k, n->in[0], into);
        leave_parts(k, n->in[1], into);
        k->node[y].absorbed = y != into;
    } else {
        k->node[y].part_of = into + 1;
        k->node[into].parts++;
    }
}

static dyn_status append_node(dyn__compiler *k, dyn__step *step, int64_t *capacity, dyn_node y)
{
    const dyn_node into = k->node[y].part_of - 1;

    if (into >= 0)
        return append(k, step, capacity, y, into, --k->node[into].parts > 0);
    if (!dyn__is_sum_of_parts(k, y) || !goes_by_matrix(k, y))
        return append(k, step, capacity, y, y, 0);
    leave_parts(k, y, y);
    return DYN_OK;
}

/* From the last node to the first, so that readers absorb before their operands are selected; then the list is
 * reversed. */
dyn_status dyn__select(dyn__compiler *k, int32_t s)
{
    dyn__step *step = &k->plan->step[s];
    int64_t capacity = 0, nodes = 0;

    for (dyn_node y = dyn__step_end(k, s); y >= 0; y = k->node[y].before)
        nodes++;
    DYN__TRY(dyn__grow(k->ctx, (void **)&step->instr, &capacity, (nodes + 1) / 2, sizeof *step->instr));
    for (dyn_node y = dyn__step_end(k, s); y >= 0; y = k->node[y].before)
        if (!k->node[y].absorbed)
            DYN__TRY(append_node(k, step, &capacity, y));
    for (int32_t i = 0, j = step->instrs - 1; i < j; i++, j--) {
        dyn__instr t = step->instr[i];
        step->instr[i] = step->instr[j];
        step->instr[j] = t;
    }
    return dyn__fuse_column_sums(k, step);
}
