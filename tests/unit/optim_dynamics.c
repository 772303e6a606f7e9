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

/* ---- traps, with their numbers ---- */

/* Three steps of one parameter from w = 1. */
static void three_steps(const dyn_optimizer_options *opt, const double g[3], double w[3])
{
    dyn_optimizer *o = make(opt);
    double x = 1;

    for (int t = 0; t < 3; t++) {
        CHECK_OK(ctx, dyn_optimizer_step(o, &x, &g[t]));
        w[t] = x;
    }
    dyn_optimizer_free(o);
}

/* AMSGrad as PyTorch has it: the maximum of the raw v; NAdam with the schedule of mu; eps outside the root. */
TEST(numbers_of_pytorch)
{
    const double amsgrad[3] = { .9, .825919, .762605 }, nadam[2] = { .894355, .815986 };
    double w[3];

    three_steps(&OPTIMIZER(.kind = DYN_OPTIMIZER_ADAM, .rate = .1, .amsgrad = 1), (double[]){ 1, .1, .1 }, w);
    for (int t = 0; t < 3; t++)
        CHECK_NEAR(w[t], amsgrad[t], 5e-7);
    three_steps(&OPTIMIZER(.kind = DYN_OPTIMIZER_NADAM, .rate = .1), (double[]){ 1, 1, 1 }, w);
    for (int t = 0; t < 2; t++)
        CHECK_NEAR(w[t], nadam[t], 5e-7);
    for (int inside = 0; inside < 2; inside++) {
        three_steps(&OPTIMIZER(.kind = DYN_OPTIMIZER_RMSPROP, .rate = 1, .beta2 = .99, .eps = .01,
                               .eps_inside = inside), (double[]){ .01, 0, 0 }, w);
        CHECK_NEAR(w[0] - 1, inside ? -.099995 : -.909091, 5e-7);
    }
}

/* f = (w1^2 + 4 w2^2) / 2 at (1, 1), rho .05; a zero gradient stays where it is. */
TEST(sharpness_aware)
{
    const dyn_optimizer_options opt = OPT(.rate = .1, .sam_rho = .05);
    dyn_optimizer *o = NULL;
    double w[2] = { 1, 1 }, g[2] = { 1, 4 }, at[2], zero[2] = { 0, 0 };

    CHECK_OK(ctx, dyn_optimizer_create(ctx, 2, DYN_F64, &opt, &o));
    CHECK(dyn_optimizer_step(o, w, g) == DYN_ESTATE);
    CHECK_OK(ctx, dyn_optimizer_perturb(o, w, g, at));
    CHECK_NEAR(at[0], 1.012127, 5e-7);
    CHECK_NEAR(at[1], 1.048507, 5e-7);
    CHECK_OK(ctx, dyn_optimizer_step(o, w, (double[]){ at[0], 4 * at[1] }));
    CHECK_NEAR(w[0], 1 - .1012127, 1e-7);
    CHECK_NEAR(w[1], 1 - .4194028, 1e-7);
    CHECK_OK(ctx, dyn_optimizer_perturb(o, w, zero, at));
    CHECK(at[0] == w[0] && at[1] == w[1]);
    CHECK(dyn_optimizer_perturb(o, w, (double[]){ NAN, 0 }, at) == DYN_ENONFINITE);
    dyn_optimizer_free(o);
}

/* The edge of SAM: 3.416408 at |g| = 1, 2 at .1, .8 at .01, for rate .5, rho .05. In one dimension it ends on the cycle
 * |x| = rate h rho / (2 - rate h), where the edge is h. */
