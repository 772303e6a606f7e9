/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Every family on a task of its own: its loss falls below what the task asks for. A family is a struct of options; what
 * comes after it, loss, run and steps, is the same for all. */
#include <stdio.h>
#include <dyn/dyn.h>

typedef struct task {
    const char *name;
    dyn_status (*make)(dyn_ctx *ctx, dyn_model **model, dyn_array **x, dyn_array **y);
    int32_t loss, optimizer;
    double rate, scale;         /* of the optimiser, and of the normal start; 0: the family's own */
    int64_t steps;
    double below;               /* the last loss is */
} task;

/* ---- the families, each with its data ---- */

static dyn_status perceptron(dyn_ctx *ctx, dyn_model **model, dyn_array **x, dyn_array **y)
{
    dyn_perceptron_options o = DYN_PERCEPTRON_OPTIONS_INIT;
    const dyn_status s = dyn_generate_target(ctx, DYN_TARGET_SIN_4, 50, 1, x, y);

    o.widths_count = 4;
    o.widths = (int64_t[]){ 1, 40, 40, 1 };
    return s < 0 ? s : dyn_model_perceptron(ctx, &o, model);
}

/* A wave of one of two lengths: which? */
static dyn_status cnn(dyn_ctx *ctx, dyn_model **model, dyn_array **x, dyn_array **y)
{
    enum { N = 32, LENGTH = 16 };
    dyn_cnn_options o = DYN_CNN_OPTIONS_INIT;
    double wave[N * LENGTH];
    int64_t class[N];

    for (int i = 0; i < N; i++) {
        class[i] = i % 2;
        for (int t = 0; t < LENGTH; t++)
            wave[i * LENGTH + t] = (t + i / 2) % (class[i] ? 6 : 4) < 2;
    }
    o.axes = 1;
    o.input = (int64_t[]){ LENGTH, 1 };
    o.convolutions = 2;
    o.channels = (int64_t[]){ 8, 0 };
    o.outputs = 2;
    dyn_status s = dyn_array_create(ctx, DYN_F64, 3, (int64_t[]){ N, LENGTH, 1 }, wave, x);
    if (s >= 0)
        s = dyn_array_create(ctx, DYN_I64, 1, (int64_t[]){ N }, class, y);
    return s < 0 ? s : dyn_model_cnn(ctx, &o, model);
}

/* Rows of tokens, the last of them the label. */
static dyn_status cut_label(dyn_ctx *ctx, dyn_array *rows, dyn_array **x, dyn_array **y)
{
    const int64_t n = dyn_array_shape(rows)[0], length = dyn_array_shape(rows)[1] - 1, *all = dyn_array_data(rows);
    int64_t tokens[200 * 9], labels[200];

    for (int64_t i = 0; i < n; i++) {
        for (int64_t t = 0; t < length; t++)
            tokens[i * length + t] = all[i * (length + 1) + t];
        labels[i] = all[i * (length + 1) + length];
    }
    const dyn_status s = dyn_array_create(ctx, DYN_I64, 2, (int64_t[]){ n, length }, tokens, x);
    return s < 0 ? s : dyn_array_create(ctx, DYN_I64, 1, &n, labels, y);
}

static dyn_status anchors(dyn_ctx *ctx, dyn_array **x, dyn_array **y)
{
    dyn_anchor_options o = DYN_ANCHOR_OPTIONS_INIT;
    dyn_array *rows = NULL;

    o.count = 200;
    dyn_status s = dyn_generate_anchor(ctx, &o, &rows);
    if (s >= 0)
        s = cut_label(ctx, rows, x, y);
    dyn_array_unref(rows);
    return s;
}

static dyn_status transformer(dyn_ctx *ctx, dyn_model **model, dyn_array **x, dyn_array **y)
{
    dyn_transformer_options o = DYN_TRANSFORMER_OPTIONS_INIT;
    const dyn_status s = anchors(ctx, x, y);

    o.vocabulary = 201;
    o.length = 9;
    o.width = 32;
    o.key_width = 16;
    o.hidden = 64;
    return s < 0 ? s : dyn_model_transformer(ctx, &o, model);
}

static dyn_status recurrent(dyn_ctx *ctx, dyn_model **model, dyn_array **x, dyn_array **y)
{
    dyn_recurrent_options o = DYN_RECURRENT_OPTIONS_INIT;
    const dyn_status s = anchors(ctx, x, y);

    o.vocabulary = 201;
    o.inputs = 32;
    o.length = 9;
    o.width = 32;
    o.outputs = 201;
    return s < 0 ? s : dyn_model_recurrent(ctx, &o, model);
}

