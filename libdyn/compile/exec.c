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

/* What an instruction works on: some rows of a set, some columns of those that follow column `from`; variant: of its
 * matrix products, DYN__BEGINS only where the instruction begins a sum. */
typedef struct part { int64_t set, chunk, row, rows, from, column, columns; int32_t variant; char *tile; } part;

/* ---- one kernel on one tile ---- */

static inline char *address(const dyn_exec *e, const dyn__operand_ref *r, const part *p)
{
    char *base = r->place.base == DYN__BASE_TILE ? p->tile : e->base[r->place.base];
    return base + (r->place.offset + p->set * r->set + p->chunk * r->chunk + p->row * r->row + p->column * r->column)
        * e->plan->esize;
}

/* Sizes of the dimensions, with another one in place of dimension d. */
typedef struct sizes { int64_t of[DYN__MAX_DIM]; } sizes;

static sizes sizes_with(const dyn__instr *q, int d, int64_t size)
{
    sizes s;

    memcpy(s.of, q->dim, sizeof s.of);
    s.of[d] = size;
    return s;
}

/* The next index of the first `dims` dimensions; 0 after the last. */
static int next(const sizes *s, int64_t *index, int dims)
{
    int d = dims - 1;

    while (d >= 0 && ++index[d] == s->of[d])
        index[d--] = 0;
    return d >= 0;
}

/* Element of argument a at this index. */
static char *element(const dyn__instr *q, int a, char *p, const int64_t *index, int dims, int esize)
{
    int64_t at = 0;

    for (int d = 0; d < dims; d++)
        at += index[d] * q->arg[a].stride[d];
    return p + at * esize;
}

/* All but the last two dimensions, one call each. */
static void run_loops(const dyn__instr *q, const dyn__arg *given, int64_t first, double scalar, int esize)
{
    const sizes size = sizes_with(q, 0, first);
    int64_t index[DYN__MAX_DIM] = {0};
    const int loops = q->ndim - 2;
    dyn__arg arg[DYN__MAX_ARGS];

    do {
        for (int a = 0; a < q->nargs; a++)
            arg[a] = (dyn__arg){element(q, a, given[a].p, index, loops, esize), q->arg[a].stride[loops],
                                q->arg[a].stride[loops + 1]};
        q->fn(q->dim[loops], q->dim[loops + 1], arg, scalar);
    } while (next(&size, index, loops));
}

/* One product per row of the tile and per leading axis. */
static void run_row_products(const dyn__instr *q, char *const *p, int64_t rows, int esize)
{
    const sizes size = sizes_with(q, 0, rows);
    int64_t index[DYN__MAX_DIM] = {0};

    do {
        dyn__gemm_run(q->gemm, element(q, 1, p[1], index, q->ndim, esize), element(q, 2, p[2], index, q->ndim, esize),
                      element(q, 0, p[0], index, q->ndim, esize));
    } while (next(&size, index, q->ndim));
}

static void run_product(const dyn_exec *e, const dyn__instr *q, const part *at)
{
    char *const p[3] = {address(e, &q->arg[0], at), address(e, &q->arg[1], at), address(e, &q->arg[2], at)};

    if (q->per_row)
        run_row_products(q, p, at->rows, e->plan->esize);
    else
        dyn__gemm_run(&q->gemm[at->variant & (q->begins ? ~0 : ~DYN__BEGINS)], p[1], p[2], p[0]);
}

/* The scalar of a kernel. Sums add to what is there, but where they begin; those of a row begin on the first strip. */
static double scalar_of(const dyn__instr *q, const part *at)
{
    const int adds = !(at->variant & DYN__BEGINS && q->begins);

    if (dyn__is_summed(q->kernel))
        return q->c + (adds ? DYN__SUMS_ADD : 0);
    if (q->kernel < DYN__K_ROW_SUM)
        return q->c;
    return dyn__is_row_sum(q->kernel) ? at->column > at->from : adds;
}

