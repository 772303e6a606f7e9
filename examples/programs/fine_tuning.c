/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Fine-tuning: all but the biases and the last layer of a network stand still; the sharpness of what moves.
 * Usage: fine_tuning DATA, the folder with the digits. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <dyn/dyn.h>

enum { OLD = 64 * 30 + 30 + 30 * 10 + 10, NEW = 30 + 30 * 10 + 10, HALF = 898 };
static dyn_array *x[2], *y[2];

/* Halves of the digits, classes as integers. */
static dyn_status read_digits(dyn_ctx *ctx, const char *folder)
{
    char path[4096];
    dyn_array *pixels = NULL, *bytes = NULL, *labels = NULL;

    snprintf(path, sizeof path, "%s/digits-images.npy", folder);
    dyn_array_read(ctx, path, NULL, &bytes);
    dyn_array_convert(bytes, DYN_F64, &pixels);
    dyn_array_unref(bytes);
    snprintf(path, sizeof path, "%s/digits-labels.npy", folder);
    dyn_array_read(ctx, path, NULL, &bytes);
    dyn_array_convert(bytes, DYN_I64, &labels);
    dyn_status s = DYN_OK;
    for (int i = 0; i < 2; i++) {
        dyn_array_slice(pixels, 0, i * HALF, HALF, &x[i]);
        s = dyn_array_slice(labels, 0, i * HALF, HALF, &y[i]);
    }
    dyn_array_unref(bytes);
    dyn_array_unref(labels);
    dyn_array_unref(pixels);
    return s;
}

/* ---- program ---- */
static dyn_status train(dyn_ctx *ctx, dyn_model *model, int half, const double *theta, dyn_run **run)
{
    dyn_objective_options entropy = DYN_OBJECTIVE_OPTIONS_INIT;
    dyn_run_options batches = DYN_RUN_OPTIONS_INIT;
    dyn_optimizer_options adam = DYN_OPTIMIZER_OPTIONS_INIT;
    dyn_objective *loss = NULL;
    entropy.loss = DYN_LOSS_CROSS_ENTROPY, batches.batch = 64, adam.kind = DYN_OPTIMIZER_ADAM;
    dyn_objective_create(ctx, model, x[half], y[half], &entropy, &loss);
    dyn_status s = dyn_run_create(loss, &adam, &batches, theta, run);
    dyn_objective_unref(loss);
    return s;
}
typedef struct tuning { dyn_model *whole, *moving; dyn_run *first, *second; dyn_sharpness_tracker *sharpness; } tuning;
static dyn_status fine_tune(dyn_ctx *ctx, double *start, tuning *t)
{
    dyn_perceptron_options net = DYN_PERCEPTRON_OPTIONS_INIT;
    net.widths = (int64_t[]){ 64, 30, 10 }, net.widths_count = 3, net.activation = DYN_TANH;
    dyn_model_perceptron(ctx, &net, &t->whole);
    dyn_model_initialise(t->whole, NULL, start);
    train(ctx, t->whole, 0, start, &t->first);
    dyn_run_train(t->first, 100);
    dyn_run_theta(t->first, start);
    dyn_model_freeze(t->whole, 1, (const char *const[]){ "W1" }, start, &t->moving);
    dyn_sharpness_tracker_create(ctx, NEW, NULL, &t->sharpness);
    train(ctx, t->moving, 1, start + 64 * 30, &t->second);        /* what moves lies behind W1 */
    dyn_sharpness_observe(t->sharpness, t->second, &(dyn_schedule){ .struct_size = sizeof(dyn_schedule), .every = 50 });
    return dyn_run_train(t->second, 100);
}

/* ---- check: W1 has its bits, all else moved, the loss of the second half fell, with a sharpness for each look ---- */
int main(int argc, char **argv)
{
    dyn_ctx *ctx = NULL;
    tuning t = { NULL, NULL, NULL, NULL, NULL };
    double start[OLD], end[NEW], expanded[OLD];
    int64_t rows = 0, looks = 0;
    int wrong = 0;

    dyn_ctx_create(NULL, &ctx);
    if (argc != 2 || read_digits(ctx, argv[1]) < 0 || fine_tune(ctx, start, &t) < 0) {
        fprintf(stderr, "%s\n", argc == 2 ? dyn_ctx_message(ctx) : "usage: fine_tuning DATA");
        return 1;
    }
    dyn_run_theta(t.second, end);
    wrong += dyn_objective_size(dyn_run_objective(t.second)) != NEW || dyn_model_expand(t.moving, end, expanded) < 0;
    wrong += memcmp(expanded, start, 64 * 30 * sizeof *start) != 0;
    for (int i = 0; i < NEW; i++)
        wrong += expanded[64 * 30 + i] != end[i] || end[i] == start[64 * 30 + i];
    const double *loss = dyn_run_history(t.second, "loss", &rows);
    wrong += !(loss[rows - 1] < 0.7 * loss[0]);
    wrong += dyn_run_series(t.second, "threshold", &looks, NULL, NULL, NULL) < 0 || looks != 3;
    printf("loss of the other half %.3f to %.3f, %d sharpness values\n", loss[0], loss[rows - 1], (int)looks);
    dyn_run_free(t.first);
    dyn_run_free(t.second);
    dyn_sharpness_tracker_free(t.sharpness);
    dyn_model_unref(t.moving);
    dyn_model_unref(t.whole);
    for (int i = 0; i < 2; i++) {
        dyn_array_unref(x[i]);
        dyn_array_unref(y[i]);
    }
    dyn_ctx_free(ctx);
    return wrong != 0;
}
