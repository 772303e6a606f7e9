/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Diagonal estimation: z * (A z) has mean diag(A) for random signs z, as z_i z_j averages to zero for i != j
 * and z_i^2 = 1. */
#include <inttypes.h>
#include <dyn/estimate.h>
#include "linalg/probe.h"

enum { SITE_DIAGONAL = 3 };

static dyn_status accumulate(dyn_operator *A, int64_t probes, uint64_t seed, double *block, dyn__mean *mean)
{
    int64_t n = A->size;
    double *z = block, *y = block + DYN__PROBE_BLOCK * n;

    for (int64_t first = 0; first < probes; first += DYN__PROBE_BLOCK) {
        int64_t count = probes - first < DYN__PROBE_BLOCK ? probes - first : DYN__PROBE_BLOCK;

        dyn__probe_signs(seed, SITE_DIAGONAL, first, count, n, z);
        DYN__TRY(dyn__operator_apply(A, count, z, y));
        for (int64_t r = 0; r < count; r++)
            for (int64_t i = 0; i < n; i++)
                dyn__mean_add(&mean[i], z[r * n + i] * y[r * n + i]);
    }
    return DYN_OK;
}

dyn_status dyn_operator_diagonal(dyn_operator *A, int64_t probes, uint64_t seed, double *diagonal,
                                 double *standard_error)
{
    double *block;
    dyn__mean *mean;
    dyn_status s = DYN_ENOMEM;

    if (!A)
        return DYN_EINVAL;
    DYN__ENTER(A->ctx);
    DYN__TRY(dyn__need_symmetric(A));
    DYN__NEED(A->ctx, diagonal);
    if (probes < 2 || probes > INT32_MAX)
        return DYN__FAIL(A->ctx, DYN_EINVAL, "probes is %" PRId64 ", must be in [2, %d]", probes, INT32_MAX);
    block = dyn__alloc(A->ctx, 2 * DYN__PROBE_BLOCK, (size_t)A->size * sizeof *block);
    mean = block ? dyn__alloc(A->ctx, (size_t)A->size, sizeof *mean) : NULL;
    if (mean)
        s = accumulate(A, probes, seed, block, mean);
    for (int64_t i = 0; s >= 0 && i < A->size; i++) {
        diagonal[i] = mean[i].mean;
        if (standard_error)
            standard_error[i] = dyn__mean_error(&mean[i]);
    }
    dyn__free(A->ctx, mean);
    dyn__free(A->ctx, block);
    return s;
}
