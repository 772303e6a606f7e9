/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The Hessian of the caller's functions where they give gradients only: central differences of gradients, exact but for
 * h^2/6 of the gradient's third derivative along the direction, and rounding over h. */
#include "objective/called.h"

#include <float.h>
#include <math.h>
#include <string.h>
#include "kernel/kernel.h"
#include "linalg/operator.h"

typedef struct differences {
    dyn_objective *o;
    double h, factor;           /* step along a unit vector; how many times as long at present */
    double *theta, *moved, *slope;      /* [p] each; they lie behind each other */
} differences;

/* y += sign / (2 step) g(theta + sign step x) */
static dyn_status add_side(const differences *d, double step, double sign, const double *x, double *y)
{
    const dyn__functions *f = d->o->own;
    double value;

    for (int64_t i = 0; i < d->o->p; i++)
        d->moved[i] = d->theta[i] + sign * step * x[i];
    DYN__TRY(dyn__called_status(d->o, f, "the caller's gradient function",
                                f->gradient(f->user, d->moved, &value, d->slope)));
    for (int64_t i = 0; i < d->o->p; i++)
        y[i] += sign / (2 * step) * d->slope[i];
    return DYN_OK;
}

static dyn_status apply(void *user, int64_t count, const double *x, double *y)
{
    const differences *d = user;
    const int64_t p = d->o->p;

    memset(y, 0, (size_t)(count * p) * sizeof *y);
    for (int64_t k = 0; k < count; k++) {
        const double size = dyn__norm(d->o->ctx, p, x + k * p);
        if (size == 0)
            continue;
        DYN__TRY(add_side(d, d->factor * d->h / size, 1, x + k * p, y + k * p));
        DYN__TRY(add_side(d, d->factor * d->h / size, -1, x + k * p, y + k * p));
    }
    return DYN_OK;
}

static void stretch(void *user, double factor) { ((differences *)user)->factor = factor; }

static void destroy(void *user)
{
    differences *d = user;
    dyn_objective *o = d->o;

    dyn__free(o->ctx, d->theta);
    dyn__free(o->ctx, d);
    dyn_objective_unref(o);
}

dyn_status dyn__hessian_by_differences(dyn_objective *o, const double *theta, dyn_operator **out)
{
    differences *d = dyn__alloc(o->ctx, 1, sizeof *d);

    if (!d)
        return DYN_ENOMEM;
    *d = (differences){ .o = dyn_objective_ref(o), .factor = 1, .h = cbrt(DBL_EPSILON) * (1 + dyn__norm(o->ctx, o->p, theta)) };
    d->theta = dyn__alloc(o->ctx, (size_t)o->p, 3 * sizeof *d->theta);
    if (d->theta) {
        d->moved = d->theta + o->p;
        d->slope = d->moved + o->p;
        memcpy(d->theta, theta, (size_t)o->p * sizeof *theta);
    }
    dyn_status s = d->theta ? dyn__operator_create(o->ctx, o->p, apply, d, destroy, out) : DYN_ENOMEM;
    if (s == DYN_OK)
        (*out)->stretch = stretch;
    else
        destroy(d);
    return s;
}
