/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Sharpness from inside: the same as the public functions, for arguments that are known to be good. */
#ifndef DYN__ANALYSIS_SHARPNESS_H
#define DYN__ANALYSIS_SHARPNESS_H

#include <dyn/sharpness.h>
#include "linalg/operator.h"

struct dyn_sharpness_tracker {
    dyn_ctx *ctx;
    int64_t size;
    dyn_sharpness_options opt;
    dyn_eigen *raw, *preconditioned;
    int same;                   /* the preconditioner is the identity: both problems are one, solved once */
    double directional[2];
    const dyn_run *run;         /* while it observes: a solve ends when the run is to stop */
    const double *start[2];     /* while it observes: rows that the run has kept, preconditioned and raw; NULL = none */
    int64_t start_count[2];
    int64_t products;           /* of the last measurement */
};

dyn_status dyn__sharpness_operator(dyn_operator *H, const double *d, double c, dyn_operator **out);

/* curvature[0] of H, curvature[1] preconditioned, along g, which is finite and not zero. */
dyn_status dyn__sharpness_directional(dyn_operator *H, const double *d, double c, const double *g, double curvature[2]);

#endif
