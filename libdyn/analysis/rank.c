/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Numerical rank of a Jacobian: unit columns without the zero ones, singular values, and two cuts. With unit columns
 * the tolerance means the same for parameters of any unit; the largest gap needs no tolerance but a floor, below
 * which ratios are those of rounding errors. The fast route gives each singular value to a few units of rounding of the
 * largest. Where a cut could fall elsewhere within that, the accurate one decides. */
#include <float.h>
#include <inttypes.h>
#include <math.h>
#include <string.h>
#include <dyn/dense.h>
#include "analysis/rank.h"
#include "base/unset.h"
#include "linalg/dense.h"
#include "linalg/operator.h"

enum { ACCURATE_UP_TO = 1024 };         /* the Jacobi route takes a second or two there */
static const double SMALLEST_GAP = 10.0, TALL = 1.4;

dyn_status dyn__rank_options(dyn_ctx *ctx, const dyn_rank_options *given, dyn_rank_options *o)
{
    _Static_assert(sizeof *o == 48 && offsetof(dyn_rank_options, memory_limit) == 40, "no implicit padding");

    *o = (dyn_rank_options)DYN_RANK_OPTIONS_INIT;
    DYN__TRY(dyn__options(ctx, "dyn_rank_options", given, o, sizeof *o, offsetof(dyn_rank_options, memory_limit)));
    if (o->rule < DYN_RANK_TOLERANCE || o->rule > DYN_RANK_GAP)
        return DYN__FAIL(ctx, DYN_EINVAL, "rule is %" PRId32 ", which does not exist", o->rule);
    if (!(o->tolerance >= 0.0 && o->tolerance < 1.0))
        return DYN__FAIL(ctx, DYN_EINVAL, "tolerance is %g, must be in (0, 1)", o->tolerance);
    if (o->probes < 0)
        return DYN__FAIL(ctx, DYN_EINVAL, "probes is %" PRId64 ", may not be negative", o->probes);
    if (o->memory_limit < 0)
        return DYN__FAIL(ctx, DYN_EINVAL, "memory_limit is %" PRId64 ", may not be negative", o->memory_limit);
    if (!(o->probe_std > 0.0 && isfinite(o->probe_std)))
        return DYN__FAIL(ctx, DYN_EINVAL, "probe_std is %g, must be positive", o->probe_std);
    return DYN_OK;
}

static double scaled_norm(int64_t rows, int64_t columns, const double *column)
{
    double largest = 0.0, sum = 0.0;

    for (int64_t i = 0; i < rows; i++)
        largest = fmax(largest, fabs(column[i * columns]));
    for (int64_t i = 0; i < rows && largest > 0.0; i++)
        sum += column[i * columns] / largest * (column[i * columns] / largest);
    return sqrt(sum) * largest;
}

/* Norms of columns, those whose squares leave the range taken again with scaled numbers; 0 of rounding. */
static void column_norms(const dyn_rank *k, int64_t rows, const double *a, double *norm)
{
    const int64_t columns = k->columns;
    const dyn__arg arg[3] = { { norm, 0, 1 }, { (void *)a, columns, 1 }, { (void *)a, columns, 1 } };

    dyn__kernels_of(k->ctx)->f64.tile[DYN__K_COL_DOT](rows, columns, arg, 0);
    for (int64_t j = 0; j < columns; j++)
        norm[j] = norm[j] > 0x1p-900 && norm[j] < 0x1p900 ? sqrt(norm[j]) : scaled_norm(rows, columns, a + j);
    for (int64_t j = 0; k->ceiling && j < columns; j++)
        if (norm[j] <= k->ceiling[j])
            norm[j] = 0.0;
}

