/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Sharpness of a dense matrix against NumPy (which solves the unsymmetric c D H), limits against the optimisers
 * themselves on a quadratic, and spikes against another program's intervals on the same series. */
#include <stdlib.h>
#include "test.h"
#include <dyn/sharpness.h>

enum { N = 40 };
static const double C = 0.37;
static dyn_ctx *ctx;

typedef struct matrix {
    double a[N][N];
} matrix;

static int32_t multiply(void *user, int64_t count, const double *x, double *y)
{
    const matrix *m = user;

    for (int64_t r = 0; r < count; r++)
        for (int i = 0; i < N; i++) {
            y[r * N + i] = 0.0;
            for (int j = 0; j < N; j++)
                y[r * N + i] += m->a[i][j] * x[r * N + j];
        }
    return 0;
}

static double entry(int i, int j)
{
    return cos(0.7 * 1.3 * (i + j) + 0.1 * i * j) / (1 + abs(i - j));
}

static dyn_operator *hessian(matrix *m, double *d, double *g)
{
    dyn_operator *H = NULL;

    for (int i = 0; i < N; i++) {
        for (int j = 0; j < N; j++)
            m->a[i][j] = 0.5 * (entry(i, j) + entry(j, i));
        d[i] = exp(1.5 * sin(2.1 * i));
        g[i] = sin(0.9 * i) + 0.2;
    }
    CHECK_OK(ctx, dyn_operator_from_callback(ctx, N, multiply, m, &H));
    return H;
}

TEST(preconditioned_pairs_agree_with_numpy)
{
    static const double top[3] = { 1.582245791754426, 0.9471163946542253, 0.8558976951815895 };
    matrix m;
    double d[N], g[N];
    dyn_operator *H = hessian(&m, d, g);
    dyn_eigen_options opt = DYN_EIGEN_OPTIONS_INIT;
    dyn_eigen *e = NULL;

    opt.count = 3;
    CHECK_OK(ctx, dyn_sharpness_preconditioned(H, d, C, &opt, &e));
    for (int i = 0; i < 3; i++)
        CHECK_NEAR(dyn_eigen_values(e)[i], top[i], 1e-12);
    dyn_eigen_free(e);
    opt.count = 2;
    opt.which = DYN_SMALLEST_ALGEBRAIC;
    CHECK_OK(ctx, dyn_sharpness_preconditioned(H, d, C, &opt, &e));
    CHECK_NEAR(dyn_eigen_values(e)[0], -1.738666678378303, 1e-12);
    CHECK_NEAR(dyn_eigen_values(e)[1], -1.3988199501360106, 1e-12);
    dyn_eigen_free(e);
    CHECK_OK(ctx, dyn_sharpness_preconditioned(H, NULL, 2.0, NULL, &e));
    CHECK_NEAR(dyn_eigen_values(e)[0], 2.0 * 2.4526937905415878, 1e-12);
    dyn_eigen_free(e);
    dyn_operator_unref(H);
}

TEST(directional_curvature_agrees_with_numpy)
{
    matrix m;
    double d[N], g[N], raw = 0.0, pre = 0.0;
    dyn_operator *H = hessian(&m, d, g);

    CHECK_OK(ctx, dyn_sharpness_directional(H, d, C, g, &raw, &pre));
    CHECK_NEAR(raw, -0.019413410338319125, 1e-14);
    CHECK_NEAR(pre, -0.10436114902646186, 1e-14);
    for (int i = 0; i < N; i++)
        g[i] *= 1e-200;
    CHECK_OK(ctx, dyn_sharpness_directional(H, NULL, 1.0, g, &raw, &pre));
    CHECK_NEAR(raw, -0.019413410338319125, 1e-14);
    CHECK(raw == pre);
    CHECK(dyn_operator_products(H) == 2);
    dyn_operator_unref(H);
}

