/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Exact minima and flows of functions with closed forms: Rosenbrock's, quadratics, one that is NaN around its minimum. */
#include <stdlib.h>
#include <dyn/dyn.h>
#include "test.h"

static dyn_ctx *ctx;

/* Rosenbrock's function of 10 variables; its minimum is 0 at (1, ..., 1). */
enum { N = 10 };
static int32_t rosenbrock(void *user, const dyn_objective_view *at)
{
    const double *x = at->theta;
    double *value = at->value, *g = at->gradient;
    double f = 0;

    (void)user;
    for (int i = 0; i < N; i++)
        g[i] = 0;
    for (int i = 0; i + 1 < N; i++) {
        const double r = x[i + 1] - x[i] * x[i];

        f += 100 * r * r + (1 - x[i]) * (1 - x[i]);
        g[i] += -400 * x[i] * r - 2 * (1 - x[i]);
        g[i + 1] += 200 * r;
    }
    if (value)
        *value = f;
    return 0;
}

static int32_t rosenbrock_product(void *user, const dyn_objective_view *at)
{
    const double *x = at->theta, *v = at->v;
    double *hv = at->product;
    int64_t count = at->count;

    (void)user;
    memset(hv, 0, (size_t)(count * N) * sizeof *hv);
    for (int64_t k = 0; k < count; k++, v += N, hv += N)
        for (int i = 0; i + 1 < N; i++) {
            hv[i] += (1200 * x[i] * x[i] - 400 * x[i + 1] + 2) * v[i] - 400 * x[i] * v[i + 1];
            hv[i + 1] += -400 * x[i] * v[i] + 200 * v[i + 1];
        }
    return 0;
}

static int32_t value_of(void *user, const dyn_objective_view *at)
{
    const double *x = at->theta;
    double *value = at->value;
    double g[N];

    return rosenbrock(user, &(dyn_objective_view){ .theta = x, .value = value, .gradient = g });
}

static dyn_objective *valley(void)
{
    dyn_objective *o = NULL;

    CHECK_OK(ctx, dyn_objective_from_callbacks(ctx, &FUNCTIONS(.size = N, .value = value_of, .gradient = rosenbrock,
                                                               .hessian = rosenbrock_product), &o));
    return o;
}

static void from_the_usual_start(double x[N])
{
    for (int i = 0; i < N; i++)
        x[i] = i % 2 ? 1 : -1.2;
}

TEST(rosenbrock_to_the_last_digit)
{
    dyn_objective *o = valley();

    for (int32_t method = DYN_MINIMISE_LBFGS; method <= DYN_MINIMISE_NEWTON; method++) {
        dyn_minimise_options opt = DYN_MINIMISE_OPTIONS_INIT;
        dyn_minimum m;
        double x[N];

        opt.method = method;
        opt.gradient_tolerance = 1e-12;
        from_the_usual_start(x);
        CHECK_OK(ctx, dyn_objective_minimise(o, &opt, x, &m));
        CHECK(m.reason == DYN_MINIMISE_GRADIENT && m.gradient_norm <= 1e-12);
        CHECK(m.value < 1e-24 || fabs(m.value - 3.986579) < 1e-6);      /* the other minimum, near (-1, 1, ..., 1) */
        CHECK(m.evaluations < 400 && (m.products > 0) == (method == DYN_MINIMISE_NEWTON));
        if (m.value < 1e-20)
            for (int i = 0; i < N; i++)
                CHECK_NEAR(x[i], 1, 1e-11);
    }
    dyn_objective_unref(o);
}

/* max_evaluations hold; the best point is given back. */
TEST(evaluations_are_counted)
{
    dyn_minimise_options opt = DYN_MINIMISE_OPTIONS_INIT;
    dyn_objective *o = valley();
    dyn_minimum m;
    double x[N], value;

    opt.max_evaluations = 7;
    from_the_usual_start(x);
    CHECK(dyn_objective_minimise(o, &opt, x, &m) == DYN_NOT_CONVERGED);
    CHECK(m.evaluations == 7 && m.reason == DYN_MINIMISE_EVALUATIONS);
    CHECK_OK(ctx, dyn_objective_value(o, x, &value));
    CHECK(value == m.value && value < 1500);
    dyn_objective_unref(o);
}

