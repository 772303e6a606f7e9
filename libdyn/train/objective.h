/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Objectives from inside. An evaluator is what a training loop holds: one plan for loss and gradient, in the
 * objective's own element type, with the buffers of one run. */
#ifndef DYN__OBJECTIVE_H
#define DYN__OBJECTIVE_H

#include "base/base.h"
#include <dyn/objective.h>

typedef struct dyn__evaluator dyn__evaluator;

dyn_ctx *dyn__objective_ctx(const dyn_objective *o);
int32_t dyn__objective_dtype(const dyn_objective *o);
/* batch: samples per evaluation, 0 = all. threads: 1 = the calling thread only (replicas), 0 = the pool. */
dyn_status dyn__evaluator_create(dyn_objective *o, int64_t batch, int threads, dyn__evaluator **out);
void dyn__evaluator_free(dyn__evaluator *e);
/* theta, gradient: p numbers of the objective's element type. rows: indices of the batch's samples, NULL when batch =
 * 0. Allocates nothing; touches nothing shared, so many evaluators of one objective run in parallel threads. */
dyn_status dyn__evaluator_gradient(dyn__evaluator *e, const void *theta, const int64_t *rows, void *gradient,
                                   double *value);

#endif
