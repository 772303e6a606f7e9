/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Eighteen trainings as one experiment: gradient descent on a line, rates around 2 / h where h is the second derivative, from
 * three starts. Those below end at the slope of the line, those above run away, as theory has it. All cores work; with
 * a store the same program goes on where it was killed, and Python draws it: dyn.plot(dyn.Sweep.open("rates.sqlite")).
 *
 * usage: sweep [STORE] */
#include <math.h>
#include <stdio.h>
#include <dyn/dyn.h>

enum { SAMPLES = 20, RATES = 6, STARTS = 3, COUNT = RATES * STARTS };
static const double SLOPE = 2.0, FACTOR[RATES] = { 0.5, 0.9, 0.99, 1.01, 1.1, 2.0 }, START[STARTS] = { -1.0, 0.5, 3.0 };

static double x_of(int i)
{
    return -1.0 + 2.0 * i / (SAMPLES - 1);
}

/* Of the mean of (w x - y)². */
static double second_derivative(void)
{
    double sum = 0.0;

    for (int i = 0; i < SAMPLES; i++)
        sum += 2.0 * x_of(i) * x_of(i);
    return sum / SAMPLES;
}

static dyn_status make_objective(dyn_ctx *ctx, dyn_objective **out)
{
    static const int64_t widths[2] = { 1, 1 }, shape[2] = { SAMPLES, 1 };
    dyn_perceptron_options line = DYN_PERCEPTRON_OPTIONS_INIT;
    double x[SAMPLES], y[SAMPLES];
    dyn_model *model = NULL;
    dyn_array *inputs = NULL, *targets = NULL;
    dyn_status s;

    for (int i = 0; i < SAMPLES; i++) {
        x[i] = x_of(i);
        y[i] = SLOPE * x[i];
    }
    line.widths = widths;
    line.widths_count = 2;
    line.no_output_bias = 1;
    s = dyn_model_perceptron(ctx, &line, &model);
    if (s >= 0)
        s = dyn_array_create(ctx, DYN_F64, 2, shape, x, &inputs);
    if (s >= 0)
        s = dyn_array_create(ctx, DYN_F64, 2, shape, y, &targets);
    if (s >= 0)
        s = dyn_objective_create(ctx, model, inputs, targets, NULL, out);
    dyn_array_unref(targets);
    dyn_array_unref(inputs);
    dyn_model_unref(model);
    return s;
}

/* The run of a member, called on several threads at once: all in the context that is given. */
static dyn_status make(void *user, dyn_ctx *ctx, int64_t member, const double *parameters, dyn_run **out)
{
    dyn_optimizer_options descent = DYN_OPTIMIZER_OPTIONS_INIT;
    dyn_run_options until = DYN_RUN_OPTIONS_INIT;
    dyn_objective *loss = NULL;
    dyn_status s;

    (void)user, (void)member;
    descent.kind = DYN_OPTIMIZER_GD;
    descent.rate = parameters[0];
    until.steps = 30000;
    s = make_objective(ctx, &loss);
    if (s >= 0)
        s = dyn_run_create(loss, &descent, &until, &parameters[1], out);
    dyn_objective_unref(loss);
    return s;
}

/* What the table is to have beside loss and steps. */
static int32_t look(void *user, dyn_sweep *sweep, int64_t member, dyn_run *run)
{
    double w;

    (void)user, (void)member;
    return dyn_run_theta(run, &w) < 0 || dyn_sweep_result(sweep, "slope", w) < 0;
}

static dyn_status make_sweep(dyn_ctx *ctx, const char *store, dyn_sweep **out)
{
    static const char *const names[2] = { "rate", "start" };
    const int64_t counts[2] = { RATES, STARTS };
    dyn_sweep_options options = DYN_SWEEP_OPTIONS_INIT;
    double rates[RATES], values[COUNT * 2];
    dyn_status s;

    for (int i = 0; i < RATES; i++)
        rates[i] = FACTOR[i] * 2.0 / second_derivative();
    s = dyn_sweep_grid(2, counts, (const double *const[]){ rates, START }, values, &options.count);
    options.parameters = 2;
    options.names = names;
    options.values = values;
    options.make = make;
    options.ended = look;
    options.store = store;
    return s >= 0 ? dyn_sweep_create(ctx, &options, out) : s;
}

/* How many are not as theory has it. */
static int check(dyn_sweep *sweep)
{
    double rate[COUNT], slope[COUNT];
    int wrong = 0;

    if (dyn_sweep_column(sweep, "rate", rate) < 0 || dyn_sweep_column(sweep, "slope", slope) < 0)
        return COUNT;
    for (int i = 0; i < COUNT; i++) {
        const int32_t expected = FACTOR[i / STARTS] < 1.0 ? DYN_MEMBER_DONE : DYN_MEMBER_NONFINITE;
        const int done = dyn_sweep_status(sweep, i) == DYN_MEMBER_DONE;

        printf("rate %.4f: %s%s\n", rate[i], done ? "ends at the slope" : "", dyn_sweep_message(sweep, i));
        wrong += dyn_sweep_status(sweep, i) != expected || (done && fabs(slope[i] - SLOPE) > 1e-9);
    }
    return wrong;
}

int main(int argc, char **argv)
{
    dyn_ctx *ctx = NULL;
    dyn_sweep *sweep = NULL;
    dyn_status s = dyn_ctx_create(NULL, &ctx);
    int wrong = COUNT;

    if (s >= 0)
        s = make_sweep(ctx, argc > 1 ? argv[1] : NULL, &sweep);
    if (s >= 0)
        s = dyn_sweep_train(sweep);
    if (s >= 0)
        wrong = check(sweep);
    else
        fprintf(stderr, "%s\n", ctx ? dyn_ctx_message(ctx) : dyn_status_text(s));
    dyn_sweep_free(sweep);
    dyn_ctx_free(ctx);
    return wrong != 0;
}
