/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Dense work shared by the solvers. LAPACK is called column-major, so that its C interface never copies or
 * allocates. */
#ifndef DYN__LINALG_DENSE_H
#define DYN__LINALG_DENSE_H

#include <dyn/dense.h>
#include "base/base.h"

/* Eigenvalues of the symmetric a [n][n], ascending; a is overwritten, with the eigenvectors as rows if vectors is not
 * zero. The numbers of a are finite. DYN_EFULL, DYN_ENOMEM, DYN_EINTERNAL. */
dyn_status dyn__eigh(dyn_ctx *ctx, int64_t n, double *a, double *values, int vectors);

/* The checks of a public entry that takes a matrix. */
dyn_status dyn__check_matrix(dyn_ctx *ctx, int64_t rows, int64_t cols, const double *a, const double *out,
                             const char *out_name);

#endif
