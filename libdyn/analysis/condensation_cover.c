/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The effective ratio by greedy cover. Who covers whom is a symmetric relation kept as bits; gain[i] counts the
 * neurons not yet covered that direction i would cover. Every bit is visited once while gains fall, so the whole costs
 * the square of the width besides the cosines. */
#include <math.h>
#include "analysis/condensation.h"

enum { BLOCK = 64 };    /* rows of cosines at a time */

typedef struct cover {
    int64_t n, words;
    uint64_t *near;         /* [n][words] */
    int64_t *gain;          /* 0 for zero features */
    unsigned char *covered;
} cover;

static int is_near(const cover *v, int64_t i, int64_t j)
{
    return (int)(v->near[i * v->words + j / 64] >> (j % 64) & 1);
}

static void mark_near(cover *v, int64_t i, int64_t j)
{
    v->near[i * v->words + j / 64] |= (uint64_t)1 << (j % 64);
    v->gain[i]++;
}

/* Pairs i >= j from the rows first .. first + count - 1, so that the relation is symmetric whatever the rounding. */
static void mark_rows(cover *v, const dyn_condensation *c, double threshold, int64_t first, int64_t count,
                      const double *cosines)
{
    for (int64_t i = first; i < first + count; i++)
        for (int64_t j = 0; j <= i; j++) {
            double d = cosines[(i - first) * v->n + j];

            if ((c->opt.join_opposite ? fabs(d) : d) <= threshold)
                continue;
            mark_near(v, i, j);
            if (j < i)
                mark_near(v, j, i);
        }
}

static dyn_status find_near(cover *v, const dyn_condensation *c, double threshold)
{
    double *cosines = dyn__alloc(c->ctx, BLOCK, (size_t)v->n * sizeof *cosines);
    dyn_status s = cosines ? DYN_OK : DYN_ENOMEM;

    for (int64_t first = 0; s >= 0 && first < v->n; first += BLOCK) {
        int64_t count = v->n - first < BLOCK ? v->n - first : BLOCK;

        s = dyn__condensation_cosines(c, first, count, cosines);
        if (s >= 0)
            mark_rows(v, c, threshold, first, count, cosines);
    }
    dyn__free(c->ctx, cosines);
    return s;
}

static void take(cover *v, int64_t direction)
{
    for (int64_t j = 0; j < v->n; j++) {
        if (v->covered[j] || !is_near(v, direction, j))
            continue;
        v->covered[j] = 1;
        for (int64_t i = 0; i < v->n; i++)
            v->gain[i] -= is_near(v, j, i);
    }
}

static int64_t count_directions(cover *v)
{
    for (int64_t taken = 0;; taken++) {
        int64_t best = 0;

        for (int64_t i = 1; i < v->n; i++)
            if (v->gain[i] > v->gain[best])
                best = i;
        if (v->gain[best] == 0)
            return taken;
        take(v, best);
    }
}

static dyn_status cover_all(const dyn_condensation *c, double threshold, int64_t *directions)
{
    cover v = { .n = c->neurons, .words = (c->neurons + 63) / 64 };
    dyn_status s = DYN_ENOMEM;

    v.near = dyn__alloc(c->ctx, (size_t)v.n, (size_t)v.words * sizeof *v.near);
    v.gain = dyn__alloc(c->ctx, (size_t)v.n, sizeof *v.gain);
    v.covered = dyn__alloc(c->ctx, (size_t)v.n, 1);
    if (v.near && v.gain && v.covered)
        s = find_near(&v, c, threshold);
    if (s >= 0)
        *directions = count_directions(&v);
    dyn__free(c->ctx, v.near);
    dyn__free(c->ctx, v.gain);
    dyn__free(c->ctx, v.covered);
    return s;
}

dyn_status dyn_condensation_cover(const dyn_condensation *c, double threshold, int64_t *directions, double *ratio)
{
    int64_t needed = 0;

    if (!c)
        return DYN_EINVAL;
    DYN__ENTER(c->ctx);
    if (threshold == 0.0)
        threshold = c->opt.threshold;
    if (!(threshold > 0.0 && threshold < 1.0))
        return DYN__FAIL(c->ctx, DYN_EINVAL, "threshold is %g, must be in (0, 1)", threshold);
    if (c->neurons > c->zeros)
        DYN__TRY(cover_all(c, threshold, &needed));
    if (directions)
        *directions = needed;
    if (ratio)
        *ratio = needed > 0 ? (double)needed / (double)(c->neurons - c->zeros) : 0.0;
    return DYN_OK;
}
