/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Every allocation of what follows an objective down, and of what is measured at its end, fails in turn. */
#include "oom/oom.h"
#include "oom/then.h"
#include "train_problem.h"

static dyn_status minima(dyn_ctx *ctx, void *arg)
{
    double theta[NETWORK_SIZE];
    dyn_minimise_options opt = DYN_MINIMISE_OPTIONS_INIT;
    dyn_objective *o = NULL;
    dyn_minimum end;
    dyn_status s = try_network(ctx, DYN_F64, &o);

    (void)arg;
    opt.max_evaluations = 12;
    for (opt.method = DYN_MINIMISE_LBFGS; opt.method <= DYN_MINIMISE_MONOTONE; opt.method++) {
        network_start(theta);
        THEN(dyn_objective_minimise(o, &opt, theta, &end));
    }
    dyn_objective_unref(o);
    return s;
}

static dyn_status flows(dyn_ctx *ctx, void *arg)
{
    double theta[NETWORK_SIZE], states[2 * NETWORK_SIZE], losses[4];
    dyn_langevin_options langevin = DYN_LANGEVIN_OPTIONS_INIT;
    dyn_flow_options opt = DYN_FLOW_OPTIONS_INIT;
    dyn_objective *o = NULL;
    dyn_flow_result end;
    dyn_status s = try_network(ctx, DYN_F64, &o);

    (void)arg;
    opt.end = .2;
    network_start(theta);
    THEN(dyn_objective_flow(o, &opt, 2, (double[]){ .1, .2 }, states, theta, &end));
    THEN(dyn_objective_langevin(o, &langevin, 4, theta, losses));
    dyn_objective_unref(o);
    return s;
}

static dyn_status central(dyn_ctx *ctx, void *arg)
{
    double theta[QUADRATIC_SIZE] = { 1, -2, .25 };
    dyn_central_options opt = DYN_CENTRAL_OPTIONS_INIT;
    dyn_central_result trace[3];
    dyn_objective *o = NULL;
    dyn_status s = dyn_objective_quadratic(ctx, QUADRATIC_SIZE, curvature, &o);

    (void)arg;
    opt.rate = .1;
    THEN(dyn_objective_central_flow(o, &opt, 2, theta, NULL, trace, NULL));
    dyn_objective_unref(o);
    return s;
}

static dyn_status eigenvalues(dyn_ctx *ctx, void *arg)
{
    double theta[NETWORK_SIZE], direction[NETWORK_SIZE], shares[1];
    dyn_eigen_options opt = DYN_EIGEN_OPTIONS_INIT;
    dyn_eigenvalue_result slope;
    dyn_objective *o = NULL;
    dyn_operator *H = NULL;
    dyn_eigen *e = NULL;
    dyn_status s = try_network(ctx, DYN_F64, &o);

    (void)arg;
    opt.count = 2;
    network_start(theta);
    THEN(dyn_objective_hessian(o, theta, &H));
    THEN(dyn_eigen_solve(H, &opt, &e));
    THEN(dyn_eigenvalue_gradient(o, theta, e, 0, 1e-2, direction, &slope));
    THEN(dyn_direction_normalise(o, theta, DYN_DIRECTION_FILTER, direction));
    THEN(dyn_space_shares(ctx, 1, NETWORK_SIZE, dyn_eigen_vectors(e), direction, shares));
    dyn_eigen_free(e);
    dyn_operator_unref(H);
    dyn_objective_unref(o);
    return s;
}

static dyn_status samples(dyn_ctx *ctx, void *arg)
{
    double theta[NETWORK_SIZE], jacobian[SAMPLES * NETWORK_SIZE], accuracy;
    dyn_objective *o = NULL;
    dyn_status s = try_network(ctx, DYN_F32, &o);

    (void)arg;
    network_start(theta);
    THEN(dyn_objective_accuracy(o, theta, &accuracy));
    THEN(dyn_objective_jacobian(o, theta, jacobian));
    THEN(dyn_objective_sample_gradients(o, theta, jacobian));
    dyn_objective_unref(o);
    return s;
}

static dyn_status preconditioned(dyn_ctx *ctx, void *arg)
{
    const double d[QUADRATIC_SIZE] = { 1, 2, 4 }, g[QUADRATIC_SIZE] = { 1, -1, 1 };
    const dyn_optimizer_options adam = OPTIMIZER(.kind = DYN_OPTIMIZER_ADAM);
    double raw, value;
    dyn_objective *o = NULL;
    dyn_operator *H = NULL, *P = NULL;
    dyn_eigen *e = NULL;
    dyn_status s = dyn_objective_quadratic(ctx, QUADRATIC_SIZE, curvature, &o);

    (void)arg;
    THEN(dyn_objective_hessian(o, quadratic_start, &H));
    THEN(dyn_sharpness_operator(H, d, 1, &P));
    THEN(dyn_sharpness_preconditioned(H, d, 1, NULL, &e));
    THEN(dyn_sharpness_directional(H, d, 1, g, &raw, &value));
    THEN(dyn_sharpness_limit(ctx, &adam, &value));
    dyn_eigen_free(e);
    dyn_operator_unref(P);
    dyn_operator_unref(H);
    dyn_objective_unref(o);
    return s;
}

TEST(out_of_memory)
{
    oom_try("minima", minima, NULL);
    oom_try("flows", flows, NULL);
    oom_try("central flow", central, NULL);
    oom_try("gradient of an eigenvalue", eigenvalues, NULL);
    oom_try("samples", samples, NULL);
    oom_try("preconditioned sharpness", preconditioned, NULL);
}

int main(void)
{
    RUN(out_of_memory);
    return test_end();
}
