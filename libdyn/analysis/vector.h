/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Small services of this room. */
#ifndef DYN__ANALYSIS_VECTOR_H
#define DYN__ANALYSIS_VECTOR_H

#include "base/base.h"

/* Indices 0 .. n-1 sorted by key, ascending or descending; equal keys by index. order [n]. */
dyn_status dyn__sort_by(dyn_ctx *ctx, int64_t n, const double *key, int descending, int64_t *order);

/* a [rows][columns], called `what`, is there, has a size that is a number, and is finite. */
dyn_status dyn__check_table(dyn_ctx *ctx, const char *what, int64_t rows, int64_t columns, const double *a);

#endif
