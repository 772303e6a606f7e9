/* SPDX-License-Identifier: BSD-3-Clause
 *
 * What optimisers do over thousands of steps: closed forms of linear recursions, the stability threshold of every
 * rule, the spike of Adam on the quadratic (arXiv 2506.04805), Adam on x^4/4 (arXiv 2603.09581), learning rates. */
#include <dyn/dyn.h>
#include "optimizers.h"
#include "test.h"

static dyn_ctx *ctx;
#define OPT OPTIMIZER_OPTIONS

static dyn_optimizer *make(const dyn_optimizer_options *opt)
{
    dyn_optimizer *o = NULL;

    CHECK_OK(ctx, dyn_optimizer_create(ctx, 1, DYN_F64, opt, &o));
    return o;
}

/* theta_t = (1 - rate h)^t on h theta^2 / 2. */
TEST(gradient_descent_on_a_quadratic)
{
    const dyn_optimizer_options opt = OPT(.rate = .25);
    dyn_optimizer *o = make(&opt);
    double x = 1;

    for (int t = 0; t < 100; t++) {
        const double g = 1.5 * x;
        dyn_optimizer_step(o, &x, &g);
        CHECK_NEAR(x / pow(1 - .25 * 1.5, t + 1), 1, 1e-13);
    }
    dyn_optimizer_free(o);
}

/* Growth of theta over many steps on curvature h; Adam's and RMSprop's v is held at 1 by beta2 next to 1. */
static double growth(const dyn_optimizer_options *opt, double h)
{
    dyn_optimizer *o = make(opt);
    double x = 1e-3, largest = 0;

    for (int t = 0; t < 4000; t++) {
        const double g = h * x;
        dyn_optimizer_step(o, &x, &g);
        if (t > 3900)
            largest = fmax(largest, fabs(x));
    }
    dyn_optimizer_free(o);
    return largest;
}

/* c d h = 2 / rate is where the rule loses stability: 1 % below it shrinks, 1 % above it grows. */
TEST(thresholds)
{
    const dyn_optimizer_options rules[] = {
        OPT(.kind = DYN_OPTIMIZER_GD, .rate = .1),
        OPT(.kind = DYN_OPTIMIZER_HEAVY_BALL, .rate = .1, .beta1 = .8),
        OPT(.kind = DYN_OPTIMIZER_HEAVY_BALL, .rate = .1, .beta1 = .8, .ema = 1),
        OPT(.kind = DYN_OPTIMIZER_NESTEROV, .rate = .1, .beta1 = .8),
    };

    for (size_t i = 0; i < sizeof rules / sizeof *rules; i++) {
        dyn_optimizer *o = make(&rules[i]);
        double d, c;

        CHECK_OK(ctx, dyn_optimizer_preconditioner(o, &d, &c));
        CHECK(d == 1 && dyn_optimizer_threshold(o) == 20);
        CHECK(growth(&rules[i], .99 * 20 / c) < 1e-4);
        CHECK(growth(&rules[i], 1.01 * 20 / c) > 1);
        dyn_optimizer_free(o);
    }
}

/* After t steps at constant gradient g both averages are g and g^2, bias corrected: d = 1 / (|g| + eps). */
TEST(preconditioner_of_adam)
{
    const dyn_optimizer_options opt = OPT(.kind = DYN_OPTIMIZER_ADAMW, .rate = .01, .beta1 = .8, .eps = .25);
    dyn_optimizer *o = make(&opt);
    double x = 0, d, c;
    const double g = -3;

    CHECK(dyn_optimizer_preconditioner(o, &d, &c) == DYN_ESTATE);
    CHECK_STR(dyn_ctx_message(ctx), "ADAMW has taken no step yet");
    for (int t = 1; t <= 30; t++) {
        dyn_optimizer_step(o, &x, &g);
        CHECK_OK(ctx, dyn_optimizer_preconditioner(o, &d, &c));
        CHECK_NEAR(d, 1 / 3.25, 1e-13);
        CHECK_NEAR(c, .2 / (1.8 * (1 - pow(.8, t))), 1e-14);
    }
    CHECK(dyn_optimizer_threshold(o) == 200);
    dyn_optimizer_free(o);
}

