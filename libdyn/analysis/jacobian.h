/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Jacobians for measurements of models. */
#ifndef DYN__ANALYSIS_JACOBIAN_H
#define DYN__ANALYSIS_JACOBIAN_H

#include <dyn/data.h>
#include <dyn/model.h>
#include "base/base.h"

/* Jacobian [samples outputs][p] of a model at x, in float64; targets [samples outputs] is scratch, zero. */
dyn_status dyn__model_jacobian(dyn_model *m, const double *theta, dyn_array *x, double *jacobian, double *targets);

#endif
