/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Steps that only move elements: permute, pad and concat as strided copies, fold and inset as strided additions,
 * gather, scatter and random numbers by their kernels, and the copies of outputs that are a view, an input, or wanted
 * twice. */
#include <string.h>
#include "compile/select.h"
#include "graph/ops/op.h"

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
    q->arg[0] = dyn__ref_of(k, y, 0, 1);
    q->arg[1] = dyn__ref_of(k, x, 0, 1);
    dyn__space_of(q, &dyn__at(k->g, x)->shape, 0, 1);
    for (int i = 0; start && i < dyn__at(k->g, x)->shape.rank; i++)
        q->arg[0].offset += start[i] * q->arg[0].stride[i];
    dyn__canonical(q);
}

static dyn_status select_permute(dyn__compiler *k, dyn__step *step, dyn_node y)
{
    const dyn__node *n = dyn__at(k->g, y);
    dyn__operand_ref x = dyn__ref_of(k, n->in[0], 0, 1);
    dyn__instr *q = new_instrs(k, step, 1, y);

    if (!q)
        return DYN_ENOMEM;
    q->arg[0] = dyn__ref_of(k, y, 0, 1);
    q->arg[1] = x;
    for (int i = 0; i < n->shape.rank; i++)
        q->arg[1].stride[i] = x.stride[n->attr.i[i]];
    dyn__space_of(q, &n->shape, 0, 1);
    dyn__canonical(q);
    return DYN_OK;
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

/* The first instruction of a step, which clears the whole result y. */
static void set_clear(const dyn__compiler *k, dyn__instr *q, dyn_node y)
{
    q->nargs = 1;
    q->arg[0] = dyn__ref_of(k, y, 0, 1);
    q->ndim = 1;
    q->dim[0] = dyn__shape_size(&dyn__at(k->g, y)->shape);
}

static dyn_status select_pad(dyn__compiler *k, dyn__step *step, dyn_node y)
{
    const dyn__node *n = dyn__at(k->g, y);
    dyn__instr *q = new_instrs(k, step, 2, y);

    if (!q)
        return DYN_ENOMEM;
    set_clear(k, &q[0], y);
    set_copy(k, &q[1], y, n->in[0], n->attr.i);
    return DYN_OK;
}

/* y = x with a added in a window; x may lie where y does. */
static dyn_status select_inset(dyn__compiler *k, dyn__step *step, dyn_node y)
{
    const dyn__node *n = dyn__at(k->g, y);
    dyn__instr *q = new_instrs(k, step, 2, y);

    if (!q)
        return DYN_ENOMEM;
    set_copy(k, &q[0], y, n->in[0], NULL);
    set_copy(k, &q[1], y, n->in[1], n->attr.i);
    q[1].kernel = DYN__K_ADD;
    q[1].nargs = 3;
    q[1].arg[2] = q[1].arg[1];
    q[1].arg[1] = q[1].arg[0];
    return DYN_OK;
}

/* The windows p of `begin` <= p < `end` whose element k stands for an index of the axis. */
static void windows_inside(const dyn__attr *attr, int64_t k, int64_t *begin, int64_t *end)
{
    const int64_t first = attr->i[DYN__WINDOW_START] + k * attr->i[DYN__WINDOW_DILATION];
    const int64_t stride = attr->i[DYN__WINDOW_STRIDE];

    for (*begin = 0; *begin < attr->i[DYN__WINDOWS]; ++*begin)
        if (first + *begin * stride >= 0 && first + *begin * stride < attr->n)
            break;
    for (*end = *begin; *end < attr->i[DYN__WINDOWS]; ++*end)
        if (first + *end * stride < 0 || first + *end * stride >= attr->n)
            break;
}

/* Add element k of the windows to the elements of y that it stands for; 0 if there are none. */
static int set_fold(const dyn__compiler *k, dyn__instr *q, dyn_node y, int64_t element)
{
    const dyn__node *n = dyn__at(k->g, y);
    const int64_t axis = n->attr.i[DYN__WINDOW_AXIS], *w = n->attr.i;
    int64_t begin, end;

    windows_inside(&n->attr, element, &begin, &end);
    if (begin == end)
        return 0;
    q->kernel = DYN__K_ADD;
    q->nargs = 3;
    q->arg[0] = dyn__ref_of(k, y, 0, 1);
    q->arg[2] = dyn__ref_of(k, n->in[0], 0, 1);
    q->arg[2].offset += begin * q->arg[2].stride[axis] + element * q->arg[2].stride[axis + 1];
    for (int i = (int)axis + 1; i < n->shape.rank; i++)
        q->arg[2].stride[i] = q->arg[2].stride[i + 1];
    q->arg[0].offset += (w[DYN__WINDOW_START] + begin * w[DYN__WINDOW_STRIDE] + element * w[DYN__WINDOW_DILATION])
                      * q->arg[0].stride[axis];
    q->arg[0].stride[axis] *= w[DYN__WINDOW_STRIDE];
    q->arg[1] = q->arg[0];
    dyn__space_of(q, &n->shape, 0, 1);
    q->dim[axis] = end - begin;
    dyn__canonical(q);
    return 1;
}

static dyn_status select_fold(dyn__compiler *k, dyn__step *step, dyn_node y)
{
    const int64_t size = dyn__at(k->g, y)->attr.i[DYN__WINDOW_SIZE];
    dyn__instr *q = size < INT32_MAX ? new_instrs(k, step, (int32_t)size + 1, y) : NULL;

    if (!q)
        return DYN_ENOMEM;
    set_clear(k, &q[0], y);
    step->instrs = 1;
    for (int64_t i = 0; i < size; i++)
        step->instrs += set_fold(k, &q[step->instrs], y, i);
    return DYN_OK;
}

static dyn_status select_random(dyn__compiler *k, dyn__step *step, dyn_node y)
{
    const dyn__node *n = dyn__at(k->g, y);
    const dyn__shape *key = &dyn__at(k->g, n->in[0])->shape;
    dyn__instr *q = new_instrs(k, step, 1, y);

    if (!q)
        return DYN_ENOMEM;
    step->kind = DYN__STEP_RANDOM;
    step->sets = dyn__shape_size(key) / 3;
    step->rows = n->shape.rank >= key->rank ? n->shape.dim[key->rank - 1] : 1;
    step->cols = step->size / (step->sets * step->rows);
    step->site = (uint32_t)n->attr.n;
    q->arg[0] = dyn__ref_of(k, y, 0, 1);
    q->arg[1] = dyn__ref_of(k, n->in[0], 0, 1);
    return DYN_OK;
}

static int64_t size_of_axes(const dyn__shape *s, int64_t from, int64_t to)
{
    int64_t size = 1;

    for (int64_t i = from; i < to; i++)
        size *= s->dim[i];
    return size;
}

static dyn_status select_indexed(dyn__compiler *k, dyn__step *step, dyn_node y)
{
    const dyn__node *n = dyn__at(k->g, y);
    const int64_t lead = n->attr.i[0];
    const dyn__shape *x = &dyn__at(k->g, n->in[0])->shape, *index = &dyn__at(k->g, n->in[1])->shape;
    dyn__instr *q = new_instrs(k, step, 1, y);

    if (!q)
        return DYN_ENOMEM;
    step->kind = n->op == DYN__OP_gather ? DYN__STEP_GATHER : DYN__STEP_SCATTER;
    step->sets = size_of_axes(index, 0, lead);
    step->rows = size_of_axes(index, lead, index->rank);
    step->cols = n->op == DYN__OP_gather ? size_of_axes(x, lead + 1, x->rank) : size_of_axes(x, index->rank, x->rank);
    step->table = n->op == DYN__OP_gather ? x->dim[lead] : n->attr.n;
    q->nargs = 3;
    q->arg[0] = dyn__ref_of(k, y, 0, 1);
    q->arg[1] = dyn__ref_of(k, n->in[0], 0, 1);
    q->arg[2] = dyn__ref_of(k, n->in[1], 0, 1);
    return DYN_OK;
}

dyn_status dyn__select_move(dyn__compiler *k, int32_t s)
{
    dyn__step *step = &k->plan->step[s];
    dyn_node y = step->node;
    const dyn__node *n = dyn__at(k->g, y);

    step->size = dyn__shape_size(&n->shape);
    switch (n->op) {
    case DYN__OP_concat: return select_concat(k, step, y);
    case DYN__OP_pad: return select_pad(k, step, y);
    case DYN__OP_fold: return select_fold(k, step, y);
    case DYN__OP_inset: return select_inset(k, step, y);
    case DYN__OP_random: return select_random(k, step, y);
    case DYN__OP_gather: case DYN__OP_scatter_add: return select_indexed(k, step, y);
    default: return select_permute(k, step, y);
    }
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
        dyn__space_of(q, &dyn__at(k->g, x)->shape, 0, 1);
        q->arg[1] = dyn__ref_of(k, x, 0, 1);
        dyn__canonical(q);
        q->arg[0].node = -1;
        q->arg[0].place = (dyn__place){DYN__BASE_BOUND + k->plan->inputs + j, 0};
    }
    return DYN_OK;
}