/* f = w^2, NaN for |w| < .9, from 1: the best finite point, not NaN, and the failure said. */
static int32_t holed(void *user, const dyn_objective_view *at)
{
    const double *x = at->theta;
    double *value = at->value, *g = at->gradient;

    (void)user;
    *g = 2 * *x;
    if (value)
        *value = fabs(*x) < .9 ? (double)NAN : *x * *x;
    return 0;
}

static int32_t holed_value(void *user, const dyn_objective_view *at)
{
    const double *x = at->theta;
    double *value = at->value;
    double g;

    return holed(user, &(dyn_objective_view){ .theta = x, .value = value, .gradient = &g });
}

TEST(a_hole_around_the_minimum)
{
    dyn_objective *o = NULL;
    dyn_minimum m;
    double x = 1;

    CHECK_OK(ctx, dyn_objective_from_callbacks(ctx, &FUNCTIONS(.size = 1, .value = holed_value, .gradient = holed),
                                                               &o));
    CHECK(dyn_objective_minimise(o, NULL, &x, &m) == DYN_NOT_CONVERGED);
    CHECK(m.reason == DYN_MINIMISE_STALLED && fabs(x) >= .9 && fabs(x) < 1 && m.value == x * x);
    x = .5;
    CHECK(dyn_objective_minimise(o, NULL, &x, &m) == DYN_ENONFINITE && x == .5);
    dyn_objective_unref(o);
}

/* ---- quadratics: f = sum h_i x_i^2 / 2 ---- */

typedef struct diagonal { int n; double h[3]; } diagonal;

static int32_t slope(void *user, const dyn_objective_view *at)
{
    const double *x = at->theta;
    double *value = at->value, *g = at->gradient;
    const diagonal *d = user;
    double f = 0;

    for (int i = 0; i < d->n; i++) {
        g[i] = d->h[i] * x[i];
        f += x[i] * g[i] / 2;
    }
    if (value)
        *value = f;
    return 0;
}

static int32_t height(void *user, const dyn_objective_view *at)
{
    const double *x = at->theta;
    double *value = at->value;
    double g[3];

    return slope(user, &(dyn_objective_view){ .theta = x, .value = value, .gradient = g });
}

static dyn_objective *bowl(diagonal *d)
{
    dyn_objective *o = NULL;

    CHECK_OK(ctx, dyn_objective_from_callbacks(ctx, &FUNCTIONS(.size = d->n, .value = height, .gradient = slope,
                                                               .user = d), &o));
    return o;
}

/* No step raises the value; at the edge the rate hovers about 2 / h. */
static int32_t falling(void *user, double done, const char *text)
{
    (void)user, (void)done, (void)text;
    return 0;
}

TEST(monotone_descent)
{
    diagonal d = { 2, { 1, 4 } };
    dyn_minimise_options opt = DYN_MINIMISE_OPTIONS_INIT;
    dyn_objective *o = bowl(&d);
    dyn_minimum m;
    double x[2] = { 1, 1 };

    opt.method = DYN_MINIMISE_MONOTONE;
    opt.rate = 10;
    opt.stop_value = 1e-20;
    opt.progress = falling;
    CHECK_OK(ctx, dyn_objective_minimise(o, &opt, x, &m));
    CHECK(m.reason == DYN_MINIMISE_VALUE && m.value <= 1e-20 && m.steps < m.evaluations && m.rate < 2);
    dyn_objective_unref(o);
}

/* w' = -w from 1: L = w^2/2 = .05 at t = ln(1/.1)/2 = 1.151293; from .3, below at once. */
TEST(threshold_met_exactly)
{
    diagonal d = { 1, { 1 } };
    dyn_flow_options opt = DYN_FLOW_OPTIONS_INIT;
    dyn_objective *o = bowl(&d);
    dyn_flow_result r;
    double x = 1;

    opt.stop_value = .05;
    opt.relative = 1e-10;
    opt.absolute = 1e-12;
    CHECK_OK(ctx, dyn_objective_flow(o, &opt, 0, NULL, NULL, &x, &r));
    CHECK(r.reason == DYN_FLOW_VALUE);
    CHECK_NEAR(r.time, log(10) / 2, 1e-9);
    CHECK_NEAR(r.value, .05, 1e-14);
    x = .3;
    CHECK_OK(ctx, dyn_objective_flow(o, &opt, 0, NULL, NULL, &x, &r));
    CHECK(r.time == 0 && r.reason == DYN_FLOW_VALUE && x == .3);
    dyn_objective_unref(o);
}