/* scaled [rows][kept]: the columns that are not zero, of length 1. factor [columns] is scratch. Returns kept. */
static int64_t scale_columns(dyn_ctx *ctx, int64_t rows, int64_t columns, const double *a, const double *norm,
                             double *factor, double *scaled)
{
    int64_t kept = 0, tiny = 0;

    for (int64_t j = 0; j < columns; j++) {
        kept += norm[j] > 0.0;
        factor[j] = norm[j] > 0.0 ? 1.0 / norm[j] : 0.0;
        tiny += isinf(factor[j]);
    }
    if (kept == columns && !tiny) {
        const dyn__arg arg[3] = { { scaled, columns, 1 }, { (void *)a, columns, 1 }, { factor, 0, 1 } };

        dyn__kernels_of(ctx)->f64.tile[DYN__K_MUL](rows, columns, arg, 0);
        return kept;
    }
    for (int64_t i = 0; i < rows; i++)
        for (int64_t j = 0, k = 0; j < columns; j++)
            if (norm[j] > 0.0)
                scaled[i * kept + k++] = a[i * columns + j] / norm[j];
    return kept;
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

/* How far a value of the fast route may be off. */
static double uncertainty(const dyn_rank *r)
{
    return 2.0 * DBL_EPSILON * sqrt((double)r->count) * r->values[0];
}

/* The ratio at cut k if the value before it were larger by `off` and the one behind it smaller. */
static double ratio(const dyn_rank *r, int64_t k, double off)
{
    double floor = DBL_EPSILON * r->values[0];

    return fmax(r->values[k - 1] + off, floor) / fmax(r->values[k] - off, floor);
}

/* Would both cuts be the same for all values within the uncertainty? */
static int cuts_are_clear(const dyn_rank *r)
{
    double off = uncertainty(r), cut = r->opt.tolerance * r->values[0], other = SMALLEST_GAP;

    for (int64_t k = 0; k < r->count; k++)
        if (fabs(r->values[k] - cut) <= off)
            return 0;
    for (int64_t k = 1; k < r->count; k++)
        if (k != r->by_gap)
            other = fmax(other, ratio(r, k, off));
    return r->by_gap < r->count ? ratio(r, r->by_gap, -off) > other : other == SMALLEST_GAP;
}

static void cut(dyn_rank *r)
{
    cut_at_tolerance(r);
    cut_at_gap(r);
}

/* Values of a matrix of unit columns, and the cuts. */
static dyn_status values_of(dyn_rank *r, int64_t rows, int64_t columns, const double *a)
{
    DYN__TRY(dyn_dense_svd_values(r->ctx, rows, columns, a, r->values));
    cut(r);
    r->accurate = !cuts_are_clear(r) && r->count <= ACCURATE_UP_TO;
    if (!r->accurate)
        return DYN_OK;
    DYN__TRY(dyn_dense_svd_values_accurate(r->ctx, rows, columns, a, r->values, NULL));
    cut(r);
    return DYN_OK;
}

/* The same by the triangle of the matrix or of its transpose, which keeps the lengths of the columns of either. */
static dyn_status values_of_triangle(dyn_rank *r, int64_t rows, int64_t kept, const double *scaled)
{
    int64_t n = r->count, longer = rows < kept ? kept : rows;
    double *triangle = dyn__alloc(r->ctx, (size_t)n, (size_t)n * sizeof *triangle);
    dyn_status s = triangle ? dyn__qr(r->ctx, longer, n, scaled, rows < kept, triangle, n) : DYN_ENOMEM;

    if (s >= 0)
        s = values_of(r, n, n, triangle);
    dyn__free(r->ctx, triangle);
    return s;
}

static dyn_status singular_values(dyn_rank *r, int64_t rows, int64_t kept, const double *scaled)
{
    int64_t longer = rows < kept ? kept : rows;

    r->zero_columns = r->columns - kept;
    r->count = rows < kept ? rows : kept;
    if (r->count == 0)
        return DYN_OK;
    r->values = dyn__alloc(r->ctx, (size_t)r->count, sizeof *r->values);
    if (!r->values)
        return DYN_ENOMEM;
    return (double)longer < TALL * (double)r->count ? values_of(r, rows, kept, scaled)
                                                    : values_of_triangle(r, rows, kept, scaled);
}

/* From a matrix of `rows` rows and the norms of its columns; factor [columns] is scratch. */
static dyn_status decide_scaled(dyn_rank *r, int64_t rows, const double *a, const double *norm, double *factor)
{
    double *scaled = dyn__alloc_unset(r->ctx, (size_t)rows, (size_t)r->columns * sizeof *scaled);
    dyn_status s = DYN_ENOMEM;

    if (scaled)
        s = singular_values(r, rows, scale_columns(r->ctx, rows, r->columns, a, norm, factor, scaled), scaled);
    dyn__free(r->ctx, scaled);
    return s;
}

/* Reflections lose nothing of columns of these lengths. */
static int are_even(int64_t columns, const double *norm)
{
    for (int64_t j = 0; j < columns; j++)
        if (norm[j] != 0.0 && !(norm[j] > 0x1p-200 && norm[j] < 0x1p200))
            return 0;
    return 1;
}

/* Columns of a tall matrix may be scaled in its triangle: no pass over the matrix, no copy of it. */
static dyn_status decide_tall(dyn_rank *r, const double *jacobian, double *norm)
{
    int64_t n = r->columns;
    double *triangle = dyn__alloc(r->ctx, (size_t)n, (size_t)n * sizeof *triangle);
    dyn_status s = triangle ? dyn__qr(r->ctx, r->rows, n, jacobian, 0, triangle, n) : DYN_ENOMEM;

    if (s >= 0) {
        column_norms(r, n, triangle, norm);
        s = are_even(n, norm) ? decide_scaled(r, n, triangle, norm, norm + n) : DYN_NOT_CONVERGED;
    }
    dyn__free(r->ctx, triangle);
    return s;
}

static dyn_status decide(dyn_rank *r, const double *jacobian)
{
    double *norm = dyn__alloc(r->ctx, (size_t)r->columns, 2 * sizeof *norm);
    dyn_status s = DYN_NOT_CONVERGED;

    if (!norm)
        return DYN_ENOMEM;
    if ((double)r->rows >= TALL * (double)r->columns)
        s = decide_tall(r, jacobian, norm);
    if (s == DYN_NOT_CONVERGED) {
        column_norms(r, r->rows, jacobian, norm);
        s = decide_scaled(r, r->rows, jacobian, norm, norm + r->columns);
    }
    dyn__free(r->ctx, norm);
    return s;
}

dyn_status dyn__rank_of_values(dyn_ctx *ctx, int64_t rows, int64_t columns, int64_t count, double *values,
                               const dyn_rank_options *o, dyn_rank **out)
{
    dyn_rank *r = dyn__alloc(ctx, 1, sizeof *r);

    if (!r)
        return DYN_ENOMEM;
    dyn__ctx_ref(ctx);
    *r = (dyn_rank){ .ctx = ctx, .opt = *o, .rows = rows, .columns = columns, .count = count, .values = values };
    cut(r);
    *out = r;
    return DYN_OK;
}

/* held: the rows that are given, of a Jacobian of `rows`. */
static dyn_status rank_of(dyn_ctx *ctx, int64_t rows, int64_t held, int64_t columns, const double *jacobian,
                          const double *ceiling, const dyn_rank_options *o, dyn_rank **out)
{
    dyn_rank *r;
    dyn_status s;

    DYN__TRY(dyn__check_finite(ctx, "jacobian", held * columns, jacobian));
    r = dyn__alloc(ctx, 1, sizeof *r);
    if (!r)
        return DYN_ENOMEM;
    dyn__ctx_ref(ctx);
    *r = (dyn_rank){ .ctx = ctx, .opt = *o, .rows = held, .columns = columns, .ceiling = ceiling };
    if (r->opt.tolerance == 0.0)
        r->opt.tolerance = 10.0 * DBL_EPSILON * sqrt((double)(rows > columns ? rows : columns));
    s = decide(r, jacobian);
    r->ceiling = NULL;
    if (s < 0) {
        dyn_rank_free(r);
        return s;
    }
    r->rows = rows;
    if (rows < r->count)                /* of a wide Jacobian the rest of the triangle is zero */
        r->count = rows;
    *out = r;
    return DYN_OK;
}

dyn_status dyn__rank_matrix(dyn_ctx *ctx, int64_t rows, int64_t columns, const double *jacobian, const double *ceiling,
                            const dyn_rank_options *o, dyn_rank **out)
{
    return rank_of(ctx, rows, rows, columns, jacobian, ceiling, o, out);
}

dyn_status dyn__rank_triangle(dyn_ctx *ctx, int64_t rows, int64_t columns, const double *triangle,
                              const double *ceiling, const dyn_rank_options *o, dyn_rank **out)
{
    return rank_of(ctx, rows, columns, columns, triangle, ceiling, o, out);
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
    return dyn__rank_matrix(ctx, rows, columns, jacobian, NULL, &o, out);
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