TEST(edge_of_sam)
{
    const double slopes[3] = { 1, .1, .01 }, edges[3] = { 3.416408, 2, .8 };
    const dyn_optimizer_options opt = OPT(.rate = .5, .sam_rho = .05);
    dyn_optimizer *o = make(&opt);
    double x = 1, at;

    CHECK(isnan(dyn_optimizer_threshold(o)));
    for (int i = 0; i < 3; i++) {
        dyn_optimizer_perturb(o, &x, &slopes[i], &at);
        dyn_optimizer_step(o, &x, &slopes[i]);
        CHECK_NEAR(dyn_optimizer_threshold(o), edges[i], 5e-7);
    }
    x = 1;
    for (int t = 0; t < 2000; t++) {
        const double g = x;
        dyn_optimizer_perturb(o, &x, &g, &at);
        dyn_optimizer_step(o, &x, &at);
    }
    CHECK_NEAR(fabs(x), .5 * .05 / 1.5, 1e-12);
    CHECK_NEAR(dyn_optimizer_threshold(o), 1, 1e-9);
    dyn_optimizer_free(o);
}

/* Five steps of the iteration on diag(1, .5): singular values .6888 and 1.1142, not 1. A zero gradient gives 0. */
TEST(orthogonalised_steps)
{
    static const dyn_optimizer_matrix whole = { 0, 2, 2 };
    const dyn_optimizer_options opt = OPT(.kind = DYN_OPTIMIZER_MUON, .rate = 1, .matrices = &whole,
                                          .matrices_count = 1);
    const double g[4] = { 1, 0, 0, .5 }, zero[4] = { 0 };
    double w[4] = { 0 }, single_step[2] = { .6888, 1.1142 };
    dyn_optimizer *o = NULL;

    CHECK_OK(ctx, dyn_optimizer_create(ctx, 4, DYN_F64, &opt, &o));
    CHECK_OK(ctx, dyn_optimizer_step(o, w, zero));
    CHECK(w[0] == 0 && w[1] == 0 && w[3] == 0);
    CHECK_OK(ctx, dyn_optimizer_step(o, w, g));
    CHECK_NEAR(-w[0], single_step[0], 5e-5);
    CHECK_NEAR(-w[3], single_step[1], 5e-5);
    CHECK_NEAR(w[1], 0, 1e-15);
    CHECK(dyn_optimizer_preconditioner(o, w, single_step) == DYN_ENOTSUP);
    dyn_optimizer_free(o);
}

/* m = (1-b1) g; h = (1-b2) 4; a step of m / (gamma h), cut at 1. Without an estimate it is the sign. */
TEST(sophia)
{
    const dyn_optimizer_options opt = OPT(.kind = DYN_OPTIMIZER_SOPHIA, .rate = .5, .beta1 = .9, .beta2 = .75,
                                          .gamma = .5, .eps = 1e-12, .weight_decay = .1);
    dyn_optimizer *o = make(&opt);
    double x = 0, d, c;
    const double g = .2, h = 4, big = 1e6;

    CHECK_OK(ctx, dyn_optimizer_step(o, &x, &g));
    CHECK(x == -.5);
    CHECK_OK(ctx, dyn_optimizer_curvature(o, &h));
    x = 1;
    CHECK_OK(ctx, dyn_optimizer_step(o, &x, &g));
    CHECK_NEAR(x, 1 - .5 * .1 - .5 * (.9 * .02 + .02) / (.5 * 1), 1e-15);
    CHECK_OK(ctx, dyn_optimizer_preconditioner(o, &d, &c));
    CHECK_NEAR(d, 2, 1e-15);
    CHECK_NEAR(c, .1 / 1.9 * 2 / (2 - .05), 1e-15);
    x = 0;
    CHECK_OK(ctx, dyn_optimizer_step(o, &x, &big));
    CHECK(x == -.5);
    CHECK(dyn_optimizer_curvature(o, &(double){ INFINITY }) == DYN_ENONFINITE);
    dyn_optimizer_free(o);
}

