/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Inertia of a Hessian: how many eigenvalues are negative, zero, positive. Embedding a critical point in a wider or
 * deeper network keeps its loss and never lowers these numbers; what it adds are zeros (arXiv 2105.14573, 2205.13283).
 * What counts as zero is a judgement: it comes with the threshold and the gap beside it. */
#ifndef DYN_INERTIA_H
#define DYN_INERTIA_H

#include <dyn/context.h>

#ifdef __cplusplus
extern "C" {
#endif

/**
 * Count eigenvalues: zero is |value| <= tolerance * max|value|.
 *
 * shape:  values [n] in any order; counts [3]: negative, zero, positive. *threshold (or NULL): what was compared with.
 *         *gap (or NULL): the least |value| that is not zero over the largest that is; infinite if either is missing or
 *         the latter is 0.
 * tolerance: at least 0, relative; 0 takes only what is exactly 0. A matrix of n rows has values wrong by some
 *         n * 2.2e-16 of the largest.
 * errors: DYN_EINVAL (n < 1, NULL, a number that is not finite, tolerance).   since: 0.1
 */
DYN_API dyn_status dyn_inertia_values(dyn_ctx *ctx, int64_t n, const double *values, double tolerance, int64_t *counts,
                                      double *threshold, double *gap);

/**
 * The same of a symmetric matrix a [n][n], whose lower triangle is read; values [n] (or NULL) receives its eigenvalues,
 * ascending. errors: those of dyn_dense_eigh as well.   since: 0.1
 */
DYN_API dyn_status dyn_inertia_matrix(dyn_ctx *ctx, int64_t n, const double *a, double tolerance, int64_t *counts,
                                      double *threshold, double *gap, double *values);

#ifdef __cplusplus
}
#endif
#endif
