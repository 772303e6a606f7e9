/* SPDX-License-Identifier: BSD-3-Clause
 *
 * How a cluster runs: how many rows make a tile, how many chunks of tiles are separate tasks. All of it depends on
 * sizes only, so the order of every sum does too, whatever the threads. */
#include <math.h>
#include "compile/compile.h"

/* ---- height ---- */

static int64_t clamp(int64_t x, int64_t lo, int64_t hi) { return x < lo ? lo : x > hi ? hi : x; }

/* Bytes of the operand or the sum that a product over rows reads whole for every tile. */
static int64_t whole_bytes(const dyn__compiler *k, const dyn__instr *q)
{
    const dyn__gemm *g = &q->whole;

    return (k->node[q->node].role == DYN__TERM ? g->m : g->k) * g->n * k->plan->esize;
}

/* Rows of a tile: buffers within the first-level cache. Products want more rows, to use what they load of W, and
 * column sums a few, to use what they load of the sums, within the second level; 16 rows, the least that a product runs
 * well with, may take twice as much, since what the kernels of a long cluster pass on to each other lies close together. */
static int64_t tile_height(const dyn__compiler *k, const dyn__step *step, int64_t row_elements)
{
    /* whole: little enough for one tile, no second round of calls */
    const int64_t first = k->machine.first / 4 * 3, whole = k->machine.first / 4 * 5;
    const int64_t second = k->machine.second / 8 * 5;
    int64_t row_bytes = (row_elements > 0 ? row_elements : 1) * k->plan->esize, wanted = 16, height;

    for (int32_t i = 0; i < step->instrs; i++)
        if (step->instr[i].kernel < 0 && !step->instr[i].per_row) {
            const int64_t bytes = whole_bytes(k, &step->instr[i]);
            wanted = clamp(bytes / 256, wanted, bytes > second / 2 ? 128 : 64);
        }
    height = clamp(first / row_bytes, 1, 4096);
    if (height < wanted)
        height = clamp(second / row_bytes, height, wanted);
    if (height < 16 && wanted > 16)
        height = clamp(2 * k->machine.second / row_bytes, height, 16);
    if (height >= 16)
        height &= ~(int64_t)15;
    return step->R * row_bytes <= whole ? step->R : clamp(height, 1, step->R);
}

/* Rows that the busiest of some cores works on, when chunks have so many rows each. */
static int64_t longest(int64_t rows, int64_t chunk, int64_t cores)
{
    const int64_t full = rows / chunk, rest = full % cores == 0 ? rows % chunk : 0;

    return dyn__divide_up(full, cores) * chunk + rest;
}

static int64_t longest_of_few(int64_t rows, int64_t chunk)
{
    return longest(rows, chunk, 2) + 2 * longest(rows, chunk, 4);
}

/* Lower tiles where two or four cores then end so much more nearly together that it makes up for them. */
static void level_tiles(dyn__step *step, int64_t chunks)
{
    const int64_t share = dyn__divide_up(dyn__divide_up(step->R, chunks), step->tile);
    const int64_t tile = dyn__divide_up(step->R, chunks * share);

    if (11 * longest_of_few(step->R, share * tile) < 10 * longest_of_few(step->R, step->share * step->tile)) {
        step->share = share;
        step->tile = tile;
        step->tiles = dyn__divide_up(step->R, tile);
    }
}

int64_t dyn__power_of_two(double most)
{
    int64_t n = 1;

    while ((double)(2 * n) <= most && n < 16)
        n *= 2;
    return n;
}

/* Chunks: tasks of ten microseconds or more, as long as their partial sums are few (cost.c). */
static void count_tasks(const dyn__compiler *k, dyn__step *step, double bytes)
{
    const int64_t blocks = dyn__divide_up(step->V, step->block);
    const double most = fmin(16 / (double)blocks, (double)step->tiles);
    const double worth = dyn__worthwhile_chunks(k, step->work / (double)step->V, bytes);
    const int64_t chunks = dyn__power_of_two(fmin(worth, most));

    step->share = dyn__divide_up(step->tiles, chunks);
    level_tiles(step, chunks);
    step->chunks = dyn__divide_up(step->tiles, step->share);
    step->adders = dyn__power_of_two(bytes * (double)(step->chunks * step->V) / (1 << 15));
}

const dyn__sum *dyn__sum_of(const dyn__compiler *k, const dyn__step *step, dyn_node x)
{
    const int32_t place = k->node[x].sum - 1;

    return place >= 0 && place < step->sums && step->sum[place].node == x ? &step->sum[place] : NULL;
}

static dyn_status list_sums(dyn__compiler *k, dyn__step *step)
{
    int64_t capacity = 0;

    for (int32_t i = 0; i < step->instrs; i++)
        for (int a = 0; a < step->instr[i].nargs; a++) {
            dyn_node x = step->instr[i].arg[a].node;
            if (!dyn__is_result(&step->instr[i], a) || k->node[x].role != DYN__TERM || dyn__sum_of(k, step, x))
                continue;
            DYN__TRY(dyn__grow(k->ctx, (void **)&step->sum, &capacity, step->sums + 1, sizeof *step->sum));
            step->sum[step->sums++] = (dyn__sum){
                .size = k->node[x].C, .first = i, .node = x, .deferred = step->instr[i].deferred};
            k->node[x].sum = step->sums;
        }
    return DYN_OK;
}

