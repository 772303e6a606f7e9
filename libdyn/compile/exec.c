/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The executor: base pointers, then step after step. A task is one chunk of rows of one set; it walks its tiles and
 * runs the cluster's kernels on each. Nothing is allocated here, and which thread runs a task changes no bit. */
#include <string.h>
#include "compile/compile.h"

struct dyn_exec {
    dyn_plan *plan;
    dyn_ctx *ctx;
    char *arena;
    char *scratch;              /* workers x plan->scratch */
    char **base;                /* by enum dyn__base */
};

typedef struct task { const dyn_exec *e; const dyn__step *step; } task;

/* What an instruction works on: some rows of a set, some columns; variant: which of its matrix products this is. */
typedef struct part { int64_t set, chunk, row, rows, column, columns; int32_t variant; char *tile; } part;

/* ---- one kernel on one tile ---- */

static inline char *address(const dyn_exec *e, const dyn__operand_ref *r, const part *p)
{
    char *base = r->place.base == DYN__BASE_TILE ? p->tile : e->base[r->place.base];
    return base + (r->place.offset + p->set * r->set + p->chunk * r->chunk + p->row * r->row + p->column * r->column)
        * e->plan->esize;
}

/* All but the last two dimensions, one call each. */
static void run_loops(const dyn__instr *q, char **p, int64_t first, int esize)
{
    int64_t index[DYN__MAX_DIM] = {0};
    const int loops = q->ndim - 2;
    dyn__arg arg[DYN__MAX_ARGS];

    for (;;) {
        for (int a = 0; a < q->nargs; a++) {
            int64_t at = 0;
            for (int d = 0; d < loops; d++)
                at += index[d] * q->arg[a].stride[d];
            arg[a] = (dyn__arg){p[a] + at * esize, q->arg[a].stride[loops], q->arg[a].stride[loops + 1]};
        }
        q->fn(q->dim[loops], q->dim[loops + 1], arg, q->c);
        int d = loops - 1;
        while (d >= 0 && ++index[d] == (d ? q->dim[d] : first))
            index[d--] = 0;
        if (d < 0)
            return;
    }
}

static void run_kernel(const dyn__instr *q, char **p, int64_t first, int64_t columns, double c, int esize)
{
    dyn__arg arg[DYN__MAX_ARGS];

    if (q->ndim > 2) {
        run_loops(q, p, first, esize);
        return;
    }
    for (int a = 0; a < q->nargs; a++)
        arg[a] = q->ndim == 1 ? (dyn__arg){p[a], 0, q->arg[a].stride[0]}
                              : (dyn__arg){p[a], q->arg[a].stride[0], q->arg[a].stride[1]};
    if (q->ndim == 1)
        q->fn(1, first, arg, q->c);
    else
        q->fn(first, columns, arg, c);
}

/* One product per row of the tile and per leading axis. */
static void run_row_products(const dyn__instr *q, char **p, int64_t rows, int esize)
{
    int64_t index[DYN__MAX_DIM] = {0};

    for (;;) {
        int64_t at[3] = {0, 0, 0};
        for (int d = 0; d < q->ndim; d++)
            for (int a = 0; a < 3; a++)
                at[a] += index[d] * q->arg[a].stride[d];
        dyn__gemm_run(q->gemm, p[1] + at[1] * esize, p[2] + at[2] * esize, p[0] + at[0] * esize);
        int d = q->ndim - 1;
        while (d >= 0 && ++index[d] == (d ? q->dim[d] : rows))
            index[d--] = 0;
        if (d < 0)
            return;
    }
}

/* From the second strip on it adds to what it has. */
static int sums_rows(const dyn__instr *q) { return q->kernel == DYN__K_ROW_SUM || q->kernel == DYN__K_ROW_DOT; }

