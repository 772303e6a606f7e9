/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The mean loss along a path of parameters with fixed ends, as a function of its bends: for connecting two minima
 * (arXiv 1802.10026). The mean over t is a Gauss-Legendre sum, so that the function is smooth and the same at every
 * evaluation. */
#include <math.h>
#include <string.h>
#include "objective/called.h"

typedef struct path {
    dyn_objective *o;
    int64_t p;
    int32_t bends, kind, points;
    double *ends;           /* [2][p] */
    double *at, *gradient;  /* [p] scratch */
    double *t, *weight;     /* [points] */
    double *share;          /* [bends + 2] of the ends and the bends at a t */
} path;

/* ---- nodes ---- */

/* Legendre polynomial of degree n at x and its derivative. */
static double legendre(int32_t n, double x, double *slope)
{
    double before = 1.0, here = x;

    for (int32_t k = 2; k <= n; k++) {
        const double next = ((2 * k - 1) * x * here - (k - 1) * before) / k;
        before = here;
        here = next;
    }
    *slope = n * (x * here - before) / (x * x - 1);
    return here;
}

/* Nodes and weights on [0, 1], by Newton's method from the usual guess; n >= 2. */
static void gauss(int32_t n, double *t, double *weight)
{
    for (int32_t i = 0; i < n; i++) {
        double x = cos(M_PI * (i + 0.75) / (n + 0.5)), slope = 1.0;
        for (int k = 0; k < 100; k++) {
            const double step = legendre(n, x, &slope) / slope;
            x -= step;
            if (fabs(step) < 1e-15)
                break;
        }
        legendre(n, x, &slope);
        t[i] = (1 - x) / 2;
        weight[i] = 1 / ((1 - x * x) * slope * slope);
    }
}

/* ---- the curve ---- */

/* Shares of the first end, the bends, the last end at t: Bernstein polynomials, or hats. */
static void shares(int32_t kind, int32_t bends, double t, double *share)
{
    const int32_t n = bends + 1;

    for (int32_t i = 0; i <= n; i++)
        share[i] = kind == DYN_PATH_CHAIN ? fmax(0.0, 1.0 - fabs(t * n - i))
                                          : exp(lgamma(n + 1.0) - lgamma(i + 1.0) - lgamma(n - i + 1.0)) *
                                            pow(t, i) * pow(1 - t, n - i);
}

static void place(const path *c, const double *bends, double t, double *at)
{
    shares(c->kind, c->bends, t, c->share);
    for (int64_t i = 0; i < c->p; i++)
        at[i] = c->share[0] * c->ends[i] + c->share[c->bends + 1] * c->ends[c->p + i];
    for (int32_t k = 0; k < c->bends; k++)
        for (int64_t i = 0; i < c->p; i++)
            at[i] += c->share[k + 1] * bends[k * c->p + i];
}

static int32_t path_gradient(void *user, const double *bends, double *value, double *gradient)
{
    const path *c = user;

    *value = 0.0;
    memset(gradient, 0, (size_t)(c->bends * c->p) * sizeof *gradient);
    for (int32_t j = 0; j < c->points; j++) {
        double here;
        place(c, bends, c->t[j], c->at);
        DYN__TRY(dyn_objective_gradient(c->o, c->at, c->gradient, &here));
        *value += c->weight[j] * here;
        for (int32_t k = 0; k < c->bends; k++)
            for (int64_t i = 0; i < c->p; i++)
                gradient[k * c->p + i] += c->weight[j] * c->share[k + 1] * c->gradient[i];
    }
    return DYN_OK;
}

static int32_t path_value(void *user, const double *bends, double *value)
{
    const path *c = user;

    *value = 0.0;
    for (int32_t j = 0; j < c->points; j++) {
        double here;
        place(c, bends, c->t[j], c->at);
        DYN__TRY(dyn_objective_value(c->o, c->at, &here));
        *value += c->weight[j] * here;
    }
    return DYN_OK;
}

/* ---- creation ---- */

static void release(void *user)
{
    path *c = user;
    dyn_objective *o = c->o;

    if (!o)
        return;
    dyn__free(o->ctx, c->ends);
    dyn_objective_unref(o);
}

static dyn_status fill(path *c, dyn_objective *o, const double *first, const double *last, int32_t kind, int32_t bends,
                       int32_t points)
{
    const size_t p = (size_t)o->p;
    double *room = dyn__alloc(o->ctx, 4 * p + 2 * (size_t)points + (size_t)bends + 2, sizeof *room);

    if (!room)
        return DYN_ENOMEM;
    *c = (path){dyn_objective_ref(o), o->p, bends, kind, points, room, room + 2 * p, room + 3 * p, room + 4 * p,
                room + 4 * p + points, room + 4 * p + 2 * points};
    memcpy(c->ends, first, p * sizeof *first);
    memcpy(c->ends + p, last, p * sizeof *last);
    gauss(points, c->t, c->weight);
    return DYN_OK;
}

static dyn_status check(dyn_objective *o, const double *first, const double *last, int32_t kind, int32_t bends,
                        int32_t points, dyn_objective **out)
{
    DYN__NEED(o->ctx, out);
    DYN__TRY(dyn__check_theta(o, first, out));
    DYN__TRY(dyn__check_theta(o, last, out));
    if (kind == DYN_PATH_BEZIER || kind == DYN_PATH_CHAIN)
        if (bends >= 1 && bends <= 100 && points >= 2 && points <= 10000)
            return DYN_OK;
    return DYN__FAIL(o->ctx, DYN_EINVAL, "kind %d, %d bends, %d points: a kind of enum dyn_path, 1 to 100 bends and 2 to "
                     "10000 points are expected", (int)kind, (int)bends, (int)points);
}

dyn_status dyn_objective_path(dyn_objective *o, const double *first, const double *last, int32_t kind, int32_t bends,
                              int32_t points, dyn_objective **out)
{
    path *own;

    if (out)
        *out = NULL;
    if (!o)
        return DYN_EINVAL;
    DYN__ENTER(o->ctx);
    DYN__TRY(check(o, first, last, kind, bends, points, out));
    DYN__TRY(dyn__called_create(o->ctx, bends * o->p,
                                &(dyn__functions){path_value, path_gradient, .release = release, .ours = 1},
                                sizeof *own, (void **)&own, out));
    dyn_status s = fill(own, o, first, last, kind, bends, points);
    if (s < 0) {
        dyn_objective_unref(*out);
        *out = NULL;
    }
    return s;
}
