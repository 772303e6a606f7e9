/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The Hessian of an objective of callbacks: an operator that passes its own copy of theta to the caller's product
 * function. */
#include <string.h>
#include "linalg/operator.h"
#include "train/objective_curvature.h"

typedef struct called { dyn_objective *o; double theta[]; } called;

static dyn_status apply(void *user, int64_t count, const double *x, double *y)
{
    called *c = user;
    int32_t r = c->o->product(c->o->user, c->theta, count, x, y);

    return r == 0 ? DYN_OK : DYN__FAIL(c->o->ctx, DYN_EUSER, "the caller's product function returned %d", (int)r);
}

static void destroy(void *user)
{
    called *c = user;
    dyn_objective *o = c->o;

    dyn__free(o->ctx, c);
    dyn_objective_unref(o);
}

dyn_status dyn__called_operator(dyn_objective *o, const double *theta, dyn_operator **out)
{
    called *c;
    dyn_status s;

    if (!o->product)
        return DYN__FAIL(o->ctx, DYN_ENOTSUP, "the objective has no Hessian product function");
    c = dyn__alloc(o->ctx, 1, sizeof *c + (size_t)o->p * sizeof c->theta[0]);
    if (!c)
        return DYN_ENOMEM;
    c->o = dyn_objective_ref(o);
    memcpy(c->theta, theta, (size_t)o->p * sizeof *theta);
    s = dyn__operator_create(o->ctx, o->p, apply, c, destroy, out);
    if (s < 0)
        destroy(c);
    return s;
}