static void run_instr(const dyn_exec *e, const dyn__instr *q, const part *at)
{
    char *p[DYN__MAX_ARGS];

    for (int a = 0; a < q->nargs; a++)
        p[a] = address(e, &q->arg[a], at);
    if (q->kernel < 0) {
        if (q->per_row)
            run_row_products(q, p, at->rows, e->plan->esize);
        else
            dyn__gemm_run(&q->gemm[at->variant], p[1], p[2], p[0]);
        return;
    }
    if (q->zero)
        memset(p[0], 0, (size_t)(at->rows * q->row_size * e->plan->esize));
    if (q->strip)
        run_kernel(q, p, at->rows, at->columns, sums_rows(q) ? at->column > 0 : q->c, e->plan->esize);
    else
        run_kernel(q, p, at->rows * q->multiple, q->dim[1], q->c, e->plan->esize);
}

/* The instructions up to q->end, strip by strip. */
static void run_strips(const dyn_exec *e, const dyn__step *step, const dyn__instr *q, part p)
{
    const dyn__instr *end = step->instr + q->end;

    for (p.column = 0; p.column < q->columns; p.column += q->strip) {
        p.columns = q->columns - p.column < q->strip ? q->columns - p.column : q->strip;
        if (p.column + q->strip >= q->columns)
            p.variant |= 2;
        for (const dyn__instr *i = q; i < end; i++)
            run_instr(e, i, &p);
    }
}

static void run_tile(const dyn_exec *e, const dyn__step *step, const part *p)
{
    const dyn__instr *end = step->instr + step->instrs;

    for (const dyn__instr *q = step->instr; q < end; q = step->instr + q->end)
        if (q->strip)
            run_strips(e, step, q, *p);
        else
            run_instr(e, q, p);
}

/* ---- one chunk ---- */

static void clear_sums(const dyn_exec *e, const dyn__step *step, int64_t set, int64_t chunk)
{
    const int64_t esize = e->plan->esize;

    for (int32_t i = 0; i < step->sums; i++) {
        const dyn__sum *a = &step->sum[i];
        int64_t at = a->place.offset + (set * step->chunks + chunk) * a->size;
        memset(e->base[a->place.base] + at * esize, 0, (size_t)(a->size * esize));
    }
}

/* Tile by tile, and on each tile set by set: what the sets have in common is then read from the first caches. */
static void run_chunk(void *arg, int64_t number, int worker)
{
    const task *t = arg;
    const dyn__step *step = t->step;
    const int64_t chunk = number % step->chunks, first = number / step->chunks * step->group;
    const int64_t last = first + step->group < step->V ? first + step->group : step->V;
    const int64_t from = chunk * step->share, to = from + step->share < step->tiles ? from + step->share : step->tiles;
    part p = {.chunk = chunk, .tile = t->e->scratch + worker * t->e->plan->scratch};

    for (int64_t set = first; set < last; set++)
        clear_sums(t->e, step, set, chunk);
    for (int64_t k = from; k < to; k++) {
        p.row = k * step->tile;
        p.rows = step->R - p.row < step->tile ? step->R - p.row : step->tile;
        p.variant = p.rows < step->tile;
        for (p.set = first; p.set < last; p.set++)
            run_tile(t->e, step, &p);
    }
}

/* Chunk sums are added in the order of the chunks. A task does its part of every sum; where parts end depends on
 * sizes only. */
static void combine_part(void *arg, int64_t number, int worker)
{
    const task *t = arg;
    const dyn__step *step = t->step;
    const int64_t esize = t->e->plan->esize;

    (void)worker;
    for (int32_t i = 0; i < step->sums; i++) {
        const dyn__sum *a = &step->sum[i];
        const int64_t from = a->size * number / step->parts, size = a->size * (number + 1) / step->parts - from;
        for (int64_t set = 0; size > 0 && set < step->V; set++) {
            char *to = t->e->base[a->result.base] + (a->result.offset + set * a->size + from) * esize;
            char *sums = t->e->base[a->place.base] + (a->place.offset + set * step->chunks * a->size + from) * esize;
            dyn__arg sum[2] = {{to, 0, 1}, {sums, a->size, 1}};
            memset(to, 0, (size_t)(size * esize));
            t->e->plan->table->tile[DYN__K_COL_SUM](step->chunks, size, sum, 0);
        }
    }
}

