/* SPDX-License-Identifier: BSD-3-Clause
 *
 * What an operator built on others holds. Each kind uses the parts it needs; the rest is zero. */
#ifndef DYN__LINALG_DERIVED_H
#define DYN__LINALG_DERIVED_H

#include "linalg/operator.h"

typedef struct dyn__derived {
    dyn_operator *a, *b;    /* held by reference; b may be NULL */
    int64_t size;
    double scale, shift;    /* scale * A + shift * I */
    int64_t count;          /* vectors, or indices */
    double *vectors;        /* [count][size of a], or the diagonal [size] */
    double *values;         /* [count] */
    int64_t *index;         /* [count] */
} dyn__derived;

/* Make the operator from its parts, taking over the arrays (also on failure) and referencing a and b. */
dyn_status dyn__operator_derive(const dyn__derived *parts, dyn__operator_fn fn, dyn_operator **out);

/* The same of so many rows, with an adjoint unless it is symmetric. */
dyn_status dyn__operator_derive_map(const dyn__derived *parts, int64_t rows, dyn__operator_fn fn,
                                    dyn__operator_fn adjoint, dyn_operator **out);

/* A copy of n numbers in *out. DYN_EINVAL if one is not finite. */
dyn_status dyn__copy_finite(dyn_ctx *ctx, const char *what, int64_t n, const double *x, double **out);

#endif
