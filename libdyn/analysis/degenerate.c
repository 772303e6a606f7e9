/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Adam on x^k / k: theory, trajectories in (ln|x|, omega, lambda), maps over (beta1, beta2). */
#include <inttypes.h>
#include <math.h>
#include <dyn/degenerate.h>
#include "linalg/operator.h"

static dyn_status check(dyn_ctx *ctx, int32_t k, double beta1, double beta2, double rate)
{
    if (k < 4 || k > 1000 || k % 2)
        return DYN__FAIL(ctx, DYN_EINVAL, "k is %d, must be even, 4 to 1000", (int)k);
    if (!(beta1 >= 0.0 && beta1 < 1.0 && beta2 > 0.0 && beta2 < 1.0))
        return DYN__FAIL(ctx, DYN_EINVAL, "beta1 is %g, beta2 %g: must be in [0, 1) and (0, 1)", beta1, beta2);
    if (!(rate > 0.0 && isfinite(rate)))
        return DYN__FAIL(ctx, DYN_EINVAL, "rate is %g, must be positive", rate);
    return DYN_OK;
}

/* The flip condition of the fixed point: an eigenvalue of its map reaches -1. */
static int flips(int32_t k, double beta1, double r)
{
    double a = (1.0 - r) / r, b = beta1 * pow(r, -(k - 1));

    return !(a * (k - 2 - k * b) < 2.0 * (1.0 + b));
}

dyn_status dyn_degenerate_theory_of(dyn_ctx *ctx, int32_t k, double beta1, double beta2, double rate,
                                    dyn_degenerate_theory *out)
{
    double r;

    if (!ctx)
        return DYN_EINVAL;
    DYN__ENTER(ctx);
    DYN__TRY(check(ctx, k, beta1, beta2, rate));
    DYN__NEED(ctx, out);
    r = pow(beta2, 0.5 / (k - 2));
    *out = (dyn_degenerate_theory){ .ratio = r, .omega = NAN, .lambda = NAN, .slope = k * log(r),
                                    .stable_below = pow(r, k), .exists_below = pow(r, k - 1) };
    out->regime = beta1 < out->stable_below ? DYN_ADAM_STABLE
                  : beta1 < out->exists_below ? DYN_ADAM_SPIKE : DYN_ADAM_SIGN;
    if (out->regime != DYN_ADAM_SIGN) {
        out->omega = (1.0 - beta1) / (1.0 - beta1 / out->exists_below);
        out->lambda = (1.0 - r) / (rate * out->omega);
        out->flips = out->regime == DYN_ADAM_STABLE && flips(k, beta1, r);
    }
    return DYN_OK;
}

typedef struct state {
    double log_x, omega, lambda;
} state;

typedef struct rule {
    int32_t k;
    double beta1, beta2, rate;
} rule;

/* x moves by the factor `shrink`; m and v then take in the gradient there. */
static state moments(const rule *a, const state *s, double shrink)
{
    double g = pow(fabs(shrink), a->k - 2), x = exp(s->log_x);
    double along = s->lambda * x * shrink * g;     /* lambda x s^(k-1) = g_t / sqrt(v_(t-1)) */
    state now = { .log_x = s->log_x + log(fabs(shrink)) };

    now.omega = a->beta1 * s->omega / (g * shrink) + (1.0 - a->beta1);
    if (fabs(along) < 1e150)
        now.lambda = s->lambda * g / sqrt(a->beta2 + (1.0 - a->beta2) * along * along);
    else            /* g_t is all that v_t has, and its square would overflow */
        now.lambda = 1.0 / (sqrt(1.0 - a->beta2) * x * fabs(shrink));
    return now;
}

/* m_0 = g_0, v_0 = g_0^2, and the first step takes in g(x_0) again, which changes neither. */
static state begin(double x)
{
    return (state){ .log_x = log(fabs(x)), .omega = 1.0, .lambda = 1.0 / fabs(x) };
}

static state advance(const rule *a, const state *s)
{
    double shrink = 1.0 - a->rate * s->omega * s->lambda;

    if (!(s->log_x > -HUGE_VAL) || shrink == 0.0)
        return (state){ .log_x = -HUGE_VAL };
    return moments(a, s, shrink);
}

