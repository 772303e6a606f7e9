/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Why Adam's loss spikes (arXiv 2506.04805): as gradients shrink, Adam's second moments decay and its preconditioner
 * grows, until the largest eigenvalue of the preconditioned Hessian crosses 2/rate. Where the gradient turns into that
 * direction too, the loss jumps. A 1-20-1 tanh network learns sin x + sin 4x; the program lists every spike with the
 * crossing before it, and shows that gradient descent with the same rate, far below its own threshold, has none. */
#include <math.h>
#include <stdio.h>
#include <dyn/dyn.h>

enum { SAMPLES = 200, STEPS = 2300, PARAMETERS = 61, LEAD = 100 /* steps in which a crossing may precede its spike */ };

typedef struct problem {
    dyn_ctx *ctx;
    dyn_model *model;
    dyn_objective *objective;
} problem;

static dyn_status make_problem(problem *p)
{
    static const int64_t widths[3] = { 1, 20, 1 }, x_shape[2] = { SAMPLES, 1 }, y_shape[1] = { SAMPLES };
    const double pi = 3.14159265358979323846;
    dyn_perceptron_options net = DYN_PERCEPTRON_OPTIONS_INIT;
    dyn_array *inputs = NULL, *targets = NULL;
    double x[SAMPLES], y[SAMPLES];
    dyn_status s;

    for (int i = 0; i < SAMPLES; i++) {
        x[i] = -pi + 2.0 * pi * i / (SAMPLES - 1);
        y[i] = sin(x[i]) + sin(4.0 * x[i]);
    }
    net.widths = widths;
    net.widths_count = 3;
    net.activation = DYN_TANH;
    s = dyn_model_perceptron(p->ctx, &net, &p->model);
    if (s >= 0)
        s = dyn_array_create(p->ctx, DYN_F64, 2, x_shape, x, &inputs);
    if (s >= 0)
        s = dyn_array_create(p->ctx, DYN_F64, 1, y_shape, y, &targets);
    if (s >= 0)
        s = dyn_objective_create(p->ctx, p->model, inputs, targets, NULL, &p->objective);
    dyn_array_unref(targets);
    dyn_array_unref(inputs);
    return s;
}

/* Train and measure every so many steps; what is recorded stays in the run. */
static dyn_status train(problem *p, int32_t kind, int64_t every, dyn_run **run)
{
    dyn_schedule when = DYN_SCHEDULE_INIT;
    dyn_init_options init = DYN_INIT_OPTIONS_INIT;
    dyn_optimizer_options optimizer = DYN_OPTIMIZER_OPTIONS_INIT;
    dyn_run_options opt = DYN_RUN_OPTIONS_INIT;
    dyn_sharpness_options sharp = DYN_SHARPNESS_OPTIONS_INIT;
    dyn_sharpness_tracker *tracker = NULL;
    double theta[PARAMETERS];
    dyn_status s;

    init.seed = 1;
    optimizer.kind = kind;
    optimizer.rate = 0.01;
    opt.steps = STEPS;
    sharp.no_raw = 1;
    when.every = every;
    s = dyn_model_initialise(p->model, &init, theta);
    if (s >= 0)
        s = dyn_run_create(p->objective, &optimizer, &opt, theta, run);
    if (s >= 0)
        s = dyn_sharpness_tracker_create(p->ctx, PARAMETERS, &sharp, &tracker);
    if (s >= 0)
        s = dyn_sharpness_observe(tracker, *run, &when);
    if (s >= 0)
        s = dyn_run_train(*run, DYN_TO_END);
    dyn_sharpness_tracker_free(tracker);
    return s;
}

/* The intervals in which a recorded curvature is above 2/rate. */
static dyn_status crossings(const problem *p, const dyn_run *run, const char *series, dyn_episodes **out)
{
    const double *values, *threshold;
    const int64_t *steps;
    int64_t rows;
    dyn_status s = dyn_run_series(run, series, &rows, NULL, &steps, &values);

    if (s >= 0)
        s = dyn_run_series(run, "threshold", NULL, NULL, NULL, &threshold);
    return s >= 0 ? dyn_episodes_above(p->ctx, rows, steps, values, threshold, out) : s;
}

