/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The update rules of every table against the formulas in long double: all lengths around the vector width, penalty,
 * decay, clipping and both places of epsilon; state a rule does not use may be NULL. */
#include "kernel_test.h"

typedef struct state { long double theta, m, v, w; } state;

static int sign(long double x) { return (x > 0) - (x < 0); }

/* The formulas as the papers and PyTorch write them: the moments, then the step. */
static state exact_moments(int rule, const dyn__update *h, state x, long double g)
{
    const long double b1 = h->beta1, b2 = h->beta2;

    if (rule == DYN__U_HEAVY_BALL)
        x.m = b1 * x.m + (h->ema ? 1 - b1 : 1) * g;
    else if (rule == DYN__U_NESTEROV)
        x.m = b1 * x.m + g;
    else if (rule == DYN__U_LION)
        x.m = b2 * x.m + (1 - b2) * g;
    else
        x.m = b1 * x.m + (1 - b1) * g;
    if (rule == DYN__U_ADAGRAD)
        x.v = x.v + g * g;
    else if (rule == DYN__U_ADAMAX)
        x.v = fmaxl(b2 * x.v, fabsl(g) + h->eps);
    else if (rule != DYN__U_SOPHIA)
        x.v = b2 * x.v + (1 - b2) * g * g;
    if (rule == DYN__U_AMSGRAD)
        x.w = fmaxl(x.w, x.v);
    if (rule == DYN__U_CENTRED || rule == DYN__U_CENTRED_MOMENTUM)
        x.w = b2 * x.w + (1 - b2) * g;
    return x;
}

static long double denominator(int rule, const dyn__update *h, state x)
{
    long double v = x.v;

    if (rule == DYN__U_AMSGRAD)
        v = x.w;
    if (rule == DYN__U_CENTRED || rule == DYN__U_CENTRED_MOMENTUM)
        v = fmaxl(x.v - x.w * x.w, 0);
    return h->eps_inside ? sqrtl(v * h->scale2 + h->eps) : sqrtl(v * h->scale2) + h->eps;
}

static state exact_step(int rule, const dyn__update *h, state old, long double g, long double *step)
{
    state x;
    long double root;

    g = h->clip * g + h->l2 * old.theta;
    x = exact_moments(rule, h, old, g);
    root = denominator(rule, h, x);
    switch (rule) {
    case DYN__U_GD: *step = h->rate * g; break;
    case DYN__U_HEAVY_BALL: *step = h->rate * x.m; break;
    case DYN__U_NESTEROV: *step = h->rate * (g + h->beta1 * x.m); break;
    case DYN__U_ADAMAX: *step = h->rate * x.m / x.v; break;
    case DYN__U_NADAM: *step = (h->of_g * g + h->of_m * x.m) / root; break;
    case DYN__U_RMSPROP: case DYN__U_CENTRED: case DYN__U_ADAGRAD: *step = h->rate * g / root; break;
    case DYN__U_RMSPROP_MOMENTUM: case DYN__U_CENTRED_MOMENTUM:
        x.m = h->beta1 * old.m + g / root;
        *step = h->rate * x.m;
        break;
    case DYN__U_ADADELTA:
        x.w = sqrtl(old.m + h->eps) / sqrtl(x.v + h->eps);
        x.m = h->beta2 * old.m + (1 - (long double)h->beta2) * x.w * g * x.w * g;
        *step = h->rate * x.w * g;
        break;
    case DYN__U_LION: *step = h->rate * sign(h->beta1 * old.m + (1 - (long double)h->beta1) * g); break;
    case DYN__U_SOPHIA: *step = h->rate * fminl(fmaxl(x.m / fmaxl(h->scale2 * x.v, h->eps), -1), 1); break;
    case DYN__U_SIGN: *step = h->rate * sign(g); break;
    default: *step = h->rate * x.m / root; break;
    }
    x.theta = old.theta - h->decay * old.theta - *step;
    return x;
}

enum { THETA, GRADIENT, M, V, W, VECTORS };