static void run_kernel(const dyn_exec *e, const dyn__instr *q, const part *at)
{
    const int row = q->ndim > 1;        /* one dimension: a single row */
    const int64_t first = at->rows * q->multiple;
    dyn__arg arg[DYN__MAX_ARGS];

    for (int a = 0; a < q->nargs; a++)
        arg[a] = (dyn__arg){address(e, &q->arg[a], at), row ? q->arg[a].stride[0] : 0, q->arg[a].stride[row]};
    if (q->zero)
        memset(arg[0].p, 0, (size_t)(at->rows * q->row_size * e->plan->esize));
    if (q->ndim > 2)
        run_loops(q, arg, first, scalar_of(q, at), e->plan->esize);
    else
        q->fn(row ? first : 1, !row ? first : q->strip ? at->columns : q->dim[1], arg, scalar_of(q, at));
}

static void run_instr(const dyn_exec *e, const dyn__instr *q, const part *at)
{
    if (q->kernel < 0)
        run_product(e, q, at);
    else
        run_kernel(e, q, at);
}

/* The instructions up to q->end on one strip. */
static void run_strip(const dyn_exec *e, const dyn__step *step, const dyn__instr *q, int64_t strip, part p)
{
    const dyn__instr *end = step->instr + q->end;

    p.column = strip * q->strip;
    p.columns = q->columns - p.column < q->strip ? q->columns - p.column : q->strip;
    if (p.column + q->strip >= q->columns)
        p.variant |= DYN__LAST_STRIP;
    for (const dyn__instr *i = q; i < end; i++)
        run_instr(e, i, &p);
}

static void run_strips(const dyn_exec *e, const dyn__step *step, const dyn__instr *q, const part *p)
{
    for (int64_t strip = 0; strip < dyn__strips(q); strip++)
        run_strip(e, step, q, strip, *p);
}

static void run_tile(const dyn_exec *e, const dyn__step *step, const part *p)
{
    const dyn__instr *end = step->instr + step->instrs;

    for (const dyn__instr *q = step->instr; q < end; q = step->instr + q->end)
        if (q->strip)
            run_strips(e, step, q, p);
        else
            run_instr(e, q, p);
}

/* ---- one chunk ---- */

/* The sums that no instruction begins. */
static void clear_sums(const dyn_exec *e, const dyn__step *step, int64_t set, int64_t chunk)
{
    const int64_t esize = e->plan->esize;

    for (int32_t i = 0; i < step->sums; i++) {
        const dyn__sum *a = &step->sum[i];
        int64_t at = a->place.offset + (set * step->chunks + chunk) * a->size;
        if (a->clear)
            memset(e->base[a->place.base] + at * esize, 0, (size_t)(a->size * esize));
    }
}

/* Tile k of those from tile `first` on. */
static void go_to_tile(const dyn__step *step, int64_t k, int64_t first, part *p)
{
    p->row = k * step->tile;
    p->rows = step->R - p->row < step->tile ? step->R - p->row : step->tile;
    p->variant = (p->rows < step->tile ? DYN__LAST_TILE : 0) | (k == first ? DYN__BEGINS : 0);
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
        go_to_tile(step, k, from, &p);
        for (p.set = first; p.set < last; p.set++)
            run_tile(t->e, step, &p);
    }
}

/* `size` elements of a sum from element `from` on: the sums of the chunks in their order. */
static void combine(const dyn_exec *e, const dyn__step *step, const dyn__sum *a, int64_t set, int64_t from,
                    int64_t size)
{
    const int64_t esize = e->plan->esize;
    dyn__arg sum[2] = {
        {e->base[a->result.base] + (a->result.offset + set * a->size + from) * esize, 0, 1},
        {e->base[a->place.base] + (a->place.offset + set * step->chunks * a->size + from) * esize, a->size, 1}};

    e->plan->table->tile[DYN__K_COL_SUM](step->chunks, size, sum, 0);
}

/* A task does a range of the elements of all sums, in the order of their results; where it ends depends on sizes
 * only. */