/* Does instruction i write to sums, to each as the first, and in one call? */
static int begins_sums(const dyn__compiler *k, const dyn__step *step, int32_t i)
{
    const dyn__instr *q = &step->instr[i];
    int found = 0;

    for (int a = 0; a < q->nargs; a++) {
        const dyn__sum *sum = dyn__is_result(q, a) ? dyn__sum_of(k, step, q->arg[a].node) : NULL;
        if (sum && (sum->first != i || q->ndim > 2))
            return 0;
        found |= sum != NULL;
    }
    return found;
}

static void choose_beginnings(const dyn__compiler *k, dyn__step *step)
{
    for (int32_t i = 0; i < step->instrs; i++)
        step->instr[i].begins = begins_sums(k, step, i);
    for (int32_t i = 0; i < step->sums; i++)
        step->sum[i].clear = !step->instr[step->sum[i].first].begins;
}

static void set_variant(const dyn__compiler *k, const dyn__step *step, const dyn__instr *q, dyn__gemm *g, int variant)
{
    const int64_t rows = q->deferred ? step->R : variant & DYN__LAST_TILE ? step->R - (step->tiles - 1) * step->tile : step->tile;
    const int term = k->node[q->node].role == DYN__TERM;

    if (q->strip)
        *(term && dyn__cuts_rows(g) ? &g->m : &g->n) =
            variant & DYN__LAST_STRIP ? (q->columns - 1) % q->strip + 1 : q->strip;
    if (!q->per_row)
        *(term ? &g->k : &g->m) = rows;
    if (variant & DYN__BEGINS)
        g->accumulate = 0;
}

static dyn_status plan_product(const dyn__compiler *k, const dyn__step *step, dyn__instr *q)
{
    const int wanted = (q->deferred ? 0 : DYN__LAST_TILE) | (q->strip ? DYN__LAST_STRIP : 0) | (q->begins ? DYN__BEGINS : 0);

    for (int i = 0; i < DYN__VARIANTS; i++) {
        dyn__gemm *g = &q->gemm[i];
        if (i & ~wanted)
            continue;
        *g = q->whole;
        set_variant(k, step, q, g, i);
        if (dyn__gemm_plan(dyn__kernels_of(k->ctx), g) < 0)
            return DYN__FAIL(k->ctx, DYN_EINTERNAL, "no matrix product of %lld x %lld x %lld", (long long)g->m,
                             (long long)g->n, (long long)g->k);
    }
    return DYN_OK;
}

static int64_t count_products(const dyn__step *step)
{
    int64_t products = 0;

    for (int32_t i = 0; i < step->instrs; i++)
        products += step->instr[i].kernel < 0;
    return products;
}

static dyn_status plan_kernels(dyn__compiler *k, dyn__step *step)
{
    const size_t room = (size_t)count_products(step) * DYN__VARIANTS + 1;
    dyn__gemm *free_ones = step->gemm = dyn__alloc(k->ctx, room, sizeof *step->gemm);

    if (!step->gemm)
        return DYN_ENOMEM;
    for (int32_t i = 0; i < step->instrs; i++) {
        dyn__instr *q = &step->instr[i];
        if (q->kernel >= 0) {
            q->fn = !q->own ? k->plan->table->tile[q->kernel] : k->g->dtype == DYN_F32 ? q->own->f32 : q->own->f64;
            continue;
        }
        q->gemm = free_ones;
        free_ones += DYN__VARIANTS;
        DYN__TRY(plan_product(k, step, q));
    }
    return DYN_OK;
}

static void cut_few_rows(const dyn__compiler *k, dyn__step *step)
{
    step->tile = dyn__divide_up(step->R, step->deferred);
    step->tiles = step->chunks = dyn__divide_up(step->R, step->tile);
    step->share = 1;
    step->adders = dyn__power_of_two(dyn__sum_bytes(k, step) * (double)step->chunks / (1 << 15));
}

static void cut_rows(const dyn__compiler *k, dyn__step *step, int64_t row_elements, double grouped)
{
    const double bytes = dyn__sum_bytes(k, step);

    if (step->deferred) {
        cut_few_rows(k, step);
        return;
    }
    if (step->tile == step->R && step->V == 1 && dyn__worthwhile_chunks(k, step->work, bytes) >= 2)
        step->tile = dyn__divide_up(step->R, dyn__chunks_of_few(step->R, step->work));
    step->tiles = dyn__divide_up(step->R, step->tile);
    count_tasks(k, step, bytes);
    dyn__share_columns(k, step, row_elements, grouped, bytes);
}

dyn_status dyn__shape_tiles(dyn__compiler *k, int32_t s)
{
    dyn__step *step = &k->plan->step[s];
    int64_t row_elements, kept_elements;
    double grouped = 0;

    step->V = k->node[step->node].V;
    step->R = k->node[step->node].R;
    DYN__TRY(dyn__plan_buffers(k, s, &row_elements, &kept_elements));
    step->between = kept_elements * step->R;
    for (int32_t i = 0; i < step->instrs; i++) {
        const double work = dyn__row_cost(k, &step->instr[i]) * (double)step->R * (double)step->V;
        step->work += work;
        grouped += step->instr[i].strip ? work : 0;
    }
    DYN__TRY(list_sums(k, step));
    choose_beginnings(k, step);
    step->tile = tile_height(k, step, row_elements);
    step->block = step->V < 8 ? step->V : 8;    /* sets that share what a tile reads of the values common to all */
    cut_rows(k, step, row_elements, grouped);
    step->scratch = (row_elements * step->tile * k->plan->esize + 127) & ~(int64_t)63;
    return plan_kernels(k, step);
}
