/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Frequencies of what a network has learned, from values at any points: low ones come first (the frequency principle),
 * and where samples are too few a high frequency of the target passes for a low one (arXiv 2405.17479). */
#ifndef DYN_FREQUENCY_H
#define DYN_FREQUENCY_H

#include <dyn/context.h>

#ifdef __cplusplus
extern "C" {
#endif

/**
 * Fourier coefficients of values at points that need not be spaced equally: F(k) = (1/n) sum_j y_j exp(-i k x_j).
 *
 * shape:  x [n], y [n][outputs], k [count]; out [count][outputs][2], real and imaginary part.   units: k in radian
 *         per x.
 * errors: DYN_EINVAL (sizes, NULL, a number that is not finite).   thread: any; uses those of ctx.   since: 0.1
 */
DYN_API dyn_status dyn_frequency_transform(dyn_ctx *ctx, int64_t n, int64_t outputs, const double *x, const double *y,
                                           int64_t count, const double *k, double *out);

/**
 * How far coefficients are from those they should be, per frequency: of the amplitudes, ||f| - |t|| / (floor + |t|), or
 * with phases = 1 of the complex numbers, |f - t| / (floor + |t|).
 *
 * shape:  fit, truth [count][2]; error [count].   floor: at least 0; public code takes 1e-5. Infinite where it is 0
 *         and t, too.
 * errors: DYN_EINVAL.   since: 0.1
 */
DYN_API dyn_status dyn_frequency_error(dyn_ctx *ctx, int64_t count, const double *fit, const double *truth, double floor,
                                       int32_t phases, double *error);

/**
 * Inputs along a direction, t_j = d . x_j: the points of a transform of high-dimensional data. d is taken as it is.
 *
 * shape:  x [n][dimensions], direction [dimensions], t [n].   errors: DYN_EINVAL.   since: 0.1
 */
DYN_API dyn_status dyn_frequency_project(dyn_ctx *ctx, int64_t n, int64_t dimensions, const double *x,
                                         const double *direction, double *t);

/**
 * The low-frequency part of values on high-dimensional points: low_j = sum_i G_ji y_i / sum_i G_ji with
 * G_ji = exp(-|x_j - x_i|^2 / (2 delta)). What passes are frequencies below about 1/sqrt(delta); the high part is y -
 * low.
 *
 * shape:  x [n][dimensions], y and low [n][outputs].   delta: positive, the square of a length.   alias: low is not y.
 * errors: DYN_EINVAL.   Costs n^2 (dimensions + outputs).   since: 0.1
 */
DYN_API dyn_status dyn_frequency_filter(dyn_ctx *ctx, int64_t n, int64_t dimensions, int64_t outputs, const double *x,
                                        const double *y, double delta, double *low);

#ifdef __cplusplus
}
#endif
#endif
