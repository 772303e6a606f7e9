/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Steps that only move elements: permute, pad and concat as strided copies, gather and scatter by their kernels, and
 * the copies of outputs that are a view, an input, or wanted twice. */
#include <string.h>
#include "compile/select.h"

dyn__step *dyn__new_step(dyn__compiler *k, int kind, dyn_node node)
{
    dyn_plan *p = k->plan;

    if (dyn__grow(k->ctx, (void **)&p->step, &p->steps_capacity, (int64_t)p->steps + 1, sizeof *p->step) < 0)
        return NULL;
    memset(&p->step[p->steps], 0, sizeof *p->step);
    p->step[p->steps].kind = kind;
    p->step[p->steps].node = node;
    return &p->step[p->steps++];
}

static dyn__instr *new_instrs(dyn__compiler *k, dyn__step *step, int32_t count, dyn_node y)
{
    step->instr = dyn__alloc(k->ctx, (size_t)count, sizeof *step->instr);
    if (!step->instr)
        return NULL;
    step->instrs = count;
    for (int32_t i = 0; i < count; i++) {
        step->instr[i].node = y;
        step->instr[i].nargs = 2;
        step->instr[i].kernel = DYN__K_COPY;
    }
    return step->instr;
}

/* Copy operand x of y to the elements of y from `start` on. */
static void set_copy(const dyn__compiler *k, dyn__instr *q, dyn_node y, dyn_node x, const int64_t *start)
{
    q->arg[0] = dyn__ref_of(k, y, 0);
    q->arg[1] = dyn__ref_of(k, x, 0);
    dyn__space_of(q, &dyn__at(k->g, x)->shape, 0);
    for (int i = 0; start && i < dyn__at(k->g, x)->shape.rank; i++)
        q->arg[0].offset += start[i] * q->arg[0].stride[i];
    dyn__canonical(q);
}

static void set_permute(const dyn__compiler *k, dyn__instr *q, dyn_node y)
{
    const dyn__node *n = dyn__at(k->g, y);
    dyn__operand_ref x = dyn__ref_of(k, n->in[0], 0);

    q->arg[0] = dyn__ref_of(k, y, 0);
    q->arg[1] = x;
    for (int i = 0; i < n->shape.rank; i++)
        q->arg[1].stride[i] = x.stride[n->attr.i[i]];
    dyn__space_of(q, &n->shape, 0);
    dyn__canonical(q);
}

static dyn_status select_concat(dyn__compiler *k, dyn__step *step, dyn_node y)
{
    const dyn__node *n = dyn__at(k->g, y);
    int64_t start[DYN_MAX_RANK] = {0};
    dyn__instr *q = new_instrs(k, step, 2, y);

    if (!q)
        return DYN_ENOMEM;
    set_copy(k, &q[0], y, n->in[0], NULL);
    start[n->attr.n] = dyn__at(k->g, n->in[0])->shape.dim[n->attr.n];
    set_copy(k, &q[1], y, n->in[1], start);
    return DYN_OK;
}

static dyn_status select_indexed(dyn__compiler *k, dyn__step *step, dyn_node y)
{
    const dyn__node *n = dyn__at(k->g, y);
    const dyn__shape *x = &dyn__at(k->g, n->in[0])->shape, *rows = n->op == DYN__OP_gather ? &n->shape : x;
    dyn__instr *q = new_instrs(k, step, 1, y);

    if (!q)
        return DYN_ENOMEM;
    step->kind = n->op == DYN__OP_gather ? DYN__STEP_GATHER : DYN__STEP_SCATTER;
    step->rows = rows->dim[0];
    step->cols = dyn__shape_size(rows) / rows->dim[0];
    step->table = n->op == DYN__OP_gather ? x->dim[0] : n->attr.n;
    q->nargs = 3;
    q->arg[0] = dyn__ref_of(k, y, 0);
    q->arg[1] = dyn__ref_of(k, n->in[0], 0);
    q->arg[2] = dyn__ref_of(k, n->in[1], 0);
    return DYN_OK;
}

dyn_status dyn__select_move(dyn__compiler *k, int32_t s)
{
    dyn__step *step = &k->plan->step[s];
    dyn_node y = step->node;
    const dyn__node *n = dyn__at(k->g, y);
    dyn__instr *q;

    step->size = dyn__shape_size(&n->shape);
    if (n->op == DYN__OP_concat)
        return select_concat(k, step, y);
    if (n->op == DYN__OP_gather || n->op == DYN__OP_scatter_add)
        return select_indexed(k, step, y);
    q = new_instrs(k, step, 1, y);
    if (!q)
        return DYN_ENOMEM;
    step->fill = n->op == DYN__OP_pad;
    if (n->op == DYN__OP_pad)
        set_copy(k, q, y, n->in[0], n->attr.i);
    else
        set_permute(k, q, y);
    return DYN_OK;
}

static int is_own_output(const dyn__compiler *k, int32_t j)
{
    const dyn__cnode *c = &k->node[k->output[j]];

    for (int32_t i = 0; i < j; i++)
        if (k->output[i] == k->output[j])
            return 0;
    return c->role != DYN__LEAF && c->role != DYN__VIEW;
}

dyn_status dyn__final_copies(dyn__compiler *k)
{
    for (int32_t j = 0; j < k->outputs; j++) {
        dyn_node x = k->output[j];
        if (is_own_output(k, j))
            continue;
        dyn__step *step = dyn__new_step(k, DYN__STEP_COPY, x);
        dyn__instr *q = step ? new_instrs(k, step, 1, x) : NULL;
        if (!q)
            return DYN_ENOMEM;
        set_copy(k, q, x, x, NULL);
        dyn__dense_strides(&dyn__at(k->g, x)->shape, q->arg[0].stride);
        dyn__space_of(q, &dyn__at(k->g, x)->shape, 0);
        q->arg[1] = dyn__ref_of(k, x, 0);
        dyn__canonical(q);
        q->arg[0].node = -1;
        q->arg[0].place = (dyn__place){DYN__BASE_BOUND + k->plan->inputs + j, 0};
    }
    return DYN_OK;
}
