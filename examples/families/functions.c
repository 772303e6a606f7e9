/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Test functions: objectives without a model. Newton-CG ends Rosenbrock's valley at its last digit. */
#include <math.h>
#include <stdio.h>
#include <dyn/dyn.h>

int main(void)
{
    dyn_ctx *ctx = NULL;
    dyn_objective *valley = NULL;
    dyn_minimise_options o = DYN_MINIMISE_OPTIONS_INIT;
    double theta[2] = { -1.2, 1 };

    o.method = DYN_MINIMISE_NEWTON;
    o.gradient_tolerance = 1e-13;
    dyn_status s = dyn_ctx_create(NULL, &ctx);
    if (s >= 0)
        s = dyn_objective_rosenbrock(ctx, 2, &valley);
    if (s >= 0)
        s = dyn_objective_minimise(valley, &o, theta, NULL);
    const double error = fmax(fabs(theta[0] - 1), fabs(theta[1] - 1));
    printf("distance from the minimum: %.1e of at most 1e-12 %s\n", error, s < 0 ? dyn_ctx_message(ctx) : "");
    dyn_objective_unref(valley);
    dyn_ctx_free(ctx);
    return s != DYN_OK || !(error <= 1e-12);
}
