/* SPDX-License-Identifier: BSD-3-Clause
 *
 * L-BFGS: the inverse Hessian from the last pairs of steps s and changes of the gradient y. A pair with y.s <= 0 knows
 * of no positive curvature and is left out. Where the line search fails the memory is given up, once. */
#include "minimise/minimise.h"

typedef struct pairs {
    int64_t n, capacity, count, next;   /* the pair to be written next */
    double *s, *y, *share, *weight;     /* [capacity, n] twice, y.s, room [capacity] */
} pairs;

static dyn_status make_pairs(dyn__search *s, pairs *p)
{
    *p = (pairs){ .n = s->n, .capacity = s->opt.memory };
    p->s = dyn__alloc(s->ctx, (size_t)p->capacity, (size_t)p->n * sizeof *p->s);
    p->y = dyn__alloc(s->ctx, (size_t)p->capacity, (size_t)p->n * sizeof *p->y);
    p->share = dyn__alloc(s->ctx, (size_t)p->capacity, 2 * sizeof *p->share);
    p->weight = p->share ? p->share + p->capacity : NULL;
    return p->s && p->y && p->share ? DYN_OK : DYN_ENOMEM;
}

static void free_pairs(dyn__search *s, pairs *p)
{
    dyn__free(s->ctx, p->s);
    dyn__free(s->ctx, p->y);
    dyn__free(s->ctx, p->share);
}

/* Place of the pair that is `age` steps old, 1 = the last. */
static int64_t place_of(const pairs *p, int64_t age) { return (p->next - age + p->capacity) % p->capacity; }

static void add(int64_t n, double c, const double *x, double *y)
{
    for (int64_t i = 0; i < n; i++)
        y[i] += c * x[i];
}

/* The step from the present point to the trial. */
static void remember(pairs *p, const dyn__search *s)
{
    double *step = p->s + p->next * p->n, *change = p->y + p->next * p->n, share;

    for (int64_t i = 0; i < p->n; i++) {
        step[i] = s->trial.theta[i] - s->at.theta[i];
        change[i] = s->trial.gradient[i] - s->at.gradient[i];
    }
    share = dyn__inner(p->n, step, change);
    if (!(share > 0) || !isfinite(1 / share))
        return;
    p->share[p->next] = share;
    p->next = (p->next + 1) % p->capacity;
    p->count += p->count < p->capacity;
}

/* d = -H g, by two passes over the pairs. */
static void direction(const pairs *p, const double *gradient, double *d)
{
    for (int64_t i = 0; i < p->n; i++)
        d[i] = -gradient[i];
    for (int64_t age = 1; age <= p->count; age++) {
        const int64_t k = place_of(p, age);

        p->weight[k] = dyn__inner(p->n, p->s + k * p->n, d) / p->share[k];
        add(p->n, -p->weight[k], p->y + k * p->n, d);
    }
    if (p->count) {
        const int64_t last = place_of(p, 1);
        const double *y = p->y + last * p->n, scale = p->share[last] / dyn__inner(p->n, y, y);

        for (int64_t i = 0; i < p->n; i++)
            d[i] *= scale;
    }
    for (int64_t age = p->count; age >= 1; age--) {
        const int64_t k = place_of(p, age);

        add(p->n, p->weight[k] - dyn__inner(p->n, p->y + k * p->n, d) / p->share[k], p->s + k * p->n, d);
    }
}

/* One step; with no memory, where the search fails, that is the end. */
static dyn_status step(dyn__search *s, pairs *p, double *d)
{
    const double first = fmin(1, 1 / dyn__length(s->n, s->at.gradient));
    int found;

    direction(p, s->at.gradient, d);
    DYN__TRY(dyn__wolfe(s, d, p->count ? 1 : first, &found));
    if (found) {
        remember(p, s);
        dyn__search_take(s);
    } else if (!s->reason && p->count) {
        p->count = 0;
    } else if (!s->reason) {
        s->reason = DYN_MINIMISE_STALLED;
    }
    return DYN_OK;
}

dyn_status dyn__lbfgs(dyn__search *s)
{
    double *d = dyn__alloc(s->ctx, (size_t)s->n, sizeof *d);
    pairs p = { 0 };
    dyn_status status = d ? make_pairs(s, &p) : DYN_ENOMEM;

    while (status == DYN_OK && !s->reason && !dyn__search_done(s))
        status = step(s, &p, d);
    free_pairs(s, &p);
    dyn__free(s->ctx, d);
    return status;
}
