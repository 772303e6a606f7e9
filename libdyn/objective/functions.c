/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Test functions of optimisers as objectives: powers, quadratic forms, Rosenbrock's. Derivatives are written out. */
#include <math.h>
#include <string.h>
#include "objective/called.h"

typedef struct function {
    int64_t p;
    int32_t power;
    double number[];        /* eigenvalues */
} function;

static dyn_status create(dyn_ctx *ctx, const dyn__functions *calls, const function *f, const double *number, int64_t count,
                         dyn_objective **out)
{
    dyn__functions all = *calls;
    function *own;

    DYN__TRY(dyn__called_create(ctx, f->p, &all, sizeof *f + (size_t)count * sizeof *number, (void **)&own, out));
    *own = *f;
    if (count > 0)
        memcpy(own->number, number, (size_t)count * sizeof *number);
    return DYN_OK;
}

/* ---- sum_i x_i^k / k ---- */

static int32_t power_gradient(void *user, const double *x, double *value, double *gradient)
{
    const function *f = user;

    *value = 0;
    for (int64_t i = 0; i < f->p; i++) {
        const double g = pow(x[i], f->power - 1);
        *value += g * x[i] / f->power;
        if (gradient)
            gradient[i] = g;
    }
    return 0;
}

static int32_t power_value(void *user, const double *x, double *value) { return power_gradient(user, x, value, NULL); }

static int32_t power_product(void *user, const double *x, int64_t count, const double *v, double *hv)
{
    const function *f = user;

    for (int64_t k = 0; k < count; k++)
        for (int64_t i = 0; i < f->p; i++)
            hv[k * f->p + i] = (f->power - 1) * pow(x[i], f->power - 2) * v[k * f->p + i];
    return 0;
}

dyn_status dyn_objective_power(dyn_ctx *ctx, int64_t p, int32_t power, dyn_objective **out)
{
    if (out)
        *out = NULL;
    if (!ctx)
        return DYN_EINVAL;
    DYN__ENTER(ctx);
    DYN__NEED(ctx, out);
    if (p < 1 || power < 2)
        return DYN__FAIL(ctx, DYN_EINVAL, "%lld unknowns to the power %d, expected 1 or more and 2 or more", (long long)p,
                         (int)power);
    return create(ctx, &(dyn__functions){power_value, power_gradient, power_product, .ours = 1}, &(function){p, power}, NULL, 0,
                  out);
}

/* ---- sum_i h_i x_i^2 / 2 ---- */

static int32_t quadratic_gradient(void *user, const double *x, double *value, double *gradient)
{
    const function *f = user;

    *value = 0;
    for (int64_t i = 0; i < f->p; i++) {
        *value += 0.5 * f->number[i] * x[i] * x[i];
        if (gradient)
            gradient[i] = f->number[i] * x[i];
    }
    return 0;
}

static int32_t quadratic_value(void *user, const double *x, double *value)
{
    return quadratic_gradient(user, x, value, NULL);
}

static int32_t quadratic_product(void *user, const double *x, int64_t count, const double *v, double *hv)
{
    const function *f = user;

    (void)x;
    for (int64_t k = 0; k < count; k++)
        for (int64_t i = 0; i < f->p; i++)
            hv[k * f->p + i] = f->number[i] * v[k * f->p + i];
    return 0;
}

dyn_status dyn_objective_quadratic(dyn_ctx *ctx, int64_t p, const double *eigenvalues, dyn_objective **out)
{
    if (out)
        *out = NULL;
    if (!ctx)
        return DYN_EINVAL;
    DYN__ENTER(ctx);
    DYN__NEED(ctx, out);
    DYN__NEED(ctx, eigenvalues);
    if (p < 1)
        return DYN__FAIL(ctx, DYN_EINVAL, "%lld unknowns", (long long)p);
    for (int64_t i = 0; i < p; i++)
        if (!isfinite(eigenvalues[i]))
            return DYN__FAIL(ctx, DYN_ENONFINITE, "eigenvalue %lld is %g", (long long)i, eigenvalues[i]);
    return create(ctx, &(dyn__functions){quadratic_value, quadratic_gradient, quadratic_product, .ours = 1},
                  &(function){.p = p}, eigenvalues, p, out);
}

/* ---- sum_i 100 (x_{i+1} - x_i^2)^2 + (1 - x_i)^2 ---- */

static int32_t rosenbrock_gradient(void *user, const double *x, double *value, double *gradient)
{
    const function *f = user;

    *value = 0;
    if (gradient)
        memset(gradient, 0, (size_t)f->p * sizeof *gradient);
    for (int64_t i = 0; i + 1 < f->p; i++) {
        const double a = x[i + 1] - x[i] * x[i], b = 1 - x[i];
        *value += 100 * a * a + b * b;
        if (gradient) {
            gradient[i] -= 400 * a * x[i] + 2 * b;
            gradient[i + 1] += 200 * a;
        }
    }
    return 0;
}

static int32_t rosenbrock_value(void *user, const double *x, double *value)
{
    return rosenbrock_gradient(user, x, value, NULL);
}

static int32_t rosenbrock_product(void *user, const double *x, int64_t count, const double *v, double *hv)
{
    const function *f = user;

    memset(hv, 0, (size_t)(count * f->p) * sizeof *hv);
    for (int64_t k = 0; k < count; k++, v += f->p, hv += f->p)
        for (int64_t i = 0; i + 1 < f->p; i++) {
            hv[i] += (1200 * x[i] * x[i] - 400 * x[i + 1] + 2) * v[i] - 400 * x[i] * v[i + 1];
            hv[i + 1] += 200 * v[i + 1] - 400 * x[i] * v[i];
        }
    return 0;
}

dyn_status dyn_objective_rosenbrock(dyn_ctx *ctx, int64_t p, dyn_objective **out)
{
    if (out)
        *out = NULL;
    if (!ctx)
        return DYN_EINVAL;
    DYN__ENTER(ctx);
    DYN__NEED(ctx, out);
    if (p < 2)
        return DYN__FAIL(ctx, DYN_EINVAL, "%lld unknowns, expected 2 or more", (long long)p);
    return create(ctx, &(dyn__functions){rosenbrock_value, rosenbrock_gradient, rosenbrock_product, .ours = 1},
                  &(function){.p = p}, NULL, 0, out);
}