/* The states at given times against exp(-h t), within the tolerance. */
TEST(states_at_times)
{
    const double times[4] = { 0, .1, 1, 2.5 };
    diagonal d = { 3, { .5, 1, 3 } };
    dyn_flow_options opt = DYN_FLOW_OPTIONS_INIT;
    dyn_objective *o = bowl(&d);
    dyn_flow_result r;
    double x[3] = { 1, -2, 3 }, states[12];

    opt.end = 3;
    opt.relative = 1e-9;
    opt.absolute = 1e-12;
    CHECK_OK(ctx, dyn_objective_flow(o, &opt, 4, times, states, x, &r));
    CHECK(r.states == 4 && r.reason == DYN_FLOW_TIME && r.time == 3 && !r.stiff);
    for (int t = 0; t < 4; t++)
        for (int i = 0; i < 3; i++)
            CHECK_NEAR(states[3 * t + i], ((double[]){ 1, -2, 3 })[i] * exp(-d.h[i] * times[t]), 2e-8);
    for (int i = 0; i < 3; i++)
        CHECK_NEAR(x[i], ((double[]){ 1, -2, 3 })[i] * exp(-3 * d.h[i]), 1e-8);
    dyn_objective_unref(o);
}

/* theta' = -g / |g| from 1: theta = 1 - t. */
TEST(normalised_flow)
{
    diagonal d = { 1, { 7 } };
    dyn_flow_options opt = DYN_FLOW_OPTIONS_INIT;
    dyn_objective *o = bowl(&d);
    dyn_flow_result r;
    double x = 1;

    opt.normalised = 1;
    opt.end = .75;
    CHECK_OK(ctx, dyn_objective_flow(o, &opt, 0, NULL, NULL, &x, &r));
    CHECK_NEAR(x, .25, 1e-12);
    dyn_objective_unref(o);
}

/* y' = -1000 y beside a slow mode, to t = 10: the slow one is right, and the flow says that it is stiff. */
TEST(stiffness_is_reported)
{
    diagonal d = { 2, { 1000, 1 } };
    dyn_flow_options opt = DYN_FLOW_OPTIONS_INIT;
    dyn_objective *o = bowl(&d);
    dyn_flow_result r;
    double x[2] = { 1, 1 };

    opt.end = 10;
    CHECK_OK(ctx, dyn_objective_flow(o, &opt, 0, NULL, NULL, x, &r));
    CHECK(r.stiff && r.evaluations < 40000);
    CHECK_NEAR(x[1], 4.539993e-5, 2e-8);
    opt.max_evaluations = 100;
    x[0] = x[1] = 1;
    CHECK(dyn_objective_flow(o, &opt, 0, NULL, NULL, x, &r) == DYN_NOT_CONVERGED);
    CHECK(r.reason == DYN_FLOW_EVALUATIONS);
    dyn_objective_unref(o);
}

/* L = 3 x above 0, x / 2 below: from 1.5 the flow is at 0 at t = .5 and at -.25 at t = 1. */
static int32_t bent(void *user, const dyn_objective_view *at)
{
    const double *x = at->theta;
    double *value = at->value, *g = at->gradient;

    (void)user;
    *g = *x > 0 ? 3 : .5;
    if (value)
        *value = *g * *x;
    return 0;
}

static int32_t bent_value(void *user, const dyn_objective_view *at)
{
    const double *x = at->theta;
    double *value = at->value;
    double g;

    return bent(user, &(dyn_objective_view){ .theta = x, .value = value, .gradient = &g });
}

static int32_t sign_of(void *user, const double *x, double *values)
{
    (void)user;
    *values = *x;
    return 0;
}

TEST(kinks_are_events)
{
    dyn_flow_options opt = DYN_FLOW_OPTIONS_INIT;
    dyn_objective *o = NULL;
    dyn_flow_result with, without;
    double x = 1.5;

    CHECK_OK(ctx, dyn_objective_from_callbacks(ctx, &FUNCTIONS(.size = 1, .value = bent_value, .gradient = bent), &o));
    opt.end = 1;
    CHECK_OK(ctx, dyn_objective_flow(o, &opt, 0, NULL, NULL, &x, &without));
    x = 1.5;
    opt.kinks = sign_of;
    opt.kink_count = 1;
    CHECK_OK(ctx, dyn_objective_flow(o, &opt, 0, NULL, NULL, &x, &with));
    CHECK_NEAR(x, -.25, 1e-6);
    CHECK(with.kinks == 1 && without.kinks == 0);
    dyn_objective_unref(o);
}

