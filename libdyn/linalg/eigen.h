/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The result of an eigen solve, and the two routes that fill it. */
#ifndef DYN__LINALG_EIGEN_H
#define DYN__LINALG_EIGEN_H

#include <float.h>
#include <math.h>
#include <dyn/eigen.h>
#include "linalg/operator.h"

struct dyn_eigen {
    dyn_ctx *ctx;
    int64_t count, size, wanted;    /* pairs held, length of a vector, pairs asked for */
    int64_t products;
    double tolerance;               /* the largest of those allowed */
    double scale;                   /* largest |value| seen */
    double miss_bound;
    int32_t last_cluster;           /* enum dyn_last_cluster */
    int32_t two_ends;               /* the pairs are of both ends, or of either sign */
    double floor;                   /* what products in float32 are wrong by; 0 = they are in float64 */
    double product_error;           /* largest estimate, of differences; 0 = the products are exact */
    double *values, *vectors, *residuals, *allowed;
    int64_t *clusters, *multiplicities;
    int32_t *converged;
};

/* Rounding of a value, in units of the largest. */
#define DYN__EIGEN_ROUNDING (16 * DBL_EPSILON)

/* The residual allowed of a pair. */
static inline double dyn__eigen_allowed(const dyn_eigen_options *o, double scale, double value)
{
    if (o->tolerance_of == DYN_TOLERANCE_ABSOLUTE)
        return o->tolerance;
    return o->tolerance_of == DYN_TOLERANCE_EACH ? fmax(o->tolerance * fabs(value), DYN__EIGEN_ROUNDING * scale)
                                                 : o->tolerance * scale;
}

/* The options with all defaults in place, and what follows from them. */
typedef struct dyn__eigen_plan {
    dyn_eigen_options opt;
    int64_t want;       /* pairs in all */
    int64_t ends;       /* 2 if values from both ends of the spectrum are wanted one after the other, else 1 */
    int64_t max_width;  /* widest block */
    int limited;        /* the caller set max_products */
} dyn__eigen_plan;

/* Are these, defaults still as 0, options for an operator of this size? */
dyn_status dyn__eigen_check(dyn_ctx *ctx, int64_t size, const dyn_eigen_options *o);
dyn_status dyn__eigen_create(dyn_ctx *ctx, int64_t count, int64_t size, dyn_eigen **out);
/* Put the places of n ascending values into pick, the most wanted first. Both ends alternate, the upper first. */
void dyn__eigen_rank(int32_t which, int64_t n, const double *ascending, int64_t *pick);
/* Reorder the first n picks as the results are given. */
void dyn__eigen_present(int32_t which, int64_t n, int64_t *pick);
/* What is allowed of each residual, with the largest |value| seen. */
void dyn__eigen_allow(dyn_eigen *e, const dyn_eigen_options *o, double scale);
/* Set the flags from the residuals; DYN_NOT_CONVERGED if one is above what is allowed. */
dyn_status dyn__eigen_judge(dyn_eigen *e);
/* Find the clusters and multiplicities from values and residuals. */
dyn_status dyn__eigen_cluster(dyn_eigen *e);
/* Adds what the products of differences are wrong by to the residuals; s: the status so far. */
dyn_status dyn__eigen_add_errors(dyn_operator *A, dyn_status s, dyn_eigen *e);

dyn_status dyn__eigen_dense(dyn_operator *A, const dyn__eigen_plan *p, dyn_eigen **out);
dyn_status dyn__eigen_lanczos(dyn_operator *A, const dyn__eigen_plan *p, dyn_eigen **out);

#endif
