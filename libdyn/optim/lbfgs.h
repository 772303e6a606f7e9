/* SPDX-License-Identifier: BSD-3-Clause
 *
 * L-BFGS and its line search on any function: minimisation and training runs both take its steps. */
#ifndef DYN__LBFGS_H
#define DYN__LBFGS_H

#include <math.h>
#include "base/base.h"
#include "kernel/kernel.h"

typedef struct dyn__point {
    double *theta, *gradient, value;    /* value NaN where anything is not finite */
    double length;                      /* of the gradient, where a minimisation has evaluated it */
} dyn__point;

/* A way down: where it stands, and the point that may be next. */
typedef struct dyn__descent {
    dyn_ctx *ctx;
    int64_t n;
    dyn__point at, trial;
    /* Value and gradient at p->theta; sets spent, and does nothing, where no more evaluations are allowed. */
    dyn_status (*evaluate)(struct dyn__descent *d, dyn__point *p);
    void *user;
    int spent;
    double step;                /* of the trial, along the direction */
} dyn__descent;

/* The last steps and changes of the gradient. */
typedef struct dyn__pairs {
    int64_t n, capacity, count, next;   /* the pair to be written next */
    double *s, *y, *share, *weight;     /* [capacity, n] twice, y.s, room [capacity] */
    double *direction;                  /* [n] */
} dyn__pairs;

static inline double dyn__length(int64_t n, const double *x) { return sqrt(dyn__inner(n, x, x)); }

/* Whether a change from `from` to `to` is within rounding. */
static inline int dyn__within_rounding(double from, double to) { return fabs(to - from) <= 1e-14 * fabs(from); }

/* wolfe.c. Find along direction v a point that meets the strong Wolfe conditions, beginning with `step`, and put it into
 * the trial. *found = 0 where there is none. */
dyn_status dyn__wolfe(dyn__descent *d, const double *v, double step, int *found);

dyn_status dyn__pairs_open(dyn_ctx *ctx, int64_t n, int64_t capacity, dyn__pairs *p);
void dyn__pairs_free(dyn_ctx *ctx, dyn__pairs *p);
/* Place of the pair that is `age` steps old, 1 = the last. */
int64_t dyn__pairs_place(const dyn__pairs *p, int64_t age);
/* Puts the next point into the trial; *found = 0 where no step goes down, or evaluations are spent. */
dyn_status dyn__lbfgs_seek(dyn__descent *d, dyn__pairs *p, int *found);
/* Makes the trial the present point. */
void dyn__descent_take(dyn__descent *d);
/* The same for a trial of dyn__lbfgs_seek, which the pairs remember. */
void dyn__lbfgs_take(dyn__descent *d, dyn__pairs *p);

#endif
