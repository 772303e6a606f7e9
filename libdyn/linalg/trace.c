/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Trace estimation. Hutchinson: the mean of z^T A z. Hutch++ (Meyer, Musco, Musco, Woodruff 2021): with Q an
 * orthonormal basis of A S, S random, trace A = trace Q^T A Q + trace P A P; the first part is exact and holds the
 * large eigenvalues, the second (P projects away from Q) is sampled. One third of the products for each of A S, A Q,
 * samples. With as many products as rows the diagonal is read off. */
#include <float.h>
#include <inttypes.h>
#include <math.h>
#include <dyn/estimate.h>
#include "linalg/basis.h"
#include "linalg/probe.h"
#include "random/random.h"

enum { SITE_SKETCH = 1, SITE_SAMPLE = 2, SITE_SPHERE = 5 };

/* trace Q^T A Q; Q [rows][n], product [rows][n]. */
static dyn_status exact_part(dyn_operator *A, int64_t rows, const double *Q, double *product, double *sum)
{
    int64_t n = A->size;

    *sum = 0.0;
    if (rows == 0)
        return DYN_OK;
    DYN__TRY(dyn__operator_apply(A, rows, Q, product));
    for (int64_t r = 0; r < rows; r++)
        *sum += dyn__basis_dot(A->ctx, n, Q + r * n, product + r * n);
    return DYN_OK;
}

/* The samples of one estimate, and the longest product among them. */
typedef struct sample {
    dyn__mean mean;
    double longest;
} sample;

/* Mean of z^T P A P z over samples; block [2][DYN__PROBE_BLOCK][n] and DYN__BASIS_ROOM rows more numbers. */
static dyn_status sampled_part(dyn_operator *A, uint64_t seed, int64_t samples, int64_t rows, const double *Q,
                               double *block, sample *m)
{
    int64_t n = A->size;
    double *z = block, *y = block + DYN__PROBE_BLOCK * n, *h = y + DYN__PROBE_BLOCK * n;

    for (int64_t first = 0; first < samples; first += DYN__PROBE_BLOCK) {
        int64_t count = samples - first < DYN__PROBE_BLOCK ? samples - first : DYN__PROBE_BLOCK;

        dyn__probe_signs(seed, SITE_SAMPLE, first, count, n, z);
        for (int64_t r = 0; r < count; r++)
            dyn__basis_project_out(A->ctx, rows, n, Q, z + r * n, h);
        DYN__TRY(dyn__operator_apply(A, count, z, y));
        for (int64_t r = 0; r < count; r++)
            dyn__mean_add(&m->mean, dyn__basis_dot(A->ctx, n, z + r * n, y + r * n));
        for (int64_t r = 0; r < count; r++)
            m->longest = fmax(m->longest, dyn__norm(A->ctx, n, y + r * n));
    }
    return DYN_OK;
}

/* An orthonormal basis of the products of `rows` random vectors, in Q; scratch [rows][n]. */
static dyn_status sketch(dyn_operator *A, uint64_t seed, int64_t rows, double *Q, double *scratch, int64_t *kept)
{
    *kept = 0;
    if (rows == 0)
        return DYN_OK;
    dyn__normal_f64((dyn__key){ .seed = seed, .stream = DYN__STREAM_PROBE, .site = SITE_SKETCH }, 0, rows * A->size,
                    scratch);
    DYN__TRY(dyn__operator_apply(A, rows, scratch, Q));
    return dyn__basis_orthonormalise(A->ctx, rows, A->size, Q, kept);
}

/* The standard error. The variance of a sample is at most 2 |A|_F^2, which is the mean of 2 |A z|^2; samples that all
 * agree may do so by chance, each with a probability of up to a half, and are not taken for certain. */
static double error_of(const sample *m)
{
    double n = (double)m->mean.count, error = dyn__mean_error(&m->mean);

    if (m->mean.count < 2 || error > 4.0 * DBL_EPSILON * fabs(m->mean.mean))
        return error;
    return fmax(error, m->longest * sqrt(2.0 / n) * exp2(-0.5 * (n - 1.0)));
}

