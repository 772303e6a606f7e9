/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Condensation on a line: a target of four ReLU neurons, learned by a hundred from a tiny start. The orientation
 * atan2(bias, weight) of the neurons gathers in one direction first, then in two, three, ...: the network grows more
 * complex in steps, and the loss falls from plateau to plateau (arXiv 2504.09484). Five orientations at the end. */
#include <math.h>
#include <stdio.h>
#include <dyn/dyn.h>

enum { SAMPLES = 20, NEURONS = 100, PARAMETERS = 3 * NEURONS, STAGES = 6, BINS = 72 };
static const int64_t STAGE[STAGES] = { 1, 100, 1000, 5000, 20000, 100000 };

typedef struct job {
    dyn_ctx *ctx;
    dyn_model *model;
    dyn_objective *objective;
    dyn_run *run;
} job;

static double relu(double x)
{
    return x > 0.0 ? x : 0.0;
}

static dyn_status make_objective(job *j)
{
    static const int64_t widths[3] = { 1, NEURONS, 1 }, x_shape[2] = { SAMPLES, 1 }, y_shape[1] = { SAMPLES };
    dyn_perceptron_options net = DYN_PERCEPTRON_OPTIONS_INIT;
    dyn_array *inputs = NULL, *targets = NULL;
    double x[SAMPLES], y[SAMPLES];
    dyn_status s;

    for (int i = 0; i < SAMPLES; i++) {
        x[i] = -1.0 + 2.0 * i / (SAMPLES - 1);
        y[i] = -relu(x[i]) + relu(2.0 * (x[i] + 0.3)) - relu(1.5 * (x[i] - 0.4)) + relu(0.5 * (x[i] - 0.8));
    }
    net.widths = widths;
    net.widths_count = 3;
    net.activation = DYN_RELU;
    net.no_output_bias = 1;
    s = dyn_model_perceptron(j->ctx, &net, &j->model);
    if (s >= 0)
        s = dyn_array_create(j->ctx, DYN_F64, 2, x_shape, x, &inputs);
    if (s >= 0)
        s = dyn_array_create(j->ctx, DYN_F64, 1, y_shape, y, &targets);
    if (s >= 0)
        s = dyn_objective_create(j->ctx, j->model, inputs, targets, NULL, &j->objective);
    dyn_array_unref(targets);
    dyn_array_unref(inputs);
    return s;
}

static dyn_status make_run(job *j)
{
    dyn_init_options init = DYN_INIT_OPTIONS_INIT;
    dyn_optimizer_options descent = DYN_OPTIMIZER_OPTIONS_INIT;
    dyn_run_options opt = DYN_RUN_OPTIONS_INIT;
    double theta[PARAMETERS];
    dyn_status s;

    init.kind = DYN_INIT_NORMAL;
    init.scale = 1e-4;
    init.seed = 1;
    descent.kind = DYN_OPTIMIZER_GD;
    descent.rate = 0.1;
    opt.steps = STAGE[STAGES - 1];
    s = dyn_model_initialise(j->model, &init, theta);
    return s >= 0 ? dyn_run_create(j->objective, &descent, &opt, theta, &j->run) : s;
}

/* Orientations as the run stands; dead neurons, which never saw the data, are left out. */
static dyn_status measure(job *j, dyn_condensation **out)
{
    dyn_condensation_options opt = DYN_CONDENSATION_OPTIONS_INIT;
    double theta[PARAMETERS], features[2 * NEURONS], output[NEURONS];
    dyn_status s = dyn_run_theta(j->run, theta);

    opt.amplitude = DYN_AMPLITUDE_NORM;
    opt.threshold = 0.98;       /* cos 0.2: two orientations of the solution are 0.34 apart */
    opt.dead = 0.02;
    if (s >= 0)
        s = dyn_condensation_features(j->model, theta, 1, features, output);
    return s >= 0 ? dyn_condensation_measure(j->ctx, NEURONS, 2, features, 1, output, &opt, out) : s;
}

/* The circle from -pi to pi as a line of characters: the more amplitude in a bin, the darker. */
static dyn_status draw(const dyn_condensation *c, char *line)
{
    static const char shades[] = " .:-=+*#";
    double mass[BINS];
    dyn_status s = dyn_condensation_histogram(c, BINS, 0, mass, NULL);

    for (int i = 0; i < BINS && s >= 0; i++)
        line[i] = shades[(int)fmin(7.0, ceil(35.0 * mass[i]))];
    line[BINS] = '\0';
    return s;
}

static dyn_status show_stage(job *j, int64_t *orientations)
{
    char line[BINS + 1];
    int64_t rows = 0;
    const double *loss = dyn_run_history(j->run, "loss", &rows);
    dyn_condensation *c = NULL;
    dyn_status s = measure(j, &c);

    if (s >= 0)
        s = draw(c, line);
    if (s >= 0) {
        *orientations = dyn_condensation_effective(c);
        printf("%7d  %8.1e  %12d  |%s|\n", (int)dyn_run_step(j->run), loss[rows - 1], (int)*orientations, line);
    }
    dyn_condensation_free(c);
    return s;
}

/* *good is cleared unless there is one orientation first, five at the end, and never fewer than before. */
static dyn_status experiment(job *j, int *good)
{
    int64_t found[STAGES] = { 0 };
    dyn_status s = DYN_OK;

    puts("   step      loss  orientations  their amplitude from -pi to pi");
    for (int i = 0; i < STAGES && s >= 0; i++) {
        s = dyn_run_train(j->run, STAGE[i] - dyn_run_step(j->run));
        if (s >= 0)
            s = show_stage(j, &found[i]);
    }
    for (int i = 2; i < STAGES; i++)
        *good = *good && found[i] >= found[i - 1];
    *good = *good && found[1] == 1 && found[STAGES - 1] == 5;
    return s;
}

int main(void)
{
    job j = { NULL, NULL, NULL, NULL };
    int good = 1;
    dyn_status s = dyn_ctx_create(NULL, &j.ctx);

    if (s >= 0)
        s = make_objective(&j);
    if (s >= 0)
        s = make_run(&j);
    if (s >= 0)
        s = experiment(&j, &good);
    if (s < 0)
        fprintf(stderr, "%s\n", j.ctx ? dyn_ctx_message(j.ctx) : dyn_status_text(s));
    dyn_run_free(j.run);
    dyn_objective_unref(j.objective);
    dyn_model_unref(j.model);
    dyn_ctx_free(j.ctx);
    return s < 0 || !good;
}
