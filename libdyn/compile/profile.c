/* SPDX-License-Identifier: BSD-3-Clause
 *
 * What the steps of a plan cost: time by the clock, and the bytes of memory that they read and write, which is all that
 * is not in tile buffers, each place once. */
#include <stdio.h>
#include <time.h>
#include "compile/backend.h"

static double now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static dyn_status need_steps(const dyn_plan *p)
{
    if (p->backend == &dyn__cpu_backend)
        return DYN_OK;
    return DYN__FAIL(p->ctx, DYN_ENOTSUP, "the backend %s has no steps", p->backend->name);
}

/* ---- bytes ---- */

/* Elements of an operand in memory that an instruction touches, over all tiles of its step. */
static int64_t elements(const dyn__step *s, const dyn__instr *q, int a)
{
    const dyn__operand_ref *r = &q->arg[a];
    const int tiles = s->kind == &dyn__step_tiles;
    int64_t n = 1;

    if (tiles && r->row)
        n = s->R * (r->row < 0 ? -r->row : r->row);
    else if (q->kernel < 0)
        n = (a == 2 ? q->whole.k : q->whole.m) * (a == 1 ? q->whole.k : q->whole.n);
    else
        for (int d = tiles; d < q->ndim; d++)
            n *= r->stride[d] ? q->dim[d] : 1;
    return n * (tiles && r->set && s->V > 1 ? s->V : 1) * (tiles && r->chunk ? s->chunks : 1);
}

static int is_same(const dyn__operand_ref *a, const dyn__operand_ref *b)
{
    return a->place.base == b->place.base && a->place.offset == b->place.offset;
}

/* Whether an operand of an instruction before the i-th, or one before the a-th of that, lies in the same place. */
static int is_counted(const dyn__step *s, int32_t i, int32_t a)
{
    const dyn__operand_ref *r = &s->instr[i].arg[a];

    for (int32_t k = 0; k <= i; k++)
        for (int32_t b = 0; b < (k < i ? s->instr[k].nargs : a); b++)
            if (is_same(&s->instr[k].arg[b], r))
                return 1;
    return 0;
}

static int64_t bytes_of(const dyn_plan *p, const dyn__step *s)
{
    int64_t n = 0;

    for (int32_t i = 0; i < s->instrs; i++)
        for (int32_t a = 0; a < s->instr[i].nargs; a++)
            if (s->instr[i].arg[a].place.base != DYN__BASE_TILE && !is_counted(s, i, a))
                n += elements(s, &s->instr[i], a);
    return n * p->esize;
}

/* ---- public ---- */

int32_t dyn_plan_steps(const dyn_plan *p) { return p && p->backend == &dyn__cpu_backend ? p->steps : 0; }

int32_t dyn_plan_step(const dyn_plan *p, int32_t i, char *text, int64_t room, int64_t *bytes)
{
    if (!p)
        return DYN_EINVAL;
    DYN__ENTER(p->ctx);
    DYN__TRY(need_steps(p));
    if (i < 0 || i >= p->steps || (text && room < 1))
        return DYN__FAIL(p->ctx, DYN_EINVAL, "step %d of %d, a text of %lld bytes", (int)i, (int)p->steps, (long long)room);
    const dyn__step *s = &p->step[i];
    if (bytes)
        *bytes = bytes_of(p, s);
    if (text) {
        const int n = snprintf(text, (size_t)room, "%s", s->kind->name);
        if (s->kind->print && n < room)
            s->kind->print(s, text + n, (size_t)(room - n));
    }
    return s->instrs;
}

dyn_status dyn_exec_profile(dyn_exec *e, int32_t repeats, double *seconds)
{
    if (!e)
        return DYN_EINVAL;
    DYN__ENTER(e->ctx);
    DYN__NEED(e->ctx, seconds);
    DYN__TRY(need_steps(e->plan));
    if (repeats < 1)
        return DYN__FAIL(e->ctx, DYN_EINVAL, "repeats is %d", (int)repeats);
    DYN__TRY(dyn_exec_run(e));
    for (int32_t r = 0; r < repeats; r++)
        for (int32_t s = 0; s < e->plan->steps; s++) {
            const double begin = now();
            e->plan->step[s].kind->run(e, &e->plan->step[s]);
            const double spent = now() - begin;
            seconds[s] = r == 0 || spent < seconds[s] ? spent : seconds[s];
        }
    return dyn__check_interrupt(e->ctx);
}
