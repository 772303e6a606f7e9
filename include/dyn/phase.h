/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Phase diagrams: how training goes with the width (arXiv 2007.07497). The exponent of the relative distance of weights
 * in the width (dyn_condensation_distance, _slope) is below 0 in the linear regime and above 0 in the condensed one; a
 * diagram is this number over two exponents of the start, its boundary where it crosses 0. experimental until 0.3. */
#ifndef DYN_PHASE_H
#define DYN_PHASE_H

#include <dyn/model.h>

#ifdef __cplusplus
extern "C" {
#endif

enum dyn_regime {
    DYN_REGIME_LINEAR = -1,     /* weights move less and less, relatively, as the width grows */
    DYN_REGIME_CRITICAL = 0,
    DYN_REGIME_CONDENSED = 1    /* more and more */
};

/** enum dyn_regime of a slope: critical where |slope| <= tolerance, and where it is not a number. since: 0.1 */
DYN_API int32_t dyn_phase_regime(double slope, double tolerance);

/**
 * Where each row of a diagram crosses a level: the first place along x, by linear interpolation.
 *
 * shape:  x [columns], ascending; values [rows][columns]; crossings [rows], NaN for a row that does not cross.
 *         A value equal to the level is a crossing. Values that are not finite cross nothing.
 * errors: DYN_EINVAL (rows < 0, columns < 1, x does not ascend, the level is not finite).   since: 0.1
 */
DYN_API dyn_status dyn_phase_crossings(dyn_ctx *ctx, int64_t rows, int64_t columns, const double *x,
                                       const double *values, double level, double *crossings);

/**
 * Centring of the output: targets y + f(theta, x). To train f on them from theta is to train f - f(theta) on y, as is
 * done where f must begin at 0 and the start is not antisymmetric.
 *
 * shape:  theta [p], x [samples][inputs], y and targets [samples][outputs].   alias: targets may be y.
 * errors: DYN_EINVAL; DYN_ENOTSUP the model takes indices or several inputs; DYN_ENOMEM.   since: 0.1
 */
DYN_API dyn_status dyn_phase_centred_targets(dyn_model *model, const double *theta, int64_t samples, const double *x,
                                             const double *y, double *targets);

#ifdef __cplusplus
}
#endif
#endif