TEST(preconditioner_of_others)
{
    const dyn_optimizer_options rms = OPT(.kind = DYN_OPTIMIZER_RMSPROP, .beta2 = .75, .eps = 1, .eps_inside = 1);
    const dyn_optimizer_options sign = OPT(.kind = DYN_OPTIMIZER_SIGN);
    const dyn_optimizer_options bare = OPT(.kind = DYN_OPTIMIZER_ADAM, .eps = 0);
    dyn_optimizer *a = make(&rms), *b = make(&sign), *e = make(&bare);
    double x = 0, d, c, zero = 0;
    const double g = 4;

    dyn_optimizer_step(a, &x, &g);
    CHECK_OK(ctx, dyn_optimizer_preconditioner(a, &d, &c));
    CHECK_NEAR(d, 1 / sqrt(16 * .25 + 1), 1e-15);
    CHECK(c == 1);
    CHECK(dyn_optimizer_preconditioner(b, &d, &c) == DYN_ENOTSUP);
    dyn_optimizer_step(e, &x, &zero);
    CHECK(dyn_optimizer_preconditioner(e, &d, &c) == DYN_ENONFINITE);
    CHECK_STR(dyn_ctx_message(ctx), "parameter 0");
    dyn_optimizer_free(a);
    dyn_optimizer_free(b);
    dyn_optimizer_free(e);
}

/* L = x^2/2, x_0 = 1, b1 = .9, rate .1, no eps. Reference in long double: with b2 = .99 the preconditioned sharpness
 * first exceeds 2/rate at step 888 with v decaying freely, the loss peaks at step 948; with b2 = .9 it never does. */
TEST(spike_of_adam)
{
    dyn_optimizer_options opt = OPT(.kind = DYN_OPTIMIZER_ADAM, .rate = .1, .beta1 = .9, .beta2 = .99,
                                    .eps = 0);
    int first = 0, peak = 0;
    double most = 0;
    dyn_optimizer *o = make(&opt);

    for (double x = 1, d, c, before = 0, v, g, loss; dyn_optimizer_steps(o) < 1500; before = v) {
        const int t = (int)dyn_optimizer_steps(o) + 1;

        g = x;
        dyn_optimizer_step(o, &x, &g);
        CHECK_OK(ctx, dyn_optimizer_preconditioner(o, &d, &c));
        dyn_optimizer_moment(o, 2, &v);
        if (!first && c * d > dyn_optimizer_threshold(o)) {
            first = t;
            CHECK_NEAR(v / before, .99, 1e-5);
        }
        loss = g * g / 2;
        if (first && loss > most)
            most = loss, peak = t;
    }
    CHECK(first == 888);
    CHECK(peak >= 946 && peak <= 950);
    CHECK(most > 3e-4 && most < 6e-4);
    dyn_optimizer_free(o);

    opt.beta2 = .9;
    o = make(&opt);
    for (double x = 1, d, c; dyn_optimizer_steps(o) < 5000;) {
        const double g = x;
        dyn_optimizer_step(o, &x, &g);
        CHECK_OK(ctx, dyn_optimizer_preconditioner(o, &d, &c));
        CHECK(c * d < dyn_optimizer_threshold(o));
    }
    dyn_optimizer_free(o);
}

/* The variant of arXiv 2603.09581 on x^4/4: no bias correction, no eps, moments from the first gradient. */
typedef struct quartic { double x, lowest, highest_after, rate; int lowest_at, first_below; } quartic;

static quartic run_quartic(const dyn_optimizer_options *opt, int steps)
{
    quartic q = { .x = 1, .lowest = 1 };
    dyn_optimizer *o = make(opt);

    for (int t = 1; t <= steps; t++) {
        const double old = q.x, g = old * old * old;

        dyn_optimizer_step(o, &q.x, &g);
        q.rate = q.x / old;
        if (!q.first_below && fabs(q.x) <= 1e-20)
            q.first_below = t;
        if (pow(q.x, 4) / 4 < q.lowest)
            q.lowest = pow(q.x, 4) / 4, q.lowest_at = t, q.highest_after = 0;
        q.highest_after = fmax(q.highest_after, pow(q.x, 4) / 4);
    }
    dyn_optimizer_free(o);
    return q;
}

