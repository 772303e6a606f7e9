/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The line search: bracket, then narrow, a step that meets the strong Wolfe conditions. Near a minimum the value cannot
 * tell points apart; there the slope alone decides (the approximate conditions of Hager and Zhang). Where something is
 * not finite counts as too far. */
#include "optim/lbfgs.h"

static const double DECREASE = 1e-4, CURVATURE = 0.9;
enum { MOST_TRIALS = 60 };

/* A step, with value and slope there; value NaN: not finite. */
typedef struct place { double step, value, slope; } place;

typedef struct line {
    dyn__descent *s;
    const double *v;
    place zero, low, high;      /* high.step = inf: not bracketed yet */
} line;

static dyn_status look(line *l, double step, place *p)
{
    dyn__descent *s = l->s;

    for (int64_t i = 0; i < s->n; i++)
        s->trial.theta[i] = s->at.theta[i] + step * l->v[i];
    s->step = step;
    DYN__TRY(s->evaluate(s, &s->trial));
    *p = (place){ step, s->trial.value, dyn__inner(s->n, s->trial.gradient, l->v) };
    return DYN_OK;
}

static int decreases(const line *l, const place *p)
{
    const place *z = &l->zero;

    if (p->value <= z->value + DECREASE * p->step * z->slope)
        return 1;
    return dyn__within_rounding(z->value, p->value) && p->slope <= (2 * DECREASE - 1) * z->slope;
}

static int too_far(const line *l, const place *p)
{
    return !(decreases(l, p)) || (p->value > l->low.value && !dyn__within_rounding(l->low.value, p->value));
}

/* The minimum of the cubic through both ends, kept off them; the middle where that is unknown. */
static double between(const place *a, const place *b)
{
    const double w = b->step - a->step, middle = a->step + w / 2;
    double d1, d2, t;

    if (isnan(b->value))
        return middle;
    d1 = a->slope + b->slope - 3 * (b->value - a->value) / w;
    d2 = d1 * d1 - a->slope * b->slope;
    if (!(d2 >= 0))
        return middle;
    d2 = copysign(sqrt(d2), w);
    t = (b->slope + d2 - d1) / (b->slope - a->slope + 2 * d2);
    return isfinite(t) && t > 0.1 && t < 0.9 ? b->step - w * t : middle;
}

static double next_step(const line *l)
{
    return isinf(l->high.step) ? 4 * l->low.step : between(&l->low, &l->high);
}

/* Take the trial in; 1 where it is what is wanted. */
static int narrow(line *l, const place *p)
{
    if (isnan(p->value) || too_far(l, p)) {
        l->high = *p;
        return 0;
    }
    if (fabs(p->slope) <= -CURVATURE * l->zero.slope)
        return 1;
    if (isinf(l->high.step) ? p->slope >= 0 : p->slope * (l->high.step - l->low.step) >= 0)
        l->high = l->low;
    l->low = *p;
    return 0;
}

/* The best decrease there is, where no step meets both conditions. */
static dyn_status settle(line *l, int *found)
{
    place p;

    *found = 0;
    if (!(l->low.step > 0) || l->s->spent)
        return DYN_OK;
    DYN__TRY(look(l, l->low.step, &p));
    *found = !l->s->spent && p.value < l->zero.value;
    return DYN_OK;
}

dyn_status dyn__wolfe(dyn__descent *d, const double *v, double step, int *found)
{
    const place zero = { 0, d->at.value, dyn__inner(d->n, d->at.gradient, v) };
    line l = { d, v, zero, zero, { INFINITY, NAN, NAN } };
    place p;

    *found = 0;
    if (!(l.zero.slope < 0))
        return DYN_OK;
    for (int i = 0; i < MOST_TRIALS && isfinite(step); i++) {
        DYN__TRY(look(&l, step, &p));
        if (d->spent)
            break;
        if (narrow(&l, &p)) {
            *found = 1;
            return DYN_OK;
        }
        step = next_step(&l);
        if (!isinf(l.high.step) && fabs(l.high.step - l.low.step) <= 1e-15 * fabs(l.high.step))
            break;
    }
    return settle(&l, found);
}