/* The matrix moves a little between measurements: the second solve must find the new values. */
TEST(tracker_follows)
{
    matrix m;
    double d[N], g[N], raw = 0.0, pre = 0.0, first, second;
    dyn_operator *H = hessian(&m, d, g);
    dyn_sharpness_options opt = DYN_SHARPNESS_OPTIONS_INIT;
    dyn_sharpness_tracker *t = NULL;
    dyn_eigen_options exact = DYN_EIGEN_OPTIONS_INIT;
    dyn_eigen *e = NULL;

    opt.count = 3;
    CHECK_OK(ctx, dyn_sharpness_tracker_create(ctx, N, &opt, &t));
    CHECK(!dyn_sharpness_tracker_raw(t));
    CHECK_OK(ctx, dyn_sharpness_tracker_measure(t, H, d, C, g, NULL));
    CHECK_NEAR(dyn_eigen_values(dyn_sharpness_tracker_raw(t))[2], 1.6033179180605281, 1e-10);
    first = dyn_eigen_values(dyn_sharpness_tracker_preconditioned(t))[0];
    CHECK_NEAR(first, 1.582245791754426, 1e-10);
    dyn_sharpness_tracker_directional(t, &raw, &pre);
    CHECK_NEAR(pre, -0.10436114902646186, 1e-14);
    for (int i = 0; i < N; i++)
        d[i] *= 1.0 + 1e-3 * cos(i);
    CHECK_OK(ctx, dyn_sharpness_tracker_measure(t, H, d, C, NULL, NULL));
    second = dyn_eigen_values(dyn_sharpness_tracker_preconditioned(t))[0];
    exact.tolerance = 1e-12;
    CHECK_OK(ctx, dyn_sharpness_preconditioned(H, d, C, &exact, &e));
    CHECK_NEAR(second, dyn_eigen_values(e)[0], 1e-9);
    CHECK(fabs(second - first) > 1e-5);
    CHECK(dyn_eigen_all_converged(dyn_sharpness_tracker_preconditioned(t)));
    dyn_sharpness_tracker_directional(t, &raw, &pre);
    CHECK(isnan(raw) && isnan(pre));
    dyn_eigen_free(e);
    dyn_sharpness_tracker_free(t);
    dyn_operator_unref(H);
}

/* Plain gradient descent: one solve serves both. */
TEST(without_a_preconditioner_both_problems_are_one)
{
    matrix m;
    double d[N], g[N];
    dyn_operator *H = hessian(&m, d, g);
    dyn_sharpness_tracker *t = NULL;
    const dyn_eigen *e;

    for (int i = 0; i < N; i++)
        d[i] = 1.0;
    CHECK_OK(ctx, dyn_sharpness_tracker_create(ctx, N, NULL, &t));
    for (int k = 0; k < 2; k++) {
        int64_t before = dyn_operator_products(H);

        CHECK_OK(ctx, dyn_sharpness_tracker_measure(t, H, k ? NULL : d, 1.0, NULL, NULL));
        e = dyn_sharpness_tracker_raw(t);
        CHECK(e == dyn_sharpness_tracker_preconditioned(t));
        CHECK_NEAR(dyn_eigen_values(e)[0], 2.4526937905415878, 1e-10);
        CHECK(dyn_operator_products(H) - before == dyn_eigen_products(e));
    }
    CHECK_OK(ctx, dyn_sharpness_tracker_measure(t, H, NULL, 2.0, NULL, NULL));
    CHECK_NEAR(dyn_eigen_values(dyn_sharpness_tracker_raw(t))[0], 2.4526937905415878, 1e-10);
    CHECK_NEAR(dyn_eigen_values(dyn_sharpness_tracker_preconditioned(t))[0], 2 * 2.4526937905415878, 1e-10);
    dyn_sharpness_tracker_free(t);
    dyn_operator_unref(H);
}

enum { LONG = 2000 };

static int32_t multiply_diagonal(void *user, int64_t count, const double *x, double *y)
{
    const double *shift = user;

    for (int64_t r = 0; r < count; r++)
        for (int i = 0; i < LONG; i++)
            y[r * LONG + i] = (1.0 / (1.0 + 0.05 * i) + *shift * sin(i)) * x[r * LONG + i];
    return 0;
}

static int32_t multiply_by(void *user, int64_t count, const double *x, double *y)
{
    const double *d = user;

    for (int64_t i = 0; i < count * LONG; i++)
        y[i] = d[i % LONG] * x[i];
    return 0;
}