TEST(adam_on_a_degenerate_polynomial)
{
    dyn_optimizer_options opt = OPT(.kind = DYN_OPTIMIZER_ADAM, .rate = 1e-3, .beta1 = .9, .beta2 = .93,
                                    .eps = 0, .init_from_gradient = 1);
    quartic q = run_quartic(&opt, 5000);

    CHECK(q.first_below == 3384);
    CHECK_NEAR(q.rate, pow(.93, .25), 1e-9);
    opt.beta2 = .91;                                        /* I: stable */
    q = run_quartic(&opt, 5000);
    CHECK(pow(q.x, 4) / 4 < 1e-160);
    opt.beta2 = .895;                                       /* II: descent, then a spike */
    q = run_quartic(&opt, 5000);
    CHECK(q.lowest < 1e-105 && q.highest_after > 1e-16);
    opt.beta2 = .8;                                         /* III: oscillates about L(rate / 2) = 1.56e-14 */
    q = run_quartic(&opt, 5000);
    CHECK(q.highest_after > 1e-16 && q.highest_after < 1e-13 && q.lowest > 1e-45);
}

/* RMSprop contracts x by beta2^(1/4) per step on x^4/4. */
TEST(rmsprop_on_a_degenerate_polynomial)
{
    for (int i = 0; i < 3; i++) {
        const double beta2[] = { .9, .93, .99 }, rate[] = { .974004, .982021, .997491 };
        dyn_optimizer_options opt = OPT(.kind = DYN_OPTIMIZER_RMSPROP, .rate = 1e-3, .eps = 0,
                                        .init_from_gradient = 1);

        opt.beta2 = beta2[i];
        CHECK_NEAR(run_quartic(&opt, 6000).rate, rate[i], 1e-6);
    }
}

/* Warm-up and cosine as transformers.md 0.3 has them: base rate, multiplier, floor. */
static double reference_rate(double base, double mult, int64_t warm, int64_t period, double low, int64_t t)
{
    if (t <= warm)
        return base * (1 + (mult - 1) * (double)t / (double)warm);
    return low + (mult * base - low) * (1 + cos(M_PI * (double)(t - warm) / (double)period)) / 2;
}

TEST(rates)
{
    const dyn_optimizer_options cosine = OPT(.rate = 2e-4 * 25, .schedule = DYN_RATE_COSINE, .warmup = 40,
                                             .warmup_start = 1.0 / 25, .period = 400, .floor = 1e-5, .tick_steps = 3);
    const dyn_optimizer_options drops = OPT(.rate = 1, .schedule = DYN_RATE_STEP, .period = 10, .floor = 1e-3);
    const dyn_optimizer_options warm = OPT(.rate = .5, .warmup = 4);
    dyn_optimizer *a = make(&cosine), *b = make(&drops), *w = make(&warm);

    for (int64_t t = 0; t <= 1320; t++)
        CHECK_NEAR(dyn_optimizer_rate(a, t) / reference_rate(2e-4, 25, 40, 400, 1e-5, t / 3), 1, 1e-12);
    CHECK(dyn_optimizer_rate(a, 1000000) == 1e-5);
    CHECK(dyn_optimizer_rate(b, 9) == 1 && dyn_optimizer_rate(b, 10) == .1 && dyn_optimizer_rate(b, 29) == .1 * .1);
    CHECK_NEAR(dyn_optimizer_rate(b, 35) / 1e-3, 1, 1e-15);
    CHECK(dyn_optimizer_rate(b, 40) == 1e-3 && dyn_optimizer_rate(b, 1000) == 1e-3);
    for (int t = 0; t < 9; t++)
        CHECK(dyn_optimizer_rate(w, t) == (t < 4 ? .125 * t : .5));
    dyn_optimizer_free(a);
    dyn_optimizer_free(b);
    dyn_optimizer_free(w);
}

/* The schedule is what a step uses. */
TEST(rate_of_a_step)
{
    const dyn_optimizer_options opt = OPT(.rate = 1, .schedule = DYN_RATE_STEP, .period = 2, .factor = .5);
    const double g = 1, expected[] = { -1, -2, -2.5, -3, -3.25, -3.5 };
    dyn_optimizer *o = make(&opt);
    double x = 0;

    for (int t = 0; t < 6; t++) {
        dyn_optimizer_step(o, &x, &g);
        CHECK(x == expected[t]);
    }
    CHECK(dyn_optimizer_threshold(o) == 8);
    dyn_optimizer_free(o);
}

int main(void)
{
    dyn_ctx_create(NULL, &ctx);
    RUN(gradient_descent_on_a_quadratic);
    RUN(thresholds);
    RUN(preconditioner_of_adam);
    RUN(preconditioner_of_others);
    RUN(spike_of_adam);
    RUN(adam_on_a_degenerate_polynomial);
    RUN(rmsprop_on_a_degenerate_polynomial);
    RUN(rates);
    RUN(rate_of_a_step);
    dyn_ctx_free(ctx);
    return test_end();
}
