/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Where in parameter space to look: directions of comparable size, planes of a trajectory, spaces spanned by
 * eigenvectors. The losses along them are dyn_objective_values. */
#ifndef DYN_LANDSCAPE_H
#define DYN_LANDSCAPE_H

#include <dyn/eigen.h>
#include <dyn/objective.h>

#ifdef __cplusplus
extern "C" {
#endif

/** What a direction is scaled by, tensor by tensor. */
enum dyn_direction_scale {
    DYN_DIRECTION_FILTER = 0,   /* each column (all weights into a unit or channel: the last axis) to the length of theta's */
    DYN_DIRECTION_LAYER = 1,    /* the tensor to the length of theta's */
    DYN_DIRECTION_WEIGHT = 2    /* times |theta|, number by number */
};

/**
 * Scale a direction so that losses along it can be compared between networks whose weights differ in scale (filter
 * normalisation, arXiv 1712.09913). Tensors of one axis, biases and gains, are set to 0. A column that is 0 stays 0.
 * shape: theta, direction [p], the second in place; random numbers are dyn_random_normal's.
 * errors: DYN_EINVAL; DYN_ENOTSUP an objective without models. since: 0.1
 */
DYN_API dyn_status dyn_direction_normalise(dyn_objective *o, const double *theta, int32_t scale, double *direction);

/**
 * The plane in which a trajectory moves most: the first two principal directions of theta_0 - c .. theta_{r-1} - c, c
 * being the last row (centred 0, arXiv 1712.09913) or their mean (1). A random walk has large shares, too: they prove
 * nothing.
 *
 * shape:  thetas [rows][p], at least 2; directions [2][p], of length 1, each with the sign that makes its largest
 * component
 *         positive, 0 where there is no second; coordinates [rows][2] along them; shares [2] of the sum of squares.
 * errors: DYN_EINVAL, DYN_ENONFINITE, DYN_ENOMEM. since: 0.1
 */
DYN_API dyn_status dyn_trajectory_plane(dyn_ctx *ctx, int64_t rows, int64_t p, const double *thetas, int32_t centred,
                                        double *directions, double *coordinates, double *shares);

/**
 * Overlap of two spaces of k orthonormal vectors each, |V W^T|_F^2 / k in [k/p, 1], and the cosines of their principal
 * angles [k], descending (NULL: not wanted). shape: v, w [k][p], vectors as rows, k <= p.
 * errors: DYN_EINVAL, DYN_ENOMEM. since: 0.1
 */
DYN_API dyn_status dyn_space_overlap(dyn_ctx *ctx, int64_t k, int64_t p, const double *v, const double *w, double *overlap,
                                     double *cosines);

/**
 * How much of x lies in the space of the first 1, 2, .., k orthonormal vectors: shares[i] = sum_{j<=i} <v_j, x>^2 /
 * |x|^2; of the gradient in the top space of the Hessian, arXiv 1812.04754 (chance: k/p). shape: v [k][p], x [p]; x = 0
 * gives NaN.
 * errors: DYN_EINVAL. since: 0.1
 */
DYN_API dyn_status dyn_space_shares(dyn_ctx *ctx, int64_t k, int64_t p, const double *v, const double *x, double *shares);

/** The gradient of an eigenvalue of the Hessian, and how well it is known. */
typedef struct dyn_eigenvalue_result {
    double norm;            /* of the gradient */
    double gap;             /* from the eigenvalue to the nearest other one of the pairs, or infinite for a single pair */
    double error;           /* estimate of |error of the gradient|: 2 |gradient| residual / gap */
} dyn_eigenvalue_result;

/**
 * Gradient by theta of eigenvalue i of the Hessian at theta, D^3 L [v, v, .] for its eigenvector v. Its product with
 * the velocity of theta is the rate of sharpening. Where the eigenvalue is multiple there is none: a gap below
 * tolerance |eigenvalue| is refused, so ask for pairs beyond the wanted one.
 * shape: pairs of dyn_objective_hessian at this theta; gradient [p].
 * errors: DYN_EINVAL; DYN_ENOTSUP a gap too small, or an objective of callbacks; DYN_ENOMEM. since: 0.1
 */
DYN_API dyn_status dyn_eigenvalue_gradient(dyn_objective *o, const double *theta, const dyn_eigen *pairs, int64_t i,
                                           double tolerance, double *gradient, dyn_eigenvalue_result *slope);

#ifdef __cplusplus
}
#endif
#endif
