/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The inside of a linear operator, for the rooms that make operators of their own (Hessians of objectives) and for the
 * solvers. Vectors come in row-major blocks [count][size]. */
#ifndef DYN__LINALG_OPERATOR_H
#define DYN__LINALG_OPERATOR_H

#include <dyn/operator.h>
#include "base/base.h"

/* Writes y = A x; fails with a message of its own. */
typedef dyn_status (*dyn__operator_fn)(void *user, int64_t count, const double *x, double *y);

struct dyn_operator {
    dyn__ref ref;
    dyn_ctx *ctx;
    int64_t size, rows;         /* of what goes in; of what comes out */
    _Atomic int64_t products;
    dyn__operator_fn fn, adjoint;   /* adjoint NULL: the operator is symmetric */
    void *user;
    void (*destroy)(void *user);
    int32_t dtype;              /* of the arithmetic behind the products: DYN_F64, or DYN_F32 */
    /* Makes the steps of differences behind the products so many times as long; NULL: the products are exact. */
    void (*stretch)(void *user, double factor);
};

/* The operator owns user from here on and calls destroy(user) at its end; destroy may be NULL. On failure user stays
 * the caller's. */
dyn_status dyn__operator_create(dyn_ctx *ctx, int64_t size, dyn__operator_fn fn, void *user,
                                void (*destroy)(void *user), dyn_operator **out);

/* The same for a map of any shape and its adjoint. */
dyn_status dyn__operator_create_map(dyn_ctx *ctx, int64_t rows, int64_t columns, dyn__operator_fn fn,
                                    dyn__operator_fn adjoint, void *user, void (*destroy)(void *user),
                                    dyn_operator **out);
/* DYN_ESHAPE unless A was made as a symmetric operator. */
dyn_status dyn__need_symmetric(const dyn_operator *A);

/* The product, counted, with the result checked for numbers that are not finite. */
dyn_status dyn__operator_apply(dyn_operator *A, int64_t count, const double *x, double *y);
/* x [count][size] = A^T y, y [count][rows]. */
dyn_status dyn__operator_apply_adjoint(dyn_operator *A, int64_t count, const double *y, double *x);

/* errors [count]: of the products of x [count, size], estimated by differences of twice the step; 0 where they are exact. */
dyn_status dyn__operator_errors(dyn_operator *A, int64_t count, const double *x, double *errors);
/* Nothing for exact operators. */
void dyn__operator_stretch(dyn_operator *A, double factor);

/* DYN_EINVAL with the position unless all n numbers are finite; what names the array in the message. */
dyn_status dyn__check_finite(dyn_ctx *ctx, const char *what, int64_t n, const double *x);

#endif