static int uses(int rule, int vector)
{
    static const int moments[DYN__U_COUNT] = {
        [DYN__U_HEAVY_BALL] = 1, [DYN__U_NESTEROV] = 1, [DYN__U_ADAM] = 3, [DYN__U_AMSGRAD] = 7, [DYN__U_ADAMAX] = 3,
        [DYN__U_NADAM] = 3, [DYN__U_RMSPROP] = 2, [DYN__U_RMSPROP_MOMENTUM] = 3, [DYN__U_CENTRED] = 6,
        [DYN__U_CENTRED_MOMENTUM] = 7, [DYN__U_ADAGRAD] = 2, [DYN__U_ADADELTA] = 7, [DYN__U_LION] = 1,
        [DYN__U_SOPHIA] = 3 };

    return vector < M || (moments[rule] >> (vector - M) & 1);
}

/* The derivative of the step in the gradient is below this: cancellation in the gradient enlarges its error by it. */
static long double slope(int rule, const dyn__update *h, state x)
{
    const long double rate = h->rate + fabsl((long double)h->of_g) + fabsl((long double)h->of_m);

    if (rule == DYN__U_ADADELTA)
        return 4 * rate * x.w;
    if (rule == DYN__U_ADAMAX)
        return 4 * rate / x.v;
    if (rule == DYN__U_SOPHIA)
        return 4 * rate / fmaxl(h->scale2 * x.v, h->eps);
    return 4 * rate / (uses(rule, V) ? denominator(rule, h, x) : 1);
}

static int differs(double now, long double want, long double bound) { return !(fabsl(now - want) <= bound); }

/* Where the variance or an average in a sign cancels, the result is anything. */
static int is_lost(int rule, const dyn__update *h, state old, state want, long double g, long double eps)
{
    if (rule == DYN__U_LION)
        return fabsl(h->beta1 * old.m + (1 - (long double)h->beta1) * g) < 1e3L * eps;
    if (rule == DYN__U_CENTRED || rule == DYN__U_CENTRED_MOMENTUM)
        return want.v - want.w * want.w < 0.05L * want.v;
    return 0;
}

static void check_step(const setup *s, int rule, const dyn__update *h, const guarded x[VECTORS], int64_t i)
{
    const int64_t at_i = i + 1;
    const state old = { get(x[THETA].before, s->dtype, at_i), get(x[M].before, s->dtype, at_i),
                        get(x[V].before, s->dtype, at_i), get(x[W].before, s->dtype, at_i) };
    const double g = get(x[GRADIENT].before, s->dtype, at_i);
    const long double size = fabsl((long double)h->clip * g) + fabsl(h->l2 * old.theta), eps = 32 * epsilon(s->dtype);
    long double step, steep;
    const state want = exact_step(rule, h, old, g, &step);

    if (is_lost(rule, h, old, want, h->clip * (long double)g + h->l2 * old.theta, eps))
        return;
    steep = slope(rule, h, want);
    if (differs(get(x[THETA].now, s->dtype, at_i), want.theta,
                eps * (fabsl(old.theta) + fabsl(step) + steep * (size + fabsl(old.m)))) ||
        (uses(rule, M) && differs(get(x[M].now, s->dtype, at_i), want.m,
                                  eps * (fabsl(old.m) + size * fmaxl(1, steep / h->rate) + fabsl(want.m)))) ||
        (uses(rule, V) && differs(get(x[V].now, s->dtype, at_i), want.v,
                                  eps * (old.v + size * size + size + h->eps))) ||
        (uses(rule, W) && differs(get(x[W].now, s->dtype, at_i), want.w, eps * (fabsl(want.w) + size + fabsl(old.w)))))
        TEST_FAIL("%s rule %d element %ld: theta %.17g, want %.17Lg", setup_name(s), rule, (long)i,
                  get(x[THETA].now, s->dtype, at_i), want.theta);
}

