/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Regression targets: where x is, how many numbers it has, and what y is there. */
#include "generate/generate.h"

#include <math.h>
#include <stdlib.h>

enum place { EVEN, UNIFORM, NORMAL, ALIASED };

typedef struct target {
    int32_t d;
    enum place place;
    double low, high;
    double (*value)(int32_t d, const double *x);
} target;

static double relu(double x) { return x > 0 ? x : 0; }
static double square(int32_t d, const double *x) { return (void)d, *x * *x; }
static double sin_4(int32_t d, const double *x) { return (void)d, sin(*x) + sin(4 * *x); }
static double four_relu(int32_t d, const double *x)
{
    (void)d;
    return -relu(*x) + relu(2 * (*x + 0.3)) - relu(1.5 * (*x - 0.4)) + relu(0.5 * (*x - 0.8));
}
static double cup(int32_t d, const double *x) { return (void)d, 0.2 * relu(*x - 1. / 3) + 0.2 * relu(-*x - 1. / 3); }
static double two_tanh(int32_t d, const double *x) { return (void)d, tanh(*x - 6) + tanh(*x + 6); }
static double two_relu(int32_t d, const double *x) { return 2.5 * cup(d, x); }
static double waves(int32_t d, const double *x)
{
    double y = 0;

    for (int32_t i = 0; i < d; i++)
        y += d == 5 ? 3.5 * sin(5 * x[i] + 1) : 4 * sin(12 * x[i] + 1);
    return y;
}
static double sin_3_6(int32_t d, const double *x) { return (void)d, sin(3 * *x) + sin(6 * *x) / 2; }
static double sum(int32_t d, const double *x)
{
    double s = 0;

    for (int32_t i = 0; i < d; i++)
        s += x[i];
    return s;
}
static double tanh_sum(int32_t d, const double *x) { return tanh(sum(d, x)); }
static double neuron(int32_t d, const double *x) { return tanh(sum(d, x) + 1); }
static double sin_6(int32_t d, const double *x) { return (void)d, sin(6 * *x); }
static double cheb_3(int32_t d, const double *x) { return (void)d, (4 * *x * *x - 3) * *x; }
static double cheb_4(int32_t d, const double *x) { return (void)d, 8 * *x * *x * (*x * *x - 1) + 1; }
static double cheb_5(int32_t d, const double *x) { return (void)d, ((16 * *x * *x - 20) * *x * *x + 5) * *x; }
static double convolved(int32_t d, const double *x)
{
    double y = 0;

    for (int32_t s = 0; s + 2 < d; s++)
        y += tanh(0.6 * x[s] + 0.8 * x[s + 1] + x[s + 2]);
    return y;
}

static const target targets[] = {
    [DYN_TARGET_SQUARE] = { 1, EVEN, -0.5, 0.5, square }, [DYN_TARGET_SIN_4] = { 1, EVEN, -M_PI, M_PI, sin_4 },
    [DYN_TARGET_FOUR_RELU] = { 1, EVEN, -1, 1, four_relu }, [DYN_TARGET_CUP] = { 1, EVEN, -1, 1, cup },
    [DYN_TARGET_TWO_TANH] = { 1, EVEN, -12, 12, two_tanh },
    [DYN_TARGET_TWO_RELU] = { 1, EVEN, -5. / 3, 5. / 3, two_relu },
    [DYN_TARGET_SIN_5D] = { 5, UNIFORM, -4, 2, waves }, [DYN_TARGET_SIN_3D] = { 3, UNIFORM, -4, 2, waves },
    [DYN_TARGET_SIN_3_6] = { 1, EVEN, -1, 1.5, sin_3_6 }, [DYN_TARGET_TANH_10D] = { 10, NORMAL, 0, 0, tanh_sum },
    [DYN_TARGET_SIN_6] = { 1, EVEN, -M_PI, M_PI, sin_6 },
    [DYN_TARGET_SIN_6_ALIASED] = { 1, ALIASED, -M_PI, M_PI, sin_6 },
    [DYN_TARGET_CHEBYSHEV_3] = { 1, EVEN, -1, 1, cheb_3 }, [DYN_TARGET_CHEBYSHEV_4] = { 1, EVEN, -1, 1, cheb_4 },
    [DYN_TARGET_CHEBYSHEV_5] = { 1, EVEN, -1, 1, cheb_5 },
    [DYN_TARGET_QUADRATIC_50D] = { 50, NORMAL, 0, 0, NULL },     /* its coefficients are drawn, too */
    [DYN_TARGET_CONVOLVED] = { 5, NORMAL, 0, 0, convolved }, [DYN_TARGET_NEURON] = { 1, EVEN, -2, 2, neuron },
    [DYN_TARGET_NEURON_NORMAL] = { 1, NORMAL, 0, 0, neuron }, [DYN_TARGET_NEURON_3D] = { 3, UNIFORM, -2, 2, neuron },
    [DYN_TARGET_NEURON_500D] = { 500, UNIFORM, -2, 2, neuron },
};

