/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Parts of rows: pad, inset and concat along axes behind those that count the rows. They run in the cluster of what
 * they are made of, as copies within the tile, so that a network cut into gates, halves or steps of time is one cluster all
 * the same. What is set into what is set into y goes straight to its place in y. */
#include <string.h>
#include "compile/move.h"

enum { MOST_WINDOWS = 64 };

/* x lies in y from `start` on. */
typedef struct window { dyn_node x; int64_t start[DYN_MAX_RANK]; } window;

typedef struct windows {
    dyn__compiler *k;
    dyn_node y;
    window part[MOST_WINDOWS];      /* the first is written first */
    int32_t count;
    int32_t owed;                   /* operands that are not listed yet, each a part at least */
} windows;

void dyn__assign_parts(dyn__compiler *k, dyn_node x)
{
    const dyn__node *n = dyn__at(k->g, x);
    const dyn__shape *s = &n->shape;
    const int outer = dyn__carries_outer(k, x);
    int most = s->rank;

    for (int i = 0; i < n->nin; i++)
        for (int axis = 0; axis < most; axis++)
            if (dyn__shape_of(k, n->in[i])->dim[axis] != s->dim[axis])
                most = axis;
    const int axes = k->unfused || most <= outer ? 0 : dyn__axes_of_operands(k, n, s, outer, most - outer);
    k->node[x].role = axes > 0 ? DYN__ROW : DYN__MOVE;
    if (axes > 0)
        dyn__set_rows(&k->node[x], s, outer, axes);
}

/* ---- what lies where ---- */

static int is_of_parts(const dyn__node *n)
{
    return n->op == DYN__OP_pad || n->op == DYN__OP_inset || n->op == DYN__OP_concat;
}

static void list_parts(windows *w, dyn_node y, const int64_t *start);

/* What a part pads, in place of the part: in a loop, since a chain of pads is as long as it likes. */
static void skip_pads(const windows *w, window *part)
{
    const dyn__node *n = dyn__at(w->k->g, part->x);

    while (n->op == DYN__OP_pad && dyn__absorbable(w->k, w->y, part->x, n->op)) {
        dyn__absorb(w->k, part->x);
        for (int axis = 0; axis < n->shape.rank; axis++)
            part->start[axis] += n->attr.i[axis];
        part->x = n->in[0];
        n = dyn__at(w->k->g, part->x);
    }
}

/* Operand i of y, at `offset` in it. */
static void list_operand(windows *w, dyn_node y, int i, const int64_t *start, const int64_t *offset)
{
    const dyn__node *n = dyn__at(w->k->g, y);
    window part = {.x = n->in[i]};

    w->owed--;
    for (int axis = 0; axis < n->shape.rank; axis++)
        part.start[axis] = start[axis] + (offset ? offset[axis] : 0);
    skip_pads(w, &part);
    const dyn__node *m = dyn__at(w->k->g, part.x);
    if (is_of_parts(m) && w->count + w->owed + m->nin <= MOST_WINDOWS && dyn__absorbable(w->k, w->y, part.x, m->op)) {
        dyn__absorb(w->k, part.x);
        list_parts(w, part.x, part.start);
    } else {
        w->part[w->count++] = part;
    }
}

static void list_parts(windows *w, dyn_node y, const int64_t *start)
{
    const dyn__node *n = dyn__at(w->k->g, y);
    int64_t second[DYN_MAX_RANK] = {0};

    w->owed += n->nin;
    list_operand(w, y, 0, start, n->op == DYN__OP_pad ? n->attr.i : NULL);
    if (n->op == DYN__OP_concat)
        second[n->attr.n] = dyn__shape_of(w->k, n->in[0])->dim[n->attr.n];
    if (n->nin > 1)
        list_operand(w, y, 1, start, n->op == DYN__OP_inset ? n->attr.i : second);
}

static int is_apart(const windows *w, const window *a, const window *b)
{
    const dyn__shape *s = dyn__shape_of(w->k, a->x), *t = dyn__shape_of(w->k, b->x);

    for (int axis = 0; axis < s->rank; axis++)
        if (a->start[axis] >= b->start[axis] + t->dim[axis] || b->start[axis] >= a->start[axis] + s->dim[axis])
            return 1;
    return 0;
}

/* Does part i lie where none before it does? */
static int is_first_there(const windows *w, int32_t i)
{
    for (int32_t j = 0; j < i; j++)
        if (!is_apart(w, &w->part[i], &w->part[j]))
            return 0;
    return 1;
}

/* Elements of y that no part writes to. */
static int64_t left_out(const windows *w)
{
    int64_t size = dyn__shape_size(dyn__shape_of(w->k, w->y));

    for (int32_t i = 0; i < w->count; i++)
        if (is_first_there(w, i))
            size -= dyn__shape_size(dyn__shape_of(w->k, w->part[i].x));
    return size;
}

/* ---- instructions ---- */

/* Part i copied, or added where something lies already. */
static void select_part(const windows *w, dyn__instr *q, int32_t i)
{
    const dyn__compiler *k = w->k;
    const dyn__cnode *c = &k->node[w->y];
    const window *p = &w->part[i];
    const int adds = !is_first_there(w, i);

    memset(q, 0, sizeof *q);
    q->kernel = adds ? DYN__K_ADD : DYN__K_COPY;
    q->nargs = 2 + adds;
    q->arg[0] = dyn__over_rows(k, w->y, w->y);
    for (int axis = 0; axis < dyn__shape_of(k, w->y)->rank; axis++)
        q->arg[0].offset += p->start[axis] * c->view.stride[axis];
    q->arg[1] = q->arg[0];
    q->arg[1 + adds] = dyn__over_rows(k, w->y, p->x);
    dyn__space_of(q, dyn__shape_of(k, p->x), c->outer, c->row_axes);
    dyn__elementwise_space(q);
    q->node = w->y;
    q->row_size = c->pitch;
    q->partial = 1;
}

/* The last first, as all of a cluster at first. */
dyn_status dyn__select_parts(dyn__compiler *k, dyn__step *step, int64_t *capacity, dyn_node y)
{
    const int64_t start[DYN_MAX_RANK] = {0};
    windows w = {.k = k, .y = y};

    list_parts(&w, y, start);
    DYN__TRY(dyn__grow(k->ctx, (void **)&step->instr, capacity, step->instrs + w.count, sizeof *step->instr));
    for (int32_t i = w.count; i-- > 0; step->instrs++)
        select_part(&w, &step->instr[step->instrs], i);
    step->instr[step->instrs - 1].zero = left_out(&w) > 0;
    return DYN_OK;
}