static dyn_status spikes(const problem *p, const dyn_run *run, dyn_episodes **out)
{
    int64_t rows;
    const double *loss = dyn_run_history(run, "loss", &rows);

    return dyn_episodes_spikes(p->ctx, rows, NULL, loss, NULL, out);
}

/* The last crossing not after a step; -1 without one. */
static int64_t crossing_before(const dyn_episodes *e, int64_t step)
{
    int64_t last = -1;

    for (int64_t i = 0; i < dyn_episodes_count(e) && dyn_episodes_starts(e)[i] <= step; i++)
        last = dyn_episodes_starts(e)[i];
    return last;
}

static void print_spikes(const dyn_run *run, const dyn_episodes *spike, const dyn_episodes *sharp,
                         const dyn_episodes *along)
{
    const double *loss = dyn_run_history(run, "loss", NULL);

    puts("sharpness crosses   curvature along the gradient   loss rises    peak   loss before   at the peak");
    for (int64_t i = 0; i < dyn_episodes_count(spike); i++) {
        const int64_t start = dyn_episodes_starts(spike)[i], peak = dyn_episodes_peaks(spike)[i];
        const int64_t crossed = crossing_before(sharp, start);

        printf("%17d   %28d   %10d   %5d   %11.2e   %11.2e\n", (int)crossed, (int)crossing_before(along, peak),
               (int)start, (int)peak, loss[crossed < 0 ? 0 : crossed], loss[peak]);
    }
}

/* Adam: every spike is foretold. *good is cleared if one is not. */
static dyn_status with_adam(problem *p, int *good)
{
    dyn_run *run = NULL;
    dyn_episodes *spike = NULL, *sharp = NULL, *along = NULL;
    int64_t hits = 0, missed = 0, alarms = 0;
    dyn_status s = train(p, DYN_OPTIMIZER_ADAM, 1, &run);

    if (s >= 0)
        s = spikes(p, run, &spike);
    if (s >= 0)
        s = crossings(p, run, "sharpness_pre", &sharp);
    if (s >= 0)
        s = crossings(p, run, "lambda_grad_pre", &along);
    if (s >= 0)
        s = dyn_episodes_confusion(sharp, spike, LEAD, &hits, &missed, &alarms);
    if (s >= 0) {
        print_spikes(run, spike, sharp, along);
        printf("Adam: %d spikes, %d foretold by the sharpness of its preconditioned Hessian, %d false alarms\n",
               (int)dyn_episodes_count(spike), (int)hits, (int)alarms);
        *good = *good && hits >= 2 && missed == 0 && dyn_episodes_starts(sharp)[0] < dyn_episodes_starts(spike)[0];
    }
    dyn_episodes_free(along);
    dyn_episodes_free(sharp);
    dyn_episodes_free(spike);
    dyn_run_free(run);
    return s;
}

/* Gradient descent with the same rate: no crossing, no spike. */
static dyn_status with_gradient_descent(problem *p, int *good)
{
    dyn_run *run = NULL;
    dyn_episodes *spike = NULL, *sharp = NULL;
    dyn_status s = train(p, DYN_OPTIMIZER_GD, 10, &run);

    if (s >= 0)
        s = spikes(p, run, &spike);
    if (s >= 0)
        s = crossings(p, run, "sharpness_pre", &sharp);
    if (s >= 0) {
        printf("gradient descent: %d spikes, %d crossings\n", (int)dyn_episodes_count(spike),
               (int)dyn_episodes_count(sharp));
        *good = *good && dyn_episodes_count(spike) == 0 && dyn_episodes_count(sharp) == 0;
    }
    dyn_episodes_free(sharp);
    dyn_episodes_free(spike);
    dyn_run_free(run);
    return s;
}

int main(void)
{
    problem p = { NULL, NULL, NULL };
    int good = 1;
    dyn_status s = dyn_ctx_create(NULL, &p.ctx);

    if (s >= 0)
        s = make_problem(&p);
    if (s >= 0)
        s = with_adam(&p, &good);
    if (s >= 0)
        s = with_gradient_descent(&p, &good);
    if (s < 0)
        fprintf(stderr, "%s\n", p.ctx ? dyn_ctx_message(p.ctx) : dyn_status_text(s));
    dyn_objective_unref(p.objective);
    dyn_model_unref(p.model);
    dyn_ctx_free(p.ctx);
    return s < 0 || !good;
}
