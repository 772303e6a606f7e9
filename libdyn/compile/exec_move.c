/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Strided copies and additions, shared out to all threads. */
#include "compile/exec.h"
#include "compile/move.h"

/* The dimension along which x is contiguous, other than the last; -1 if none. */
static int contiguous_dim(const dyn__instr *q)
{
    for (int d = 0; d < q->ndim - 1; d++)
        if (q->arg[1].stride[d] == 1)
            return d;
    return -1;
}

/* One plane of a strided copy: dimensions d and last, everything else stands still. */
static void copy_plane(const dyn_exec *e, const dyn__instr *q, int d, char *y, char *x)
{
    const int last = q->ndim - 1;
    const int64_t rows = d >= 0 ? q->dim[d] : 1;
    const int64_t ys = d >= 0 ? q->arg[0].stride[d] : 0, xs = d >= 0 ? q->arg[1].stride[d] : 0;

    if (q->arg[1].stride[last] <= 1 && q->arg[1].stride[last] >= 0 && q->arg[0].stride[last] == 1) {
        dyn__arg arg[2] = {{y, ys, 1}, {x, xs, q->arg[1].stride[last]}};
        e->plan->table->tile[DYN__K_COPY](rows, q->dim[last], arg, 0);
    } else if (xs == 1 && q->arg[0].stride[last] == 1) {
        e->plan->table->transpose(q->dim[last], rows, y, ys, x, q->arg[1].stride[last]);
    } else {
        for (int64_t i = 0; i < rows; i++) {
            dyn__arg arg[2] = {{y + i * ys * e->plan->esize, q->arg[0].stride[last], 1},
                               {x + i * xs * e->plan->esize, q->arg[1].stride[last], 1}};
            e->plan->table->tile[DYN__K_COPY](q->dim[last], 1, arg, 0);
        }
    }
}

/* y += x on one plane, the last two dimensions: by rows where y is contiguous, else element by element. */
static void add_plane(const dyn_exec *e, const dyn__instr *q, char *y, char *x)
{
    const int last = q->ndim - 1, by_row = q->arg[0].stride[last] == 1 && q->arg[2].stride[last] == 1;
    const int64_t rows = last > 0 ? q->dim[last - 1] : 1, ys = last > 0 ? q->arg[0].stride[last - 1] : 0;
    const int64_t xs = last > 0 ? q->arg[2].stride[last - 1] : 0;
    const dyn__tile_fn add = e->plan->table->tile[DYN__K_ADD];

    if (by_row) {
        add(rows, q->dim[last], (dyn__arg[]){{y, ys, 1}, {y, ys, 1}, {x, xs, 1}}, 0);
        return;
    }
    for (int64_t i = 0; i < rows; i++) {
        const dyn__arg row = {y + i * ys * e->plan->esize, q->arg[0].stride[last], 1};
        add(q->dim[last], 1,
            (dyn__arg[]){row, row, {x + i * xs * e->plan->esize, q->arg[2].stride[last], 1}}, 0);
    }
}

static void run_addition(const dyn_exec *e, const dyn__instr *q)
{
    const int loops = q->ndim > 2 ? q->ndim - 2 : 0;
    const dyn__sizes size = dyn__sizes_with(q, 0, q->dim[0]);
    char *y = dyn__argument(e, q, 0), *x = dyn__argument(e, q, 2);
    int64_t index[DYN__MAX_DIM] = {0};

    do
        add_plane(e, q, dyn__element(q, 0, y, index, loops, e->plan->esize),
                  dyn__element(q, 2, x, index, loops, e->plan->esize));
    while (dyn__next(&size, index, loops));
}

/* Plane by plane. */
static void run_copy(const dyn_exec *e, const dyn__instr *q)
{
    const int last = q->ndim - 1, plane = q->arg[1].stride[last] > 1 ? contiguous_dim(q) : last - 1;
    const dyn__sizes size = dyn__sizes_with(q, plane >= 0 ? plane : last, 1);     /* the last one takes no step */
    char *y = dyn__argument(e, q, 0), *x = dyn__argument(e, q, 1);
    int64_t index[DYN__MAX_DIM] = {0};

    do
        copy_plane(e, q, plane, dyn__element(q, 0, y, index, last, e->plan->esize),
                   dyn__element(q, 1, x, index, last, e->plan->esize));
    while (dyn__next(&size, index, last));
}

