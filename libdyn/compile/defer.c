/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Products that wait. Where rows are few against the weights, as in a mini-batch, sums of gradients for every chunk cost
 * more than chunks bring, and layers may be too narrow for ranges of columns (across.c). The rows are a few chunks all
 * the same, but for the products x^T y that make gradients of weights: these wait behind the chunks. Each then goes
 * over all rows at once into its only place, and strips of them all are one row of tasks. What they read lies in
 * memory, all rows of it; where that would leave the cache, they are done in several goes. */
#include <math.h>
#include <string.h>
#include "compile/compile.h"

/* Rows of a chunk where there are more than two, and of the smaller of two. */
enum { CHUNK_ROWS = 32, LEAST_ROWS = 16 };

int64_t dyn__chunks_of_few(int64_t rows, double work)
{
    const int64_t most = rows >= 2 * CHUNK_ROWS ? rows / CHUNK_ROWS : rows >= 2 * LEAST_ROWS ? 2 : 1;
    const int64_t worthwhile = dyn__worthwhile_ranges(work);

    return dyn__power_of_two((double)(worthwhile < most ? worthwhile : most));
}

/* ---- which ---- */

static int is_product(const dyn__compiler *k, const dyn__instr *q)
{
    return q->kernel < 0 && k->node[q->node].role == DYN__TERM && !q->per_row && !q->strip;
}

/* A sum to which anything but such products adds is one of the chunks. */
static void find_deferred(dyn__compiler *k, const dyn__step *step)
{
    for (int32_t i = 0; i < step->instrs; i++)
        for (int a = 0; a < step->instr[i].nargs; a++)
            k->of_node[step->instr[i].arg[a].node].where = 0;
    for (int32_t i = 0; i < step->instrs; i++)
        for (int a = 0; a < step->instr[i].nargs; a++)
            if (dyn__is_result(&step->instr[i], a) && !is_product(k, &step->instr[i]))
                k->of_node[step->instr[i].arg[a].node].where = 1;
    for (int32_t i = 0; i < step->instrs; i++) {
        dyn__instr *q = &step->instr[i];
        q->deferred = is_product(k, q) && !k->of_node[q->arg[0].node].where;
    }
}

/* Work of the chunks, and whether there is any of products that wait. */
static double work_of_chunks(const dyn__compiler *k, const dyn__step *step, int *waiting)
{
    double work = 0;

    *waiting = 0;
    for (int32_t i = 0; i < step->instrs; i++)
        if (step->instr[i].deferred)
            *waiting = 1;
        else
            work += dyn__row_cost(k, &step->instr[i]) * (double)k->node[step->node].R;
    return work;
}

/* ---- what is kept ---- */

/* What a product that waits reads, and what is read behind one but made before. */
static void find_kept(dyn__compiler *k, int32_t s)
{
    const dyn__step *step = &k->plan->step[s];
    int32_t part = 1;

    for (int32_t i = 0; i < step->instrs; i++)
        for (int a = 0; a < step->instr[i].nargs; a++)
            k->of_node[step->instr[i].arg[a].node].maker = 0;
    for (int32_t i = 0; i < step->instrs; i++) {
        const dyn__instr *q = &step->instr[i];
        part += i > 0 && q[-1].deferred && !q->deferred;
        for (int a = q->nargs - 1; a >= 0; a--) {       /* the result last */
            int32_t *maker = &k->of_node[q->arg[a].node].maker;
            if (*maker && dyn__in_tile(k, s, q->arg[a].node))
                k->node[q->arg[a].node].kept |= q->deferred || *maker != part;
            if (a == 0)
                *maker = part;
        }
    }
}

/* ---- order ---- */

typedef struct queue {
    dyn__compiler *k;
    dyn__step *step;
    int32_t s, done, waiting;       /* instructions in their new order, and those that wait for theirs */
    dyn__instr *wait;
    int64_t bytes;                  /* of results in tiles that are kept for them */
} queue;

/* Products of one sum follow each other, in the order in which they came, and go strip by strip together. */
static int32_t take_sum(queue *w, dyn_node sum)
{
    const int32_t begin = w->done;

    for (int32_t i = 0; i < w->waiting; i++)
        if (w->wait[i].deferred && w->wait[i].arg[0].node == sum) {
            w->step->instr[w->done++] = w->wait[i];
            w->wait[i].deferred = 0;
        }
    return begin;
}

static void cut_into_strips(const dyn__compiler *k, dyn__instr *q, int32_t end)
{
    const int64_t columns = dyn__columns_of(k, q);
    const int64_t strips = dyn__worthwhile_ranges(dyn__row_cost(k, q) * (double)k->node[q->node].R * 2);

    q->columns = columns;
    q->strip = (dyn__divide_up(columns, strips) + 15) & ~(int64_t)15;
    q->end = end;
    for (int a = 0; a < q->nargs; a++)
        q->arg[a].column = dyn__column_stride(k, q, a);
}

/* From the last to the first, as the update goes through the parameters: its halves are in the caches of the threads
 * that made them. */
static void flush(queue *w)
{
    for (int32_t i = w->waiting - 1; i >= 0; i--) {
        if (!w->wait[i].deferred)
            continue;
        const int32_t begin = take_sum(w, w->wait[i].arg[0].node);
        for (int32_t j = begin; j < w->done; j++)
            cut_into_strips(w->k, &w->step->instr[j], w->done);
    }
    w->waiting = 0;
    w->bytes = 0;
}

static void put(queue *w, const dyn__instr *q)
{
    const dyn__cnode *node = w->k->node;

    if (!q->deferred) {
        w->step->instr[w->done] = *q;
        w->step->instr[w->done].end += w->done - (int32_t)(q - w->wait - w->step->instrs);
        w->done++;
        return;
    }
    w->wait[w->waiting++] = *q;
    for (int a = 1; a < q->nargs; a++)
        if (dyn__in_tile(w->k, w->s, q->arg[a].node))
            w->bytes += node[q->arg[a].node].C * node[q->arg[a].node].R * w->k->plan->esize;
}

static dyn_status reorder(dyn__compiler *k, int32_t s)
{
    dyn__step *step = &k->plan->step[s];
    const size_t n = (size_t)step->instrs;
    queue w = {.k = k, .step = step, .s = s, .wait = dyn__alloc(k->ctx, 2 * n + 1, sizeof *w.wait)};
    const dyn__instr *all = w.wait + n;

    if (!w.wait)
        return DYN_ENOMEM;
    memcpy(w.wait + n, step->instr, n * sizeof *all);
    for (size_t i = 0; i < n; i++) {
        put(&w, &all[i]);
        if (w.bytes > k->machine.second / 4 && (int32_t)i + 1 == all[i].end)
            flush(&w);
    }
    flush(&w);
    dyn__free(k->ctx, w.wait);
    return DYN_OK;
}

dyn_status dyn__defer(dyn__compiler *k, int32_t s)
{
    dyn__step *step = &k->plan->step[s];
    int waiting;

    if (k->unfused || k->arena_limit || !dyn__rows_are_few(k, s) || dyn__may_share_columns(k, s))
        return DYN_OK;
    find_deferred(k, step);
    step->deferred = dyn__chunks_of_few(k->node[step->node].R, work_of_chunks(k, step, &waiting));
    if (step->deferred > 1 && waiting) {
        DYN__TRY(reorder(k, s));
        find_kept(k, s);
        return DYN_OK;
    }
    step->deferred = 0;
    for (int32_t i = 0; i < step->instrs; i++)
        step->instr[i].deferred = 0;
    return DYN_OK;
}
