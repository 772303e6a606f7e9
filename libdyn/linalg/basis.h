/* SPDX-License-Identifier: BSD-3-Clause
 *
 * A basis: rows of n contiguous numbers, orthonormal. The few operations all solvers here consist of, on top of the
 * kernel table; their bits depend on the sizes and the numbers only. */
#ifndef DYN__LINALG_BASIS_H
#define DYN__LINALG_BASIS_H

#include "base/base.h"
#include "kernel/kernel.h"

#define DYN__BASIS_CHUNKS 8     /* parts of the columns that threads take */
#define DYN__BASIS_ROOM (2 + DYN__BASIS_CHUNKS)

/* A tile kernel of the context for doubles. */
static inline void dyn__basis_tile(dyn_ctx *ctx, int id, int64_t rows, int64_t cols, const dyn__arg *arg, int adds)
{
    dyn__kernels_of(ctx)->f64.tile[id](rows, cols, arg, adds);
}

double dyn__basis_dot(dyn_ctx *ctx, int64_t n, const double *x, const double *y);
void dyn__basis_scale(int64_t n, double a, double *x);
/* x / norm, where 1 / norm may overflow. */
void dyn__basis_divide(int64_t n, double norm, double *x);

/* h = V w */
void dyn__basis_coefficients(dyn_ctx *ctx, int64_t rows, int64_t n, const double *V, const double *w, double *h);
/* w += V^T h */
void dyn__basis_combine(dyn_ctx *ctx, int64_t rows, int64_t n, const double *V, const double *h, double *w);
/* w -= V^T V w, twice, for an accuracy of the last bits; the coefficients removed in all go to h. h has room for
 * DYN__BASIS_ROOM * rows numbers. */
void dyn__basis_project_out(dyn_ctx *ctx, int64_t rows, int64_t n, const double *V, double *w, double *h);
/* The chunks' shares [chunks][rows] of V w, summed in their order: step [rows] = -sum, h += sum. */
void dyn__basis_gather(int64_t rows, int64_t chunks, const double *share, double *step, double *h);
/* The first `to` rows of V become S V in place. S [to][rows]. DYN_ENOMEM. */
dyn_status dyn__basis_rotate(dyn_ctx *ctx, int64_t rows, int64_t n, double *V, int64_t to, const double *S);
/* Make the rows of V orthonormal, dropping those that depend on earlier ones; *kept rows remain at the front. */
dyn_status dyn__basis_orthonormalise(dyn_ctx *ctx, int64_t rows, int64_t n, double *V, int64_t *kept);

#endif
