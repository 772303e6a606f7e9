/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Dense matrices: eigenvalues of a symmetric matrix and singular values, on the threads of the context. Matrices are row-major float64; the
 * inputs are not changed. Singular values come in three accuracies, because a rank is decided by the small ones. */
#ifndef DYN_DENSE_H
#define DYN_DENSE_H

#include <dyn/context.h>

#ifdef __cplusplus
extern "C" {
#endif

/**
 * All eigenvalues of a symmetric matrix, ascending, and on request the eigenvectors.
 *
 * shape:  a [n][n], values [n], vectors [n][n] or NULL; vectors[i] belongs to values[i] and has norm 1.
 * alias:  the outputs may not overlap each other or a.   Only the lower triangle of a is used.
 * error:  a few units of rounding times the largest |value|, in each value.
 * errors: DYN_EINVAL (n < 1, a not finite), DYN_EFULL (n > 30000), DYN_ENOMEM.
 * since:  0.1
 */
DYN_API dyn_status dyn_dense_eigh(dyn_ctx *ctx, int64_t n, const double *a, double *values, double *vectors);

/**
 * All singular values, descending, each within a few units of rounding times the largest one: values below about
 * 1e-15 s[0] are noise.
 *
 * shape:  a [rows][cols], s [min(rows, cols)].   alias: s may not overlap a.
 * errors: DYN_EINVAL (a size < 1, a not finite), DYN_EFULL (a size > 1000000), DYN_ENOMEM.
 * since:  0.1
 */
DYN_API dyn_status dyn_dense_svd_values(dyn_ctx *ctx, int64_t rows, int64_t cols, const double *a, double *s);

/**
 * All singular values, descending, from the eigenvalues of the smaller Gram matrix: several times faster when one side
 * is much longer, but values below about 1e-8 s[0] are lost. error_bound says how far each value can be off.
 *
 * shape:  a [rows][cols], s [min(rows, cols)], error_bound [min(rows, cols)] or NULL (absolute, in units of s).
 * errors: as dyn_dense_svd_values, and DYN_EFULL if the smaller size is above 30000; DYN_ENONFINITE if squares
 *         overflow.
 * since:  0.1
 */
DYN_API dyn_status dyn_dense_svd_values_gram(dyn_ctx *ctx, int64_t rows, int64_t cols, const double *a, double *s,
                                             double *error_bound);

/**
 * All singular values, descending, to high relative accuracy, also the tiny ones, whenever the matrix is a
 * well-conditioned one scaled by rows and columns (preconditioned one-sided Jacobi). Slower than dyn_dense_svd_values.
 *
 * shape:  a [rows][cols], s [min(rows, cols)], condition one number or NULL.
 * error:  relative, about 1e-16 * min(rows, cols) * *condition; condition is the estimated condition number that is
 *         left when the columns (rows, if there are fewer of them) are scaled to length 1.
 * errors: as dyn_dense_svd_values.
 * since:  0.1
 */
DYN_API dyn_status dyn_dense_svd_values_accurate(dyn_ctx *ctx, int64_t rows, int64_t cols, const double *a, double *s,
                                                 double *condition);

#ifdef __cplusplus
}
#endif
#endif
