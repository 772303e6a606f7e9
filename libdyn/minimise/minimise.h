/* SPDX-License-Identifier: BSD-3-Clause
 *
 * What the methods of this room share: the point, its value and gradient, and the count of evaluations. */
#ifndef DYN__MINIMISE_H
#define DYN__MINIMISE_H

#include <math.h>
#include <string.h>
#include <dyn/flow.h>
#include <dyn/minimise.h>
#include "objective/objective.h"

typedef struct dyn__point {
    double *theta, *gradient, value;    /* value NaN where anything is not finite */
} dyn__point;

typedef struct dyn__search {
    dyn_ctx *ctx;
    dyn_objective *objective;
    dyn_minimise_options opt;
    int64_t n, steps, evaluations, products;
    dyn__point at, trial;
    double rate;
    int32_t reason;
} dyn__search;

static inline double dyn__inner(int64_t n, const double *x, const double *y)
{
    double sum = 0;

    for (int64_t i = 0; i < n; i++)
        sum += x[i] * y[i];
    return sum;
}

static inline double dyn__length(int64_t n, const double *x) { return sqrt(dyn__inner(n, x, x)); }

/* The value and gradient at p->theta; *spent = 1, and nothing is done, where max_evaluations are. */
dyn_status dyn__search_evaluate(dyn__search *s, dyn__point *p, int *spent);
/* Value and gradient; value NaN where one is not finite. */
dyn_status dyn__finite_gradient(dyn_objective *o, int64_t n, const double *theta, double *value, double *gradient);
/* Whether a change from `from` to `to` is within rounding. */
static inline int dyn__within_rounding(double from, double to) { return fabs(to - from) <= 1e-14 * fabs(from); }
/* Make the trial the present point. */
void dyn__search_take(dyn__search *s);
/* Sets s->reason where the present point is good enough or progress says stop; 1 then. */
int dyn__search_done(dyn__search *s);

/* The methods: they begin at s->at and end with s->reason. */
dyn_status dyn__lbfgs(dyn__search *s);
dyn_status dyn__newton(dyn__search *s);
dyn_status dyn__monotone(dyn__search *s);

/* Find along direction d a point that meets the strong Wolfe conditions, beginning with `step`, and put it into the
 * trial. *found = 0 where there is none; s->reason is set where the evaluations are spent. */
dyn_status dyn__wolfe(dyn__search *s, const double *d, double step, int *found);

#endif
