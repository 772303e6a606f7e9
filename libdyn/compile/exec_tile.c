/* SPDX-License-Identifier: BSD-3-Clause
 *
 * One tile: the cluster's kernels one after the other, in groups of strips where the plan says so. Nothing is allocated
 * here. */
#include "compile/exec.h"

/* All but the last two dimensions, one call each. */
static void run_loops(const dyn__instr *q, const dyn__arg *given, int64_t first, double scalar, int esize)
{
    const dyn__sizes size = dyn__sizes_with(q, 0, first);
    int64_t index[DYN__MAX_DIM] = {0};
    const int loops = q->ndim - 2;
    dyn__arg arg[DYN__MAX_ARGS];

    do {
        for (int a = 0; a < q->nargs; a++)
            arg[a] = (dyn__arg){dyn__element(q, a, given[a].p, index, loops, esize), q->arg[a].stride[loops],
                                q->arg[a].stride[loops + 1]};
        q->fn(q->dim[loops], q->dim[loops + 1], arg, scalar);
    } while (dyn__next(&size, index, loops));
}

/* One product per row of the tile and per leading axis. */
static void run_row_products(const dyn__instr *q, char *const *p, int64_t rows, int esize)
{
    const dyn__sizes size = dyn__sizes_with(q, 0, rows);
    int64_t index[DYN__MAX_DIM] = {0};

    do {
        dyn__gemm_run(q->gemm, dyn__element(q, 1, p[1], index, q->ndim, esize),
                      dyn__element(q, 2, p[2], index, q->ndim, esize),
                      dyn__element(q, 0, p[0], index, q->ndim, esize));
    } while (dyn__next(&size, index, q->ndim));
}

static void run_product(const dyn_exec *e, const dyn__instr *q, const dyn__piece *at)
{
    char *const p[3] = {dyn__address(e, &q->arg[0], at), dyn__address(e, &q->arg[1], at),
                        dyn__address(e, &q->arg[2], at)};

    if (q->per_row)
        run_row_products(q, p, at->rows, e->plan->esize);
    else
        dyn__gemm_run(&q->gemm[at->variant & (q->begins ? ~0 : ~DYN__BEGINS)], p[1], p[2], p[0]);
}

/* The scalar of a kernel. Sums add to what is there, but where they begin; those of a row begin on the first strip. */
static double scalar_of(const dyn__instr *q, const dyn__piece *at)
{
    const int adds = !(at->variant & DYN__BEGINS && q->begins);

    if (dyn__is_summed(q->kernel))
        return q->flags | (adds ? DYN__SUMS_ADD : 0);
    if (q->kernel < DYN__K_ROW_SUM)
        return q->c;
    return dyn__is_row_sum(q->kernel) ? at->column > at->from : adds;
}

static void run_kernel(const dyn_exec *e, const dyn__instr *q, const dyn__piece *at)
{
    const int row = q->ndim > 1;        /* one dimension: a single row */
    const int64_t first = at->rows * q->multiple;
    dyn__arg arg[DYN__MAX_ARGS];

    for (int a = 0; a < q->nargs; a++)
        arg[a] = (dyn__arg){dyn__address(e, &q->arg[a], at), row ? q->arg[a].stride[0] : 0, q->arg[a].stride[row]};
    if (q->zero)
        memset(arg[0].p - q->arg[0].offset * e->plan->esize, 0, (size_t)(at->rows * q->row_size * e->plan->esize));
    if (q->ndim > 2)
        run_loops(q, arg, first, scalar_of(q, at), e->plan->esize);
    else
        q->fn(row ? first : 1, !row ? first : q->strip ? at->columns : q->dim[1], arg, scalar_of(q, at));
}

void dyn__run_instr(const dyn_exec *e, const dyn__instr *q, const dyn__piece *at)
{
    if (q->kernel < 0)
        run_product(e, q, at);
    else if (q->run)
        q->run(e, q, at);
    else
        run_kernel(e, q, at);
}

/* The instructions up to q->end on one strip. */
void dyn__run_strip(const dyn_exec *e, const dyn__step *step, const dyn__instr *q, int64_t strip, dyn__piece p)
{
    const dyn__instr *end = step->instr + q->end;

    p.column = strip * q->strip;
    p.columns = q->columns - p.column < q->strip ? q->columns - p.column : q->strip;
    if (p.column + q->strip >= q->columns)
        p.variant |= DYN__LAST_STRIP;
    for (const dyn__instr *i = q; i < end; i++)
        dyn__run_instr(e, i, &p);
}

static void run_strips(const dyn_exec *e, const dyn__step *step, const dyn__instr *q, const dyn__piece *p)
{
    for (int64_t strip = 0; strip < dyn__strips(q); strip++)
        dyn__run_strip(e, step, q, strip, *p);
}

void dyn__run_tile(const dyn_exec *e, const dyn__step *step, const dyn__instr *q, const dyn__instr *end,
                   const dyn__piece *p)
{
    for (; q < end; q = step->instr + q->end)
        if (q->strip)
            run_strips(e, step, q, p);
        else
            dyn__run_instr(e, q, p);
}
