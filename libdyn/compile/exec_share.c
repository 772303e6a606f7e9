/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Who does what: a task is one chunk of rows of some sets, or where columns are shared out a range of the strips of a
 * group. Which thread runs a task changes no bit. */
#include <stdio.h>
#include "compile/exec.h"

typedef struct task { const dyn_exec *e; const dyn__step *step; const dyn__instr *first, *end; } task;

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
static void go_to_tile(const dyn__step *step, int64_t k, int64_t first, dyn__piece *p)
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
    const int64_t chunk = number % step->chunks, first = number / step->chunks * step->block;
    const int64_t last = first + step->block < step->V ? first + step->block : step->V;
    const int64_t from = chunk * step->share, to = from + step->share < step->tiles ? from + step->share : step->tiles;
    dyn__piece p = {.chunk = chunk, .tile = t->e->scratch + worker * t->e->plan->scratch};

    for (int64_t set = first; t->first == step->instr && set < last; set++)
        clear_sums(t->e, step, set, chunk);
    for (int64_t k = from; k < to && !dyn__interrupted(t->e->ctx); k++) {
        go_to_tile(step, k, from, &p);
        for (p.set = first; p.set < last; p.set++)
            dyn__run_tile(t->e, step, t->first, t->end, &p);
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
static void combine_share(void *arg, int64_t number, int worker)
{
    const task *t = arg;
    const dyn__step *step = t->step;
    const int64_t begin = step->summed * number / step->adders, end = step->summed * (number + 1) / step->adders;

    (void)worker;
    for (int32_t i = 0; i < step->sums; i++) {
        const dyn__sum *a = &step->sum[i];
        const int64_t from = begin > a->start ? begin - a->start : 0;
        const int64_t to = end - a->start < a->size ? end - a->start : a->size;
        for (int64_t set = 0; !a->deferred && from < to && set < step->V; set++)
            combine(t->e, step, a, set, from, to - from);
    }
}

void dyn__share_out(const dyn_exec *e, int64_t tasks, int large, dyn__task_fn fn, void *t)
{
    if (tasks > 1 && e->plan->workers > 1 && large)
        dyn__parallel(e->ctx, tasks, fn, t);
    else
        for (int64_t i = 0; i < tasks; i++)
            fn(t, i, 0);
}

/* ---- columns shared out ---- */

/* A group of strips, for so many ranges of them and, where rows are apart, bands of the rows. */
typedef struct group {
    const dyn_exec *e;
    const dyn__step *step;
    const dyn__instr *first;
    int64_t ranges, bands;
} group;

static group group_of(const dyn_exec *e, const dyn__step *step, const dyn__instr *q)
{
    group g = {e, step, q, dyn__ranges(step, q), 1};

    if (q->rows_apart)
        g.bands = step->tiles < DYN__FEW_TASKS / g.ranges ? step->tiles : DYN__FEW_TASKS / g.ranges;
    return g;
}

/* A range of the strips of a group, each over its band of the rows before the next one. */
static void run_range(void *arg, int64_t number, int worker)
{
    const group *g = arg;
    const dyn__instr *q = g->first;
    const int64_t strips = dyn__strips(q), tiles = g->step->tiles, range = number / g->bands, rows = number % g->bands;
    const int64_t from = strips * range / g->ranges, to = strips * (range + 1) / g->ranges;
    dyn__piece p = {.chunk = range, .from = from * q->strip, .tile = g->e->scratch + worker * g->e->plan->scratch};

    for (int64_t strip = from; strip < to && !dyn__interrupted(g->e->ctx); strip++)
        for (int64_t k = tiles * rows / g->bands; k < tiles * (rows + 1) / g->bands; k++) {
            go_to_tile(g->step, k, 0, &p);
            dyn__run_strip(g->e, g->step, q, strip, p);
        }
}

/* The parts of the ranges, in their order. */
static void add_up_row_sums(const group *g)
{
    const dyn__instr *end = g->step->instr + g->first->end;
    const int64_t rows = g->step->R;

    for (const dyn__instr *q = g->first; q < end; q++)
        if (dyn__is_part_of_row_sum(q)) {
            dyn__arg sum[2] = {{dyn__address(g->e, &q->arg[3], &(dyn__piece){0}), 0, 1},
                               {dyn__address(g->e, &q->arg[0], &(dyn__piece){0}), rows, 1}};
            g->e->plan->table->tile[DYN__K_COL_SUM](g->ranges, rows, sum, 0);
        }
}

/* The instructions from q on that are in no group, tile by tile. Returns the first one behind them. */
static const dyn__instr *run_between(const dyn_exec *e, const dyn__step *step, const dyn__instr *q)
{
    const dyn__instr *last = step->instr + step->instrs, *end = q;
    dyn__piece p = {.tile = e->scratch};

    while (end < last && !end->strip)
        end++;
    for (int64_t k = 0; k < step->tiles; k++) {
        go_to_tile(step, k, 0, &p);
        for (const dyn__instr *i = q; i < end; i++)
            dyn__run_instr(e, i, &p);
    }
    return end;
}

static void run_across(const dyn_exec *e, const dyn__step *step)
{
    const dyn__instr *end = step->instr + step->instrs, *q = step->instr;

    clear_sums(e, step, 0, 0);
    while (q < end)
        if (q->strip) {
            group g = group_of(e, step, q);
            dyn__share_out(e, g.ranges * g.bands, 1, run_range, &g);
            add_up_row_sums(&g);
            q = step->instr + q->end;
        } else {
            q = run_between(e, step, q);
        }
}

/* ---- products that wait ---- */

typedef struct waiting { const dyn_exec *e; const dyn__step *step; const dyn__instr *first, *end; int64_t strips, tasks; } waiting;

/* Some strips of all of them in a row, each over all rows. */
static void run_deferred(void *arg, int64_t number, int worker)
{
    const waiting *w = arg;
    const int64_t from = w->strips * number / w->tasks, to = w->strips * (number + 1) / w->tasks;
    const dyn__piece p = {.rows = w->step->R, .variant = DYN__BEGINS,
                          .tile = w->e->scratch + worker * w->e->plan->scratch};
    int64_t at = 0;

    for (const dyn__instr *q = w->first; q < w->end && !dyn__interrupted(w->e->ctx); q = w->step->instr + q->end) {
        for (int64_t i = at < from ? from : at; i < to && i < at + dyn__strips(q); i++)
            dyn__run_strip(w->e, w->step, q, i - at, p);
        at += dyn__strips(q);
    }
}

static void share_deferred(const dyn_exec *e, const dyn__step *step, const dyn__instr *q, const dyn__instr *end)
{
    waiting w = {e, step, q, end, 0, 0};

    for (; q < end; q = step->instr + q->end)
        w.strips += dyn__strips(q);
    w.tasks = w.strips < DYN__FEW_TASKS / 4 ? w.strips : DYN__FEW_TASKS / 4;
    dyn__share_out(e, w.tasks, 1, run_deferred, &w);
}

/* Chunks and products that wait for them, in turn. */
static void run_in_turn(const dyn_exec *e, const dyn__step *step, int64_t tasks)
{
    const dyn__instr *q = step->instr, *last = q + step->instrs, *end;

    for (; q < last; q = end) {
        for (end = q; end < last && end->deferred == q->deferred;)
            end++;
        if (q->deferred)
            share_deferred(e, step, q, end);
        else
            dyn__share_out(e, tasks, 1, run_chunk, &(task){e, step, q, end});
    }
}

static void run_chunks(const dyn_exec *e, const dyn__step *step)
{
    const int64_t tasks = (step->V + step->block - 1) / step->block * step->chunks;
    task t = {e, step, step->instr, step->instr + step->instrs};

    if (step->deferred)
        run_in_turn(e, step, tasks);
    else
        dyn__share_out(e, tasks, step->work > 15e3, run_chunk, &t);
    if (step->chunks > 1)
        dyn__share_out(e, step->adders, 1, combine_share, &t);
}

static void run(const dyn_exec *e, const dyn__step *step)
{
    if (step->ranges)
        run_across(e, step);
    else
        run_chunks(e, step);
}

static int print(const dyn__step *step, char *text, size_t size)
{
    return snprintf(text, size, ", %lld x %lld rows, tiles of %lld, %lld chunks, %lld bytes, %.3g us",
                    (long long)step->V, (long long)step->R, (long long)step->tile, (long long)step->chunks,
                    (long long)step->scratch, step->work * 1e-3);
}

const dyn__step_kind dyn__step_tiles = {.name = "tiles", .run = run, .print = print};
