/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Sharpness from inside: the same as the public functions, for arguments that are known to be good. */
#ifndef DYN__ANALYSIS_SHARPNESS_H
#define DYN__ANALYSIS_SHARPNESS_H

#include <dyn/sharpness.h>
#include "analysis/sharpness_past.h"
#include "linalg/operator.h"

struct dyn_sharpness_tracker {
    dyn_ctx *ctx;
    int64_t size;
    dyn_sharpness_options opt;
    dyn_eigen *raw, *preconditioned;
    int same;                   /* the preconditioner is the identity: both problems are one, solved once */
    double directional[2];
    const dyn_run *run;         /* while it observes: a solve ends when the run is to stop */
    dyn__past past[2];          /* preconditioned and raw; while it observes what the run has kept */
    int64_t measured;           /* measurements made, of the run while it observes */
    int64_t products;           /* of the last measurement */
};

dyn_status dyn__sharpness_operator(dyn_operator *H, const double *d, double c, dyn_operator **out);

/* curvature[0] of H, curvature[1] preconditioned, along g, which is finite and not zero. */
dyn_status dyn__sharpness_directional(dyn_operator *H, const double *d, double c, const double *g, double curvature[2]);

/* As the public function, which checks first and then remembers. */
dyn_status dyn__sharpness_measure(dyn_sharpness_tracker *t, dyn_operator *H, const double *d, double c,
                                  const double *gradient, const double *theta);
/* What was measured last is what the next start comes from. */
dyn_status dyn__sharpness_remember(dyn_sharpness_tracker *t, const double *theta);

#endif
