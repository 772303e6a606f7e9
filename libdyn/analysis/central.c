/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Central flow by Euler steps. In each the critical eigenpairs of P^{-1/2} H P^{-1/2}, scaled so that U^T P U = I, span
 * the oscillation S = U X U^T. X solves the complementarity problem of the constraint at the end of the step,
 *
 *     R = U^T (2 P - H) U + dt d/dt U^T (2 P - H) U >= 0,
 *
 * whose rate of change is linear in X: it needs the third derivative along each pair of vectors, and no more. */
#include <math.h>
#include <string.h>
#include <dyn/central.h>
#include "analysis/complementary.h"
#include "linalg/eigen.h"
#include "linalg/operator.h"
#include "objective/objective.h"

enum { MOST = 16 };

typedef struct central {
    dyn_objective *o;
    dyn_ctx *ctx;
    dyn_central_options opt;
    int64_t p, k;               /* k: critical eigenvalues now */
    int64_t known;              /* rows of `start` */
    double dt, loss, sharpness;
    double *theta, *v, *g, *scale;      /* scale: P^{-1/2} */
    double *start;              /* [most + 1][p] eigenvectors of the step before */
    double *u, *third;          /* [k][p]; [k k][p] gradients of u_i H u_j */
    double *value;              /* [most + 1] eigenvalues */
    double *dtheta, *dv;        /* [p] velocities */
    double *X, *A, *B, *room;
    int incomplete;
} central;

/* ---- the point ---- */

static double squared(double x) { return x * x; }

static dyn_status look(central *c)
{
    DYN__TRY(dyn_objective_gradient(c->o, c->theta, c->g, &c->loss));
    for (int64_t i = 0; i < c->p; i++) {
        const double P = c->opt.kind == DYN_CENTRAL_GD ? 1.0 / c->opt.rate : (sqrt(c->v[i]) + c->opt.eps) / c->opt.rate;
        if (!(P > 0.0))
            return DYN__FAIL(c->ctx, DYN_ENONFINITE, "v is 0 at parameter %lld, and so is eps", (long long)i);
        c->scale[i] = 1.0 / sqrt(P);
    }
    return DYN_OK;
}

/* So many pairs of the largest end. */
static dyn_status solve(central *c, dyn_operator *S, int64_t count)
{
    dyn_eigen_options opt = DYN_EIGEN_OPTIONS_INIT;
    dyn_eigen *e = NULL;

    opt.count = count;
    opt.tolerance = c->opt.tolerance;
    opt.unchecked = 1;
    opt.start = c->known > 0 ? c->start : NULL;
    opt.start_count = c->known;
    const dyn_status s = dyn_eigen_solve(S, &opt, &e);
    if (s < 0)
        return s;
    c->incomplete |= s == DYN_NOT_CONVERGED;
    c->known = dyn_eigen_count(e);
    memcpy(c->start, dyn_eigen_vectors(e), (size_t)(c->known * c->p) * sizeof *c->start);
    memcpy(c->value, dyn_eigen_values(e), (size_t)c->known * sizeof *c->value);
    dyn_eigen_free(e);
    return DYN_OK;
}

/* The critical pairs, and one that is not. */
static dyn_status find_pairs(central *c)
{
    const int64_t most = c->opt.most < c->p ? c->opt.most : c->p;
    dyn_operator *H = NULL, *S = NULL;
    dyn_status s = dyn_objective_hessian(c->o, c->theta, &H);

    if (s == DYN_OK)
        s = dyn_operator_sandwiched(H, c->scale, &S);
    for (int64_t count = c->k + 1 < most ? c->k + 1 : most; s == DYN_OK; count++) {
        s = solve(c, S, count);
        if (count >= most || c->value[c->known - 1] <= c->opt.critical)
            break;
    }
    dyn_operator_unref(S);
    dyn_operator_unref(H);
    DYN__TRY(s);
    c->k = 0;
    while (c->k < c->known && c->value[c->k] > c->opt.critical)
        c->k++;
    c->incomplete |= c->k == most && most < c->p;
    c->sharpness = c->value[0];
    return DYN_OK;
}

/* u_i = P^{-1/2} s_i, and gradients of u_i H u_j. */
static dyn_status find_third(central *c)
{
    for (int64_t i = 0; i < c->k; i++)
        for (int64_t j = 0; j < c->p; j++)
            c->u[i * c->p + j] = c->scale[j] * c->start[i * c->p + j];
    for (int64_t i = 0; i < c->k; i++) {
        dyn_operator *T = NULL;
        DYN__TRY(dyn_objective_third_derivative(c->o, c->theta, c->u + i * c->p, &T));
        const dyn_status s = dyn_operator_apply(T, c->k, c->u, c->third + i * c->k * c->p);
        dyn_operator_unref(T);
        DYN__TRY(s);
    }
    return DYN_OK;
}

/* ---- velocities ---- */

/* theta' and v' from the gradient alone. */
static void stable(central *c)
{
    const double b = (1.0 - c->opt.beta2) / c->opt.beta2;

    for (int64_t i = 0; i < c->p; i++) {
        c->dtheta[i] = -squared(c->scale[i]) * c->g[i];
        c->dv[i] = c->v ? b * (squared(c->g[i]) - c->v[i]) : 0.0;
    }
}

