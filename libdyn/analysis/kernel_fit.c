/* SPDX-License-Identifier: BSD-3-Clause
 *
 * What is read off a kernel: alignment, and regression by its eigenvectors. */
#include <math.h>
#include <string.h>
#include <dyn/tangent.h>
#include "linalg/dense.h"
#include "linalg/operator.h"

static dyn_status check_sizes(dyn_ctx *ctx, int64_t n, int64_t columns)
{
    if (n >= 1 && columns >= 1 && n < INT64_C(1) << 30 && columns <= (INT64_C(1) << 60) / n)
        return DYN_OK;
    return DYN__FAIL(ctx, DYN_EINVAL, "a kernel of %lld samples, %lld columns: at least one, and not so many",
                     (long long)n, (long long)columns);
}

/* ---- alignment ---- */

/* Means of the rows of a [n][n], less half of the mean of all: a_ij - m_i - m_j is then centred on both sides. */
static void half_means(int64_t n, const double *a, double *m)
{
    double all = 0.0;

    for (int64_t i = 0; i < n; i++) {
        m[i] = 0.0;
        for (int64_t j = 0; j < n; j++)
            m[i] += a[i * n + j];
        m[i] /= (double)n;
        all += m[i];
    }
    for (int64_t i = 0; i < n; i++)
        m[i] -= all / (double)n / 2;
}

/* The Frobenius products of centred matrices; ma, mb [n], zero where they are not to be centred. */
static double align(int64_t n, const double *a, const double *b, const double *ma, const double *mb)
{
    double ab = 0.0, aa = 0.0, bb = 0.0;

    for (int64_t i = 0; i < n; i++) {
        double row[3] = { 0.0, 0.0, 0.0 };
        for (int64_t j = 0; j < n; j++) {
            const double x = a[i * n + j] - ma[i] - ma[j], y = b[i * n + j] - mb[i] - mb[j];
            row[0] += x * y;
            row[1] += x * x;
            row[2] += y * y;
        }
        ab += row[0];
        aa += row[1];
        bb += row[2];
    }
    return aa > 0.0 && bb > 0.0 ? ab / sqrt(aa) / sqrt(bb) : (double)NAN;
}

dyn_status dyn_kernel_alignment(dyn_ctx *ctx, int64_t n, const double *a, const double *b, int32_t centred,
                                double *alignment)
{
    double *means;

    if (!ctx)
        return DYN_EINVAL;
    DYN__ENTER(ctx);
    DYN__NEED(ctx, a);
    DYN__NEED(ctx, b);
    DYN__NEED(ctx, alignment);
    DYN__TRY(check_sizes(ctx, n, 1));
    DYN__TRY(dyn__check_flag(ctx, "centred", centred));
    means = dyn__alloc(ctx, (size_t)n, 2 * sizeof *means);
    if (!means)
        return DYN_ENOMEM;
    if (centred) {
        half_means(n, a, means);
        half_means(n, b, means + n);
    }
    *alignment = align(n, a, b, means, means + n);
    dyn__free(ctx, means);
    return DYN_OK;
}

/* ---- regression ---- */

static dyn_status check_fit(dyn_ctx *ctx, const dyn_kernel_fit_options *given, dyn_kernel_fit_options *o)
{
    *o = (dyn_kernel_fit_options)DYN_KERNEL_FIT_OPTIONS_INIT;
    DYN__TRY(dyn__options(ctx, "dyn_kernel_fit_options", given, o, sizeof *o, sizeof *o));
    DYN__TRY(dyn__check_reserved(ctx, o->reserved));
    if (!(o->ridge >= 0.0 && isfinite(o->ridge)) || !(o->time >= 0.0) || !(o->tolerance >= 0.0 && o->tolerance < 1.0))
        return DYN__FAIL(ctx, DYN_EINVAL, "ridge %g, time %g, tolerance %g: at least 0, the ridge finite, the tolerance below 1",
                         o->ridge, o->time, o->tolerance);
    if (o->ridge > 0.0 && o->time < HUGE_VAL)
        return DYN__FAIL(ctx, DYN_EINVAL, "ridge %g and time %g: one of the two", o->ridge, o->time);
    return DYN_OK;
}

/* g(w), or 0 and a count where w is none. */
static double filter(const dyn_kernel_fit_options *o, double w, double least, int64_t *left_out)
{
    if (o->ridge > 0.0)
        return 1.0 / (fmax(w, 0.0) + o->ridge);
    if (o->time < HUGE_VAL)
        return w * o->time > 1e-300 ? -expm1(-w * o->time) / w : o->time;
    if (w > least)
        return 1.0 / w;
    ++*left_out;
    return 0.0;
}

/* a = sum_i u_i g(w_i) <u_i, r>; rows of u are the vectors. c [columns] is scratch. */
static void combine(int64_t n, const double *u, const double *g, int64_t columns, const double *r, double *c, double *a)
{
    for (int64_t i = 0; i < n; i++) {
        memset(c, 0, (size_t)columns * sizeof *c);
        for (int64_t j = 0; j < n; j++)
            for (int64_t k = 0; k < columns; k++)
                c[k] += u[i * n + j] * r[j * columns + k];
        for (int64_t j = 0; j < n; j++)
            for (int64_t k = 0; k < columns; k++)
                a[j * columns + k] += u[i * n + j] * g[i] * c[k];
    }
}

/* room: [n][n] vectors, [n] values, [columns] scratch, [n][columns] result */
static dyn_status fit(dyn_ctx *ctx, const dyn_kernel_fit_options *o, int64_t n, const double *kernel, int64_t columns,
                      const double *r, double *room, double *a, int64_t *left_out)
{
    double *w = room + n * n, *c = w + n, *result = c + columns;

    memcpy(room, kernel, (size_t)(n * n) * sizeof *room);
    DYN__TRY(dyn__eigh(ctx, n, room, w, 1));
    const double least = o->tolerance * fmax(w[n - 1], 0.0);
    for (int64_t i = 0; i < n; i++)
        w[i] = filter(o, w[i], least, left_out);
    combine(n, room, w, columns, r, c, result);
    memcpy(a, result, (size_t)(n * columns) * sizeof *a);
    return DYN_OK;
}

dyn_status dyn_kernel_fit(dyn_ctx *ctx, int64_t n, const double *kernel, int64_t columns, const double *r,
                          const dyn_kernel_fit_options *opt, double *a, int64_t *left_out)
{
    dyn_kernel_fit_options o;
    int64_t none = 0;
    double *room;

    if (!ctx)
        return DYN_EINVAL;
    DYN__ENTER(ctx);
    DYN__TRY(check_fit(ctx, opt, &o));
    DYN__NEED(ctx, kernel);
    DYN__NEED(ctx, r);
    DYN__NEED(ctx, a);
    DYN__TRY(check_sizes(ctx, n, columns));
    DYN__TRY(dyn__check_finite(ctx, "kernel", n * n, kernel));
    DYN__TRY(dyn__check_finite(ctx, "r", n * columns, r));
    room = dyn__alloc(ctx, (size_t)(n + 1) * (size_t)(n + columns), sizeof *room);
    if (!room)
        return DYN_ENOMEM;
    dyn_status s = fit(ctx, &o, n, kernel, columns, r, room, a, &none);
    dyn__free(ctx, room);
    if (s == DYN_OK && left_out)
        *left_out = none;
    return s;
}