/* Seven entries of a matrix of rank 1. */
static dyn_status factorisation(dyn_ctx *ctx, dyn_model **model, dyn_array **x, dyn_array **y)
{
    static const double left[4] = { 1, 2, 2, 1.5 }, right[4] = { 4, .6, 1.8, .8 };
    static const int64_t seen[7] = { 0, 1, 2, 3, 4, 8, 12 };
    dyn_factorisation_options o = DYN_FACTORISATION_OPTIONS_INIT;
    double value[7];

    for (int i = 0; i < 7; i++)
        value[i] = left[seen[i] / 4] * right[seen[i] % 4];
    o.widths = (int64_t[]){ 4, 4, 4 };
    dyn_status s = dyn_array_create(ctx, DYN_I64, 1, (int64_t[]){ 7 }, seen, x);
    if (s >= 0)
        s = dyn_array_create(ctx, DYN_F64, 2, (int64_t[]){ 7, 1 }, value, y);
    return s < 0 ? s : dyn_model_factorisation(ctx, &o, model);
}

static dyn_status polynomial(dyn_ctx *ctx, dyn_model **model, dyn_array **x, dyn_array **y)
{
    dyn_polynomial_options o = DYN_POLYNOMIAL_OPTIONS_INIT;
    const dyn_status s = dyn_generate_target(ctx, DYN_TARGET_CHEBYSHEV_3, 20, 1, x, y);

    o.degree = 3;
    return s < 0 ? s : dyn_model_polynomial(ctx, &o, model);
}

/* ---- what is the same for all ---- */

static dyn_status start(dyn_ctx *ctx, const task *t, dyn_model *model, double *theta)
{
    dyn_init_options init = DYN_INIT_OPTIONS_INIT;

    (void)ctx;
    init.kind = t->scale > 0 ? DYN_INIT_NORMAL : DYN_INIT_DEFAULT;
    init.scale = t->scale > 0 ? t->scale : 1;
    return dyn_model_initialise(model, &init, theta);
}

static dyn_status train(dyn_ctx *ctx, const task *t, dyn_objective *objective, dyn_model *model, double *last)
{
    static double theta[30000];
    dyn_optimizer_options optimizer = DYN_OPTIMIZER_OPTIONS_INIT;
    dyn_run *run = NULL;

    if (dyn_model_size(model) > (int64_t)(sizeof theta / sizeof *theta))
        return DYN_EFULL;
    optimizer.kind = t->optimizer;
    optimizer.rate = t->rate;
    dyn_status s = start(ctx, t, model, theta);
    if (s >= 0)
        s = dyn_run_create(objective, &optimizer, NULL, theta, &run);
    if (s >= 0)
        s = dyn_run_train(run, t->steps);
    if (s >= 0)
        s = dyn_run_theta(run, theta);
    dyn_run_free(run);
    return s < 0 ? s : dyn_objective_value(objective, theta, last);
}

static dyn_status learn(dyn_ctx *ctx, const task *t, double *last)
{
    dyn_objective_options loss = DYN_OBJECTIVE_OPTIONS_INIT;
    dyn_model *model = NULL;
    dyn_array *x = NULL, *y = NULL;
    dyn_objective *objective = NULL;
    dyn_status s = t->make(ctx, &model, &x, &y);

    loss.loss = t->loss;
    if (s >= 0)
        s = dyn_objective_create(ctx, model, x, y, &loss, &objective);
    if (s >= 0)
        s = train(ctx, t, objective, model, last);
    dyn_objective_unref(objective);
    dyn_array_unref(y);
    dyn_array_unref(x);
    dyn_model_unref(model);
    return s;
}

static const task tasks[] = {
    { "perceptron", perceptron, DYN_LOSS_MSE, DYN_OPTIMIZER_ADAM, 5e-3, 0, 3000, 1e-2 },
    { "cnn", cnn, DYN_LOSS_CROSS_ENTROPY, DYN_OPTIMIZER_ADAM, 1e-2, 0, 300, 1e-2 },
    { "transformer", transformer, DYN_LOSS_CROSS_ENTROPY, DYN_OPTIMIZER_ADAM, 2e-3, 0, 200, 5e-2 },
    { "recurrent", recurrent, DYN_LOSS_CROSS_ENTROPY, DYN_OPTIMIZER_ADAM, 1e-2, 0, 300, 5e-2 },
    { "factorisation", factorisation, DYN_LOSS_MSE, DYN_OPTIMIZER_GD, 2e-2, 1e-7, 20000, 1e-12 },
    { "polynomial", polynomial, DYN_LOSS_MSE, DYN_OPTIMIZER_ADAM, 1e-2, 0, 10000, 1e-12 },
};

int main(void)
{
    dyn_ctx *ctx = NULL;
    int failed = dyn_ctx_create(NULL, &ctx) < 0;

    for (size_t i = 0; i < sizeof tasks / sizeof *tasks && ctx; i++) {
        double last = -1;
        const dyn_status s = learn(ctx, &tasks[i], &last);

        printf("%-14s loss %.1e of at most %.1e%s%s\n", tasks[i].name, last, tasks[i].below, s < 0 ? ": " : "",
               s < 0 ? dyn_ctx_message(ctx) : "");
        failed += s < 0 || !(last <= tasks[i].below);
    }
    dyn_ctx_free(ctx);
    return failed != 0;
}
