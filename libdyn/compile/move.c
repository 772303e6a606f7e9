/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Steps that only move elements: what the primitives that make them share, and the copies of outputs that are a view,
 * an input, or wanted twice. */
#include <string.h>
#include "compile/move.h"

dyn__step *dyn__new_step(dyn__compiler *k, const dyn__step_kind *kind, dyn_node node)
{
    dyn_plan *p = k->plan;

    if (dyn__grow(k->ctx, (void **)&p->step, &p->steps_capacity, (int64_t)p->steps + 1, sizeof *p->step) < 0)
        return NULL;
    memset(&p->step[p->steps], 0, sizeof *p->step);
    p->step[p->steps].kind = kind;
    p->step[p->steps].node = node;
    return &p->step[p->steps++];
}

dyn__instr *dyn__new_instrs(dyn__compiler *k, dyn__step *step, int32_t count, dyn_node y)
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
void dyn__set_copy(const dyn__compiler *k, dyn__instr *q, dyn_node y, dyn_node x, const int64_t *start)
{
    q->arg[0] = dyn__ref_of(k, y, 0, 1);
    q->arg[1] = dyn__ref_of(k, x, 0, 1);
    dyn__space_of(q, &dyn__at(k->g, x)->shape, 0, 1);
    for (int i = 0; start && i < dyn__at(k->g, x)->shape.rank; i++)
        q->arg[0].offset += start[i] * q->arg[0].stride[i];
    dyn__canonical(q);
}

/* The first instruction of a step, which clears the whole result y. */
void dyn__set_clear(const dyn__compiler *k, dyn__instr *q, dyn_node y)
{
    q->nargs = 1;
    q->arg[0] = dyn__ref_of(k, y, 0, 1);
    q->ndim = 1;
    q->dim[0] = dyn__shape_size(&dyn__at(k->g, y)->shape);
    q->arg[0].stride[0] = 1;
}

void *dyn__own_step(dyn__compiler *k, dyn__step *step, dyn_node y, const dyn__step_kind *kind, size_t bytes)
{
    const dyn__node *n = dyn__at(k->g, y);
    dyn__instr *q = dyn__new_instrs(k, step, 1, y);

    if (!q)
        return NULL;
    step->kind = kind;
    step->own = dyn__alloc(k->ctx, 1, bytes);
    q->nargs = 1 + n->nin;
    q->arg[0] = dyn__ref_of(k, y, 0, 1);
    for (int i = 0; i < n->nin; i++)
        q->arg[1 + i] = dyn__ref_of(k, n->in[i], 0, 1);
    return step->own;
}

/* Is output j the first that is this node, and made by a step? */
static int is_own_output(const dyn__compiler *k, int32_t j)
{
    const dyn__cnode *c = &k->node[k->output[j]];

    return k->of_node[k->output[j]].first == j + 1 && c->role != DYN__LEAF && c->role != DYN__VIEW;
}

dyn_status dyn__final_copies(dyn__compiler *k)
{
    for (int32_t j = k->outputs - 1; j >= 0; j--)       /* the steps are shaped: of_node is free */
        k->of_node[k->output[j]].first = j + 1;
    for (int32_t j = 0; j < k->outputs; j++) {
        dyn_node x = k->output[j];
        if (is_own_output(k, j))
            continue;
        dyn__step *step = dyn__new_step(k, &dyn__step_copy, x);
        dyn__instr *q = step ? dyn__new_instrs(k, step, 1, x) : NULL;
        if (!q)
            return DYN_ENOMEM;
        dyn__set_copy(k, q, x, x, NULL);
        dyn__dense_strides(&dyn__at(k->g, x)->shape, q->arg[0].stride);
        dyn__space_of(q, &dyn__at(k->g, x)->shape, 0, 1);
        q->arg[1] = dyn__ref_of(k, x, 0, 1);
        dyn__canonical(q);
        q->arg[0].node = -1;
        q->arg[0].place = (dyn__place){DYN__BASE_BOUND + k->plan->inputs + j, 0};
    }
    return DYN_OK;
}
