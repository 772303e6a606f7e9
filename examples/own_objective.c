/* SPDX-License-Identifier: BSD-3-Clause
 *
 * An objective of your own: the library needs no more than functions for value, gradient and Hessian times a block of
 * vectors. Here a chain of n springs that are pinned at both ends,
 *     E(u) = sum_{i=0}^{n} [ (u_{i+1} - u_i)^2 / 2 + k (u_{i+1} - u_i)^4 / 4 ],   u_0 = u_{n+1} = 0,
 * whose Hessian at rest has the eigenvalues 4 sin^2(pi j / (2 (n + 1))), j = 1 ... n: the program compares. */
#include <math.h>
#include <stdio.h>
#include <dyn/dyn.h>

enum { N = 300, PAIRS = 5 };

typedef struct chain {
    double hardening;           /* k */
} chain;

/* How far spring i = 0 ... N is stretched. */
static double stretch(const double *u, int i)
{
    return (i < N ? u[i] : 0.0) - (i > 0 ? u[i - 1] : 0.0);
}

static int32_t energy(void *user, const dyn_objective_view *at)
{
    const chain *c = user;

    *at->value = 0.0;
    for (int i = 0; i <= N; i++) {
        const double s = stretch(at->theta, i);

        *at->value += s * s / 2.0 + c->hardening * s * s * s * s / 4.0;
    }
    return 0;
}

static int32_t force(void *user, const dyn_objective_view *at)
{
    const chain *c = user;

    for (int i = 0; i < N; i++) {
        const double left = stretch(at->theta, i), right = stretch(at->theta, i + 1);

        at->gradient[i] = left + c->hardening * left * left * left - right - c->hardening * right * right * right;
    }
    return energy(user, at);
}

/* The stiffness of every spring times how far v stretches it, for each v [N]. */
static int32_t stiffness(void *user, const dyn_objective_view *at)
{
    const chain *c = user;
    const double *u = at->theta, *v = at->v;

    for (int64_t k = 0; k < at->count; k++, v += N)
        for (int i = 0; i < N; i++) {
            const double left = stretch(u, i), right = stretch(u, i + 1);

            at->product[k * N + i] = (1.0 + 3.0 * c->hardening * left * left) * stretch(v, i)
                                     - (1.0 + 3.0 * c->hardening * right * right) * stretch(v, i + 1);
        }
    return 0;
}

/* The largest difference from the closed form, and a table. */
static double compare(const dyn_eigen *pairs)
{
    const double pi = 3.14159265358979323846;
    const double *value = dyn_eigen_values(pairs), *residual = dyn_eigen_residuals(pairs);
    double worst = 0.0;

    printf("%16s %16s %10s\n", "eigenvalue", "closed form", "residual");
    for (int j = 0; j < PAIRS; j++) {
        const double exact = 4.0 * pow(sin(pi * (N - j) / (2.0 * (N + 1))), 2.0);

        printf("%16.12f %16.12f %10.1e\n", value[j], exact, residual[j]);
        worst = fmax(worst, fabs(value[j] - exact));
    }
    printf("%d products\n", (int)dyn_eigen_products(pairs));
    return worst;
}

/* Let a stretched chain go, with friction: gradient descent, measured at the end. */
static dyn_status relax_and_measure(dyn_ctx *ctx, dyn_eigen **pairs)
{
    double u[N];                /* theta */
    chain springs = { 10.0 };
    dyn_objective_functions functions = DYN_OBJECTIVE_FUNCTIONS_INIT;
    dyn_objective *objective = NULL;
    dyn_run *run = NULL;
    dyn_operator *hessian = NULL;
    dyn_optimizer_options descent = DYN_OPTIMIZER_OPTIONS_INIT;
    dyn_eigen_options largest = DYN_EIGEN_OPTIONS_INIT;
    int64_t rows = 0;
    dyn_status s;

    for (int i = 0; i < N; i++)
        u[i] = 0.2 * ((i * 37) % 11 - 5) / 5.0;
    descent.rate = 0.2;
    largest.count = PAIRS;
    largest.tolerance = 1e-10;
    largest.max_products = 20000;       /* the eigenvalues lie close to each other at this end */
    functions.size = N;
    functions.value = energy;
    functions.gradient = force;
    functions.hessian = stiffness;
    functions.user = &springs;
    s = dyn_objective_from_callbacks(ctx, &functions, &objective);
    if (s >= 0)
        s = dyn_run_create(objective, &descent, NULL, u, &run);
    if (s >= 0)
        s = dyn_run_train(run, 200000);
    if (s >= 0)
        s = dyn_run_theta(run, u);
    if (s >= 0)
        s = dyn_objective_hessian(objective, u, &hessian);
    if (s >= 0)
        s = dyn_eigen_solve(hessian, &largest, pairs);
    if (s >= 0) {
        const double *loss = dyn_run_history(run, "loss", &rows);

        printf("energy %.3g at the start, %.3g after %d steps\n", loss[0], loss[rows - 1], (int)dyn_run_step(run));
    }
    dyn_operator_unref(hessian);
    dyn_run_free(run);
    dyn_objective_unref(objective);
    return s;
}

int main(void)
{
    dyn_ctx *ctx = NULL;
    dyn_eigen *pairs = NULL;
    dyn_status s = dyn_ctx_create(NULL, &ctx);
    int good = 0;

    if (s >= 0)
        s = relax_and_measure(ctx, &pairs);
    if (s >= 0)
        good = dyn_eigen_all_converged(pairs) && compare(pairs) < 1e-8;
    else
        fprintf(stderr, "%s\n", ctx ? dyn_ctx_message(ctx) : dyn_status_text(s));
    dyn_eigen_free(pairs);
    dyn_ctx_free(ctx);
    return !good;
}
