/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The effective ratio by greedy cover. Who covers whom is a symmetric relation kept as bits, made from tiles of cosines
 * on all threads; gain[i] counts the neurons not yet covered that direction i would cover. Every neuron is covered once,
 * and its row of bits read then, so the whole costs the square of the width. The largest gain is found among those of
 * blocks of neurons; only blocks in which a gain fell are looked through again. */
#include <math.h>
#include <string.h>
#include "analysis/condensation.h"

_Static_assert(DYN__COSINE_TILE % 64 == 0, "tiles write whole words of bits");

typedef struct cover {
    const dyn_condensation *c;
    double threshold;
    int64_t n, words;
    uint64_t *near;         /* [n][words] */
    int64_t *gain;          /* 0 for zero features */
    int64_t *best;          /* [words] of 64 neurons each: the first with the largest gain, or -1: not known */
    unsigned char *covered;
} cover;

static void mark(const cover *v, int64_t i, int64_t j)
{
    v->near[i * v->words + j / 64] |= (uint64_t)1 << (j % 64);
}

/* Pairs of row r of a tile with i >= j, so that the relation is symmetric whatever the rounding. */
static void mark_row(const cover *v, const dyn__cosine_tile *tile, int64_t r, const double *x)
{
    int64_t columns = tile->i == tile->j ? r + 1 : tile->columns;

    for (int64_t c = 0; c < columns; c++) {
        if ((v->c->opt.join_opposite ? fabs(x[c]) : x[c]) <= v->threshold)
            continue;
        mark(v, tile->i + r, tile->j + c);
        mark(v, tile->j + c, tile->i + r);
    }
}

/* Most rows of most tiles have nobody near, which their largest cosine tells, unless opposite ones count. */
static void mark_tile(const dyn__cosine_tiles *t, const dyn__cosine_tile *tile, double *x)
{
    const cover *v = t->user;
    double largest[DYN__COSINE_TILE];
    const dyn__arg row_max[2] = { { largest, 1, 0 }, { x, tile->ld, 1 } };

    dyn__kernels_of(t->ctx)->f64.tile[DYN__K_ROW_MAX](tile->rows, tile->columns, row_max, 0.0);
    for (int64_t r = 0; r < tile->rows; r++)
        if (v->c->opt.join_opposite || largest[r] > v->threshold)
            mark_row(v, tile, r, x + r * tile->ld);
}

static void count_gains(cover *v)
{
    for (int64_t i = 0; i < v->n; i++)
        for (int64_t w = 0; w < v->words; w++)
            v->gain[i] += __builtin_popcountll(v->near[i * v->words + w]);
}

static void cover_one(cover *v, int64_t j)
{
    v->covered[j] = 1;
    for (int64_t w = 0; w < v->words; w++)
        for (uint64_t bits = v->near[j * v->words + w]; bits; bits &= bits - 1) {
            v->gain[64 * w + __builtin_ctzll(bits)]--;
            v->best[w] = -1;
        }
}

static void take(cover *v, int64_t direction)
{
    for (int64_t w = 0; w < v->words; w++)
        for (uint64_t bits = v->near[direction * v->words + w]; bits; bits &= bits - 1) {
            int64_t j = 64 * w + __builtin_ctzll(bits);

            if (!v->covered[j])
                cover_one(v, j);
        }
}

static int64_t first_best(const cover *v, int64_t word)
{
    int64_t best = 64 * word, end = best + 64 < v->n ? best + 64 : v->n;

    for (int64_t i = best + 1; i < end; i++)
        if (v->gain[i] > v->gain[best])
            best = i;
    return best;
}

/* The first neuron with the largest gain. */
static int64_t best_direction(cover *v)
{
    int64_t best = 0;

    for (int64_t w = 0; w < v->words; w++) {
        if (v->best[w] < 0)
            v->best[w] = first_best(v, w);
        if (v->gain[v->best[w]] > v->gain[best])
            best = v->best[w];
    }
    return best;
}

/* An interrupt ends it early, with a number that nobody sees. */
static int64_t count_directions(cover *v, dyn_ctx *ctx)
{
    memset(v->best, 0xff, (size_t)v->words * sizeof *v->best);
    for (int64_t taken = 0;; taken++) {
        const int64_t best = best_direction(v);

        if (v->gain[best] == 0 || dyn__interrupted(ctx))
            return taken;
        take(v, best);
    }
}

static dyn_status cover_all(const dyn_condensation *c, double threshold, int64_t *directions)
{
    cover v = { .c = c, .threshold = threshold, .n = c->neurons, .words = (c->neurons + 63) / 64 };
    dyn_status s = DYN_ENOMEM;

    v.near = dyn__alloc(c->ctx, (size_t)v.n, (size_t)v.words * sizeof *v.near);
    v.gain = dyn__alloc(c->ctx, (size_t)v.n, sizeof *v.gain);
    v.best = dyn__alloc(c->ctx, (size_t)v.words, sizeof *v.best);
    v.covered = dyn__alloc(c->ctx, (size_t)v.n, 1);
    if (v.near && v.gain && v.best && v.covered)
        s = dyn__condensation_tiles(c, NULL, NULL, mark_tile, &v);
    if (s >= 0) {
        count_gains(&v);
        *directions = count_directions(&v, c->ctx);
    }
    dyn__free(c->ctx, v.near);
    dyn__free(c->ctx, v.gain);
    dyn__free(c->ctx, v.best);
    dyn__free(c->ctx, v.covered);
    return s < 0 ? s : dyn__check_interrupt(c->ctx);
}

dyn_status dyn_condensation_cover(const dyn_condensation *c, double threshold, int64_t *directions, double *ratio)
{
    int64_t needed = 0;

    if (!c)
        return DYN_EINVAL;
    DYN__ENTER(c->ctx);
    if (!(threshold >= 0.0 && threshold < 1.0))
        return DYN__FAIL(c->ctx, DYN_EINVAL, "threshold is %g, must be in [0, 1)", threshold);
    if (c->neurons > c->zeros)
        DYN__TRY(cover_all(c, threshold, &needed));
    if (directions)
        *directions = needed;
    if (ratio)
        *ratio = needed > 0 ? (double)needed / (double)(c->neurons - c->zeros) : 0.0;
    return DYN_OK;
}
