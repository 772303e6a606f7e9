/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The Frobenius norm, |A z|^2 having the mean |A|_F^2 over random signs z, and the stable rank. */
#include <inttypes.h>
#include <math.h>
#include <dyn/eigen.h>
#include <dyn/estimate.h>
#include "kernel/kernel.h"
#include "linalg/probe.h"

enum { SITE_NORM = 5 };

/* *unit: the first length that is not 0, in which squares are summed, so that they neither overflow nor vanish. */
static dyn_status accumulate(dyn_operator *A, int64_t probes, uint64_t seed, double *z, double *y, double *unit, dyn__mean *m)
{
    const int64_t rows = dyn_operator_rows(A);

    for (int64_t first = 0; first < probes; first += DYN__PROBE_BLOCK) {
        const int64_t count = probes - first < DYN__PROBE_BLOCK ? probes - first : DYN__PROBE_BLOCK;

        dyn__probe_signs(seed, SITE_NORM, first, count, A->size, z);
        DYN__TRY(dyn__operator_apply(A, count, z, y));
        for (int64_t r = 0; r < count; r++) {
            const double length = dyn__norm(A->ctx, rows, y + r * rows);

            *unit = *unit > 0.0 ? *unit : length;
            dyn__mean_add(m, *unit > 0.0 ? length / *unit * (length / *unit) : 0.0);
        }
    }
    return DYN_OK;
}

dyn_status dyn_operator_frobenius(dyn_operator *A, int64_t probes, uint64_t seed, double *norm, double *standard_error)
{
    double *z, unit = 0.0;
    dyn__mean m = { 0 };
    dyn_status s;

    if (!A)
        return DYN_EINVAL;
    DYN__ENTER(A->ctx);
    DYN__NEED(A->ctx, norm);
    if (probes < 2 || probes > INT32_MAX)
        return DYN__FAIL(A->ctx, DYN_EINVAL, "probes is %" PRId64 ", must be in [2, %d]", probes, INT32_MAX);
    z = dyn__alloc(A->ctx, DYN__PROBE_BLOCK, (size_t)(A->size + dyn_operator_rows(A)) * sizeof *z);
    if (!z)
        return DYN_ENOMEM;
    s = accumulate(A, probes, seed, z, z + DYN__PROBE_BLOCK * A->size, &unit, &m);
    dyn__free(A->ctx, z);
    DYN__TRY(s);
    *norm = unit * sqrt(m.mean);
    if (standard_error)
        *standard_error = m.mean > 0.0 ? unit * dyn__mean_error(&m) / (2.0 * sqrt(m.mean)) : 0.0;
    return DYN_OK;
}

static dyn_status largest(dyn_operator *A, double tolerance, uint64_t seed, double *size, double *residual)
{
    dyn_eigen_options opt = DYN_EIGEN_OPTIONS_INIT;
    dyn_eigen *e = NULL;
    dyn_status s;

    opt.which = DYN_LARGEST_MAGNITUDE;
    opt.tolerance = tolerance;
    opt.seed = seed;
    s = dyn_eigen_solve(A, &opt, &e);
    if (s >= 0) {
        *size = fabs(dyn_eigen_values(e)[0]);
        *residual = dyn_eigen_residuals(e)[0];
    }
    dyn_eigen_free(e);
    return s;
}

dyn_status dyn_operator_stable_rank(dyn_operator *A, int64_t probes, double tolerance, uint64_t seed, double *rank,
                                    double *standard_error)
{
    double norm, error, size = 0.0, residual = 0.0;
    dyn_status s;

    if (!A)
        return DYN_EINVAL;
    DYN__ENTER(A->ctx);
    DYN__NEED(A->ctx, rank);
    DYN__TRY(dyn__need_symmetric(A));
    DYN__TRY(dyn_operator_frobenius(A, probes, seed, &norm, &error));
    s = largest(A, tolerance, seed, &size, &residual);
    if (s < 0)
        return s;
    *rank = size > 0.0 ? norm / size * (norm / size) : 0.0;
    if (standard_error)
        *standard_error = size > 0.0 && norm > 0.0 ? 2.0 * *rank * hypot(error / norm, residual / size) : 0.0;
    return s;
}