/* The trace from products with the columns of the identity. */
static dyn_status exact(dyn_operator *A, double *trace)
{
    int64_t n = A->size;
    double *x = dyn__alloc(A->ctx, 2 * DYN__PROBE_BLOCK, (size_t)n * sizeof *x), *y = x + DYN__PROBE_BLOCK * n;
    dyn_status s = x ? DYN_OK : DYN_ENOMEM;

    *trace = 0.0;
    for (int64_t first = 0; s >= 0 && first < n; first += DYN__PROBE_BLOCK) {
        int64_t count = n - first < DYN__PROBE_BLOCK ? n - first : DYN__PROBE_BLOCK;

        for (int64_t r = 0; r < count; r++)
            x[r * n + first + r] = 1.0;
        s = dyn__operator_apply(A, count, x, y);
        for (int64_t r = 0; s >= 0 && r < count; r++) {
            *trace += y[r * n + first + r];
            x[r * n + first + r] = 0.0;
        }
    }
    dyn__free(A->ctx, x);
    return s;
}

static dyn_status estimate(dyn_operator *A, const dyn_trace_options *o, double *trace, double *error)
{
    int64_t n = A->size, third = o->method == DYN_TRACE_HUTCHPP ? o->products / 3 : 0;
    int64_t rows = third < n ? third : n, samples = o->products - 2 * third;
    int64_t room = DYN__BASIS_ROOM * rows / n + 1;
    double *Q = dyn__alloc(A->ctx, (size_t)(2 * rows + 2 * DYN__PROBE_BLOCK + room), (size_t)n * sizeof *Q);
    double *scratch, known = 0.0;
    sample m = { .longest = 0.0 };
    dyn_status s;

    if (!Q)
        return DYN_ENOMEM;
    scratch = Q + rows * n;
    s = sketch(A, o->seed, rows, Q, scratch, &rows);
    if (s >= 0)
        s = exact_part(A, rows, Q, scratch, &known);
    if (s >= 0 && rows < n)
        s = sampled_part(A, o->seed, samples, rows, Q, scratch, &m);
    dyn__free(A->ctx, Q);
    *trace = known + m.mean.mean;
    *error = error_of(&m);
    return s;
}

/* Test vectors uniform on the sphere of radius sqrt(n). */
static dyn_status cross(dyn_operator *A, const dyn_trace_options *o, double *trace, double *error)
{
    int64_t m = o->products / 2, n = A->size;
    double *omega = dyn__alloc(A->ctx, (size_t)m, (size_t)n * sizeof *omega);
    dyn_status s;

    if (!omega)
        return DYN_ENOMEM;
    dyn__normal_f64((dyn__key){ .seed = o->seed, .stream = DYN__STREAM_PROBE, .site = SITE_SPHERE }, 0, m * n, omega);
    for (int64_t k = 0; k < m; k++)
        dyn__basis_scale(n, sqrt((double)n) / dyn__norm(A->ctx, n, omega + k * n), omega + k * n);
    s = dyn__xtrace(A, m, omega, 1, trace, error);
    dyn__free(A->ctx, omega);
    return s;
}

static dyn_status choose(dyn_operator *A, const dyn_trace_options *o, double *trace, double *error)
{
    *error = 0.0;
    if (o->products >= A->size)
        return exact(A, trace);
    return o->method == DYN_TRACE_XTRACE ? cross(A, o, trace, error) : estimate(A, o, trace, error);
}

dyn_status dyn_operator_trace(dyn_operator *A, const dyn_trace_options *opt, double *trace, double *standard_error)
{
    dyn_trace_options o = DYN_TRACE_OPTIONS_INIT;
    double value, error;
    int64_t least;

    if (!A)
        return DYN_EINVAL;
    DYN__ENTER(A->ctx);
    DYN__TRY(dyn__need_symmetric(A));
    DYN__NEED(A->ctx, trace);
    DYN__TRY(dyn__options(A->ctx, "dyn_trace_options", opt, &o, sizeof o, sizeof o));
    if (o.method < DYN_TRACE_HUTCHPP || o.method > DYN_TRACE_XTRACE)
        return DYN__FAIL(A->ctx, DYN_EINVAL, "method is %" PRId32 ", must be in [0, %d]", o.method, DYN_TRACE_XTRACE);
    least = o.method == DYN_TRACE_HUTCHPP ? 6 : o.method == DYN_TRACE_XTRACE ? 4 : 2;
    if (o.products < least || o.products > INT32_MAX)
        return DYN__FAIL(A->ctx, DYN_EINVAL, "products is %" PRId64 ", must be in [%" PRId64 ", %d]", o.products,
                         least, INT32_MAX);
    DYN__TRY(choose(A, &o, &value, &error));
    *trace = value;
    if (standard_error)
        *standard_error = error;
    return DYN_OK;
}
