/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Steps that only move elements: strided copies and additions, gather, scatter, random numbers. */
#include "compile/exec.h"
#include "random/random.h"

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
    char *y = dyn__address(e, &q->arg[0], &(dyn__piece){0}), *x = dyn__address(e, &q->arg[2], &(dyn__piece){0});
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
    char *y = dyn__address(e, &q->arg[0], &(dyn__piece){0}), *x = dyn__address(e, &q->arg[1], &(dyn__piece){0});
    int64_t index[DYN__MAX_DIM] = {0};

    do
        copy_plane(e, q, plane, dyn__element(q, 0, y, index, last, e->plan->esize),
                   dyn__element(q, 1, x, index, last, e->plan->esize));
    while (dyn__next(&size, index, last));
}

void dyn__run_copies(const dyn_exec *e, const dyn__step *step)
{
    for (int32_t i = 0; i < step->instrs; i++) {
        const dyn__instr *q = &step->instr[i];
        if (q->nargs == 1)
            memset(dyn__address(e, &q->arg[0], &(dyn__piece){0}), 0, (size_t)(q->dim[0] * e->plan->esize));
        else if (q->kernel == DYN__K_ADD)
            run_addition(e, q);
        else
            run_copy(e, q);
    }
}

void dyn__run_indexed(const dyn_exec *e, const dyn__step *step)
{
    const dyn__instr *q = &step->instr[0];
    char *y = dyn__address(e, &q->arg[0], &(dyn__piece){0}), *x = dyn__address(e, &q->arg[1], &(dyn__piece){0});
    const int64_t *index = (const int64_t *)(e->base[q->arg[2].place.base] + q->arg[2].place.offset * 8);
    const int64_t rows = step->rows * step->cols * e->plan->esize, table = step->table * step->cols * e->plan->esize;

    if (step->kind == DYN__STEP_SCATTER)
        memset(y, 0, (size_t)(step->size * e->plan->esize));
    for (int64_t set = 0; set < step->sets; set++, index += step->rows)
        if (step->kind == DYN__STEP_GATHER)
            e->plan->table->gather(step->rows, step->cols, y + set * rows, x + set * table, step->table, index);
        else
            e->plan->table->scatter_add(step->rows, step->cols, y + set * table, step->table, x + set * rows, index);
}

/* Numbers by the keys { seed, step, first row }. */
void dyn__run_random(const dyn_exec *e, const dyn__step *step)
{
    const dyn__instr *q = &step->instr[0];
    const int64_t *key = (const int64_t *)(e->base[q->arg[1].place.base] + q->arg[1].place.offset * 8);
    const int64_t size = step->rows * step->cols;
    char *y = dyn__address(e, &q->arg[0], &(dyn__piece){0});

    for (int64_t set = 0; set < step->sets; set++, key += 3, y += size * e->plan->esize) {
        const dyn__key k = {(uint64_t)key[0], DYN__STREAM_NODE, (uint32_t)key[1], step->site};
        if (e->plan->dtype == DYN_F32)
            dyn__uniform_f32(k, key[2] * step->cols, size, (float *)y);
        else
            dyn__uniform_f64(k, key[2] * step->cols, size, (double *)y);
    }
}
