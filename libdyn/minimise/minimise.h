/* SPDX-License-Identifier: BSD-3-Clause
 *
 * What the methods of this room share: the point, its value and gradient, and the count of evaluations. */
#ifndef DYN__MINIMISE_H
#define DYN__MINIMISE_H

#include <string.h>
#include <dyn/flow.h>
#include <dyn/minimise.h>
#include "objective/objective.h"
#include "optim/lbfgs.h"

typedef struct dyn__search {
    dyn__descent on;            /* first: evaluations find the search by it */
    dyn_objective *objective;
    dyn_minimise_options opt;
    int64_t steps, evaluations, products;
    double rate;
    int32_t reason;
} dyn__search;

/* The value and gradient at p->theta; on.spent = 1, and nothing is done, where max_evaluations are. */
dyn_status dyn__search_evaluate(dyn__search *s, dyn__point *p);
/* Value, gradient and its length; value NaN where one, or the sum of its squares, is not finite. */
dyn_status dyn__finite_gradient(dyn_objective *o, int64_t n, const double *theta, double *value, double *gradient,
                                double *length);
/* Make the trial the present point. */
void dyn__search_take(dyn__search *s);
/* Sets s->reason where the present point is good enough or progress says stop; 1 then. */
int dyn__search_done(dyn__search *s);

/* The methods: they begin at s->at and end with s->reason. */
dyn_status dyn__newton(dyn__search *s);
dyn_status dyn__monotone(dyn__search *s);

#endif