static double even(const target *t, int64_t n, int64_t i)
{
    if (i == 0 || n == 1)
        return t->low;
    return i == n - 1 ? t->high : t->low + (double)i * (t->high - t->low) / (double)(n - 1);
}

/* ---- the aliased sample ---- */

enum { CANDIDATES = 10000, NEAR_1 = 20, NEAR_3 = 10, LEAST_ALIASED = NEAR_1 + NEAR_3 + 2 };
typedef struct candidate { double x, distance; } candidate;

static int nearer(const void *a, const void *b)
{
    const candidate *p = a, *q = b;

    if (p->distance != q->distance)
        return p->distance < q->distance ? -1 : 1;
    return p->x < q->x ? -1 : p->x > q->x;
}

static void pick(const target *t, candidate *c, int frequency, int64_t count, double *x)
{
    for (int64_t i = 0; i < CANDIDATES; i++) {
        c[i].x = even(t, CANDIDATES, i);
        c[i].distance = fabs(sin(frequency * c[i].x) - sin(6 * c[i].x));
    }
    qsort(c, CANDIDATES, sizeof *c, nearer);
    for (int64_t i = 0; i < count; i++)
        x[i] = c[i].x;
}

static dyn_status aliased(dyn_ctx *ctx, const target *t, int64_t n, double *x)
{
    candidate *c = dyn__alloc(ctx, CANDIDATES, sizeof *c);

    if (!c)
        return DYN_ENOMEM;
    pick(t, c, 1, NEAR_1, x);
    pick(t, c, 3, NEAR_3, x + NEAR_1);
    for (int64_t i = NEAR_1 + NEAR_3; i < n; i++)
        x[i] = even(t, n - NEAR_1 - NEAR_3, i - NEAR_1 - NEAR_3);
    dyn__free(ctx, c);
    return DYN_OK;
}

/* ---- ---- */

/* w.x + sum v_i x_i^2; the coefficients are row -1 of the draws. */
static double quadratic(uint64_t seed, int32_t d, const double *x)
{
    const dyn__dice dice = dyn__dice_of(seed, DYN__KIND_TARGET, -1);
    double w[2], y = 0;

    for (int32_t i = 0; i < d; i++) {
        dyn__normal_f64(dice.key, 2 * i, 2, w);
        y += w[0] * x[i] + w[1] * x[i] * x[i];
    }
    return y;
}

static void draw_inputs(const target *t, int64_t n, uint64_t seed, double *x)
{
    for (int64_t i = 0; i < n; i++, x += t->d) {
        const dyn__dice dice = dyn__dice_of(seed, DYN__KIND_TARGET, i);

        if (t->place == EVEN)
            *x = even(t, n, i);
        else if (t->place == NORMAL)
            dyn__normal_f64(dice.key, 0, t->d, x);
        else
            dyn__uniform_f64(dice.key, 0, t->d, x);
        for (int32_t k = 0; t->place == UNIFORM && k < t->d; k++)
            x[k] = t->low + (t->high - t->low) * x[k];
    }
}

static dyn_status fill(dyn_ctx *ctx, const target *t, int64_t n, uint64_t seed, double *x, dyn_array **y)
{
    double *to;

    if (t->place == ALIASED)
        DYN__TRY(aliased(ctx, t, n, x));
    else
        draw_inputs(t, n, seed, x);
    DYN__TRY(dyn__new_reals(ctx, n, 1, y, &to));
    for (int64_t i = 0; i < n; i++)
        to[i] = t->value ? t->value(t->d, x + i * t->d) : quadratic(seed, t->d, x + i * t->d);
    return DYN_OK;
}

dyn_status dyn_generate_target(dyn_ctx *ctx, int32_t which, int64_t n, uint64_t seed, dyn_array **x, dyn_array **y)
{
    const int32_t last = (int32_t)(sizeof targets / sizeof *targets) - 1;
    double *data;
    dyn_status s;

    if (y)
        *y = NULL;
    DYN__GENERATE(ctx, x);
    DYN__NEED(ctx, y);
    DYN__RANGE(ctx, "target", which, 0, last);
    DYN__RANGE(ctx, "n", n, which == DYN_TARGET_SIN_6_ALIASED ? LEAST_ALIASED : 1, DYN__MOST_ROWS / targets[which].d);
    DYN__TRY(dyn__new_reals(ctx, n, targets[which].d, x, &data));
    s = fill(ctx, &targets[which], n, seed, data, y);
    if (s != DYN_OK) {
        dyn_array_unref(*x);
        *x = NULL;
    }
    return s;
}