static void combine_part(void *arg, int64_t number, int worker)
{
    const task *t = arg;
    const dyn__step *step = t->step;
    const int64_t begin = step->summed * number / step->parts, end = step->summed * (number + 1) / step->parts;

    (void)worker;
    for (int32_t i = 0; i < step->sums; i++) {
        const dyn__sum *a = &step->sum[i];
        const int64_t from = begin > a->start ? begin - a->start : 0;
        const int64_t to = end - a->start < a->size ? end - a->start : a->size;
        for (int64_t set = 0; from < to && set < step->V; set++)
            combine(t->e, step, a, set, from, to - from);
    }
}

static void spread(const dyn_exec *e, int64_t tasks, int large, dyn__task_fn fn, void *t)
{
    if (tasks > 1 && e->plan->workers > 1 && large)
        dyn__parallel(e->ctx, tasks, fn, t);
    else
        for (int64_t i = 0; i < tasks; i++)
            fn(t, i, 0);
}

/* ---- columns shared out ---- */

typedef struct group { const dyn_exec *e; const dyn__step *step; const dyn__instr *first; int64_t ranges; } group;

/* A range of the strips of a group, each over all rows before the next one. */
static void run_range(void *arg, int64_t number, int worker)
{
    const group *g = arg;
    const dyn__instr *q = g->first;
    const int64_t strips = dyn__strips(q), from = strips * number / g->ranges, to = strips * (number + 1) / g->ranges;
    part p = {.chunk = number, .from = from * q->strip, .tile = g->e->scratch + worker * g->e->plan->scratch};

    for (int64_t strip = from; strip < to; strip++)
        for (int64_t k = 0; k < g->step->tiles; k++) {
            go_to_tile(g->step, k, 0, &p);
            run_strip(g->e, g->step, q, strip, p);
        }
}

/* The parts of the ranges, in their order. */
static void add_up_row_sums(const group *g)
{
    const dyn__instr *end = g->step->instr + g->first->end;
    const int64_t rows = g->step->R;

    for (const dyn__instr *q = g->first; q < end; q++)
        if (dyn__is_part_of_row_sum(q)) {
            dyn__arg sum[2] = {{address(g->e, &q->arg[3], &(part){0}), 0, 1},
                               {address(g->e, &q->arg[0], &(part){0}), rows, 1}};
            g->e->plan->table->tile[DYN__K_COL_SUM](g->ranges, rows, sum, 0);
        }
}

/* The instructions from q on that are in no group, tile by tile. Returns the first one behind them. */
static const dyn__instr *run_between(const dyn_exec *e, const dyn__step *step, const dyn__instr *q)
{
    const dyn__instr *last = step->instr + step->instrs, *end = q;
    part p = {.tile = e->scratch};

    while (end < last && !end->strip)
        end++;
    for (int64_t k = 0; k < step->tiles; k++) {
        go_to_tile(step, k, 0, &p);
        for (const dyn__instr *i = q; i < end; i++)
            run_instr(e, i, &p);
    }
    return end;
}

static void run_across(const dyn_exec *e, const dyn__step *step)
{
    const dyn__instr *end = step->instr + step->instrs, *q = step->instr;

    clear_sums(e, step, 0, 0);
    while (q < end)
        if (q->strip) {
            group g = {e, step, q, dyn__ranges(step, q)};
            spread(e, g.ranges, 1, run_range, &g);
            add_up_row_sums(&g);
            q = step->instr + q->end;
        } else {
            q = run_between(e, step, q);
        }
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

/* Plane by plane. */
static void run_copy(const dyn_exec *e, const dyn__instr *q)
{
    const int last = q->ndim - 1, plane = q->arg[1].stride[last] > 1 ? contiguous_dim(q) : last - 1;
    const sizes size = sizes_with(q, plane >= 0 ? plane : last, 1);     /* the last one takes no step */
    char *y = address(e, &q->arg[0], &(part){0}), *x = address(e, &q->arg[1], &(part){0});
    int64_t index[DYN__MAX_DIM] = {0};

    do
        copy_plane(e, q, plane, element(q, 0, y, index, last, e->plan->esize),
                   element(q, 1, x, index, last, e->plan->esize));
    while (next(&size, index, last));
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
        case DYN__STEP_TILES: (e->plan->step[s].ranges ? run_across : run_tiles)(e, &e->plan->step[s]); break;
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
