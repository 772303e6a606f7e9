/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Test functions: values and derivatives at points where they are plain, and against differences. */
#include "test.h"
#include <dyn/dyn.h>

static dyn_ctx *ctx;

static void checks(dyn_objective *o, const double *x)
{
    dyn_check *c = NULL;

    CHECK_OK(ctx, dyn_check_gradient(o, x, 1, &c));
    CHECK(dyn_check_passed(c));
    dyn_check_free(c);
    CHECK_OK(ctx, dyn_check_hessian(o, x, 1, &c));
    CHECK(dyn_check_passed(c));
    dyn_check_free(c);
}

TEST(powers)
{
    const double x[] = {1, -2};
    dyn_objective *o = NULL;
    double value, gradient[2];

    CHECK_OK(ctx, dyn_objective_power(ctx, 2, 4, &o));
    CHECK_OK(ctx, dyn_objective_gradient(o, x, gradient, &value));
    CHECK(value == 4.25 && gradient[0] == 1 && gradient[1] == -8);
    CHECK_OK(ctx, dyn_objective_value(o, x, &value));
    CHECK(value == 4.25);
    checks(o, x);
    dyn_objective_unref(o);
    CHECK(dyn_objective_power(ctx, 1, 1, &o) == DYN_EINVAL && !o);
    CHECK_STR(dyn_ctx_message(ctx), "dyn_objective_power: 1 unknowns to the power 1");
}

TEST(quadratic_forms)
{
    double h[] = {3, -1, 0};
    const double x[] = {1, 2, 5};
    dyn_objective *o = NULL;
    double value, gradient[3];

    CHECK_OK(ctx, dyn_objective_quadratic(ctx, 3, h, &o));
    h[0] = 9;       /* they are copied */
    CHECK_OK(ctx, dyn_objective_gradient(o, x, gradient, &value));
    CHECK(value == -.5 && gradient[0] == 3 && gradient[1] == -2 && gradient[2] == 0);
    checks(o, x);
    dyn_objective_unref(o);
    h[1] = NAN;
    CHECK(dyn_objective_quadratic(ctx, 3, h, &o) == DYN_ENONFINITE);
}

TEST(rosenbrock)
{
    const double x[] = {-1.2, 1, .5}, ones[] = {1, 1, 1};
    dyn_objective *o = NULL;
    double value, gradient[3];

    CHECK_OK(ctx, dyn_objective_rosenbrock(ctx, 3, &o));
    CHECK_OK(ctx, dyn_objective_gradient(o, x, gradient, &value));
    CHECK_NEAR(value, 24.2 + 25, 1e-14);                            /* 100 .44^2 + 2.2^2; 100 .5^2 + 0 */
    CHECK_NEAR(gradient[0], -215.6, 1e-14);
    CHECK_NEAR(gradient[1], -88 + 200, 1e-14);
    CHECK_NEAR(gradient[2], -100, 1e-14);
    CHECK_OK(ctx, dyn_objective_gradient(o, ones, gradient, &value));
    CHECK(value == 0 && gradient[0] == 0 && gradient[1] == 0 && gradient[2] == 0);
    checks(o, x);
    dyn_objective_unref(o);
    CHECK(dyn_objective_rosenbrock(ctx, 1, &o) == DYN_EINVAL);
}

int main(void)
{
    if (dyn_ctx_create(NULL, &ctx) != DYN_OK)
        return 1;
    RUN(powers);
    RUN(quadratic_forms);
    RUN(rosenbrock);
    dyn_ctx_free(ctx);
    return test_end();
}
