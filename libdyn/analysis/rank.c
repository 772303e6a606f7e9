/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Numerical rank of a Jacobian: unit columns without the zero ones, singular values, and two cuts. With unit columns
 * the tolerance means the same for parameters of any unit; the largest gap needs no tolerance but a floor, below
 * which ratios are those of rounding errors. */
#include <float.h>
#include <inttypes.h>
#include <math.h>
#include <string.h>
#include <dyn/dense.h>
#include "analysis/rank.h"
#include "linalg/operator.h"

enum { ACCURATE_UP_TO = 1024 };         /* the Jacobi route takes a second or two there */
static const double SMALLEST_GAP = 10.0;

dyn_status dyn__rank_options(dyn_ctx *ctx, const dyn_rank_options *given, dyn_rank_options *o)
{
    _Static_assert(sizeof *o == 40 && offsetof(dyn_rank_options, seed) == 32, "no implicit padding");

    DYN__TRY(dyn__options(ctx, "dyn_rank_options", given, o, sizeof *o, sizeof *o));
    if (o->rule < DYN_RANK_TOLERANCE || o->rule > DYN_RANK_GAP)
        return DYN__FAIL(ctx, DYN_EINVAL, "rule is %" PRId32 ", which does not exist", o->rule);
    if (!(o->tolerance >= 0.0 && o->tolerance < 1.0))
        return DYN__FAIL(ctx, DYN_EINVAL, "tolerance is %g, must be in (0, 1)", o->tolerance);
    if (o->probes < 0)
        return DYN__FAIL(ctx, DYN_EINVAL, "probes is %" PRId64 ", may not be negative", o->probes);
    if (!(o->probe_std >= 0.0 && isfinite(o->probe_std)))
        return DYN__FAIL(ctx, DYN_EINVAL, "probe_std is %g, must be positive", o->probe_std);
    return DYN_OK;
}

/* Norms of columns in two passes, so that no square over- or underflows. largest [columns] is scratch. */
static void column_norms(int64_t rows, int64_t columns, const double *a, double *largest, double *norm)
{
    for (int64_t j = 0; j < columns; j++)
        largest[j] = norm[j] = 0.0;
    for (int64_t i = 0; i < rows; i++)
        for (int64_t j = 0; j < columns; j++)
            largest[j] = fmax(largest[j], fabs(a[i * columns + j]));
    for (int64_t i = 0; i < rows; i++)
        for (int64_t j = 0; j < columns; j++) {
            double x = largest[j] > 0.0 ? a[i * columns + j] / largest[j] : 0.0;

            norm[j] += x * x;
        }
    for (int64_t j = 0; j < columns; j++)
        norm[j] = sqrt(norm[j]) * largest[j];
}

/* scaled [rows][kept]: the columns that are not zero, of length 1. Returns kept. */
static int64_t scale_columns(int64_t rows, int64_t columns, const double *a, const double *norm, double *scaled)
{
    int64_t kept = 0;

    for (int64_t j = 0; j < columns; j++)
        kept += norm[j] > 0.0;
    for (int64_t i = 0; i < rows; i++)
        for (int64_t j = 0, k = 0; j < columns; j++)
            if (norm[j] > 0.0)
                scaled[i * kept + k++] = a[i * columns + j] / norm[j];
    return kept;
}

static dyn_status singular_values(dyn_rank *r, int64_t kept, const double *scaled)
{
    r->zero_columns = r->columns - kept;
    r->count = r->rows < kept ? r->rows : kept;
    if (r->count == 0)
        return DYN_OK;
    r->values = dyn__alloc(r->ctx, (size_t)r->count, sizeof *r->values);
    if (!r->values)
        return DYN_ENOMEM;
    if (r->count <= ACCURATE_UP_TO)
        return dyn_dense_svd_values_accurate(r->ctx, r->rows, kept, scaled, r->values, NULL);
    return dyn_dense_svd_values(r->ctx, r->rows, kept, scaled, r->values);
}

