/* SPDX-License-Identifier: BSD-3-Clause
 *
 * How many samples determine a function among its tangent functions, by ranks and by projections. */
#include <inttypes.h>
#include <math.h>
#include <string.h>
#include <dyn/recovery.h>
#include "linalg/operator.h"

static dyn_status rank_of_rows(dyn_ctx *ctx, int64_t rows, int64_t columns, const double *a,
                               const dyn_rank_options *opt, int64_t *rank)
{
    dyn_rank *r = NULL;

    DYN__TRY(dyn_rank_matrix(ctx, rows, columns, a, opt, &r));
    *rank = dyn_rank_value(r);
    dyn_rank_free(r);
    return DYN_OK;
}

/* The least n in 1 .. most + 1 whose first n samples have the rank; most + 1 if none has. */
static dyn_status bisect(dyn_ctx *ctx, int64_t most, int64_t outputs, int64_t columns, const double *a,
                         const dyn_rank_options *opt, int64_t rank, int64_t *least)
{
    int64_t low = 1, high = most + 1;

    while (low < high) {
        int64_t middle = low + (high - low) / 2, found = 0;

        DYN__TRY(rank_of_rows(ctx, middle * outputs, columns, a, opt, &found));
        if (found >= rank)
            high = middle;
        else
            low = middle + 1;
    }
    *least = low;
    return DYN_OK;
}

static dyn_status check_sizes(dyn_ctx *ctx, int64_t rows, int64_t columns, int64_t others)
{
    int64_t most = INT64_MAX / (int64_t)sizeof(double);

    if (rows < 1 || columns < 1 || others < 1 || rows > most / columns || others > most / columns)
        return DYN__FAIL(ctx, DYN_EINVAL, "matrices of %" PRId64 " and %" PRId64 " rows and %" PRId64
                         " columns: all must be positive", rows, others, columns);
    return DYN_OK;
}

dyn_status dyn_recovery_samples(dyn_ctx *ctx, int64_t rows, int64_t columns, const double *samples, int64_t outputs,
                                int64_t whole_rows, const double *whole, const dyn_rank_options *opt, int64_t *least,
                                int64_t *rank)
{
    int64_t all = 0;

    if (!ctx)
        return DYN_EINVAL;
    DYN__ENTER(ctx);
    DYN__TRY(check_sizes(ctx, rows, columns, whole_rows));
    if (outputs < 1 || rows % outputs)
        return DYN__FAIL(ctx, DYN_EINVAL, "%" PRId64 " rows are no whole number of samples of %" PRId64 " outputs", rows,
                         outputs);
    DYN__NEED(ctx, samples);
    DYN__NEED(ctx, whole);
    DYN__NEED(ctx, least);
    DYN__TRY(rank_of_rows(ctx, whole_rows, columns, whole, opt, &all));
    if (rank)
        *rank = all;
    return bisect(ctx, rows / outputs, outputs, columns, samples, opt, all, least);
}

static double norm2(const double *v, int64_t n)
{
    double sum = 0.0;

    for (int64_t i = 0; i < n; i++)
        sum += v[i] * v[i];
    return sum;
}

/* v -= its part in the span of the first `count` rows of basis, which are orthonormal. Twice, for rounding. */
static void project_off(const double *basis, int64_t count, int64_t n, double *v)
{
    for (int pass = 0; pass < 2; pass++)
        for (int64_t b = 0; b < count; b++) {
            const double *q = basis + b * n;
            double along = 0.0;

            for (int64_t i = 0; i < n; i++)
                along += q[i] * v[i];
            for (int64_t i = 0; i < n; i++)
                v[i] -= along * q[i];
        }
}

static void swap_rows(double *a, double *b, int64_t n)
{
    for (int64_t i = 0; i < n; i++) {
        double t = a[i];

        a[i] = b[i];
        b[i] = t;
    }
}

/* The rows of a become an orthonormal basis of their span, the longest remainder next; returns how many there are. */
static int64_t orthonormalise(dyn_ctx *ctx, int64_t rows, int64_t n, double *a, double tolerance)
{
    double first = 0.0;

    for (int64_t k = 0; k < rows && k < n && !dyn__interrupted(ctx); k++) {
        int64_t best = k;
        double length;

        for (int64_t i = k + 1; i < rows; i++)
            if (norm2(a + i * n, n) > norm2(a + best * n, n))
                best = i;
        swap_rows(a + k * n, a + best * n, best == k ? 0 : n);
        project_off(a, k, n, a + k * n);
        length = sqrt(norm2(a + k * n, n));
        first = k == 0 ? length : first;
        if (!(length > tolerance * first))
            return k;
        for (int64_t i = 0; i < n; i++)
            a[k * n + i] /= length;
        for (int64_t i = k + 1; i < rows; i++)
            project_off(a + k * n, 1, n, a + i * n);
    }
    return rows < n ? rows : n;
}

static double largest_distance(dyn_ctx *ctx, const double *basis, int64_t count, int64_t probes, int64_t n,
                               const double *p, double *v)
{
    double slack = 0.0;

    for (int64_t i = 0; i < probes && !dyn__interrupted(ctx); i++) {
        double whole = norm2(p + i * n, n);

        memcpy(v, p + i * n, (size_t)n * sizeof *v);
        project_off(basis, count, n, v);
        if (whole > 0.0)
            slack = fmax(slack, sqrt(norm2(v, n) / whole));
    }
    return fmin(1.0, slack);
}

dyn_status dyn_recovery_slack(dyn_ctx *ctx, int64_t rows, int64_t columns, const double *samples, int64_t probe_rows,
                              const double *probes, double tolerance, double *slack)
{
    double *a;

    if (!ctx)
        return DYN_EINVAL;
    DYN__ENTER(ctx);
    DYN__TRY(check_sizes(ctx, rows, columns, probe_rows));
    DYN__NEED(ctx, samples);
    DYN__NEED(ctx, probes);
    DYN__NEED(ctx, slack);
    if (!(tolerance > 0.0 && tolerance < 1.0))
        return DYN__FAIL(ctx, DYN_EINVAL, "tolerance is %g, must be in (0, 1)", tolerance);
    DYN__TRY(dyn__check_finite(ctx, "samples", rows * columns, samples));
    DYN__TRY(dyn__check_finite(ctx, "probes", probe_rows * columns, probes));
    a = dyn__alloc(ctx, (size_t)rows + 1, (size_t)columns * sizeof *a);
    if (!a)
        return DYN_ENOMEM;
    memcpy(a, samples, (size_t)(rows * columns) * sizeof *a);
    *slack = largest_distance(ctx, a, orthonormalise(ctx, rows, columns, a, tolerance), probe_rows, columns, probes,
                              a + rows * columns);
    dyn__free(ctx, a);
    return dyn__check_interrupt(ctx);
}