static int32_t fold(void *user, const dyn_objective_view *at)
{
    const double *p = at->theta;
    double *value = at->value, *g = at->gradient;
    const double x = p[0], y = p[1];

    (void)user;
    g[0] = (x > 0 ? 1 : -1) + y - 1.5;
    g[1] = x - 1;
    if (value)
        *value = fabs(x) + x * (y - 1.5) - y;
    return 0;
}

static int32_t fold_value(void *user, const dyn_objective_view *at)
{
    const double *p = at->theta;
    double *value = at->value;
    double g[2];

    return fold(user, &(dyn_objective_view){ .theta = p, .value = value, .gradient = g });
}

/* L = |x| + x (y - 3/2) - y from (1/2, 1): x = 1 - e^t / 2, y = 1/2 + e^t / 2 up to x = 0 at t = ln 2; along x = 0 y rises by t
 * until the slope of the side x < 0 leads away, at y = 5/2; then x = 1 - cosh s, y = 5/2 + sinh s. */
TEST(kinks_are_slid_on)
{
    const double meets = log(2), leaves = 1 + meets, times[4] = { .5, 1.2, leaves - .01, leaves + 1 };
    const double x[4] = { 1 - exp(.5) / 2, 0, 0, 1 - cosh(1) };
    const double y[4] = { .5 + exp(.5) / 2, 1.5 + 1.2 - meets, 2.49, 2.5 + sinh(1) };
    dyn_flow_options opt = DYN_FLOW_OPTIONS_INIT;
    dyn_objective *o = NULL;
    dyn_flow_result r;
    double p[2] = { .5, 1 }, states[8];

    CHECK_OK(ctx, dyn_objective_from_callbacks(ctx, &FUNCTIONS(.size = 2, .value = fold_value, .gradient = fold), &o));
    opt.end = times[3];
    opt.relative = 1e-9;
    opt.absolute = 1e-12;
    opt.kinks = sign_of;
    opt.kink_count = 1;
    CHECK_OK(ctx, dyn_objective_flow(o, &opt, 4, times, states, p, &r));
    CHECK(r.reason == DYN_FLOW_TIME && r.slides == 1 && r.kink == 0 && r.kinks == 1);
    CHECK(r.evaluations < 2000);
    for (int i = 0; i < 4; i++) {
        CHECK_NEAR(states[2 * i], x[i], 1e-8);
        CHECK_NEAR(states[2 * i + 1], y[i], 1e-8);
    }
    dyn_objective_unref(o);
}

/* L = |x| + |y| / 2 + x y / 4 + (z - 1)^2 / 2: x and y rest where both kinks meet, z goes on. */
static int32_t corner(void *user, const dyn_objective_view *at)
{
    const double *p = at->theta;
    double *value = at->value, *g = at->gradient;
    const double sx = p[0] > 0 ? 1 : -1, sy = p[1] > 0 ? 1 : -1;

    (void)user;
    g[0] = sx + .25 * p[1];
    g[1] = .5 * sy + .25 * p[0];
    g[2] = p[2] - 1;
    if (value)
        *value = fabs(p[0]) + .5 * fabs(p[1]) + .25 * p[0] * p[1] + (p[2] - 1) * (p[2] - 1) / 2;
    return 0;
}

static int32_t corner_value(void *user, const dyn_objective_view *at)
{
    const double *p = at->theta;
    double *value = at->value;
    double g[3];

    return corner(user, &(dyn_objective_view){ .theta = p, .value = value, .gradient = g });
}

static int32_t corner_signs(void *user, const double *p, double *values)
{
    (void)user;
    values[0] = p[0];
    values[1] = -3 * p[1];
    return 0;
}