/* How much the largest |x| of 100 steps grows from step 1000 to 6000, from a start so small that v stays nothing. */
static double late_growth(const dyn_optimizer_options *opt, double h)
{
    dyn_optimizer *o = make(opt);
    double x = 1e-60, early = 0, late = 0;

    for (int t = 0; t < 6000; t++) {
        const double g = h * x;
        dyn_optimizer_step(o, &x, &g);
        if (t >= 1000 && t < 1100)
            early = fmax(early, fabs(x));
        if (t >= 5900)
            late = fmax(late, fabs(x));
    }
    dyn_optimizer_free(o);
    return early > 1e-10 ? (double)INFINITY : late / early;     /* grown already */
}

/* Edges of measures with P held fixed by a huge eps (P = 1e8): 1 % below shrinks, 1 % above grows. */
TEST(edges_of_preconditioned_rules)
{
#define HELD(k, ...) OPT(.kind = DYN_OPTIMIZER_##k, .rate = 1e6, .eps = 1e8, __VA_ARGS__)
    const dyn_optimizer_options rules[] = {
        HELD(ADAM, .amsgrad = 1), HELD(NADAM, .momentum_decay = 1e9), HELD(RMSPROP, .momentum = .9),
        HELD(RMSPROP, .centered = 1), HELD(ADAGRAD), HELD(ADAMW, .weight_decay = 1e-7), HELD(ADAMAX),
    };
    const double edge[] = { 38, 13.571428571, 3.8, 2, 2, 36.1, 38 };    /* times 1 / rate */
    const double decay = .1;                                            /* rate * weight_decay of ADAMW */

    CHECK_NEAR((2 - decay) * 19, edge[5], 1e-12);
    for (size_t i = 0; i < sizeof rules / sizeof *rules; i++) {
        const double h = edge[i] / 1e6 * 1e8;
        dyn_optimizer *o = make(&rules[i]);
        double x = 0, d, c;

        for (int t = 0; t < 400; t++)
            CHECK_OK(ctx, dyn_optimizer_step(o, &x, &(double){ 0 }));
        CHECK_OK(ctx, dyn_optimizer_preconditioner(o, &d, &c));
        CHECK_NEAR(c * d * h / dyn_optimizer_threshold(o), 1, 1e-6);
        CHECK(late_growth(&rules[i], .99 * h) < .1);
        CHECK(late_growth(&rules[i], 1.01 * h) > 10);
        dyn_optimizer_free(o);
    }
}

/* The edge of NAdam while mu rises: 3.486662 at t = 1, 3.925739 at t = 1000, bias products apart. */
TEST(edge_of_nadam)
{
    const dyn_optimizer_options opt = OPT(.kind = DYN_OPTIMIZER_NADAM, .rate = 1);
    dyn_optimizer *o = make(&opt);
    double x = 0, d, c, mu = .9 * (1 - .5 * pow(.96, 4.0)), next = .9 * (1 - .5 * pow(.96, 1001 * .004));

    for (int t = 0; t < 1000; t++)
        CHECK_OK(ctx, dyn_optimizer_step(o, &x, &(double){ 1 }));
    CHECK_OK(ctx, dyn_optimizer_preconditioner(o, &d, &c));
    CHECK_NEAR(c, 1 - mu + next / 19, 1e-12);
    CHECK_NEAR(2 / c, 3.925739, 1e-3);
    dyn_optimizer_free(o);
}

/* sign descent ends on the cycle +-rate / 2; Lion on a quadratic stays within a few rates. */
TEST(rules_without_an_edge)
{
    const dyn_optimizer_options lion = OPT(.kind = DYN_OPTIMIZER_LION, .rate = .01, .beta1 = .9, .beta2 = .99);
    dyn_optimizer *o = make(&lion);
    double x = 1, largest = 0, mean = 0, d, c;

    for (int t = 0; t < 4000; t++) {
        const double g = x;
        dyn_optimizer_step(o, &x, &g);
        if (t >= 3000) {
            largest = fmax(largest, fabs(x));
            mean += fabs(x) / 1000;
        }
    }
    CHECK(largest < .0101);
    CHECK_NEAR(mean, .005, 1e-3);
    CHECK(dyn_optimizer_preconditioner(o, &d, &c) == DYN_ENOTSUP);
    CHECK_STR(dyn_ctx_message(ctx), "LION has no preconditioner");
    dyn_optimizer_free(o);
}