static void cut_at_tolerance(dyn_rank *r)
{
    int64_t k = 0;

    while (k < r->count && r->values[k] > r->opt.tolerance * r->values[0])
        k++;
    r->by_tolerance = k;
    r->gap_at_tolerance = k == r->count || r->values[k] == 0.0 ? HUGE_VAL : r->values[k - 1] / r->values[k];
}

static void cut_at_gap(dyn_rank *r)
{
    double floor = r->count > 0 ? DBL_EPSILON * r->values[0] : 0.0;

    r->by_gap = r->count;
    r->largest_gap = 1.0;
    for (int64_t k = 1; k < r->count; k++) {
        double gap = fmax(r->values[k - 1], floor) / fmax(r->values[k], floor);

        if (gap <= r->largest_gap)
            continue;
        r->largest_gap = gap;
        r->by_gap = k;
    }
    if (r->largest_gap < SMALLEST_GAP)
        r->by_gap = r->count;
}

static dyn_status decide(dyn_rank *r, const double *jacobian)
{
    size_t columns = (size_t)r->columns;
    double *norm = dyn__alloc(r->ctx, columns, 2 * sizeof *norm);
    double *scaled = dyn__alloc(r->ctx, (size_t)r->rows, columns * sizeof *scaled);
    dyn_status s = DYN_ENOMEM;

    if (norm && scaled) {
        column_norms(r->rows, r->columns, jacobian, norm + r->columns, norm);
        s = singular_values(r, scale_columns(r->rows, r->columns, jacobian, norm, scaled), scaled);
    }
    dyn__free(r->ctx, scaled);
    dyn__free(r->ctx, norm);
    if (s >= 0) {
        cut_at_tolerance(r);
        cut_at_gap(r);
    }
    return s;
}

dyn_status dyn__rank_matrix(dyn_ctx *ctx, int64_t rows, int64_t columns, const double *jacobian,
                            const dyn_rank_options *o, dyn_rank **out)
{
    dyn_rank *r;
    dyn_status s;

    DYN__TRY(dyn__check_finite(ctx, "jacobian", rows * columns, jacobian));
    r = dyn__alloc(ctx, 1, sizeof *r);
    if (!r)
        return DYN_ENOMEM;
    dyn__ctx_ref(ctx);
    *r = (dyn_rank){ .ctx = ctx, .opt = *o, .rows = rows, .columns = columns };
    if (r->opt.tolerance == 0.0)
        r->opt.tolerance = 10.0 * DBL_EPSILON * sqrt((double)columns);
    s = decide(r, jacobian);
    if (s < 0) {
        dyn_rank_free(r);
        return s;
    }
    *out = r;
    return DYN_OK;
}

dyn_status dyn_rank_matrix(dyn_ctx *ctx, int64_t rows, int64_t columns, const double *jacobian,
                           const dyn_rank_options *opt, dyn_rank **out)
{
    dyn_rank_options o;

    if (out)
        *out = NULL;
    if (!ctx)
        return DYN_EINVAL;
    DYN__ENTER(ctx);
    DYN__NEED(ctx, jacobian);
    DYN__NEED(ctx, out);
    if (rows < 1 || columns < 1 || rows > INT64_MAX / (int64_t)sizeof(double) / columns)
        return DYN__FAIL(ctx, DYN_EINVAL, "jacobian is %" PRId64 " x %" PRId64 ", both must be positive", rows,
                         columns);
    DYN__TRY(dyn__rank_options(ctx, opt, &o));
    return dyn__rank_matrix(ctx, rows, columns, jacobian, &o, out);
}

void dyn_rank_free(dyn_rank *r)
{
    dyn_ctx *ctx;

    if (!r)
        return;
    ctx = r->ctx;
    dyn__free(ctx, r->values);
    dyn__free(ctx, r);
    dyn__ctx_unref(ctx);
}
