/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Sliding along kinks (Filippov): where the flow is driven onto a kink from both sides, it stays on it. As the loss is
 * continuous, its gradient jumps along the normal of the kink, so that what the flow does there is the slope less its parts
 * along the normals of all kinks that it slides on. The share of the other side's gradient that this takes says when the flow
 * leaves a kink: where it is no longer in [0, 1]. */
#ifndef DYN__SLIDE_H
#define DYN__SLIDE_H

#include "minimise/minimise.h"

enum { DYN__SURFACES = 64 };    /* slid on at once, at most */

typedef struct dyn__slide {
    int32_t count, most;        /* surfaces that the flow slides on; room for them */
    int32_t leaving;            /* the one that it leaves at the end of this step; -1 */
    int64_t kink[DYN__SURFACES];
    double side[DYN__SURFACES];     /* where the flow came from: the sign of the kink there */
    double rise[DYN__SURFACES];     /* of the kink along the normal */
    double share[DYN__SURFACES];    /* of the other side, where a slope was taken last */
    double *normal;             /* [most, n], of length 1 */
    double *point, *other;      /* [n] */
    double *value, *aside;      /* [kinks] */
    int64_t *surface;           /* [kinks] the kink whose surface it lies on, -1 none: several may share one */
} dyn__slide;

struct dyn__flow;

/* The slope on all surfaces; sets their shares. */
dyn_status dyn__slide_slope(struct dyn__flow *f, const double *theta, double *slope, double *value);
/* After a step that has crossed kinks: slides on those onto which it is driven back. */
dyn_status dyn__slide_begin(struct dyn__flow *f);
/* After a step: theta back onto the surfaces, those that are left taken away; slope, value and signs there. */
dyn_status dyn__slide_settle(struct dyn__flow *f);
/* How far the worst share is out of [0, 1]: negative inside. which: its surface; may be NULL. */
double dyn__slide_excess(const struct dyn__flow *f, int32_t *which);

#endif
