/* SPDX-License-Identifier: BSD-3-Clause
 *
 * L-BFGS: the inverse Hessian from the last pairs of steps s and changes of the gradient y. A pair with y.s <= 0 knows
 * of no positive curvature and is left out. Where the line search fails the memory is given up, once. */
#include "optim/lbfgs.h"

dyn_status dyn__pairs_open(dyn_ctx *ctx, int64_t n, int64_t capacity, dyn__pairs *p)
{
    *p = (dyn__pairs){ .n = n, .capacity = capacity };
    p->s = dyn__alloc(ctx, (size_t)capacity, (size_t)n * sizeof *p->s);
    p->y = dyn__alloc(ctx, (size_t)capacity, (size_t)n * sizeof *p->y);
    p->share = dyn__alloc(ctx, (size_t)capacity, 2 * sizeof *p->share);
    p->direction = dyn__alloc(ctx, (size_t)n, sizeof *p->direction);
    p->weight = p->share ? p->share + capacity : NULL;
    return p->s && p->y && p->share && p->direction ? DYN_OK : DYN_ENOMEM;
}

void dyn__pairs_free(dyn_ctx *ctx, dyn__pairs *p)
{
    dyn__free(ctx, p->s);
    dyn__free(ctx, p->y);
    dyn__free(ctx, p->share);
    dyn__free(ctx, p->direction);
}

int64_t dyn__pairs_place(const dyn__pairs *p, int64_t age) { return (p->next - age + p->capacity) % p->capacity; }

static void add(int64_t n, double c, const double *x, double *y)
{
    for (int64_t i = 0; i < n; i++)
        y[i] += c * x[i];
}

/* The pair at p->next is complete: keep it if it is of use. */
static void keep(dyn__pairs *p)
{
    const double share = dyn__inner(p->n, p->s + p->next * p->n, p->y + p->next * p->n);

    if (!(share > 0) || !isfinite(1 / share))
        return;
    p->share[p->next] = share;
    p->next = (p->next + 1) % p->capacity;
    p->count += p->count < p->capacity;
}

/* -H g, by two passes over the pairs. */
static void find_direction(dyn__pairs *p, const double *gradient)
{
    double *d = p->direction;

    for (int64_t i = 0; i < p->n; i++)
        d[i] = -gradient[i];
    for (int64_t age = 1; age <= p->count; age++) {
        const int64_t k = dyn__pairs_place(p, age);

        p->weight[k] = dyn__inner(p->n, p->s + k * p->n, d) / p->share[k];
        add(p->n, -p->weight[k], p->y + k * p->n, d);
    }
    if (p->count) {
        const int64_t last = dyn__pairs_place(p, 1);
        const double *y = p->y + last * p->n, scale = p->share[last] / dyn__inner(p->n, y, y);

        for (int64_t i = 0; i < p->n; i++)
            d[i] *= scale;
    }
    for (int64_t age = p->count; age >= 1; age--) {
        const int64_t k = dyn__pairs_place(p, age);

        add(p->n, p->weight[k] - dyn__inner(p->n, p->y + k * p->n, d) / p->share[k], p->s + k * p->n, d);
    }
}

dyn_status dyn__lbfgs_seek(dyn__descent *d, dyn__pairs *p, int *found)
{
    const double first = fmin(1, 1 / dyn__length(d->n, d->at.gradient));

    for (;;) {
        find_direction(p, d->at.gradient);
        DYN__TRY(dyn__wolfe(d, p->direction, p->count ? 1 : first, found));
        if (*found || d->spent || p->count == 0)
            return DYN_OK;
        p->count = 0;
    }
}

void dyn__descent_take(dyn__descent *d)
{
    const dyn__point old = d->at;

    d->at = d->trial;
    d->trial = old;
}

void dyn__lbfgs_take(dyn__descent *d, dyn__pairs *p)
{
    double *step = p->s + p->next * p->n, *change = p->y + p->next * p->n;

    for (int64_t i = 0; i < p->n; i++) {
        step[i] = d->trial.theta[i] - d->at.theta[i];
        change[i] = d->trial.gradient[i] - d->at.gradient[i];
    }
    keep(p);
    dyn__descent_take(d);
}
