/* SPDX-License-Identifier: BSD-3-Clause
 *
 * A basis in float32: what basis.h does, in doubles, on rows of floats. */
#ifndef DYN__LINALG_NARROW_H
#define DYN__LINALG_NARROW_H

#include "linalg/basis.h"

/* Doubles of scratch for a basis of so many rows. */
size_t dyn__narrow_scratch(const dyn_ctx *ctx, int64_t rows);
void dyn__narrow_widen(int64_t count, const float *x, double *to);
void dyn__narrow_store(int64_t count, const double *x, float *to);
/* As dyn__basis_project_out and dyn__basis_rotate. */
void dyn__narrow_project_out(dyn_ctx *ctx, int64_t rows, int64_t n, const float *V, double *w, double *h,
                             double *scratch);
dyn_status dyn__narrow_rotate(dyn_ctx *ctx, int64_t rows, int64_t n, float *V, int64_t to, const double *S);

#endif