static void spread(const dyn_exec *e, int64_t tasks, int large, dyn__task_fn fn, task *t)
{
    if (tasks > 1 && e->plan->workers > 1 && large)
        dyn__parallel(e->ctx, tasks, fn, t);
    else
        for (int64_t i = 0; i < tasks; i++)
            fn(t, i, 0);
}

static void run_tiles(const dyn_exec *e, const dyn__step *step)
{
    const int64_t tasks = (step->V + step->group - 1) / step->group * step->chunks;
    task t = {e, step};

    spread(e, tasks, step->work > 15e3, run_chunk, &t);
    if (step->chunks > 1)
        spread(e, step->parts, 1, combine_part, &t);
}

/* ---- moves ---- */

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

static void run_copy(const dyn_exec *e, const dyn__instr *q)
{
    int64_t index[DYN__MAX_DIM] = {0};
    const int last = q->ndim - 1, plane = q->arg[1].stride[last] > 1 ? contiguous_dim(q) : last - 1;
    char *y = address(e, &q->arg[0], &(part){0}), *x = address(e, &q->arg[1], &(part){0});

    for (;;) {
        int64_t at[2] = {0, 0};
        for (int d = 0; d < last; d++) {
            at[0] += index[d] * q->arg[0].stride[d];
            at[1] += index[d] * q->arg[1].stride[d];
        }
        copy_plane(e, q, plane, y + at[0] * e->plan->esize, x + at[1] * e->plan->esize);
        int d = last - 1;
        while (d >= 0 && (d == plane || ++index[d] == q->dim[d])) {
            if (d != plane)
                index[d] = 0;
            d--;
        }
        if (d < 0)
            return;
    }
}

static void run_copies(const dyn_exec *e, const dyn__step *step)
{
    if (step->fill) {
        char *y = e->base[step->instr[0].arg[0].place.base]
                + (step->instr[0].arg[0].place.offset - step->instr[0].arg[0].offset) * e->plan->esize;
        memset(y, 0, (size_t)(step->size * e->plan->esize));
    }
    for (int32_t i = 0; i < step->instrs; i++)
        run_copy(e, &step->instr[i]);
}

static void run_indexed(const dyn_exec *e, const dyn__step *step)
{
    const dyn__instr *q = &step->instr[0];
    char *y = address(e, &q->arg[0], &(part){0}), *x = address(e, &q->arg[1], &(part){0});
    const int64_t *index = (const int64_t *)(e->base[q->arg[2].place.base] + q->arg[2].place.offset * 8);

    if (step->kind == DYN__STEP_GATHER) {
        e->plan->table->gather(step->rows, step->cols, y, x, step->table, index);
    } else {
        memset(y, 0, (size_t)(step->size * e->plan->esize));
        e->plan->table->scatter_add(step->rows, step->cols, y, step->table, x, index);
    }
}

void dyn__exec_go(dyn_exec *e)
{
    for (int32_t s = 0; s < e->plan->steps; s++)
        switch (e->plan->step[s].kind) {
        case DYN__STEP_TILES: run_tiles(e, &e->plan->step[s]); break;
        case DYN__STEP_COPY: run_copies(e, &e->plan->step[s]); break;
        default: run_indexed(e, &e->plan->step[s]);
        }
}

/* ---- public ---- */

enum { SLACK = 64 };            /* bytes behind arena and tiles */

static size_t slots(const dyn_plan *p) { return (size_t)(DYN__BASE_BOUND + p->inputs + p->outputs); }

int64_t dyn_plan_bytes(const dyn_plan *p)
{
    return p ? (int64_t)(sizeof(dyn_exec) + slots(p) * sizeof(char *)) + p->arena + p->workers * p->scratch
        + 2 * SLACK : 0;
}

