/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Dense work shared by the solvers. LAPACK is called column-major, so that its C interface never copies or
 * allocates. */
#ifndef DYN__LINALG_DENSE_H
#define DYN__LINALG_DENSE_H

#include <dyn/dense.h>
#include "base/base.h"

/* Eigenvalues of the symmetric a [n][n], ascending. The lower triangle is read; a is overwritten, with the eigenvectors
 * as rows if vectors is not zero. The numbers of a are finite. DYN_EFULL, DYN_ENOMEM, DYN_EINTERNAL. */
dyn_status dyn__eigh(dyn_ctx *ctx, int64_t n, double *a, double *values, int vectors);

/* The lower triangle of a [n][n], overwritten together with the upper one, as a tridiagonal matrix with the same
 * eigenvalues: diagonal d [n], next to it e [n - 1]. Squares of the elements may neither overflow nor vanish.
 * DYN_ENOMEM. */
dyn_status dyn__tridiagonal(dyn_ctx *ctx, int64_t n, double *a, double *d, double *e);

/* What a routine of LAPACK answered as a status. */
dyn_status dyn__lapack_status(dyn_ctx *ctx, const char *routine, int info);

/* The checks of a public entry that takes a matrix. */
dyn_status dyn__check_matrix(dyn_ctx *ctx, int64_t rows, int64_t cols, const double *a, const double *out,
                             const char *out_name);

#endif
