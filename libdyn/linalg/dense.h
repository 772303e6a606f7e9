/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Dense work shared by the solvers. LAPACK is called column-major, so that its C interface never copies or
 * allocates. */
#ifndef DYN__LINALG_DENSE_H
#define DYN__LINALG_DENSE_H

#include <dyn/dense.h>
#include "base/base.h"
#include "kernel/kernel.h"

/* Eigenvalues of the symmetric a [n][n], ascending. The lower triangle is read; a is overwritten, with the eigenvectors
 * as rows if vectors is not zero. The numbers of a are finite. DYN_EFULL, DYN_ENOMEM, DYN_EINTERNAL. */
dyn_status dyn__eigh(dyn_ctx *ctx, int64_t n, double *a, double *values, int vectors);

/* The lower triangle of a [n][n], overwritten together with the upper one, as a tridiagonal matrix with the same
 * eigenvalues: diagonal d [n], next to it e [n - 1]. Squares of the elements may neither overflow nor vanish. tau [n] or
 * NULL: with row i of a, I - tau_i v v^T is then the reflection that reduced it, for dyn__reflect_rows. DYN_ENOMEM. */
dyn_status dyn__tridiagonal(dyn_ctx *ctx, int64_t n, double *a, double *d, double *e, double *tau);

/* Eigenpairs of a tridiagonal matrix, d and e overwritten: values ascending, vectors [n][n] as rows. DYN_ENOMEM,
 * DYN_EINTERNAL. */
dyn_status dyn__tridiagonal_pairs(dyn_ctx *ctx, int64_t n, double *d, double *e, double *values, double *vectors);

/* Rows of Z [n][n], vectors of the tridiagonal matrix, become vectors of the matrix that a and tau reduced. DYN_ENOMEM. */
dyn_status dyn__reflect_rows(dyn_ctx *ctx, int64_t n, const double *a, const double *tau, double *Z);

/* Singular values, descending, of the matrix whose columns are the n <= m rows of x [n][m], overwritten; and the
 * condition left when they are scaled to length 1, estimated. Norms may not overflow. DYN_ENOMEM, DYN_EINTERNAL. */
dyn_status dyn__jacobi(dyn_ctx *ctx, int64_t n, int64_t m, double *x, double *s, double *condition);

/* place[a .. c - 1]: a .. c - 1 by ascending key, equal ones in their order. */
void dyn__sort_places(int64_t a, int64_t c, const double *key, int64_t *place);

/* a [rows][lda], rows <= cols <= lda, overwritten, as an upper bidiagonal matrix with the same singular values: its
 * diagonal d [rows], above it e [rows - 1]. lda is a multiple of 8. The sum of the squares of a is 0 or between 2^-400
 * and 2^400. DYN_ENOMEM. */
dyn_status dyn__bidiagonal(dyn_ctx *ctx, int64_t rows, int64_t cols, double *a, int64_t lda, double *d, double *e);

/* The triangle R of A = Q R from a [rows][cols], stored as [cols][rows] if transposed, rows > cols, to r [cols][ldr]:
 * below the diagonal r is left as it is. Squares as above. DYN_ENOMEM. */
dyn_status dyn__qr(dyn_ctx *ctx, int64_t rows, int64_t cols, const double *a, int transposed, double *r, int64_t ldr);

/* A column of such a matrix with a smaller norm is taken for zero. */
#define DYN__NEGLIGIBLE 0x1p-300

/* Plan a product of which the sizes change from panel to panel: no code is generated for it. */
dyn_status dyn__plan_panel(dyn_ctx *ctx, dyn__gemm *g);

/* What a routine of LAPACK answered as a status. */
dyn_status dyn__lapack_status(dyn_ctx *ctx, const char *routine, int info);

/* The checks of a public entry that takes a matrix. */
dyn_status dyn__check_matrix(dyn_ctx *ctx, int64_t rows, int64_t cols, const double *a, const double *out,
                             const char *out_name);

#endif
