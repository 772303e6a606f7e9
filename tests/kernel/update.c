/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The update rules of every table against the formulas in long double: all lengths around the vector width, penalty,
 * decay, clipping and both places of epsilon; state a rule does not use may be NULL. */
#include "kernel_test.h"

typedef struct state { long double theta, m, v; } state;

/* The formulas as the papers and PyTorch write them. */
static state exact_step(int rule, const dyn__update *h, state x, long double g, long double *step)
{
    long double root;

    g = h->clip * g + h->l2 * x.theta;
    if (rule == DYN__U_HEAVY_BALL)
        x.m = h->beta1 * x.m + (h->ema ? 1 - (long double)h->beta1 : 1) * g;
    if (rule == DYN__U_NESTEROV)
        x.m = h->beta1 * x.m + g;
    if (rule == DYN__U_ADAM)
        x.m = h->beta1 * x.m + (1 - (long double)h->beta1) * g;
    if (rule == DYN__U_ADAM || rule == DYN__U_RMSPROP)
        x.v = h->beta2 * x.v + (1 - (long double)h->beta2) * g * g;
    root = h->eps_inside ? sqrtl(x.v * h->scale2 + h->eps) : sqrtl(x.v * h->scale2) + h->eps;
    *step = rule == DYN__U_GD ? g : rule == DYN__U_HEAVY_BALL ? x.m : rule == DYN__U_NESTEROV ? g + h->beta1 * x.m
          : rule == DYN__U_ADAM ? x.m / root : rule == DYN__U_RMSPROP ? g / root : (long double)((g > 0) - (g < 0));
    *step *= h->rate;
    x.theta = x.theta - h->decay * x.theta - *step;
    return x;
}

enum { THETA, GRADIENT, M, V, VECTORS };

static int uses(int rule, int vector)
{
    if (vector == M)
        return rule == DYN__U_HEAVY_BALL || rule == DYN__U_NESTEROV || rule == DYN__U_ADAM;
    return vector != V || rule == DYN__U_ADAM || rule == DYN__U_RMSPROP;
}

static void check_step(const setup *s, int rule, const dyn__update *h, const guarded x[VECTORS], int64_t i)
{
    const int64_t at_i = i + 1;
    const state old = { get(x[THETA].before, s->dtype, at_i), get(x[M].before, s->dtype, at_i),
                        get(x[V].before, s->dtype, at_i) };
    const double g = get(x[GRADIENT].before, s->dtype, at_i);
    const long double grad_size = fabsl((long double)h->clip * g) + fabsl(h->l2 * old.theta);
    long double step, eps = epsilon(s->dtype), bound;
    const state want = exact_step(rule, h, old, g, &step);

    /* Cancellation between gradient, penalty and average may enlarge the relative error of the step. */
    bound = 8 * (fabsl(old.theta) + fabsl(step)) + 8 * h->rate * (grad_size + fabsl(old.m)) / (uses(rule, V)
          ? sqrtl(want.v * h->scale2) + h->eps : 1);
    if (fabsl(get(x[THETA].now, s->dtype, at_i) - want.theta) > eps * bound
        || (uses(rule, M) && fabsl(get(x[M].now, s->dtype, at_i) - want.m) > 8 * eps * (fabsl(old.m) + grad_size))
        || (uses(rule, V) && fabsl(get(x[V].now, s->dtype, at_i) - want.v) > 8 * eps * (old.v + grad_size * grad_size)))
        TEST_FAIL("%s rule %d element %ld: theta %.17g, want %.17Lg", setup_name(s), rule, (long)i,
                  get(x[THETA].now, s->dtype, at_i), want.theta);
}

static void try_length(const setup *s, int rule, const dyn__update *h, int64_t n)
{
    guarded x[VECTORS];
    void *p[VECTORS];

    for (int i = 0; i < VECTORS; i++) {
        x[i] = guarded_new((size_t)(n + 9) * size_of(s->dtype));
        p[i] = at(x[i].now, s->dtype, 1);
        random_fill(p[i], s->dtype, n, i == V ? 0 : -1, 1);
        memcpy(x[i].before, x[i].now, x[i].bytes);
        if (uses(rule, i) && i != GRADIENT)
            guarded_allow(&x[i], p[i], (size_t)n * size_of(s->dtype));
    }
    s->table->update[rule](n, h, p[THETA], p[GRADIENT], uses(rule, M) ? p[M] : NULL, uses(rule, V) ? p[V] : NULL);
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
        { 0.1, 0.9, 0.999, 1, 1e-8, 0, 0, 1, 0, 0 },
        { 1e-3, 0.9, 0.999, 1000, 1e-8, 0, 0, 1, 0, 0 },
        { 0.02, 0.5, 0.9, 3, 1e-3, 0.01, 0, 0.25, 1, 1 },
        { 0.02, 0, 0, 1, 1e-6, 0, 0.1, 1, 0, 0 } };
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

    for (int i = 0; i < 4; i++)
        set(grad, s->dtype, i, g[i]);
    s->table->update[DYN__U_SIGN](4, &h, theta, grad, NULL, NULL);
    CHECK(get(theta, s->dtype, 0) == -1 && get(theta, s->dtype, 1) == 1 && get(theta, s->dtype, 2) == 0);
    CHECK(isnan(get(theta, s->dtype, 3)));
}

TEST(sign_of_zero_and_nan) { for_each_setup(try_signs); }

int main(void)
{
    RUN(every_rule_and_length);
    RUN(sign_of_zero_and_nan);
    return test_end();
}
