/* SPDX-License-Identifier: BSD-3-Clause
 *
 * An objective by callback with 10^5 unknowns: its minimum by L-BFGS, and the five lowest eigenvalues of its Hessian
 * there by differences of gradients, whose error the residuals contain. */
#include <math.h>
#include <stdio.h>
#include <dyn/dyn.h>

/* ---- program ---- */
enum { N = 100000 };
static double theta[N];
static double curvature(int i) { return i < 5 ? i + 1 : 50 + 50.0 * (i - 5) / (N - 6); }
static int32_t chain(void *user, const dyn_objective_view *at)
{
    (void)user, *at->value = 0;
    for (int i = 0; i < N; i++) {
        *at->value += curvature(i) * (1 - cos(at->theta[i]));
        if (at->gradient)
            at->gradient[i] = curvature(i) * sin(at->theta[i]);
    }
    return 0;
}
static dyn_status lowest(dyn_ctx *ctx, dyn_run **run, dyn_eigen **low)
{
    dyn_optimizer_options lbfgs = DYN_OPTIMIZER_OPTIONS_INIT;
    dyn_run_options options = DYN_RUN_OPTIONS_INIT;
    dyn_eigen_options five = DYN_EIGEN_OPTIONS_INIT;
    const dyn_objective_functions f = { .struct_size = sizeof f, .size = N, .value = chain, .gradient = chain };
    dyn_objective *loss = NULL;
    dyn_operator *hessian = NULL;
    lbfgs.kind = DYN_OPTIMIZER_LBFGS, lbfgs.memory = 10, options.gradient_tolerance = 1e-6;
    five.which = DYN_SMALLEST_ALGEBRAIC, five.count = 5, five.unchecked = 1;
    dyn_objective_from_callbacks(ctx, &f, &loss);
    dyn_run_create(loss, &lbfgs, &options, theta, run);
    dyn_run_train(*run, 500);
    dyn_run_theta(*run, theta);
    dyn_objective_hessian(loss, theta, &hessian);
    dyn_status s = dyn_eigen_solve(hessian, &five, low);
    dyn_operator_unref(hessian);
    dyn_objective_unref(loss);
    return s;
}

/* ---- check: the eigenvalues are 1 to 5, within residuals that contain the error of the differences ---- */
int main(void)
{
    dyn_ctx *ctx = NULL;
    dyn_run *run = NULL;
    dyn_eigen *low = NULL;
    int wrong = 0;

    for (int i = 0; i < N; i++)
        theta[i] = 0.5;
    dyn_ctx_create(NULL, &ctx);
    if (lowest(ctx, &run, &low) < 0) {
        fprintf(stderr, "%s\n", dyn_ctx_message(ctx));
        return 1;
    }
    wrong += dyn_run_reason(run) != DYN_RUN_GRADIENT;
    wrong += !(dyn_eigen_product_error(low) > 0 && dyn_eigen_product_error(low) < 1e-6);
    for (int i = 0; i < 5; i++) {
        const double found = dyn_eigen_values(low)[i], residual = dyn_eigen_residuals(low)[i];
        printf("%.9f, residual %.2g\n", found, residual);
        wrong += !(fabs(found - (i + 1)) < 1e-6 && residual > 0);
    }
    dyn_eigen_free(low);
    dyn_run_free(run);
    dyn_ctx_free(ctx);
    return wrong != 0;
}
