/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Branches of global minima of two-layer networks, counted by how neurons share input weights, and the initial
 * imbalance. */
#include <inttypes.h>
#include <math.h>
#include <string.h>
#include <dyn/branch.h>
#include "analysis/vector.h"
#include "kernel/kernel.h"
#include "linalg/operator.h"

enum { MOST_NEURONS = 30 };

typedef struct listing {
    dyn_ctx *ctx;
    int64_t m, target, d, capacity, count;
    dyn_branch *branches;
    int64_t *sizes, now[MOST_NEURONS];      /* groups of the branch that is being made */
} listing;

static dyn_branch describe(const listing *l, int64_t r)
{
    dyn_branch b = { .groups = r };

    for (int64_t t = l->target; t < r; t++)
        b.deficient += l->now[t] == 1;
    b.dimension = l->m - r + (r - l->target) * l->d;
    b.codimension = r + (l->m + l->target - r) * l->d;
    b.spread_until = r + (r - b.deficient) * l->d;
    b.morse_bott = 2 * r >= l->m + l->target && b.deficient == 2 * r - l->m - l->target;
    return b;
}

static void emit(listing *l, int64_t r)
{
    if (l->count < l->capacity && l->branches)
        l->branches[l->count] = describe(l, r);
    for (int64_t t = 0; l->count < l->capacity && l->sizes && t < l->m; t++)
        l->sizes[l->count * l->m + t] = t < r ? l->now[t] : 0;
    l->count++;
}

/* Group t of r is chosen, with `left` neurons for it and those behind it. Free groups do not rise, as their order means
 * nothing; those of the target are told apart by its neurons. */
static void choose(listing *l, int64_t t, int64_t r, int64_t left)
{
    int64_t most = left - (r - t - 1);

    if (t == r) {
        if (left == 0)
            emit(l, r);
        return;
    }
    if (dyn__interrupted(l->ctx))
        return;
    if (t > 0 && t > l->target && l->now[t - 1] < most)
        most = l->now[t - 1];
    for (int64_t size = most; size >= 1; size--) {
        l->now[t] = size;
        choose(l, t + 1, r, left - size);
    }
}

dyn_status dyn_branch_list(dyn_ctx *ctx, int64_t neurons, int64_t target, int64_t inputs, int64_t capacity,
                           dyn_branch *branches, int64_t *sizes, int64_t *count)
{
    listing l = { .ctx = ctx, .m = neurons, .target = target, .d = inputs, .capacity = capacity, .branches = branches,
                  .sizes = sizes };

    if (!ctx)
        return DYN_EINVAL;
    DYN__ENTER(ctx);
    DYN__NEED(ctx, count);
    if (target < 1 || neurons < target || neurons > MOST_NEURONS || inputs < 1 || inputs > INT32_MAX || capacity < 0)
        return DYN__FAIL(ctx, DYN_EINVAL, "%" PRId64 " neurons for a target of %" PRId64 ", %" PRId64
                         " inputs, capacity %" PRId64 ": needs 1 <= target <= neurons <= %d, inputs >= 1, capacity >= 0", neurons, target,
                         inputs, capacity, MOST_NEURONS);
    for (int64_t r = target; r <= neurons; r++)
        choose(&l, 0, r, neurons);
    *count = l.count;
    return dyn__check_interrupt(ctx);
}

static dyn_status imbalances(dyn_ctx *ctx, int64_t neurons, int64_t inputs, const double *a, const double *w,
                             const double *gamma, double *imbalance, double *ratio)
{
    double length = dyn__norm(ctx, inputs, gamma), whole;

    if (length == 0.0)
        return DYN__FAIL(ctx, DYN_EINVAL, "sum y_i x_i is 0 in all %" PRId64 " components", inputs);
    for (int64_t k = 0; k < neurons; k++) {
        imbalance[k] = a[k] * length;
        for (int64_t j = 0; j < inputs; j++)
            imbalance[k] += w[k * inputs + j] * gamma[j];
    }
    if (!ratio)
        return DYN_OK;
    whole = dyn__norm(ctx, neurons, imbalance);
    if (whole == 0.0)
        return DYN__FAIL(ctx, DYN_EINVAL, "the imbalance of all %" PRId64 " neurons is 0", neurons);
    for (int64_t k = 0; k < neurons; k++)
        ratio[k] = imbalance[k] / whole;
    return DYN_OK;
}

dyn_status dyn_branch_imbalance(dyn_ctx *ctx, int64_t neurons, int64_t inputs, const double *a, const double *w,
                                int64_t samples, const double *x, const double *y, double *imbalance, double *ratio)
{
    double *gamma;
    dyn_status s;

    if (!ctx)
        return DYN_EINVAL;
    DYN__ENTER(ctx);
    DYN__TRY(dyn__check_table(ctx, "a", neurons, 1, a));
    DYN__TRY(dyn__check_table(ctx, "w", neurons, inputs, w));
    DYN__TRY(dyn__check_table(ctx, "x", samples, inputs, x));
    DYN__TRY(dyn__check_table(ctx, "y", samples, 1, y));
    DYN__NEED(ctx, imbalance);
    gamma = dyn__alloc(ctx, (size_t)inputs, sizeof *gamma);
    if (!gamma)
        return DYN_ENOMEM;
    for (int64_t i = 0; i < samples; i++)
        for (int64_t j = 0; j < inputs; j++)
            gamma[j] += y[i] * x[i * inputs + j];
    s = imbalances(ctx, neurons, inputs, a, w, gamma, imbalance, ratio);
    dyn__free(ctx, gamma);
    return s;
}
