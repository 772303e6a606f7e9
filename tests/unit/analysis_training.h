/* SPDX-License-Identifier: BSD-3-Clause
 *
 * What the acceptance tests of the analyses share: a two-layer network, its data and its run. */
#ifndef ANALYSIS_TRAINING_H
#define ANALYSIS_TRAINING_H

#include <stdlib.h>
#include "test.h"
#include <dyn/dyn.h>

typedef struct training {
    dyn_ctx *ctx;
    dyn_model *model;
    dyn_array *x, *y;
    dyn_objective *objective;
    double *theta;
    dyn_run *run;
} training;

/* A perceptron on n samples x [n][d], y [n]; init draws theta. A failed call shows as a failed check. */
static inline training training_make(dyn_ctx *ctx, const dyn_perceptron_options *net, const dyn_init_options *init,
                                     int64_t n, const double *x, const double *y, const dyn_objective_options *loss)
{
    training t = { .ctx = ctx };
    int64_t shape[2] = { n, net->widths[0] };

    CHECK_OK(ctx, dyn_model_perceptron(ctx, net, &t.model));
    CHECK_OK(ctx, dyn_array_create(ctx, DYN_F64, 2, shape, x, &t.x));
    CHECK_OK(ctx, dyn_array_create(ctx, DYN_F64, 1, shape, y, &t.y));
    CHECK_OK(ctx, dyn_objective_create(ctx, t.model, t.x, t.y, loss, &t.objective));
    t.theta = calloc((size_t)dyn_model_size(t.model), sizeof *t.theta);
    CHECK_OK(ctx, dyn_model_initialise(t.model, init, t.theta));
    return t;
}

static inline void training_start(training *t, const dyn_optimizer_options *optimizer, const dyn_run_options *opt)
{
    dyn_run_free(t->run);
    t->run = NULL;
    CHECK_OK(t->ctx, dyn_run_create(t->objective, optimizer, opt, t->theta, &t->run));
}

/* Condensation of the hidden layer at the parameters of the run. */
static inline dyn_condensation *training_condensation(const training *t, const dyn_condensation_options *opt)
{
    int64_t m = 0, k = 0, c = 0, p = dyn_model_size(t->model);
    double *theta = calloc((size_t)p, sizeof *theta), *w, *a;
    dyn_condensation *out = NULL;

    CHECK_OK(t->ctx, dyn_run_theta(t->run, theta));
    CHECK_OK(t->ctx, dyn_condensation_shape(t->model, 1, &m, &k, &c));
    w = calloc((size_t)(m * k), sizeof *w);
    a = calloc((size_t)(m * c), sizeof *a);
    CHECK_OK(t->ctx, dyn_condensation_features(t->model, theta, 1, w, a));
    CHECK_OK(t->ctx, dyn_condensation_measure(t->ctx, m, k, w, c, a, opt, &out));
    free(a);
    free(w);
    free(theta);
    return out;
}

static inline void training_free(training *t)
{
    dyn_run_free(t->run);
    free(t->theta);
    dyn_objective_unref(t->objective);
    dyn_array_unref(t->y);
    dyn_array_unref(t->x);
    dyn_model_unref(t->model);
}

#endif
