/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Phase diagrams, plateaus and what dropout adds to a loss, against closed forms and enumeration. */
#include <math.h>
#include "test.h"
#include <dyn/dyn.h>

static dyn_ctx *ctx;

TEST(regimes)
{
    CHECK(dyn_phase_regime(-0.5, 0.03) == DYN_REGIME_LINEAR && dyn_phase_regime(0.5, 0.03) == DYN_REGIME_CONDENSED);
    CHECK(dyn_phase_regime(0.03, 0.03) == DYN_REGIME_CRITICAL && dyn_phase_regime(-0.03, 0.03) == DYN_REGIME_CRITICAL);
    CHECK(dyn_phase_regime(NAN, 0.03) == DYN_REGIME_CRITICAL);
}

TEST(crossings_of_lines)
{
    static const double x[4] = { 0.0, 1.0, 3.0, 4.0 };
    static const double values[5][4] = {
        { -1.0, 1.0, 2.0, 3.0 },        /* between 0 and 1 */
        { -2.0, -1.0, 3.0, -5.0 },      /* twice: the first counts, a quarter of the way from 1 to 3 */
        { 0.5, 1.0, 1.5, 2.0 },         /* never */
        { -3.0, 0.0, 0.0, 1.0 },        /* on a point */
        { -1.0, NAN, 2.0, -2.0 }        /* not across what is no number */
    };
    double found[5];

    CHECK_OK(ctx, dyn_phase_crossings(ctx, 5, 4, x, values[0], 0.0, found));
    CHECK_NEAR(found[0], 0.5, 1e-15);
    CHECK_NEAR(found[1], 1.5, 1e-15);
    CHECK(isnan(found[2]));
    CHECK(found[3] == 1.0);
    CHECK_NEAR(found[4], 3.5, 1e-15);
    CHECK_OK(ctx, dyn_phase_crossings(ctx, 1, 4, x, values[2], 1.25, found));
    CHECK_NEAR(found[0], 2.0, 1e-15);
    CHECK(dyn_phase_crossings(ctx, 1, 2, (double[]){ 1.0, 1.0 }, values[0], 0.0, found) == DYN_EINVAL);
    CHECK(dyn_phase_crossings(ctx, 1, 0, x, values[0], 0.0, found) == DYN_EINVAL);
    CHECK(dyn_phase_crossings(ctx, 1, 2, x, values[0], INFINITY, found) == DYN_EINVAL);
}

static dyn_model *tanh_net(double dropout)
{
    static const int64_t widths[3] = { 1, 2, 1 };
    dyn_perceptron_options net = DYN_PERCEPTRON_OPTIONS_INIT;
    dyn_model *m = NULL;

    net.widths = widths;
    net.widths_count = 3;
    net.activation = DYN_TANH;
    net.dropout = dropout;
    CHECK_OK(ctx, dyn_model_perceptron(ctx, &net, &m));
    return m;
}

static const double THETA[7] = { 0.5, -1.0, 0.1, 0.2, 2.0, 3.0, 0.25 };     /* W1 b1 W2 b2 */

static double hidden(int j, double x) { return tanh(THETA[j] * x + THETA[2 + j]); }

TEST(centred_targets)
{
    static const double x[2] = { -1.0, 2.0 };
    double y[2] = { 10.0, 20.0 };
    dyn_model *m = tanh_net(0.0);

    CHECK_OK(ctx, dyn_phase_centred_targets(m, THETA, 2, x, y, y));
    for (int i = 0; i < 2; i++)
        CHECK_NEAR(y[i], 10.0 * (i + 1) + 2.0 * hidden(0, x[i]) + 3.0 * hidden(1, x[i]) + 0.25, 1e-13);
    CHECK(dyn_phase_centred_targets(m, THETA, 0, x, y, y) == DYN_EINVAL);
    dyn_model_unref(m);
}

TEST(plateaus_of_a_staircase)
{
    enum { N = 400 };
    dyn_plateau_options o = DYN_PLATEAU_OPTIONS_INIT;
    dyn_episodes *e = NULL;
    double loss[N];

    for (int i = 0; i < N; i++)         /* 1 on [0, 10), falling to 1/10 at 20, there to 100, then 1/100 */
        loss[i] = i < 10 ? 1.0 : i < 20 ? pow(10.0, -(i - 9.0) / 11.0) : i < 100 ? 0.1 : 0.01;
    loss[50] = 0.102;
    CHECK_OK(ctx, dyn_episodes_plateaus(ctx, N, NULL, loss, &o, &e));
    CHECK(dyn_episodes_count(e) == 3);
    CHECK(dyn_episodes_starts(e)[0] == 0 && dyn_episodes_ends(e)[0] == 10);
    CHECK(dyn_episodes_starts(e)[1] == 20 && dyn_episodes_ends(e)[1] == 100 && dyn_episodes_peaks(e)[1] == 50);
    CHECK(dyn_episodes_starts(e)[2] == 100 && dyn_episodes_ends(e)[2] == N);
    dyn_episodes_free(e);
    o.length = 5.0;                     /* 400 / 101 is less */
    CHECK_OK(ctx, dyn_episodes_plateaus(ctx, N, NULL, loss, &o, &e));
    CHECK(dyn_episodes_count(e) == 1 && dyn_episodes_ends(e)[0] == 10);
    dyn_episodes_free(e);
}

