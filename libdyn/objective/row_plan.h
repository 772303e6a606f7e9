/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Rows of derivatives of some samples at once: the Jacobian of their outputs or the gradients of their losses. */
#ifndef DYN__OBJECTIVE_ROW_PLAN_H
#define DYN__OBJECTIVE_ROW_PLAN_H

#include "objective/parts.h"

/* What one thread runs. */
typedef struct dyn__row_runner {
    dyn_exec *exec;
    dyn__slots slots;
    void *native;               /* rows of a chunk, tensor by tensor, in the element type */
} dyn__row_runner;

typedef struct dyn__row_plan {
    int of_outputs;             /* 1: a row per output, 0: the gradient of the sample's loss */
    int64_t samples, per_sample;
    void *unit;                 /* of outputs: one cotangent per output */
    dyn__row_runner *runner;
    int32_t runners;            /* one per thread of the context, or one that runs on all of them */
} dyn__row_plan;

/* The one that the objective keeps, or a new one for as many samples as its memory limit allows. */
dyn_status dyn__row_plan_get(dyn_objective *o, int of_outputs, dyn__row_plan **out);
/* After use: the objective keeps those of short rows. */
void dyn__row_plan_give(dyn_objective *o, dyn__row_plan *p);
void dyn__row_plan_free(dyn_objective *o, dyn__row_plan *p);

#endif
