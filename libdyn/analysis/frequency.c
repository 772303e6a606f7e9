/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Fourier coefficients at any points, by the sum itself; projection on a direction; a Gaussian filter. A task is one
 * frequency or one point, so that no result depends on the threads. */
#include <inttypes.h>
#include <math.h>
#include <dyn/frequency.h>
#include "analysis/vector.h"
#include "linalg/operator.h"

typedef struct transform {
    dyn_ctx *ctx;
    int64_t n, outputs;
    const double *x, *y, *k;
    double *out;
} transform;

static void one_frequency(void *arg, int64_t task, int worker)
{
    const transform *t = arg;
    double *out = t->out + 2 * task * t->outputs;

    (void)worker;
    if (dyn__interrupted(t->ctx))
        return;
    for (int64_t o = 0; o < 2 * t->outputs; o++)
        out[o] = 0.0;
    for (int64_t j = 0; j < t->n; j++) {
        double c = cos(t->k[task] * t->x[j]), s = sin(t->k[task] * t->x[j]);

        for (int64_t o = 0; o < t->outputs; o++) {
            out[2 * o] += t->y[j * t->outputs + o] * c;
            out[2 * o + 1] -= t->y[j * t->outputs + o] * s;
        }
    }
    for (int64_t o = 0; o < 2 * t->outputs; o++)
        out[o] /= (double)t->n;
}

dyn_status dyn_frequency_transform(dyn_ctx *ctx, int64_t n, int64_t outputs, const double *x, const double *y,
                                   int64_t count, const double *k, double *out)
{
    transform t = { ctx, n, outputs, x, y, k, out };

    if (!ctx)
        return DYN_EINVAL;
    DYN__ENTER(ctx);
    DYN__TRY(dyn__check_table(ctx, "x", n, 1, x));
    DYN__TRY(dyn__check_table(ctx, "y", n, outputs, y));
    DYN__TRY(dyn__check_table(ctx, "k", count, 1, k));
    DYN__NEED(ctx, out);
    dyn__parallel(ctx, count, one_frequency, &t);
    return dyn__check_interrupt(ctx);
}

dyn_status dyn_frequency_error(dyn_ctx *ctx, int64_t count, const double *fit, const double *truth, double floor,
                               int32_t phases, double *error)
{
    if (!ctx)
        return DYN_EINVAL;
    DYN__ENTER(ctx);
    DYN__TRY(dyn__check_table(ctx, "fit", count, 2, fit));
    DYN__TRY(dyn__check_table(ctx, "truth", count, 2, truth));
    DYN__NEED(ctx, error);
    DYN__TRY(dyn__check_flag(ctx, "phases", phases));
    if (!(floor >= 0.0 && isfinite(floor)))
        return DYN__FAIL(ctx, DYN_EINVAL, "floor is %g, must be at least 0", floor);
    for (int64_t i = 0; i < count; i++) {
        const double *f = fit + 2 * i, *t = truth + 2 * i;
        double size = hypot(t[0], t[1]);
        double off = phases ? hypot(f[0] - t[0], f[1] - t[1]) : fabs(hypot(f[0], f[1]) - size);

        error[i] = off / (floor + size);
        if (floor + size == 0.0)
            error[i] = off > 0.0 ? HUGE_VAL : 0.0;
    }
    return DYN_OK;
}

dyn_status dyn_frequency_project(dyn_ctx *ctx, int64_t n, int64_t dimensions, const double *x, const double *direction,
                                 double *t)
{
    if (!ctx)
        return DYN_EINVAL;
    DYN__ENTER(ctx);
    DYN__TRY(dyn__check_table(ctx, "x", n, dimensions, x));
    DYN__TRY(dyn__check_table(ctx, "direction", dimensions, 1, direction));
    DYN__NEED(ctx, t);
    for (int64_t j = 0; j < n; j++) {
        t[j] = 0.0;
        for (int64_t i = 0; i < dimensions; i++)
            t[j] += x[j * dimensions + i] * direction[i];
    }
    return DYN_OK;
}

typedef struct filter {
    dyn_ctx *ctx;
    int64_t n, dimensions, outputs;
    const double *x, *y;
    double delta, *low;
} filter;

static double distance2(const double *a, const double *b, int64_t n)
{
    double sum = 0.0;

    for (int64_t i = 0; i < n; i++)
        sum += (a[i] - b[i]) * (a[i] - b[i]);
    return sum;
}

static void one_point(void *arg, int64_t task, int worker)
{
    const filter *f = arg;
    double *low = f->low + task * f->outputs, weight = 0.0;

    (void)worker;
    if (dyn__interrupted(f->ctx))
        return;
    for (int64_t o = 0; o < f->outputs; o++)
        low[o] = 0.0;
    for (int64_t i = 0; i < f->n; i++) {
        double g = exp(-distance2(f->x + task * f->dimensions, f->x + i * f->dimensions, f->dimensions)
                       / (2.0 * f->delta));

        weight += g;
        for (int64_t o = 0; o < f->outputs; o++)
            low[o] += g * f->y[i * f->outputs + o];
    }
    for (int64_t o = 0; o < f->outputs; o++)
        low[o] /= weight;           /* at least 1: the point itself */
}

dyn_status dyn_frequency_filter(dyn_ctx *ctx, int64_t n, int64_t dimensions, int64_t outputs, const double *x,
                                const double *y, double delta, double *low)
{
    filter f = { ctx, n, dimensions, outputs, x, y, delta, low };

    if (!ctx)
        return DYN_EINVAL;
    DYN__ENTER(ctx);
    DYN__TRY(dyn__check_table(ctx, "x", n, dimensions, x));
    DYN__TRY(dyn__check_table(ctx, "y", n, outputs, y));
    DYN__NEED(ctx, low);
    if (!(delta > 0.0 && isfinite(delta)))
        return DYN__FAIL(ctx, DYN_EINVAL, "delta is %g, must be positive", delta);
    dyn__parallel(ctx, n, one_point, &f);
    return dyn__check_interrupt(ctx);
}