dyn_status dyn_exec_create(dyn_plan *p, dyn_exec **out)
{
    dyn_exec *e;

    if (out)
        *out = NULL;
    if (!p)
        return DYN_EINVAL;
    DYN__ENTER(p->ctx);
    DYN__NEED(p->ctx, out);
    e = dyn__alloc(p->ctx, 1, sizeof *e);
    if (!e)
        return DYN_ENOMEM;
    e->ctx = p->ctx;
    e->plan = dyn_plan_ref(p);
    e->base = dyn__alloc(p->ctx, slots(p), sizeof *e->base);
    e->arena = dyn__alloc(p->ctx, (size_t)p->arena + SLACK, 1);
    e->scratch = dyn__alloc(p->ctx, (size_t)(p->workers * p->scratch) + SLACK, 1);
    if (!e->base || !e->arena || !e->scratch) {
        dyn_exec_free(e);
        return DYN_ENOMEM;
    }
    e->base[DYN__BASE_ARENA] = e->arena;
    e->base[DYN__BASE_CONSTANT] = p->constant;
    *out = e;
    return DYN_OK;
}

void dyn_exec_free(dyn_exec *e)
{
    if (!e)
        return;
    dyn__free(e->ctx, e->scratch);
    dyn__free(e->ctx, e->arena);
    dyn__free(e->ctx, e->base);
    dyn_plan *p = e->plan;
    dyn__free(e->ctx, e);
    dyn_plan_unref(p);
}

const dyn_plan *dyn__exec_plan(const dyn_exec *e) { return e->plan; }

void dyn__exec_set_input(dyn_exec *e, int32_t i, const void *data)
{
    if (i >= 0)
        memcpy(&e->base[DYN__BASE_BOUND + i], &data, sizeof data);  /* inputs are never written */
}

void dyn__exec_set_output(dyn_exec *e, int32_t i, void *data) { e->base[DYN__BASE_BOUND + e->plan->inputs + i] = data; }

dyn_status dyn_exec_bind(dyn_exec *e, const char *name, const void *data)
{
    if (!e)
        return DYN_EINVAL;
    DYN__ENTER(e->ctx);
    DYN__NEED(e->ctx, name);
    DYN__NEED(e->ctx, data);
    for (int32_t i = 0; i < e->plan->inputs; i++)
        if (!strcmp(e->plan->input[i].name, name)) {
            dyn__exec_set_input(e, i, data);
            return DYN_OK;
        }
    return DYN__FAIL(e->ctx, DYN_EINVAL, "the plan reads no input \"%s\"", name);
}

dyn_status dyn_exec_bind_output(dyn_exec *e, int32_t i, void *data)
{
    if (!e)
        return DYN_EINVAL;
    DYN__ENTER(e->ctx);
    if (i < 0 || i >= e->plan->outputs || !data)
        return DYN__FAIL(e->ctx, DYN_EINVAL, "output %d of %d, data %s", (int)i, (int)e->plan->outputs,
                         data ? "given" : "NULL");
    dyn__exec_set_output(e, i, data);
    return DYN_OK;
}

dyn_status dyn_exec_run(dyn_exec *e)
{
    if (!e)
        return DYN_EINVAL;
    DYN__ENTER(e->ctx);
    for (int32_t i = 0; i < e->plan->inputs + e->plan->outputs; i++)
        if (!e->base[DYN__BASE_BOUND + i])
            return i < e->plan->inputs ? DYN__FAIL(e->ctx, DYN_ESTATE, "input %s is not bound", e->plan->input[i].name)
                                       : DYN__FAIL(e->ctx, DYN_ESTATE, "output %d of %d is not bound",
                                                   (int)(i - e->plan->inputs), (int)e->plan->outputs);
    dyn__exec_go(e);
    return DYN_OK;
}