TEST(warm_start_saves_products)
{
    double shift = 0.0, largest = 0.0;
    int64_t cold, warm;
    dyn_operator *H = NULL;
    dyn_sharpness_options opt = DYN_SHARPNESS_OPTIONS_INIT;
    dyn_sharpness_tracker *t = NULL;

    opt.unchecked = 1;
    opt.no_raw = 1;
    CHECK_OK(ctx, dyn_operator_from_callback(ctx, LONG, multiply_diagonal, &shift, &H));
    CHECK_OK(ctx, dyn_sharpness_tracker_create(ctx, LONG, &opt, &t));
    CHECK_OK(ctx, dyn_sharpness_tracker_measure(t, H, NULL, 1.0, NULL, NULL));
    CHECK_NEAR(dyn_eigen_values(dyn_sharpness_tracker_preconditioned(t))[0], 1.0, 1e-9);
    cold = dyn_eigen_products(dyn_sharpness_tracker_preconditioned(t));
    shift = 1e-3;
    for (int i = 0; i < LONG; i++)
        largest = fmax(largest, 1.0 / (1.0 + 0.05 * i) + shift * sin(i));
    CHECK_OK(ctx, dyn_sharpness_tracker_measure(t, H, NULL, 1.0, NULL, NULL));
    CHECK_NEAR(dyn_eigen_values(dyn_sharpness_tracker_preconditioned(t))[0], largest, 1e-9);
    warm = dyn_eigen_products(dyn_sharpness_tracker_preconditioned(t));
    CHECK(warm < cold);
    printf("# products: %d cold, %d warm\n", (int)cold, (int)warm);
    CHECK(!dyn_sharpness_tracker_raw(t));
    dyn_sharpness_tracker_free(t);
    dyn_operator_unref(H);
}

/* D + t (u w^T + w u^T): the leading vector turns with t. */
static int32_t multiply_turning(void *user, int64_t count, const double *x, double *y)
{
    const double t = *(const double *)user;

    for (int64_t r = 0; r < count; r++) {
        const double *v = x + r * LONG;
        double *out = y + r * LONG, along = 0.0;

        for (int i = 1; i < LONG; i++)
            along += 0.01 * sin(0.7 * i) * v[i];
        for (int i = 0; i < LONG; i++)
            out[i] = v[i] / (1.0 + 0.05 * i) + (i == 0 ? t * along : t * v[0] * 0.01 * sin(0.7 * i));
    }
    return 0;
}

/* Products over 20 steps in which t goes to and fro as theta does at the edge of stability. */
static int64_t products_to_and_fro(int with_theta, int32_t history)
{
    static double theta[LONG];
    double t = 0.0;
    int64_t products = 0;
    dyn_operator *H = NULL;
    dyn_sharpness_options opt = DYN_SHARPNESS_OPTIONS_INIT;
    dyn_sharpness_tracker *tracker = NULL;

    opt.unchecked = 1;
    opt.tolerance = 1e-4;
    opt.history = history;
    CHECK_OK(ctx, dyn_operator_from_callback(ctx, LONG, multiply_turning, &t, &H));
    CHECK_OK(ctx, dyn_sharpness_tracker_create(ctx, LONG, &opt, &tracker));
    for (int i = 0; i < 20; i++) {
        dyn_eigen *e = NULL;

        theta[3] = t = (i % 2 ? -0.3 : 0.3) * (1.0 + 0.02 * i);
        CHECK_OK(ctx, dyn_sharpness_tracker_measure(tracker, H, NULL, 1.0, NULL, with_theta ? theta : NULL));
        products += i < 4 ? 0 : dyn_eigen_products(dyn_sharpness_tracker_raw(tracker));
        CHECK_OK(ctx, dyn_eigen_solve(H, NULL, &e));
        CHECK_NEAR(dyn_eigen_values(dyn_sharpness_tracker_raw(tracker))[0], dyn_eigen_values(e)[0], 1e-6);
        dyn_eigen_free(e);
    }
    dyn_sharpness_tracker_free(tracker);
    dyn_operator_unref(H);
    return products;
}