/* A gradient whose square the type cannot hold is an error of this step, with the parameter. */
TEST(moments_that_overflow)
{
    const dyn_optimizer_options opt = OPT(.kind = DYN_OPTIMIZER_ADAM);
    dyn_optimizer *o = NULL;
    float x[3] = { 0 }, g[3] = { 1, 1e20f, 1 };

    CHECK_OK(ctx, dyn_optimizer_create(ctx, 3, DYN_F32, &opt, &o));
    CHECK_OK(ctx, dyn_optimizer_step(o, x, (float[]){ 1, 1, 1 }));
    CHECK(dyn_optimizer_step(o, x, g) == DYN_ENONFINITE);
    CHECK_STR(dyn_ctx_message(ctx), "moment v of parameter 1 is inf after step 1, the gradient there is 1e+20: too much "
                                    "for float32");
    dyn_optimizer_free(o);
}

/* Warm restarts, and one cycle of 50 steps with the largest rate .01. */
TEST(restarts_and_one_cycle)
{
    const double lr[] = { .5, .5, .25, .5, .42677670, .25, .07322330, .5 };
    const dyn_optimizer_options again = OPT(.rate = .5, .schedule = DYN_RATE_RESTARTS, .period = 1, .period_factor = 2);
    const dyn_optimizer_options cycle = OPT(.rate = .01, .schedule = DYN_RATE_ONE_CYCLE, .period = 50,
                                            .warmup_start = 1.0 / 25, .floor = 4e-8);
    dyn_optimizer *a = make(&again), *o = make(&cycle);

    for (int t = 0; t < 8; t++)
        CHECK_NEAR(dyn_optimizer_rate(a, t), lr[t], 1e-8);
    CHECK_NEAR(dyn_optimizer_rate(o, 0), 4e-4, 1e-18);
    CHECK(dyn_optimizer_rate(o, 14) == .01 && dyn_optimizer_rate(o, 13) < .01 && dyn_optimizer_rate(o, 15) < .01);
    CHECK(dyn_optimizer_rate(o, 49) == 4e-8 && dyn_optimizer_rate(o, 50) == 4e-8);
    dyn_optimizer_free(a);
    dyn_optimizer_free(o);
}

static double own_rate(void *user, int64_t tick)
{
    return tick < 3 ? *(double *)user / (double)(tick + 1) : (double)NAN;
}

TEST(rate_of_a_callback)
{
    double base = .5, x = 0;
    const dyn_optimizer_options opt = OPT(.schedule = DYN_RATE_CALLBACK, .rate_at = own_rate, .rate_user = &base);
    dyn_optimizer *o = make(&opt);

    for (int t = 0; t < 3; t++)
        CHECK_OK(ctx, dyn_optimizer_step(o, &x, &(double){ 1 }));
    CHECK_NEAR(x, -.5 - .25 - .5 / 3, 1e-15);
    CHECK(dyn_optimizer_step(o, &x, &(double){ 1 }) == DYN_EUSER);
    CHECK_STR(dyn_ctx_message(ctx), "rate_at gave nan for step 3");
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
    RUN(numbers_of_pytorch);
    RUN(sharpness_aware);
    RUN(edge_of_sam);
    RUN(orthogonalised_steps);
    RUN(sophia);
    RUN(edges_of_preconditioned_rules);
    RUN(edge_of_nadam);
    RUN(rules_without_an_edge);
    RUN(moments_that_overflow);
    RUN(restarts_and_one_cycle);
    RUN(rate_of_a_callback);
    dyn_ctx_free(ctx);
    return test_end();
}
