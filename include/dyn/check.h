/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Checks of derivatives: does the gradient of an objective fit its values, does the Hessian product fit its gradients?
 * Meant for objectives of the caller's own functions, before anything is measured on them. Differences serve to verify
 * here, never to compute.
 *
 * How: along three random lines theta + t u, |u| = 1, the derivative at t = 0 is taken from four-point differences, at
 * the step where they vary least, and is compared with what the objective says. */
#ifndef DYN_CHECK_H
#define DYN_CHECK_H

#include <dyn/objective.h>

#ifdef __cplusplus
extern "C" {
#endif

/** What a check found on its worst line. Immutable; free with dyn_check_free. thread: may be read from any. */
typedef struct dyn_check dyn_check;

/**
 * Compare the gradient at theta with differences of values: about 140 evaluations of the loss, one of the gradient.
 *
 * shape:  theta [p].   owner: *out is the caller's, NULL on error. A check that is not passed is no error.
 * errors: DYN_EINVAL; DYN_ENONFINITE theta or the gradient; DYN_ENOTSUP no gradient function; DYN_EUSER; DYN_ENOMEM.
 * since:  0.1
 */
DYN_API dyn_status dyn_check_gradient(dyn_objective *o, const double *theta, uint64_t seed, dyn_check **out);

/**
 * Compare the Hessian product at theta with differences of gradients (about 140 of them), and test its symmetry. It
 * says nothing about the gradient itself: check that first. Otherwise as dyn_check_gradient. since: 0.1
 */
DYN_API dyn_status dyn_check_hessian(dyn_objective *o, const double *theta, uint64_t seed, dyn_check **out);

/** NULL is allowed. since: 0.1 */
DYN_API void dyn_check_free(dyn_check *c);

/** 1: error and asymmetry are within their tolerances; 0: not, or NULL. since: 0.1 */
DYN_API int32_t dyn_check_passed(const dyn_check *c);

/**
 * |difference - derivative| along the line, relative to the larger of the two, and for a gradient g at least to
 * |g| / sqrt(p), the usual size of a component. inf if no step gave finite numbers; NaN for NULL. since: 0.1
 */
DYN_API double dyn_check_error(const dyn_check *c);

/**
 * The error allowed: 1e-6 (float32 objectives 1e-3), or ten times the uncertainty of the differences where that is
 * larger. Far above 1e-6 it says that rounding hides the derivative, as at a minimum. NaN for NULL. since: 0.1
 */
DYN_API double dyn_check_tolerance(const dyn_check *c);

/**
 * Observed order in t of the Taylor remainder F(t) - F(0) - t F'(0), the smallest of all lines: 2 or more for a right
 * derivative, 1 for a wrong one. NaN if the remainder is rounding alone, as for a linear function, and for NULL.
 * since: 0.1
 */
DYN_API double dyn_check_order(const dyn_check *c);

/**
 * Asymmetry of the Hessian product as dyn_operator_symmetry gives it, allowed up to 1e-6 (float32 1e-3). NaN for a
 * gradient and for NULL. since: 0.1
 */
DYN_API double dyn_check_asymmetry(const dyn_check *c);

#ifdef __cplusplus
}
#endif
#endif