TEST(start_is_interpolated)
{
    const int64_t last = products_to_and_fro(0, 4), interpolated = products_to_and_fro(1, 4);

    printf("# products from the last vector %d, interpolated %d\n", (int)last, (int)interpolated);
    CHECK(2 * interpolated <= last);
    CHECK(products_to_and_fro(1, 1) == last);
}

/* A value that crosses the one followed, in a direction orthogonal to it, is found at the 32nd solve at the latest. */
TEST(crossing_is_found)
{
    double d[LONG];
    dyn_operator *H = NULL;
    dyn_sharpness_options opt = DYN_SHARPNESS_OPTIONS_INIT;
    dyn_sharpness_tracker *t = NULL;

    for (int i = 0; i < LONG; i++)
        d[i] = 1.0 / (1.0 + 0.05 * i);
    opt.unchecked = 1;
    opt.tolerance = 1e-3;
    CHECK_OK(ctx, dyn_operator_from_callback(ctx, LONG, multiply_by, d, &H));
    CHECK_OK(ctx, dyn_sharpness_tracker_create(ctx, LONG, &opt, &t));
    for (int i = 0; i < 33; i++) {
        CHECK_OK(ctx, dyn_sharpness_tracker_measure(t, H, NULL, 1.0, NULL, NULL));
        d[LONG - 1] = 1.5;
    }
    CHECK_NEAR(dyn_eigen_values(dyn_sharpness_tracker_raw(t))[0], 1.5, 1e-5);
    dyn_sharpness_tracker_free(t);
    dyn_operator_unref(H);
}

/* Does the optimiser stay bounded on h x^2 / 2? */
static int is_stable(const dyn_optimizer_options *opt, double h)
{
    dyn_optimizer *o = NULL;
    double x = 1.0, g;

    CHECK_OK(ctx, dyn_optimizer_create(ctx, 1, DYN_F64, opt, &o));
    for (int i = 0; i < 3000; i++) {
        g = h * x;
        CHECK_OK(ctx, dyn_optimizer_step(o, &x, &g));
    }
    dyn_optimizer_free(o);
    return fabs(x) < 1.0;
}

TEST(limits_hold_for_the_optimisers)
{
    static const struct { int32_t kind, ema; double beta1; } rules[] = {
        { DYN_OPTIMIZER_GD, 0, 0.0 }, { DYN_OPTIMIZER_HEAVY_BALL, 0, 0.9 }, { DYN_OPTIMIZER_HEAVY_BALL, 1, 0.7 },
        { DYN_OPTIMIZER_NESTEROV, 0, 0.9 }, { DYN_OPTIMIZER_NESTEROV, 0, 0.3 },
    };
    dyn_optimizer_options opt = DYN_OPTIMIZER_OPTIONS_INIT;
    double limit = 0.0;

    opt.rate = 0.03;
    for (size_t i = 0; i < sizeof rules / sizeof *rules; i++) {
        opt.kind = rules[i].kind;
        opt.ema = rules[i].ema;
        opt.beta1 = rules[i].beta1;
        CHECK_OK(ctx, dyn_sharpness_limit(ctx, &opt, &limit));
        CHECK(is_stable(&opt, 0.98 * limit));
        CHECK(!is_stable(&opt, 1.02 * limit));
    }
    opt = (dyn_optimizer_options)DYN_OPTIMIZER_OPTIONS_INIT;
    opt.kind = DYN_OPTIMIZER_ADAM;
    opt.rate = 0.01;
    CHECK_OK(ctx, dyn_sharpness_limit(ctx, &opt, &limit));
    CHECK_NEAR(limit, 38.0 / 0.01, 1e-14);
    opt.kind = DYN_OPTIMIZER_RMSPROP;
    CHECK_OK(ctx, dyn_sharpness_limit(ctx, &opt, &limit));
    CHECK_NEAR(limit, 200.0, 1e-14);
    opt.kind = DYN_OPTIMIZER_SIGN;
    CHECK(dyn_sharpness_limit(ctx, &opt, &limit) == DYN_ENOTSUP);
}

