/* SPDX-License-Identifier: BSD-3-Clause
 *
 * A perceptron on digits: Adam with warm-up and cosine, a validation set, early stop, the best parameters back.
 * Usage: program_digits IMAGES LABELS CHECKPOINT: the first two are the digits' files, the last is written. */
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <dyn/dyn.h>

/* ---- program ---- */
enum { PIXELS = 64, HIDDEN = 100, CLASSES = 10, P = (PIXELS + 1) * HIDDEN + (HIDDEN + 1) * CLASSES };
static const int64_t widths[] = { PIXELS, HIDDEN, CLASSES }, first[] = { 0, 1400 }, count[] = { 1400, 397 };
typedef struct study { dyn_optimizer_options adam; dyn_run_options options; dyn_array *x[2], *y[2]; } study;
static dyn_status learn(dyn_ctx *ctx, char **path, study *s, double *theta, dyn_run **run)
{
    dyn_array *images = NULL, *labels = NULL;
    dyn_model *model = NULL;
    dyn_objective *loss[2] = { NULL };
    dyn_objective_options entropy = DYN_OBJECTIVE_OPTIONS_INIT;
    entropy.loss = DYN_LOSS_CROSS_ENTROPY;
    s->adam.kind = DYN_OPTIMIZER_ADAM, s->adam.rate = 1e-3, s->adam.warmup = 50;
    s->adam.schedule = DYN_RATE_COSINE, s->adam.period = 3000;
    s->options.batch = 64, s->options.steps = 3000, s->options.validate_every = 20, s->options.patience = 10;
    dyn_array_read(ctx, path[0], NULL, &images);
    dyn_array_read(ctx, path[1], NULL, &labels);
    dyn_model_mlp(ctx, 3, widths, DYN_TANH, &model);
    dyn_model_initialise(model, NULL, theta);
    for (int i = 0; i < 2; i++) {
        dyn_array_slice(images, 0, first[i], count[i], &s->x[i]);
        dyn_array_slice(labels, 0, first[i], count[i], &s->y[i]);
        dyn_objective_create(ctx, model, s->x[i], s->y[i], &entropy, &loss[i]);
    }
    s->options.validation = loss[1];
    dyn_run_create(loss[0], &s->adam, &s->options, theta, run);
    dyn_run_train(*run, DYN_TO_END);
    dyn_run_best(*run, theta, NULL, NULL);
    dyn_array_unref(images), dyn_array_unref(labels), dyn_model_unref(model), dyn_objective_unref(loss[0]);
    return dyn_run_save(*run, path[2]);
}

/* ---- check: the best parameters are those of the smallest validation loss, written out; a checkpoint has them ---- */
static double cross_entropy(const double *theta, const uint8_t *x, uint8_t y)
{
    const double *w = theta, *b = w + PIXELS * HIDDEN, *v = b + HIDDEN, *c = v + HIDDEN * CLASSES;
    double f[CLASSES], sum = 0;

    memcpy(f, c, sizeof f);
    for (int j = 0; j < HIDDEN; j++) {
        double h = b[j];
        for (int i = 0; i < PIXELS; i++)
            h += x[i] * w[i * HIDDEN + j];
        for (int k = 0; k < CLASSES; k++)
            f[k] += tanh(h) * v[j * CLASSES + k];
    }
    for (int k = 0; k < CLASSES; k++)
        sum += exp(f[k]);
    return log(sum) - f[y];
}

static int check(const study *s, const dyn_run *run, const double *best, const char *path)
{
    const uint8_t *x = dyn_array_data(s->x[1]), *y = dyn_array_data(s->y[1]);
    double loss = 0, smallest = INFINITY, told = 0, accuracy = 0, again[P];
    int64_t rows = 0, step = 0;
    int wrong = 0;
    const double *seen = dyn_run_history(run, "validation_loss", &rows);
    dyn_run *loaded = NULL;

    for (int64_t i = 0; i < count[1]; i++)
        loss += cross_entropy(best, x + i * PIXELS, y[i]) / (double)count[1];
    for (int64_t i = 0; i < rows; i++)
        smallest = fmin(smallest, seen[i]);
    wrong += !(fabs(loss - smallest) < 1e-12) || dyn_run_best(run, again, &told, &step) < 0 || told != smallest;
    wrong += dyn_run_load(dyn_run_objective(run), &s->adam, &s->options, path, &loaded) < 0 ||
             dyn_run_best(loaded, again, NULL, NULL) < 0 || memcmp(again, best, sizeof again) != 0;
    wrong += dyn_objective_accuracy(s->options.validation, best, &accuracy) < 0 || !(accuracy > 0.9);
    printf("best at step %d of %d: validation loss %.4f, accuracy %.3f\n", (int)step, (int)dyn_run_step(run), loss,
           accuracy);
    dyn_run_free(loaded);
    return wrong;
}

int main(int argc, char **argv)
{
    study s = { DYN_OPTIMIZER_OPTIONS_INIT, DYN_RUN_OPTIONS_INIT, { NULL }, { NULL } };
    double best[P];
    dyn_run *run = NULL;
    dyn_ctx *ctx = NULL;
    int wrong = 1;

    dyn_ctx_create(NULL, &ctx);
    if (argc != 4 || learn(ctx, argv + 1, &s, best, &run) < 0)
        fprintf(stderr, "%s\n", argc == 4 ? dyn_ctx_message(ctx) : "usage: program_digits IMAGES LABELS CHECKPOINT");
    else
        wrong = check(&s, run, best, argv[3]);
    dyn_run_free(run);
    dyn_objective_unref(s.options.validation);
    for (int i = 0; i < 2; i++) {
        dyn_array_unref(s.x[i]);
        dyn_array_unref(s.y[i]);
    }
    dyn_ctx_free(ctx);
    return wrong != 0;
}
