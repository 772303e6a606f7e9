/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Anchor functions: the token after a 3 is the answer, wherever the 3 stands. A transformer of two layers learns it and
 * answers for keys at places it has never seen; one layer learns the samples by heart (arXiv 2401.08309). One attention
 * layer would have to shift the key to its anchor and to find the anchor at once. */
#include <stdio.h>
#include <stdlib.h>
#include <dyn/dyn.h>

enum { LENGTH = 9, TOKENS = 201, TRAINED = 1000, TESTED = 500, STEPS = 300, DRAWS = LENGTH + 2 };

typedef struct sequences { dyn_array *tokens, *labels; } sequences;

/* Noise, an anchor, its key. Keys with (key - place) mod 8 = 0 are kept for the test. */
static int64_t fill(const double *u, int test, int64_t *s)
{
    const int64_t place = (int64_t)(u[LENGTH] * (LENGTH - 1));
    const int64_t base = test ? 24 + 8 * (int64_t)(u[LENGTH + 1] * 10) : 20 + (int64_t)(u[LENGTH + 1] * 80);

    for (int i = 0; i < LENGTH; i++)
        s[i] = 20 + (int64_t)(u[i] * 81);
    s[place] = 3;
    s[place + 1] = (!test && base % 8 == 0 ? base + 1 : base) + place;
    return s[place + 1];
}

static dyn_status generate(dyn_ctx *ctx, uint64_t seed, int64_t n, int test, sequences *out)
{
    static double u[TRAINED * DRAWS];
    static int64_t tokens[TRAINED * LENGTH], labels[TRAINED];
    dyn_status s = dyn_random_uniform(ctx, seed, 1, 0, n * DRAWS, u);

    for (int64_t i = 0; i < n; i++)
        labels[i] = fill(u + i * DRAWS, test, tokens + i * LENGTH);
    if (s >= 0)
        s = dyn_array_create(ctx, DYN_I64, 2, (int64_t[]){ n, LENGTH }, tokens, &out->tokens);
    return s >= 0 ? dyn_array_create(ctx, DYN_I64, 1, &n, labels, &out->labels) : s;
}

static dyn_status make_model(dyn_ctx *ctx, int32_t layers, dyn_model **out)
{
    dyn_transformer_options net = DYN_TRANSFORMER_OPTIONS_INIT;

    net.layers = layers;
    net.vocabulary = TOKENS;
    net.length = LENGTH;
    net.width = 64;
    net.key_width = 32;
    net.hidden = 128;
    return dyn_model_transformer(ctx, &net, out);
}

static dyn_status objective_of(dyn_ctx *ctx, dyn_model *model, const sequences *data, dyn_objective **out)
{
    dyn_objective_options loss = DYN_OBJECTIVE_OPTIONS_INIT;

    loss.loss = DYN_LOSS_CROSS_ENTROPY;
    loss.dtype = DYN_F32;
    return dyn_objective_create(ctx, model, data->tokens, data->labels, &loss, out);
}

static dyn_status train(dyn_model *model, dyn_objective *o, double *theta, dyn_run **run)
{
    dyn_optimizer_options adam = DYN_OPTIMIZER_OPTIONS_INIT;
    dyn_run_options opt = DYN_RUN_OPTIONS_INIT;
    dyn_init_options init = DYN_INIT_OPTIONS_INIT;
    dyn_status s;

    adam.kind = DYN_OPTIMIZER_ADAMW;
    adam.rate = 2e-3;
    adam.weight_decay = 0.01;
    opt.batch = 100;
    init.seed = 1;
    s = dyn_model_initialise(model, &init, theta);
    if (s >= 0)
        s = dyn_run_create(o, &adam, &opt, theta, run);
    if (s >= 0)
        s = dyn_run_train(*run, STEPS);
    return s >= 0 ? dyn_run_theta(*run, theta) : s;
}

/* Shares of right answers: of the samples, of keys at places never seen. */
static dyn_status experiment(dyn_ctx *ctx, const sequences data[2], int32_t layers, double right[2])
{
    dyn_objective *seen = NULL, *unseen = NULL;
    dyn_model *model = NULL;
    dyn_run *run = NULL;
    double *theta = NULL;
    dyn_status s = make_model(ctx, layers, &model);

    if (s >= 0)
        theta = malloc((size_t)dyn_model_size(model) * sizeof *theta);
    if (s >= 0 && !theta)
        s = DYN_ENOMEM;
    if (s >= 0)
        s = objective_of(ctx, model, &data[0], &seen);
    if (s >= 0)
        s = objective_of(ctx, model, &data[1], &unseen);
    if (s >= 0)
        s = train(model, seen, theta, &run);
    if (s >= 0)
        s = dyn_objective_accuracy(seen, theta, &right[0]);
    if (s >= 0)
        s = dyn_objective_accuracy(unseen, theta, &right[1]);
    dyn_run_free(run);
    free(theta);
    dyn_objective_unref(unseen);
    dyn_objective_unref(seen);
    dyn_model_unref(model);
    return s;
}

int main(void)
{
    double right[3][2] = { { 0 } };
    sequences data[2] = { { NULL, NULL }, { NULL, NULL } };
    dyn_ctx *ctx = NULL;
    dyn_status s = dyn_ctx_create(NULL, &ctx);

    if (s >= 0)
        s = generate(ctx, 1, TRAINED, 0, &data[0]);
    if (s >= 0)
        s = generate(ctx, 2, TESTED, 1, &data[1]);
    for (int layers = 1; layers <= 2 && s >= 0; layers++) {
        s = experiment(ctx, data, layers, right[layers]);
        printf("%d layer%s %5.1f %% of the samples, %5.1f %% of keys at new places\n", layers, layers == 1 ? ": " : "s:",
               100 * right[layers][0], 100 * right[layers][1]);
    }
    if (s < 0)
        fprintf(stderr, "%s\n", dyn_ctx_message(ctx));
    for (int i = 0; i < 2; i++) {
        dyn_array_unref(data[i].tokens);
        dyn_array_unref(data[i].labels);
    }
    dyn_ctx_free(ctx);
    return !(s >= 0 && right[1][0] > 0.9 && right[1][1] < 0.15 && right[2][1] > 0.85);
}
