/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Verbs of training: train (one run, a unit is a step; key batch for mini-batches), replicas (key count, replica i with
 * its own parameters and the rate (1 + i/count) * 0.001; a unit is a step of all), gradient (loss and gradient).
 * Key check: steps taken before the loss is shown. */
#include "bench.h"

#include <stdlib.h>

static void check_train(const problem *p, dyn_run *run, const spec *s)
{
    double *theta = must_alloc((size_t)p->size, sizeof *theta), loss;

    must(p->ctx, dyn_run_train(run, spec_int(s, "check", 100)));
    must(p->ctx, dyn_run_theta(run, theta));
    must(p->ctx, dyn_objective_value(p->objective, theta, &loss));
    show("loss", loss, "-");
    show("theta_norm", norm(p->size, theta), "-");
    free(theta);
}

/* The order of samples of 50 epochs, for the peers. */
static void export_order(const problem *p, const spec *s, uint64_t seed)
{
    const int64_t n = p->samples, shape[2] = { 50, n };
    int64_t *order = must_alloc((size_t)n, sizeof *order);
    double *all = must_alloc((size_t)(50 * n), sizeof *all);

    for (int64_t epoch = 0; epoch < shape[0]; epoch++) {
        must(p->ctx, dyn_data_order(p->ctx, seed, epoch, n, order));
        for (int64_t i = 0; i < n; i++)
            all[epoch * n + i] = (double)order[i];
    }
    problem_export(p, s, "order", 2, shape, all);
    free(order);
    free(all);
}

static void *train_prepare(const problem *p, const spec *s)
{
    const dyn_optimizer_options adam = problem_optimizer(s);
    dyn_run_options opt = DYN_RUN_OPTIONS_INIT;
    dyn_run *run;

    opt.batch = spec_int(s, "batch", INT64_MAX);
    opt.drop_last = opt.batch > 0;
    must(p->ctx, dyn_run_create(p->objective, &adam, &opt, p->theta, &run));
    if (opt.batch)
        export_order(p, s, opt.seed);
    check_train(p, run, s);
    return run;
}

static void train_run(void *work, int64_t units)
{
    dyn_run_train(work, units);
}

static void train_free(void *work)
{
    dyn_run_free(work);
}

const verb verb_train = { "train", train_prepare, train_run, train_free };

static void fill_replicas(const problem *p, int64_t count, dyn_optimizer_options *adam, double *rates, double *theta)
{
    dyn_init_options init = DYN_INIT_OPTIONS_INIT;
    spec none = { .count = 0 };

    for (int64_t i = 0; i < count; i++) {
        init.seed = (uint64_t)i + 1;
        must(p->ctx, dyn_model_initialise(p->model, &init, theta + i * p->size));
        adam[i] = problem_optimizer(&none);
        rates[i] = adam[i].rate *= 1 + (double)i / (double)count;
    }
}

static void *replicas_prepare(const problem *p, const spec *s)
{
    const int64_t count = spec_int(s, "count", 64), shape[2] = { count, p->size };
    dyn_replicas_options opt = DYN_REPLICAS_OPTIONS_INIT;
    dyn_optimizer_options *adam = must_alloc((size_t)count, sizeof *adam);
    double *rates = must_alloc((size_t)count, sizeof *rates);
    double *theta = must_alloc((size_t)(count * p->size), sizeof *theta);
    dyn_replicas *replicas;

    fill_replicas(p, count, adam, rates, theta);
    problem_export(p, s, "rates", 1, &count, rates);
    problem_export(p, s, "thetas", 2, shape, theta);
    opt.count = opt.optimizer_count = count;
    opt.optimizers = adam;
    opt.theta = theta;
    must(p->ctx, dyn_replicas_create(p->objective, &opt, &replicas));
    must(p->ctx, dyn_replicas_train(replicas, spec_int(s, "check", 100)));
    must(p->ctx, dyn_replicas_results(replicas, theta, NULL));
    show("theta_norm", norm(count * p->size, theta), "-");
    free(adam);
    free(rates);
    free(theta);
    return replicas;
}

static void replicas_run(void *work, int64_t units)
{
    dyn_replicas_train(work, units);
}

static void replicas_free(void *work)
{
    dyn_replicas_free(work);
}

const verb verb_replicas = { "replicas", replicas_prepare, replicas_run, replicas_free };

typedef struct gradient_work {
    const problem *p;
    double *g;
} gradient_work;

static void gradient_run(void *work, int64_t units)
{
    gradient_work *w = work;
    double loss;

    for (int64_t i = 0; i < units; i++)
        must(w->p->ctx, dyn_objective_gradient(w->p->objective, w->p->theta, w->g, &loss));
}

static void *gradient_prepare(const problem *p, const spec *s)
{
    gradient_work *w = must_alloc(1, sizeof *w);

    (void)s;
    w->p = p;
    w->g = must_alloc((size_t)p->size, sizeof *w->g);
    gradient_run(w, 1);
    show("gradient_norm", norm(p->size, w->g), "-");
    return w;
}

static void gradient_free(void *work)
{
    free(((gradient_work *)work)->g);
    free(work);
}

const verb verb_gradient = { "gradient", gradient_prepare, gradient_run, gradient_free };
