/* SPDX-License-Identifier: BSD-3-Clause
 *
 * How far weights have moved from their start, and how that distance scales with the width: the exponent that tells
 * the linear regime (negative) from the condensed one (positive). */
#include <inttypes.h>
#include <math.h>
#include "analysis/condensation.h"
#include "linalg/operator.h"

dyn_status dyn_condensation_distance(dyn_ctx *ctx, int64_t n, const double *w, const double *w0, double *distance)
{
    double start, *change;

    if (!ctx)
        return DYN_EINVAL;
    DYN__ENTER(ctx);
    if (n < 1 || !w || !w0 || !distance)
        return DYN__FAIL(ctx, DYN_EINVAL, "n is %" PRId64 " or an array is NULL", n);
    DYN__TRY(dyn__check_finite(ctx, "w", n, w));
    DYN__TRY(dyn__check_finite(ctx, "w0", n, w0));
    start = dyn__norm(ctx, n, w0);
    if (start == 0.0)
        return DYN__FAIL(ctx, DYN_EINVAL, "all %" PRId64 " numbers of w0 are 0", n);
    change = dyn__alloc(ctx, (size_t)n, sizeof *change);
    if (!change)
        return DYN_ENOMEM;
    for (int64_t i = 0; i < n; i++)
        change[i] = w[i] - w0[i];
    *distance = dyn__norm(ctx, n, change) / start;
    dyn__free(ctx, change);
    return isfinite(*distance) ? DYN_OK : DYN__FAIL(ctx, DYN_ENONFINITE, "|w - w0| / |w0| overflows, |w0| is %g", start);
}

typedef struct line {
    double x_mean, y_mean, xx, xy;
} line;

static line fit(int64_t n, const double *m, const double *y)
{
    line l = { 0 };

    for (int64_t i = 0; i < n; i++) {
        l.x_mean += log(m[i]) / (double)n;
        l.y_mean += log(y[i]) / (double)n;
    }
    for (int64_t i = 0; i < n; i++) {
        double dx = log(m[i]) - l.x_mean, dy = log(y[i]) - l.y_mean;

        l.xx += dx * dx;
        l.xy += dx * dy;
    }
    return l;
}

/* Sum of the squared distances from the line of this slope. */
static double residual(int64_t n, const double *m, const double *y, const line *l, double slope)
{
    double sum = 0.0;

    for (int64_t i = 0; i < n; i++) {
        const double r = log(y[i]) - l->y_mean - slope * (log(m[i]) - l->x_mean);
        sum += r * r;
    }
    return sum;
}

static dyn_status check_positive(dyn_ctx *ctx, const char *name, int64_t n, const double *x)
{
    for (int64_t i = 0; i < n; i++)
        if (!(x[i] > 0.0 && isfinite(x[i])))
            return DYN__FAIL(ctx, DYN_EINVAL, "%s[%" PRId64 "] is %g, must be positive", name, i, x[i]);
    return DYN_OK;
}

dyn_status dyn_condensation_slope(dyn_ctx *ctx, int64_t n, const double *m, const double *y, double *slope,
                                  double *standard_error)
{
    line l;

    if (!ctx)
        return DYN_EINVAL;
    DYN__ENTER(ctx);
    if (n < 2 || !m || !y || !slope)
        return DYN__FAIL(ctx, DYN_EINVAL, "n is %" PRId64 ", must be at least 2, or an array is NULL", n);
    DYN__TRY(check_positive(ctx, "m", n, m));
    DYN__TRY(check_positive(ctx, "y", n, y));
    l = fit(n, m, y);
    if (!(l.xx > 0.0))
        return DYN__FAIL(ctx, DYN_EINVAL, "all %" PRId64 " widths are %g", n, m[0]);
    *slope = l.xy / l.xx;
    if (standard_error)
        *standard_error = n == 2 ? 0.0 : sqrt(residual(n, m, y, &l, *slope) / (double)(n - 2) / l.xx);
    return DYN_OK;
}