TEST(plateaus_have_steps)
{
    static const int64_t steps[6] = { 1, 3, 7, 15, 31, 63 };
    static const double loss[6] = { 4.0, 2.0, 1.0, 1.0, NAN, 1.0 };
    dyn_plateau_options o = DYN_PLATEAU_OPTIONS_INIT;
    dyn_episodes *e = NULL;

    CHECK_OK(ctx, dyn_episodes_plateaus(ctx, 6, steps, loss, NULL, &e));
    CHECK(dyn_episodes_count(e) == 1 && dyn_episodes_starts(e)[0] == 7 && dyn_episodes_ends(e)[0] == 16);
    dyn_episodes_free(e);
    CHECK(dyn_episodes_plateaus(ctx, 2, NULL, (double[]){ 1.0, -1.0 }, NULL, &e) == DYN_EINVAL && !e);
    o.length = 1.0;
    CHECK(dyn_episodes_plateaus(ctx, 6, steps, loss, &o, &e) == DYN_EINVAL);
}

TEST(histogram_counts_steps)
{
    static const int64_t steps[4] = { 0, 10, 11, 20 };
    static const double loss[4] = { 0.5, 0.05, 0.0, 0.04 };
    double counts[2];

    CHECK_OK(ctx, dyn_loss_histogram(ctx, 4, steps, loss, 2, -2.0, 0.0, counts));
    CHECK(counts[0] == 2.0 && counts[1] == 10.0);       /* 0.05 for one step, 0.04 once; 0.5 for ten; 0 nowhere */
    CHECK(dyn_loss_histogram(ctx, 4, steps, loss, 0, -2.0, 0.0, counts) == DYN_EINVAL);
    CHECK(dyn_loss_histogram(ctx, 4, steps, loss, 2, 0.0, 0.0, counts) == DYN_EINVAL);
}

/* Loss and squared norm of the gradient over the four ways to drop two neurons. */
static dyn_noise expected(double x, double y, double p)
{
    dyn_noise sum = { 0 };

    for (int kept = 0; kept < 4; kept++) {
        double f = THETA[6], chance = 1.0, slopes = 1.0;
        for (int j = 0; j < 2; j++) {
            const double h = hidden(j, x), k = kept >> j & 1 ? 1 / (1 - p) : 0.0, a = THETA[4 + j];
            f += a * h * k;
            slopes += k * k * (h * h + a * a * (1 - h * h) * (1 - h * h) * (x * x + 1));
            chance *= k > 0.0 ? 1 - p : p;
        }
        sum.loss += chance * (f - y) * (f - y);
        sum.gradient_square += chance * 4 * (f - y) * (f - y) * slopes;
    }
    return sum;
}

TEST(dropout_in_expectation)
{
    static const int64_t shape[2] = { 1, 1 };
    static const double x = 0.7, y = 1.5;
    dyn_model *m = tanh_net(0.3);
    dyn_array *in = NULL, *out = NULL;
    dyn_objective *o = NULL;
    dyn_noise found, again;

    CHECK_OK(ctx, dyn_array_wrap(ctx, DYN_F64, 2, shape, &x, &in));
    CHECK_OK(ctx, dyn_array_wrap(ctx, DYN_F64, 2, shape, &y, &out));
    CHECK_OK(ctx, dyn_objective_create(ctx, m, in, out, NULL, &o));
    CHECK_OK(ctx, dyn_objective_noise(o, THETA, 20000, 1, &found));
    CHECK_NEAR(found.loss, expected(x, y, 0.3).loss, 4.0 * found.loss_error);
    CHECK_NEAR(found.gradient_square, expected(x, y, 0.3).gradient_square, 4.0 * found.gradient_square_error);
    CHECK(found.loss_error > 0.0 && found.loss_error < 0.03 * found.loss);
    CHECK_OK(ctx, dyn_objective_noise(o, THETA, 20000, 1, &again));
    CHECK(again.loss == found.loss && again.gradient_square == found.gradient_square);
    CHECK(dyn_objective_noise(o, THETA, 0, 1, &found) == DYN_EINVAL);
    dyn_objective_unref(o);
    dyn_array_unref(out);
    dyn_array_unref(in);
    dyn_model_unref(m);
}

int main(void)
{
    if (dyn_ctx_create(NULL, &ctx) != DYN_OK)
        return 2;
    RUN(regimes);
    RUN(crossings_of_lines);
    RUN(centred_targets);
    RUN(plateaus_of_a_staircase);
    RUN(plateaus_have_steps);
    RUN(histogram_counts_steps);
    RUN(dropout_in_expectation);
    dyn_ctx_free(ctx);
    return test_end();
}
