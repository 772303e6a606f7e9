/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Equations with operators: linear systems, and the exponential of an operator times a vector, of which a linearised
 * training is one. Only products are needed. */
#ifndef DYN_SOLVE_H
#define DYN_SOLVE_H

#include <dyn/operator.h>

#ifdef __cplusplus
extern "C" {
#endif

/** How a system is solved. */
enum dyn_solve_method {
    DYN_SOLVE_MINRES = 0,       /* any symmetric operator; of a singular one the least squares */
    DYN_SOLVE_GRADIENTS = 1     /* conjugate gradients: positive definite operators */
};

typedef struct dyn_solve_options {
    uint32_t struct_size;       /* sizeof(dyn_solve_options); set by DYN_SOLVE_OPTIONS_INIT */
    int32_t method;             /* enum dyn_solve_method */
    double tolerance;           /* |b - A x| is at most tolerance * |b|; in [1e-15, 1) */
    int64_t max_products;       /* 0 = chosen: 10 per row + 100; at least 2 */
    dyn_progress_fn progress;   /* called after every product; NULL = none */
    void *progress_user;
} dyn_solve_options;
#define DYN_SOLVE_OPTIONS_INIT { DYN_SIZE_OF(dyn_solve_options), DYN_SOLVE_MINRES, 1e-8, 0, NULL, NULL }

/**
 * Solve A x = b for a symmetric operator, from x = 0. Damping is dyn_operator_shifted.
 *
 * shape:  b [size], x [size]; no overlap.   opt may be NULL.
 * *residual (or NULL) is |b - A x|, from a product of its own; *products (or NULL) those used.
 * return: DYN_NOT_CONVERGED: the residual is above the tolerance after max_products, or rounding allows no less; x is the
 *         best that was found. DYN_STOPPED: progress asked for it; x is what there was.
 * errors: DYN_EINVAL (options; b not finite; conjugate gradients met a direction without positive curvature), DYN_ESHAPE
 *         (A is not a symmetric operator), DYN_ENOMEM, and those of the products.   since: 0.1
 */
DYN_API dyn_status dyn_operator_solve(dyn_operator *A, const double *b, const dyn_solve_options *opt, double *x,
                                      double *residual, int64_t *products);

/**
 * y = exp(t A) x for a symmetric operator, by Lanczos steps.
 *
 * shape:  x [size], y [size], which may be the same.   tolerance: of y, relative; 0 = 1e-10; in [1e-15, 1).
 * max_products: 0 = 10000.   *error (or NULL): the estimated error relative to |y|, summed over the steps.
 * return: DYN_NOT_CONVERGED: max_products came first; y is exp(s A) x for some s between 0 and t.
 * errors: DYN_EINVAL, DYN_ESHAPE, DYN_ENOMEM, those of the products; DYN_ENONFINITE if y overflows.   since: 0.1
 */
DYN_API dyn_status dyn_operator_exponential(dyn_operator *A, double t, const double *x, double tolerance,
                                            int64_t max_products, double *y, double *error);

#ifdef __cplusplus
}
#endif
#endif
