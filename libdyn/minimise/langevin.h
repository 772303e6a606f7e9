/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Langevin chains from inside. */
#ifndef DYN__LANGEVIN_H
#define DYN__LANGEVIN_H

#include "minimise/minimise.h"

/* Copy and check. */
dyn_status dyn__langevin_options(dyn_ctx *ctx, const dyn_langevin_options *given, dyn_langevin_options *o);
/* dyn_objective_langevin after its checks. acceptance, unless NULL: the mean over steps of the probability with which
 * Metropolis and Hastings would have accepted them; NaN for less than two. */
dyn_status dyn__langevin(dyn_objective *objective, const dyn_langevin_options *o, int64_t steps, double *theta,
                         double *losses, double *acceptance);

#endif