/* What an oscillation adds to v' at parameter q for each of X_kl: (1 - beta2) / beta2 (H u_k)_q (H u_l)_q, H u = 2 P u at the edge. */
static double v_rate(const central *c, int64_t q, int64_t k, int64_t l)
{
    const double P = 1.0 / squared(c->scale[q]);

    return (1.0 - c->opt.beta2) / c->opt.beta2 * 4.0 * P * P * c->u[k * c->p + q] * c->u[l * c->p + q];
}

/* dP / dv at parameter q. */
static double slope_of_p(const central *c, int64_t q)
{
    return c->v && c->v[q] > 0.0 ? 1.0 / (2.0 * sqrt(c->v[q]) * c->opt.rate) : 0.0;
}

/* X's part of the velocities. */
static void add_oscillation(central *c)
{
    for (int64_t m = 0; m < c->k * c->k; m++)
        for (int64_t q = 0; q < c->p; q++) {
            c->dtheta[q] -= squared(c->scale[q]) * c->X[m] * c->third[m * c->p + q] / 2.0;
            if (c->v)
                c->dv[q] += c->X[m] * v_rate(c, q, m / c->k, m % c->k);
        }
}

/* ---- the constraint ---- */

/* A: where 2 P - H will be at the end of the step without an oscillation, in the basis U. */
static void constrain(central *c)
{
    for (int64_t m = 0; m < c->k * c->k; m++) {
        const int64_t i = m / c->k, j = m % c->k;
        double change = 0.0;
        for (int64_t q = 0; q < c->p; q++)
            change += 2.0 * c->u[i * c->p + q] * c->u[j * c->p + q] * slope_of_p(c, q) * c->dv[q] -
                      c->third[m * c->p + q] * c->dtheta[q];
        c->A[m] = (i == j ? 2.0 - c->value[i] : 0.0) + c->dt * change;
    }
}

/* B: what X adds to that. It is symmetric but for H u = lambda P u with lambda not quite 2; the halves are averaged. */
static void respond(central *c)
{
    const int64_t n = c->k * c->k;

    for (int64_t m = 0; m < n; m++)
        for (int64_t r = 0; r < n; r++) {
            double sum = 0.0;
            for (int64_t q = 0; q < c->p; q++)
                sum += c->third[m * c->p + q] * squared(c->scale[q]) * c->third[r * c->p + q] / 2.0 +
                       2.0 * c->u[m / c->k * c->p + q] * c->u[m % c->k * c->p + q] * slope_of_p(c, q) *
                       v_rate(c, q, r / c->k, r % c->k);
            c->B[m * n + r] = c->dt * sum;
        }
    for (int64_t m = 0; m < n; m++)
        for (int64_t r = 0; r < m; r++)
            c->B[m * n + r] = c->B[r * n + m] = (c->B[m * n + r] + c->B[r * n + m]) / 2.0;
}

/* X: zero without critical pairs. */
static dyn_status oscillate(central *c)
{
    memset(c->X, 0, (size_t)(MOST * MOST) * sizeof *c->X);
    stable(c);
    if (c->k == 0)
        return DYN_OK;
    DYN__TRY(find_third(c));
    constrain(c);
    respond(c);
    DYN__TRY(dyn__complementary(c->ctx, c->k, c->A, c->B, c->X, c->room));
    add_oscillation(c);
    return DYN_OK;
}

/* ---- time ---- */

static void move(central *c)
{
    for (int64_t q = 0; q < c->p; q++) {
        c->theta[q] += c->dt * c->dtheta[q];
        if (c->v)
            c->v[q] = fmax(0.0, c->v[q] + c->dt * c->dv[q]);
    }
}

static void record(const central *c, dyn_central_result *out)
{
    *out = (dyn_central_result){.loss = c->loss, .predicted_loss = c->loss, .sharpness = c->sharpness};
    for (int64_t q = 0; q < c->p; q++)
        out->gradient_square += squared(c->g[q]);
    for (int64_t m = 0; m < c->k * c->k; m++)
        for (int64_t q = 0; q < c->p; q++) {
            const double uu = c->X[m] * c->u[m / c->k * c->p + q] * c->u[m % c->k * c->p + q], P = 1.0 / squared(c->scale[q]);
            out->predicted_loss += P * uu;
            out->gradient_square += 4.0 * P * P * uu;
            out->variance += uu;
        }
    for (int64_t i = 0; i < c->k; i++)
        out->critical += c->X[i * c->k + i] > 0.0;
}

static dyn_status substep(central *c)
{
    DYN__TRY(look(c));
    DYN__TRY(find_pairs(c));
    return oscillate(c);
}

/* One unit of time; what it begins with is recorded. */
static dyn_status unit(central *c, dyn_central_result *out)
{
    for (int32_t i = 0; i < c->opt.substeps; i++) {
        DYN__TRY(substep(c));
        if (i == 0)
            record(c, out);
        move(c);
    }
    return DYN_OK;
}