/* A pass that clears has no operand. */
static void run_here(const dyn_exec *e, const dyn__instr *q)
{
    if (q->nargs == 1)
        memset(dyn__argument(e, q, 0), 0, (size_t)(q->dim[0] * e->plan->esize));
    else if (q->kernel == DYN__K_ADD)
        run_addition(e, q);
    else
        run_copy(e, q);
}

/* ---- shared out ---- */

/* Elements that are worth a task of their own; tasks at most. */
enum { TASK_ELEMENTS = 1 << 13, MOST_TASKS = 16 };

int64_t dyn__tasks_for(int64_t elements, int64_t most)
{
    const int64_t tasks = elements / TASK_ELEMENTS < MOST_TASKS ? elements / TASK_ELEMENTS : MOST_TASKS;

    return tasks < 1 ? 1 : tasks < most ? tasks : most;
}

/* A copy or an addition, cut along one dimension. */
typedef struct cut_move { const dyn_exec *e; const dyn__instr *q; int d; int64_t tasks; } cut_move;

static void run_part_of_move(void *arg, int64_t number, int worker)
{
    const cut_move *m = arg;
    const int64_t from = m->q->dim[m->d] * number / m->tasks, to = m->q->dim[m->d] * (number + 1) / m->tasks;
    dyn__instr part = *m->q;

    (void)worker;
    part.dim[m->d] = to - from;
    for (int a = 0; a < part.nargs; a++)
        part.arg[a].place.offset += from * part.arg[a].stride[m->d];
    run_here(m->e, &part);
}

/* Along the largest dimension but the last. */
static void run_move(const dyn_exec *e, const dyn__instr *q)
{
    cut_move m = {e, q, 0, 1};
    int64_t elements = 1;

    for (int d = 0; d < q->ndim; d++) {
        elements *= q->dim[d];
        if (d < q->ndim - 1 && q->dim[d] > q->dim[m.d])
            m.d = d;
    }
    m.tasks = dyn__tasks_for(elements, q->dim[m.d]);
    dyn__share_out(e, m.tasks, 1, run_part_of_move, &m);
}

/* What would be copied lies there already (place.c). */
static int same_place(const dyn__instr *q)
{
    return q->arg[0].place.base == q->arg[1].place.base && q->arg[0].place.offset == q->arg[1].place.offset;
}

/* The whole step on one index of the first axis after the other, so that what is added to stays in the cache. */
typedef struct by_lead { const dyn_exec *e; const dyn__step *step; int64_t tasks; } by_lead;

static void run_index(const dyn_exec *e, const dyn__step *step, int64_t index)
{
    for (int32_t i = 0; i < step->instrs; i++) {
        dyn__instr part = step->instr[i];
        const int64_t each = part.dim[0] / step->leading;

        part.dim[0] = each;
        for (int a = 0; a < part.nargs; a++)
            part.arg[a].place.offset += index * each * part.arg[a].stride[0];
        run_here(e, &part);
    }
}

static void run_indices(void *arg, int64_t number, int worker)
{
    const by_lead *m = arg;
    const int64_t from = m->step->leading * number / m->tasks, to = m->step->leading * (number + 1) / m->tasks;

    (void)worker;
    for (int64_t i = from; i < to; i++)
        run_index(m->e, m->step, i);
}

static int64_t elements_of(const dyn__step *step)
{
    int64_t all = 0;

    for (int32_t i = 0; i < step->instrs; i++) {
        int64_t elements = 1;
        for (int d = 0; d < step->instr[i].ndim; d++)
            elements *= step->instr[i].dim[d];
        all += elements;
    }
    return all;
}

static void run(const dyn_exec *e, const dyn__step *step)
{
    if (step->leading >= MOST_TASKS) {
        by_lead m = {e, step, dyn__tasks_for(elements_of(step), step->leading)};
        dyn__share_out(e, m.tasks, 1, run_indices, &m);
        return;
    }
    for (int32_t i = 0; i < step->instrs; i++) {
        const dyn__instr *q = &step->instr[i];
        if (q->nargs == 1)
            run_here(e, q);
        else if (q->kernel == DYN__K_ADD || !same_place(q))
            run_move(e, q);
    }
}

const dyn__step_kind dyn__step_copy = {.name = "copy", .run = run};