TEST(two_kinks_are_slid_on)
{
    dyn_flow_options opt = DYN_FLOW_OPTIONS_INIT;
    dyn_objective *o = NULL;
    dyn_flow_result r;
    double p[3] = { .3, -.4, 0 };

    CHECK_OK(ctx, dyn_objective_from_callbacks(ctx, &FUNCTIONS(.size = 3, .value = corner_value, .gradient = corner),
                                                               &o));
    opt.end = 3;
    opt.relative = 1e-9;
    opt.kinks = corner_signs;
    opt.kink_count = 2;
    CHECK_OK(ctx, dyn_objective_flow(o, &opt, 0, NULL, NULL, p, &r));
    CHECK(r.slides == 2 && r.evaluations < 2000);
    CHECK_NEAR(p[0], 0, 1e-9);
    CHECK_NEAR(p[1], 0, 1e-9);
    CHECK_NEAR(p[2], 1 - exp(-3), 1e-8);
    CHECK_NEAR(r.gradient_norm, exp(-3), 1e-8);
    dyn_objective_unref(o);
}

/* L = w^2, n beta = 144.765, gamma = 100, epsilon 1e-4: n beta E[L - L*] of the discrete chain is .375295. */
TEST(langevin)
{
    enum { STEPS = 400000 };
    diagonal d = { 1, { 2 } };
    dyn_langevin_options opt = DYN_LANGEVIN_OPTIONS_INIT;
    dyn_objective *o = bowl(&d);
    double *losses = malloc(STEPS * sizeof *losses), *again = malloc(STEPS * sizeof *losses), x = 0, y = 0, mean = 0;

    opt.epsilon = 1e-4;
    opt.n_beta = 144.765;
    opt.gamma = 100;
    opt.seed = 4;
    CHECK_OK(ctx, dyn_objective_langevin(o, &opt, STEPS, &x, losses));
    for (int t = 0; t < STEPS; t++)
        mean += opt.n_beta * losses[t] / (double)STEPS;
    CHECK(losses[0] == 0);
    CHECK_NEAR(mean, .375295, .025);        /* four standard errors, correlated over 100 steps */
    CHECK_OK(ctx, dyn_objective_langevin(o, &opt, 100, &y, again));
    CHECK(memcmp(losses, again, 100 * sizeof *again) == 0);
    opt.chain = 1;
    y = 0;
    CHECK_OK(ctx, dyn_objective_langevin(o, &opt, 100, &y, again));
    CHECK(again[50] != losses[50]);
    free(losses);
    free(again);
    dyn_objective_unref(o);
}

TEST(bad_input)
{
    diagonal d = { 1, { 1 } };
    dyn_objective *o = bowl(&d);
    dyn_minimise_options m = DYN_MINIMISE_OPTIONS_INIT;
    dyn_flow_options f = DYN_FLOW_OPTIONS_INIT;
    double x = 1, states[2];
    const double falling_times[2] = { 1, .5 };

    m.memory = 0;
    CHECK(dyn_objective_minimise(o, &m, &x, NULL) == DYN_EINVAL);
    CHECK_STR(dyn_ctx_message(ctx), "dyn_objective_minimise: memory 0");
    m = (dyn_minimise_options)DYN_MINIMISE_OPTIONS_INIT;
    m.method = DYN_MINIMISE_NEWTON;
    CHECK(dyn_objective_minimise(o, &m, &x, NULL) == DYN_OK && fabs(x) < 1e-10);     /* by differences of gradients */
    x = 1;
    CHECK(dyn_objective_flow(o, &f, 2, falling_times, states, &x, NULL) == DYN_EINVAL);
    CHECK_STR(dyn_ctx_message(ctx), "times[1] is 0.5");
    f.relative = 0;
    CHECK(dyn_objective_flow(o, &f, 0, NULL, NULL, &x, NULL) == DYN_EINVAL);
    CHECK(dyn_objective_flow(NULL, NULL, 0, NULL, NULL, &x, NULL) == DYN_EINVAL);
    CHECK(dyn_objective_langevin(o, NULL, 0, &x, states) == DYN_EINVAL);
    dyn_objective_unref(o);
}

int main(void)
{
    dyn_ctx_create(NULL, &ctx);
    RUN(rosenbrock_to_the_last_digit);
    RUN(evaluations_are_counted);
    RUN(a_hole_around_the_minimum);
    RUN(monotone_descent);
    RUN(threshold_met_exactly);
    RUN(states_at_times);
    RUN(normalised_flow);
    RUN(stiffness_is_reported);
    RUN(kinks_are_events);
    RUN(kinks_are_slid_on);
    RUN(two_kinks_are_slid_on);
    RUN(langevin);
    RUN(bad_input);
    dyn_ctx_free(ctx);
    return test_end();
}
