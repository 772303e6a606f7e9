/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Linear operators y = A x on float64 vectors: Hessians, Gauss-Newton and preconditioned matrices that are too large to
 * form, or a product of your own. Everything in eigen.h and estimate.h needs nothing but products. Blocks of vectors
 * are row-major [count][size]: one vector after the other. */
#ifndef DYN_OPERATOR_H
#define DYN_OPERATOR_H

#include <dyn/context.h>

#ifdef __cplusplus
extern "C" {
#endif

/**
 * A linear operator: symmetric, or a map of any shape with its adjoint. Immutable and shared: free with
 * dyn_operator_unref. An operator made from others keeps them alive. What needs a symmetric one (eigenpairs, estimates,
 * solves and most operators made from others) refuses a map with DYN_ESHAPE. thread: as for the context; the product
 * counter is atomic.
 */
typedef struct dyn_operator dyn_operator;

/**
 * Product of the caller: y_i = A x_i for count vectors.
 *
 * shape:  x [count][size], y [count][size].   alias: x and y never overlap.
 * return 0 for success; anything else ends the work with DYN_EUSER.
 */
typedef int32_t (*dyn_operator_apply_fn)(void *user, int64_t count, const double *x, double *y);

/**
 * Make an operator of size rows and columns from a callback. user must outlive the operator.
 *
 * errors: DYN_EINVAL (size < 1, fn NULL), DYN_ENOMEM.   since: 0.1
 */
DYN_API dyn_status dyn_operator_from_callback(dyn_ctx *ctx, int64_t size, dyn_operator_apply_fn fn, void *user,
                                              dyn_operator **out);

/**
 * Make a map of any shape from two callbacks: fn gives A x, x [count][columns], y [count][rows]; adjoint gives A^T of
 * blocks the other way. user must outlive the operator. dyn_operator_adjointness tests that they belong together.
 *
 * errors: DYN_EINVAL (rows or columns < 1, a callback NULL), DYN_ENOMEM.   since: 0.1
 */
DYN_API dyn_status dyn_operator_from_callbacks(dyn_ctx *ctx, int64_t rows, int64_t columns, dyn_operator_apply_fn fn,
                                               dyn_operator_apply_fn adjoint, void *user, dyn_operator **out);

/**
 * sum_i values[i] u_i v_i^T: u_i the rows of left, v_i those of right. right NULL: v = u, which is symmetric.
 *
 * shape:  left [count][rows], values [count], right [count][columns]; all copied.
 * errors: DYN_EINVAL (a size < 1, a number that is not finite), DYN_ENOMEM.   since: 0.1
 */
DYN_API dyn_status dyn_operator_low_rank(dyn_ctx *ctx, int64_t rows, int64_t columns, int64_t count, const double *left,
                                         const double *values, const double *right, dyn_operator **out);

/** Take one more reference; returns A. NULL is allowed. Any thread. since: 0.1 */
DYN_API dyn_operator *dyn_operator_ref(dyn_operator *A);

/** Give one reference back; the operator goes with the last one. NULL is allowed. Any thread. since: 0.1 */
DYN_API void dyn_operator_unref(dyn_operator *A);

/**
 * y_i = A x_i for count vectors.
 *
 * shape:  x [count][size], y [count][rows].   alias: x and y may not overlap.
 * errors: DYN_EINVAL; DYN_EUSER (from a callback); DYN_ENONFINITE (a number of y is not finite); DYN_ENOMEM. After an
 *         error the numbers in y mean nothing.
 * since:  0.1
 */
DYN_API dyn_status dyn_operator_apply(dyn_operator *A, int64_t count, const double *x, double *y);

/**
 * x_i = A^T y_i for count vectors. Of a symmetric operator the same as dyn_operator_apply.
 *
 * shape:  y [count][rows], x [count][size].   alias and errors: as dyn_operator_apply.   since: 0.1
 */
DYN_API dyn_status dyn_operator_apply_adjoint(dyn_operator *A, int64_t count, const double *y, double *x);

/** Columns of the operator, and of a symmetric one its rows; 0 for NULL. Any thread. since: 0.1 */
DYN_API int64_t dyn_operator_size(const dyn_operator *A);

/** Rows of the operator; 0 for NULL. Any thread. since: 0.1 */
DYN_API int64_t dyn_operator_rows(const dyn_operator *A);

/** Vectors multiplied by this operator since it was made, also on behalf of operators built on it. Any thread.
 * since: 0.1 */
DYN_API int64_t dyn_operator_products(const dyn_operator *A);

/**
 * errors [count]: estimated errors |A x - exact| of the products of x [count, size], where the operator, or one that it is
 * built on, is made of differences: twice the step in their place, for two more products each. 0 where products are exact.
 * errors: DYN_EINVAL; those of the product. since: 0.1
 */
DYN_API dyn_status dyn_operator_product_errors(dyn_operator *A, int64_t count, const double *x, double *errors);

/** factor * A. errors: DYN_EINVAL (factor not finite), DYN_ENOMEM. since: 0.1 */
DYN_API dyn_status dyn_operator_scaled(dyn_operator *A, double factor, dyn_operator **out);

/** A + shift * I. errors: DYN_EINVAL (shift not finite), DYN_ENOMEM. since: 0.1 */
DYN_API dyn_status dyn_operator_shifted(dyn_operator *A, double shift, dyn_operator **out);

/** A + B, of one shape. errors: DYN_ESHAPE (sizes differ), DYN_EINVAL (contexts differ), DYN_ENOMEM. since: 0.1 */
DYN_API dyn_status dyn_operator_sum(dyn_operator *A, dyn_operator *B, dyn_operator **out);

/**
 * diag(d) A diag(d): a preconditioned matrix in its symmetric form (d = the square root of the preconditioner).
 *
 * shape:  d [size], copied.   errors: DYN_EINVAL (d not finite), DYN_ENOMEM.   since: 0.1
 */
DYN_API dyn_status dyn_operator_sandwiched(dyn_operator *A, const double *d, dyn_operator **out);

/**
 * A - sum_i values[i] v_i v_i^T. With eigenpairs of A their eigenvalues become zero, the others stay.
 *
 * shape:  vectors [count][size], values [count]; both copied.   errors: DYN_EINVAL, DYN_ENOMEM.   since: 0.1
 */
DYN_API dyn_status dyn_operator_deflated(dyn_operator *A, int64_t count, const double *vectors, const double *values,
                                         dyn_operator **out);

/**
 * P A P, where P projects onto the orthogonal complement of the given vectors. They need not be orthogonal, nor
 * independent: an orthonormal basis of their span is made here.
 *
 * shape:  vectors [count][size], copied.   errors: DYN_EINVAL (not finite), DYN_ENOMEM.   since: 0.1
 */
DYN_API dyn_status dyn_operator_projected(dyn_operator *A, int64_t count, const double *vectors, dyn_operator **out);

/**
 * The block of A in the rows and columns index[0 .. count-1], in this order: the curvature of one layer, say.
 *
 * shape:  index [count], each in [0, size), copied; the new size is count.
 * errors: DYN_EINVAL (an index is out of range), DYN_ENOMEM.   since: 0.1
 */
DYN_API dyn_status dyn_operator_restricted(dyn_operator *A, int64_t count, const int64_t *index, dyn_operator **out);

/** A^T. Of a symmetric operator itself, with one more reference. errors: DYN_ENOMEM. since: 0.1 */
DYN_API dyn_status dyn_operator_transposed(dyn_operator *A, dyn_operator **out);

/** A^T A, symmetric. errors: DYN_ENOMEM. since: 0.1 */
DYN_API dyn_status dyn_operator_gram(dyn_operator *A, dyn_operator **out);

/** A B, a map. errors: DYN_ESHAPE (A has not as many columns as B rows), DYN_EINVAL (contexts differ), DYN_ENOMEM.
 * since: 0.1 */
DYN_API dyn_status dyn_operator_composed(dyn_operator *A, dyn_operator *B, dyn_operator **out);

/**
 * The Kronecker product: index i * (rows of B) + j of what comes out belongs to row i of A and j of B, likewise for what
 * goes in. Symmetric if both are.
 *
 * errors: DYN_EINVAL (the size overflows; contexts differ), DYN_ENOMEM.   since: 0.1
 */
DYN_API dyn_status dyn_operator_kronecker(dyn_operator *A, dyn_operator *B, dyn_operator **out);

/**
 * How far the adjoint is from that of the product: the largest |<y, A x> - <A^T y, x>| / (|y| |A x| + |A^T y| |x|) over 4
 * pairs of random vectors, with 8 products. About 1e-16 in float64.
 *
 * errors: as dyn_operator_apply.   since: 0.1
 */
DYN_API dyn_status dyn_operator_adjointness(dyn_operator *A, uint64_t seed, double *relative_mismatch);

/**
 * Write the operator out as a matrix, with size products.
 *
 * shape:  matrix [rows][size], row-major.   errors: as dyn_operator_apply.   since: 0.1
 */
DYN_API dyn_status dyn_operator_dense(dyn_operator *A, double *matrix);

/**
 * How far the operator is from symmetric: the largest |<u, A v> - <v, A u>| / (|u| |A v| + |v| |A u|) over 4 pairs of
 * random vectors, with 8 products. About 1e-16 for a symmetric product in float64, 1e-7 in float32.
 *
 * errors: as dyn_operator_apply.   since: 0.1
 */
DYN_API dyn_status dyn_operator_symmetry(dyn_operator *A, uint64_t seed, double *relative_asymmetry);

#ifdef __cplusplus
}
#endif
#endif
