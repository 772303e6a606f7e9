/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Steps that only move elements: strided copies, gather, scatter. */
#include "compile/exec.h"

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

/* Plane by plane. */
static void run_copy(const dyn_exec *e, const dyn__instr *q)
{
    const int last = q->ndim - 1, plane = q->arg[1].stride[last] > 1 ? contiguous_dim(q) : last - 1;
    const dyn__sizes size = dyn__sizes_with(q, plane >= 0 ? plane : last, 1);     /* the last one takes no step */
    char *y = dyn__address(e, &q->arg[0], &(dyn__part){0}), *x = dyn__address(e, &q->arg[1], &(dyn__part){0});
    int64_t index[DYN__MAX_DIM] = {0};

    do
        copy_plane(e, q, plane, dyn__element(q, 0, y, index, last, e->plan->esize),
                   dyn__element(q, 1, x, index, last, e->plan->esize));
    while (dyn__next(&size, index, last));
}

void dyn__run_copies(const dyn_exec *e, const dyn__step *step)
{
    if (step->fill) {
        char *y = e->base[step->instr[0].arg[0].place.base]
                + (step->instr[0].arg[0].place.offset - step->instr[0].arg[0].offset) * e->plan->esize;
        memset(y, 0, (size_t)(step->size * e->plan->esize));
    }
    for (int32_t i = 0; i < step->instrs; i++)
        run_copy(e, &step->instr[i]);
}

void dyn__run_indexed(const dyn_exec *e, const dyn__step *step)
{
    const dyn__instr *q = &step->instr[0];
    char *y = dyn__address(e, &q->arg[0], &(dyn__part){0}), *x = dyn__address(e, &q->arg[1], &(dyn__part){0});
    const int64_t *index = (const int64_t *)(e->base[q->arg[2].place.base] + q->arg[2].place.offset * 8);

    if (step->kind == DYN__STEP_GATHER) {
        e->plan->table->gather(step->rows, step->cols, y, x, step->table, index);
    } else {
        memset(y, 0, (size_t)(step->size * e->plan->esize));
        e->plan->table->scatter_add(step->rows, step->cols, y, step->table, x, index);
    }
}