static void try_length(const setup *s, int rule, const dyn__update *h, int64_t n)
{
    guarded x[VECTORS];
    void *p[VECTORS], *moment[3];

    for (int i = 0; i < VECTORS; i++) {
        x[i] = guarded_new((size_t)(n + 9) * size_of(s->dtype));
        p[i] = at(x[i].now, s->dtype, 1);
        random_fill(p[i], s->dtype, n, i == V || (i == M && rule == DYN__U_ADADELTA) ? 0 : -1, 1);
        memcpy(x[i].before, x[i].now, x[i].bytes);
        if (uses(rule, i) && i != GRADIENT)
            guarded_allow(&x[i], p[i], (size_t)n * size_of(s->dtype));
    }
    for (int i = M; i < VECTORS; i++)
        moment[i - M] = uses(rule, i) ? p[i] : NULL;
    CHECK(s->table->update[rule](n, h, p[THETA], p[GRADIENT], moment) == 1);
    for (int64_t i = 0; i < n; i++)
        check_step(s, rule, h, x, i);
    for (int i = 0; i < VECTORS; i++) {
        CHECK(guarded_intact(&x[i]));
        guarded_free(&x[i]);
    }
}

static void try_rules(const setup *s)
{
    static const dyn__update settings[] = {
        { 0.1, 0.9, 0.999, 1, 1e-8, 0, 0, 1, 0, 0, 0.05, 0.08 },
        { 1e-3, 0.9, 0.999, 1000, 1e-8, 0, 0, 1, 0, 0, 2e-3, 5e-4 },
        { 0.02, 0.5, 0.9, 3, 1e-3, 0.01, 0, 0.25, 1, 1, 0.01, 0.01 },
        { 0.02, 0, 0, 1, 1e-6, 0, 0.1, 1, 0, 0, 0, 0.02 } };
    static const int64_t lengths[] = { 0, 1, 3, 4, 5, 7, 8, 9, 15, 16, 17, 100, 1003 };

    for (int rule = 0; rule < DYN__U_COUNT; rule++)
        for (size_t i = 0; i < sizeof settings / sizeof *settings; i++)
            for (size_t j = 0; j < sizeof lengths / sizeof *lengths; j++)
                try_length(s, rule, &settings[i], lengths[j]);
}

TEST(every_rule_and_length) { for_each_setup(try_rules); }

static void try_signs(const setup *s)
{
    const dyn__update h = { .rate = 1, .clip = 1, .scale2 = 1 };
    const double g[4] = { 3, -2, 0, NAN };
    double theta[4] = { 0 }, grad[4];
    void *const none[3] = { NULL, NULL, NULL };

    for (int i = 0; i < 4; i++)
        set(grad, s->dtype, i, g[i]);
    s->table->update[DYN__U_SIGN](4, &h, theta, grad, none);
    CHECK(get(theta, s->dtype, 0) == -1 && get(theta, s->dtype, 1) == 1 && get(theta, s->dtype, 2) == 0);
    CHECK(isnan(get(theta, s->dtype, 3)));
}

TEST(sign_of_zero_and_nan) { for_each_setup(try_signs); }

/* Wherever in the vectors a moment overflows or is NaN, the kernel says so. */
static void try_lost(const setup *s)
{
    enum { N = 37 };
    const dyn__update h = { .rate = 1, .clip = 1, .scale2 = 1, .beta1 = 0.9, .beta2 = 0.999, .eps = 1e-8 };
    const double bad[2] = { s->dtype == DYN_F32 ? 1e20 : 1e200, NAN };

    for (int i = 0; i < 2 * N; i++) {
        double theta[N] = { 0 }, grad[N] = { 0 }, m[N] = { 0 }, v[N] = { 0 };
        void *const moment[3] = { m, v, NULL };

        set(grad, s->dtype, i / 2, bad[i % 2]);
        CHECK(s->table->update[DYN__U_ADAM](N, &h, theta, grad, moment) == 0);
        CHECK(s->table->update[DYN__U_ADAM](i / 2, &h, theta, grad, moment) == 1);
    }
}

TEST(lost_moments) { for_each_setup(try_lost); }

int main(void)
{
    RUN(every_rule_and_length);
    RUN(sign_of_zero_and_nan);
    RUN(lost_moments);
    return test_end();
}