static dyn_status follow(central *c, int64_t steps, dyn_central_result *trace, double *path)
{
    for (int64_t t = 0; t <= steps; t++) {
        if (path)
            memcpy(path + t * c->p, c->theta, (size_t)c->p * sizeof *path);
        if (t == steps) {
            DYN__TRY(substep(c));
            record(c, &trace[t]);
            break;
        }
        DYN__TRY(unit(c, &trace[t]));
        for (int64_t q = 0; q < c->p; q++)
            if (!isfinite(c->theta[q]))
                return DYN__FAIL(c->ctx, DYN_ENONFINITE, "the flow has run away at time %lld", (long long)t);
        DYN__TRY(dyn__check_interrupt(c->ctx));
        if (c->opt.progress && c->opt.progress(c->opt.progress_user, (double)(t + 1) / (double)steps, "central flow") != 0)
            return DYN_STOPPED;
    }
    return c->incomplete ? DYN_NOT_CONVERGED : DYN_OK;
}

/* ---- the public function ---- */

static dyn_status check_options(dyn_ctx *ctx, const dyn_central_options *given, dyn_central_options *o)
{
    *o = (dyn_central_options)DYN_CENTRAL_OPTIONS_INIT;
    DYN__TRY(dyn__options(ctx, "dyn_central_options", given, o, sizeof *o, sizeof *o));
    if (o->kind != DYN_CENTRAL_GD && o->kind != DYN_CENTRAL_RMSPROP)
        return DYN__FAIL(ctx, DYN_EINVAL, "kind is %d, must be one of enum dyn_central_kind", (int)o->kind);
    if (!(o->rate > 0.0) || !isfinite(o->rate) || !(o->beta2 > 0.0 && o->beta2 < 1.0) || !(o->eps >= 0.0) || !isfinite(o->eps))
        return DYN__FAIL(ctx, DYN_EINVAL, "rate %g, beta2 %g, eps %g: above 0, in (0, 1), at least 0", o->rate, o->beta2, o->eps);
    if (!(o->critical > 0.0 && o->critical < 2.0) || !(o->tolerance > 0.0 && o->tolerance < 0.1))
        return DYN__FAIL(ctx, DYN_EINVAL, "critical %g, tolerance %g: in (0, 2), in (0, 0.1)", o->critical, o->tolerance);
    if (o->substeps < 1 || o->most < 1 || o->most > MOST)
        return DYN__FAIL(ctx, DYN_EINVAL, "substeps %d, most %d: at least 1, 1 to %d", (int)o->substeps, (int)o->most, MOST);
    return DYN_OK;
}

static dyn_status run(central *c, int64_t steps, dyn_central_result *trace, double *path)
{
    const int64_t p = c->p, k = c->opt.most, n = k * k;
    double *room = dyn__alloc(c->ctx, (size_t)((4 + k + 1 + k + n) * p + MOST * MOST + k + 1 + n + n * n +
                                               dyn__complementary_room(k)), sizeof *room);

    if (!room)
        return DYN_ENOMEM;
    c->g = room;
    c->scale = c->g + p;
    c->dtheta = c->scale + p;
    c->dv = c->dtheta + p;
    c->start = c->dv + p;
    c->u = c->start + (k + 1) * p;
    c->third = c->u + k * p;
    c->X = c->third + n * p;
    c->value = c->X + MOST * MOST;
    c->A = c->value + k + 1;
    c->B = c->A + n;
    c->room = c->B + n * n;
    const dyn_status s = follow(c, steps, trace, path);
    dyn__free(c->ctx, room);
    return s;
}

dyn_status dyn_objective_central_flow(dyn_objective *o, const dyn_central_options *opt, int64_t steps, double *theta, double *v,
                                      dyn_central_result *trace, double *path)
{
    central c = { .o = o, .theta = theta, .v = v };

    if (!o)
        return DYN_EINVAL;
    c.ctx = dyn__objective_ctx(o);
    c.p = dyn_objective_size(o);
    DYN__ENTER(c.ctx);
    DYN__NEED(c.ctx, theta);
    DYN__NEED(c.ctx, trace);
    DYN__TRY(check_options(c.ctx, opt, &c.opt));
    if (steps < 0 || steps > INT64_MAX / 8 / c.p - 1 || (c.opt.kind == DYN_CENTRAL_RMSPROP) != (v != NULL))
        return DYN__FAIL(c.ctx, DYN_EINVAL, "steps is %lld, v is %s: at least 0, and v for RMSPROP only", (long long)steps,
                         v ? "given" : "NULL");
    DYN__TRY(dyn__check_finite(c.ctx, "theta", c.p, theta));
    for (int64_t i = 0; v && i < c.p; i++)
        if (!(v[i] >= 0.0) || !isfinite(v[i]))
            return DYN__FAIL(c.ctx, DYN_EINVAL, "v[%lld] is %g, must be at least 0", (long long)i, v[i]);
    c.dt = 1.0 / c.opt.substeps;
    memset(trace, 0, (size_t)(steps + 1) * sizeof *trace);
    return run(&c, steps, trace, path);
}