dyn_status dyn_degenerate_run(dyn_ctx *ctx, int32_t k, double beta1, double beta2, double rate, double x, int64_t steps,
                              double *log_x, double *omega, double *lambda)
{
    rule a = { k, beta1, beta2, rate };
    state s;

    if (!ctx)
        return DYN_EINVAL;
    DYN__ENTER(ctx);
    DYN__TRY(check(ctx, k, beta1, beta2, rate));
    if (steps < 0 || !isfinite(x) || x == 0.0)
        return DYN__FAIL(ctx, DYN_EINVAL, "steps is %" PRId64 ", x %g: at least 0; finite and not 0", steps, x);
    s = begin(x);
    for (int64_t t = 0; t <= steps; t++) {
        if (log_x)
            log_x[t] = s.log_x;
        if (omega)
            omega[t] = s.omega;
        if (lambda)
            lambda[t] = s.lambda;
        s = advance(&a, &s);
        if (t % 4096 == 0)
            DYN__TRY(dyn__check_interrupt(ctx));
    }
    return DYN_OK;
}

enum { KEPT = 4096 };

typedef struct map {
    dyn_ctx *ctx;
    int32_t k;
    double rate, x;
    int64_t steps;
    const double *beta1, *beta2;
    double *least, *last, *coupling, *room;     /* room [workers][KEPT] */
} map;

/* By Shell's sort in place. */
static double median(double *values, int64_t n)
{
    for (int64_t gap = n / 2; gap > 0; gap /= 2)
        for (int64_t i = gap; i < n; i++) {
            double v = values[i];
            int64_t j = i;

            for (; j >= gap && values[j - gap] > v; j -= gap)
                values[j] = values[j - gap];
            values[j] = v;
        }
    return n == 0 ? (double)NAN : n % 2 ? values[n / 2] : 0.5 * (values[n / 2 - 1] + values[n / 2]);
}

static void one_cell(void *arg, int64_t task, int worker)
{
    const map *p = arg;
    rule a = { p->k, p->beta1[task], p->beta2[task], p->rate };
    state s = begin(p->x);
    double lowest = s.log_x, *kept = p->room + (int64_t)worker * KEPT;
    int64_t first = p->steps / 50, stride = (p->steps - first) / KEPT + 1, count = 0;

    for (int64_t t = 0; t < p->steps; t++) {
        if (t % 4096 == 0 && dyn__interrupted(p->ctx))
            return;
        if (t >= first && (t - first) % stride == 0 && s.log_x > -HUGE_VAL)
            kept[count++] = -2.0 * (log(s.lambda) + s.log_x);
        s = advance(&a, &s);
        lowest = fmin(lowest, s.log_x);
    }
    p->least[task] = p->k * lowest - log(p->k);
    p->last[task] = p->k * s.log_x - log(p->k);
    p->coupling[task] = median(kept, count);
}

static dyn_status check_map(const map *p, int64_t count)
{
    if (p->steps < 1 || count < 1 || !isfinite(p->x) || p->x == 0.0)
        return DYN__FAIL(p->ctx, DYN_EINVAL, "steps is %" PRId64 ", count %" PRId64 ", x %g: positive, positive, not 0",
                         p->steps, count, p->x);
    if (!p->beta1 || !p->beta2 || !p->least || !p->last || !p->coupling)
        return DYN__FAIL(p->ctx, DYN_EINVAL, "an array is NULL");
    for (int64_t i = 0; i < count; i++)
        DYN__TRY(check(p->ctx, p->k, p->beta1[i], p->beta2[i], p->rate));
    return DYN_OK;
}

dyn_status dyn_degenerate_map(dyn_ctx *ctx, int32_t k, double rate, double x, int64_t steps, int64_t count,
                              const double *beta1, const double *beta2, double *least, double *last, double *coupling)
{
    map p = { .ctx = ctx, .k = k, .rate = rate, .x = x, .steps = steps, .beta1 = beta1, .beta2 = beta2, .least = least,
              .last = last, .coupling = coupling };

    if (!ctx)
        return DYN_EINVAL;
    DYN__ENTER(ctx);
    DYN__TRY(check_map(&p, count));
    p.room = dyn__alloc(ctx, (size_t)dyn__workers(ctx), KEPT * sizeof *p.room);
    if (!p.room)
        return DYN_ENOMEM;
    dyn__parallel(ctx, count, one_cell, &p);
    dyn__free(ctx, p.room);
    return dyn__check_interrupt(ctx);
}