enum { STEPS = 600 };

static void loss_with_spikes(double *loss)
{
    static const struct { int at; double height; } spikes[] = {
        { 120, 5 }, { 135, 8 }, { 300, 3.0 }, { 301, 1.5 }, { 450, 2.5 },
    };

    for (int t = 0; t < STEPS; t++)
        loss[t] = exp(-t / 200.0) * (1 + 0.1 * sin(t));
    for (size_t s = 0; s < sizeof spikes / sizeof *spikes; s++) {
        double height = spikes[s].height * loss[spikes[s].at];

        for (int t = spikes[s].at; t < STEPS; t++)
            loss[t] += height * exp(-(t - spikes[s].at) / 6.0);
    }
}

static int same(const int64_t *a, int64_t n, const int64_t *b)
{
    for (int64_t i = 0; i < n; i++)
        if (a[i] != b[i])
            return 0;
    return 1;
}

TEST(spikes_agree_with_python)
{
    static const struct { dyn_spike_options opt; int64_t count, start[4], end[4], peak[4]; } cases[] = {
        { DYN_SPIKE_OPTIONS_INIT, 3, { 120, 300, 450 }, { 150, 313, 456 }, { 135, 301, 450 } },
        { { sizeof(dyn_spike_options), 0, 50, 30, 5, 2.0 }, 3, { 120, 301, 452 }, { 151, 315, 458 }, { 139, 305, 454 } },
        { { sizeof(dyn_spike_options), 0, 10, 1, 1, 1.5 }, 4, { 120, 135, 300, 450 }, { 130, 145, 310, 458 },
          { 120, 135, 301, 450 } },
    };
    double loss[STEPS];

    loss_with_spikes(loss);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        dyn_episodes *e = NULL;

        CHECK_OK(ctx, dyn_episodes_spikes(ctx, STEPS, NULL, loss, &cases[i].opt, &e));
        CHECK(dyn_episodes_count(e) == cases[i].count);
        if (dyn_episodes_count(e) == cases[i].count) {
            CHECK(same(dyn_episodes_starts(e), cases[i].count, cases[i].start));
            CHECK(same(dyn_episodes_ends(e), cases[i].count, cases[i].end));
            CHECK(same(dyn_episodes_peaks(e), cases[i].count, cases[i].peak));
        }
        dyn_episodes_free(e);
    }
}

TEST(divergence_is_a_spike_and_nan_is_none)
{
    double loss[6] = { 1, 1, NAN, INFINITY, INFINITY, 1 };
    dyn_episodes *e = NULL;

    CHECK_OK(ctx, dyn_episodes_spikes(ctx, 6, NULL, loss, NULL, &e));
    CHECK(dyn_episodes_count(e) == 1 && dyn_episodes_starts(e)[0] == 3 && dyn_episodes_ends(e)[0] == 5);
    dyn_episodes_free(e);
    CHECK_OK(ctx, dyn_episodes_spikes(ctx, 0, NULL, loss, NULL, &e));
    CHECK(dyn_episodes_count(e) == 0);
    dyn_episodes_free(e);
}

