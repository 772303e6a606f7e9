/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Newton's method: each step is a truncated solution of H z = -g by conjugate gradients, which stop at the boundary of
 * a trust region and follow negative curvature there (Steihaug). Near a minimum, where values cannot tell points apart, a
 * step counts as good if it shortens the gradient. */
#include "minimise/minimise.h"

typedef struct newton {
    dyn__search *s;
    dyn_operator *H;
    double *z, *r, *d, *Hd;     /* step, residual g + H z, direction, its product */
    double radius, first;       /* of the region; norm of the first gradient */
    int boundary;
} newton;

/* The largest t with |z + t d| = radius. */
static double reach(const newton *w)
{
    const int64_t n = w->s->on.n;
    const double a = dyn__inner(n, w->d, w->d), b = dyn__inner(n, w->z, w->d);
    const double c = dyn__inner(n, w->z, w->z) - w->radius * w->radius;

    return (sqrt(fmax(b * b - a * c, 0)) - b) / a;
}

static void advance(newton *w, double t)
{
    for (int64_t i = 0; i < w->s->on.n; i++) {
        w->z[i] += t * w->d[i];
        w->r[i] += t * w->Hd[i];
    }
}

static dyn_status solve(newton *w)
{
    const int64_t n = w->s->on.n;
    const double *g = w->s->on.at.gradient, norm = w->s->on.at.length;
    const double goal = norm * fmin(0.1, sqrt(norm / w->first));
    double square = norm * norm, before;

    w->boundary = 0;
    for (int64_t i = 0; i < n; i++) {
        w->z[i] = 0;
        w->r[i] = g[i];
        w->d[i] = -g[i];
    }
    for (int64_t k = 0; k < 2 * n + 10 && sqrt(square) > goal; k++) {
        double curvature, t;

        DYN__TRY(dyn_operator_apply(w->H, 1, w->d, w->Hd));
        w->s->products++;
        curvature = dyn__inner(n, w->d, w->Hd);
        t = square / curvature;
        w->boundary = !(curvature > 0) || t > reach(w);
        advance(w, w->boundary ? reach(w) : t);
        if (w->boundary)
            break;
        before = square;
        square = dyn__inner(n, w->r, w->r);
        for (int64_t i = 0; i < n; i++)
            w->d[i] = -w->r[i] + square / before * w->d[i];
    }
    return DYN_OK;
}

/* How much of the predicted decrease came true. */
static double quality(const newton *w)
{
    const dyn__search *s = w->s;
    double predicted = 0;

    for (int64_t i = 0; i < s->on.n; i++)
        predicted -= 0.5 * w->z[i] * (s->on.at.gradient[i] + w->r[i]);
    if (isnan(s->on.trial.value))
        return -1;
    if (dyn__within_rounding(s->on.at.value, s->on.trial.value) && predicted <= 1e-13 * fabs(s->on.at.value))
        return s->on.trial.length < s->on.at.length ? 1 : 0;
    return (s->on.at.value - s->on.trial.value) / predicted;
}

static void adapt(newton *w, double share)
{
    const double length = dyn__length(w->s->on.n, w->z);

    if (share < 0.25)
        w->radius = length / 4;
    else if (share > 0.75 && w->boundary)
        w->radius *= 2;
}

static dyn_status step(newton *w)
{
    dyn__search *s = w->s;
    double share;
    DYN__TRY(solve(w));
    for (int64_t i = 0; i < s->on.n; i++)
        s->on.trial.theta[i] = s->on.at.theta[i] + w->z[i];
    if (memcmp(s->on.trial.theta, s->on.at.theta, (size_t)s->on.n * sizeof(double)) == 0) {
        s->reason = DYN_MINIMISE_STALLED;
        return DYN_OK;
    }
    DYN__TRY(dyn__search_evaluate(s, &s->on.trial));
    if (s->on.spent)
        return DYN_OK;
    share = quality(w);
    adapt(w, share);
    if (share > 1e-4) {
        dyn__search_take(s);
        dyn_operator_unref(w->H);
        w->H = NULL;
    }
    return DYN_OK;
}

dyn_status dyn__newton(dyn__search *s)
{
    double *room = dyn__alloc(s->on.ctx, (size_t)s->on.n, 4 * sizeof *room);
    newton w = { .s = s, .z = room };
    dyn_status status = room ? DYN_OK : DYN_ENOMEM;

    if (room) {
        w.r = room + s->on.n, w.d = room + 2 * s->on.n, w.Hd = room + 3 * s->on.n;
        w.radius = fmax(1, 0.1 * dyn__length(s->on.n, s->on.at.theta));
        w.first = s->on.at.length;
    }
    while (status == DYN_OK && !s->reason && !dyn__search_done(s)) {
        if (!w.H)
            status = dyn_objective_hessian(s->objective, s->on.at.theta, &w.H);
        if (status == DYN_OK)
            status = step(&w);
    }
    dyn_operator_unref(w.H);
    dyn__free(s->on.ctx, room);
    return status;
}