TEST(predictor_against_spikes)
{
    /*                        0  1  2  3  4  5  6  7  8  9 10 11 12 13 14 15 */
    static const double predictor[16] = { 0, 3, 3, 0, 0, 0, 0, 3, 0, 0, 0, 3, 3, 3, 0, 0 };
    static const double loss[16] = { 1, 1, 1, 9, 9, 1, 1, 1, 1, 1, 1, 1, 9, 1, 1, 9 };
    static const int64_t sustained_start = 12;
    double level[16], smooth[16];
    dyn_episodes *p = NULL, *s = NULL;
    int64_t hits = 0, missed = 0, alarms = 0;

    for (int i = 0; i < 16; i++)
        level[i] = 2.0;
    CHECK_OK(ctx, dyn_episodes_above(ctx, 16, NULL, predictor, level, &p));
    CHECK_OK(ctx, dyn_episodes_above(ctx, 16, NULL, loss, level, &s));
    CHECK(dyn_episodes_count(p) == 3 && dyn_episodes_count(s) == 3);
    CHECK_OK(ctx, dyn_episodes_confusion(p, s, 1, &hits, &missed, &alarms));
    CHECK(hits == 2 && missed == 1 && alarms == 1);
    CHECK_OK(ctx, dyn_episodes_confusion(p, s, 0, &hits, &missed, &alarms));
    CHECK(hits == 1 && missed == 2 && alarms == 2);
    CHECK_OK(ctx, dyn_episodes_confusion(p, s, 5, &hits, &missed, &alarms));
    CHECK(hits == 3 && missed == 0 && alarms == 0);
    dyn_episodes_free(p);
    CHECK_OK(ctx, dyn_episodes_sustained(ctx, 16, predictor, smooth));
    CHECK_OK(ctx, dyn_episodes_above(ctx, 16, NULL, smooth, level, &p));
    CHECK(dyn_episodes_count(p) == 1 && dyn_episodes_starts(p)[0] == sustained_start);
    CHECK(dyn_episodes_ends(p)[0] == sustained_start + 1);
    dyn_episodes_free(p);
    dyn_episodes_free(s);
}

TEST(bad_arguments_are_named)
{
    matrix m;
    double d[N], g[N], raw;
    dyn_operator *H = hessian(&m, d, g), *S = NULL;
    dyn_sharpness_tracker *t = NULL;
    dyn_spike_options opt = DYN_SPIKE_OPTIONS_INIT;
    dyn_episodes *e = NULL;

    CHECK(dyn_sharpness_operator(H, d, -1.0, &S) == DYN_EINVAL && !S);
    CHECK_STR(dyn_ctx_message(ctx), "dyn_sharpness_operator: c is -1");
    d[3] = -0.5;
    CHECK(dyn_sharpness_preconditioned(H, d, 1.0, NULL, NULL) == DYN_EINVAL);
    CHECK(dyn_sharpness_operator(H, d, 1.0, &S) == DYN_EINVAL);
    CHECK_STR(dyn_ctx_message(ctx), "d[3] is -0.5");
    memset(g, 0, sizeof g);
    CHECK(dyn_sharpness_directional(H, NULL, 1.0, g, &raw, NULL) == DYN_EINVAL);
    CHECK_STR(dyn_ctx_message(ctx), "all 40 numbers of g are 0");
    CHECK_OK(ctx, dyn_sharpness_tracker_create(ctx, N - 1, NULL, &t));
    CHECK(dyn_sharpness_tracker_measure(t, H, NULL, 1.0, NULL, NULL) == DYN_ESHAPE);
    CHECK_STR(dyn_ctx_message(ctx), "H has size 40, the tracker 39");
    CHECK(dyn_sharpness_tracker_create(ctx, N, &(dyn_sharpness_options){ .struct_size = sizeof(dyn_sharpness_options),
          .count = 1, .tolerance = 1e-6 }, NULL) == DYN_EINVAL);
    opt.ratio = 0.5;
    CHECK(dyn_episodes_spikes(ctx, 1, NULL, g, &opt, &e) == DYN_EINVAL && !e);
    CHECK_STR(dyn_ctx_message(ctx), "ratio is 0.5");
    CHECK(dyn_episodes_count(NULL) == 0 && !dyn_episodes_starts(NULL));
    dyn_sharpness_tracker_free(t);
    dyn_operator_unref(H);
}

int main(void)
{
    if (dyn_ctx_create(NULL, &ctx) != DYN_OK)
        return 2;
    RUN(preconditioned_pairs_agree_with_numpy);
    RUN(directional_curvature_agrees_with_numpy);
    RUN(tracker_follows);
    RUN(without_a_preconditioner_both_problems_are_one);
    RUN(warm_start_saves_products);
    RUN(start_is_interpolated);
    RUN(crossing_is_found);
    RUN(limits_hold_for_the_optimisers);
    RUN(spikes_agree_with_python);
    RUN(divergence_is_a_spike_and_nan_is_none);
    RUN(predictor_against_spikes);
    RUN(bad_arguments_are_named);
    dyn_ctx_free(ctx);
    return test_end();
}
