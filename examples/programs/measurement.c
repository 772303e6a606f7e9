/* SPDX-License-Identifier: BSD-3-Clause
 *
 * A measurement of one's own, the angle between the gradients of two halves of the data, kept with the run and read
 * again in a fresh one. Usage: program_measurement IMAGES LABELS CHECKPOINT: the digits' files; the last is written. */
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <dyn/dyn.h>

/* ---- program ---- */
enum { HALF = 898, PIXELS = 64, HIDDEN = 30, CLASSES = 10, P = (PIXELS + 1) * HIDDEN + (HIDDEN + 1) * CLASSES };
typedef struct data { dyn_array *file[2], *x[2], *y[2]; } data;
typedef struct study { dyn_model *net; dyn_objective *half[2], *all; dyn_run *run; data d; } study;
static int32_t angle(void *user, const dyn_run_view *at)
{
    const study *s = user;
    double a[P], b[P], aa = 0, ab = 0, bb = 0;
    dyn_objective_gradient(s->half[0], at->theta, a, NULL);
    dyn_objective_gradient(s->half[1], at->theta, b, NULL);
    for (int i = 0; i < P; i++)
        aa += a[i] * a[i], ab += a[i] * b[i], bb += b[i] * b[i];
    const double degrees = acos(ab / sqrt(aa * bb)) * 180 / acos(-1);
    return dyn_run_record(at->run, "angle", 1, &degrees);
}
static dyn_status measure(dyn_ctx *ctx, char **path, study *s, double *theta)
{
    dyn_objective_options entropy = DYN_OBJECTIVE_OPTIONS_INIT;
    entropy.loss = DYN_LOSS_CROSS_ENTROPY;
    dyn_model_mlp(ctx, 3, (int64_t[]){ PIXELS, HIDDEN, CLASSES }, DYN_TANH, &s->net);
    dyn_model_initialise(s->net, NULL, theta);
    dyn_array_read(ctx, path[0], NULL, &s->d.file[0]);
    dyn_array_read(ctx, path[1], NULL, &s->d.file[1]);
    for (int i = 0; i < 2; i++) {
        dyn_array_slice(s->d.file[0], 0, i * HALF, HALF, &s->d.x[i]);
        dyn_array_slice(s->d.file[1], 0, i * HALF, HALF, &s->d.y[i]);
        dyn_objective_create(ctx, s->net, s->d.x[i], s->d.y[i], &entropy, &s->half[i]);
    }
    dyn_objective_sum(ctx, 2, s->half, (double[]){ 0.5, 0.5 }, &s->all);
    dyn_run_create(s->all, NULL, NULL, theta, &s->run);
    dyn_run_observe(s->run, angle, s, &(dyn_schedule){ .struct_size = sizeof(dyn_schedule), .every = 10 });
    dyn_run_train(s->run, 100);
    return dyn_run_save(s->run, path[2]);
}

/* ---- check: the first angle is that of gradients written out here; what a fresh run reads has the same bits ---- */

/* Adds the gradient of -log softmax(tanh(x W + b) V + c)_y. */
static void add_gradient(const double *theta, const uint8_t *x, uint8_t y, double *g)
{
    const int b = PIXELS * HIDDEN, v = b + HIDDEN, c = v + HIDDEN * CLASSES;
    double h[HIDDEN], f[CLASSES], sum = 0;

    for (int j = 0; j < HIDDEN; j++) {
        h[j] = theta[b + j];
        for (int i = 0; i < PIXELS; i++)
            h[j] += x[i] * theta[i * HIDDEN + j];
        h[j] = tanh(h[j]);
    }
    for (int k = 0; k < CLASSES; k++) {
        f[k] = theta[c + k];
        for (int j = 0; j < HIDDEN; j++)
            f[k] += h[j] * theta[v + j * CLASSES + k];
        sum += f[k] = exp(f[k]);
    }
    for (int k = 0; k < CLASSES; k++)
        g[c + k] += f[k] = f[k] / sum - (k == y);
    for (int j = 0; j < HIDDEN; j++) {
        double slope = 0;
        for (int k = 0; k < CLASSES; k++) {
            g[v + j * CLASSES + k] += f[k] * h[j];
            slope += f[k] * theta[v + j * CLASSES + k];
        }
        slope *= 1 - h[j] * h[j];
        g[b + j] += slope;
        for (int i = 0; i < PIXELS; i++)
            g[i * HIDDEN + j] += slope * x[i];
    }
}

static double expected_angle(const study *s, const double *theta)
{
    static double g[2][P];
    double aa = 0, ab = 0, bb = 0;

    for (int half = 0; half < 2; half++)
        for (int i = 0; i < HALF; i++)
            add_gradient(theta, (const uint8_t *)dyn_array_data(s->d.x[half]) + i * PIXELS,
                         ((const uint8_t *)dyn_array_data(s->d.y[half]))[i], g[half]);
    for (int i = 0; i < P; i++) {
        aa += g[0][i] * g[0][i];
        ab += g[0][i] * g[1][i];
        bb += g[1][i] * g[1][i];
    }
    return acos(ab / sqrt(aa * bb)) * 180 / acos(-1);
}

static int check(const study *s, const double *start, const char *path)
{
    int64_t rows = 0, again = 0;
    const int64_t *steps = NULL;
    const double *angles = NULL, *read = NULL;
    dyn_run *fresh = NULL;
    int wrong = dyn_run_series(s->run, "angle", &rows, NULL, &steps, &angles) < 0 || rows != 11 || steps[10] != 100;

    if (wrong)
        return wrong;
    wrong += !(fabs(angles[0] - expected_angle(s, start)) < 1e-8);
    wrong += dyn_run_load(s->all, NULL, NULL, path, &fresh) < 0 ||
             dyn_run_series(fresh, "angle", &again, NULL, NULL, &read) < 0 || again != rows ||
             memcmp(read, angles, (size_t)rows * sizeof *read) != 0;
    printf("angle %.2f degrees at the start, %.2f after %d steps\n", angles[0], angles[10], (int)steps[10]);
    dyn_run_free(fresh);
    return wrong;
}

int main(int argc, char **argv)
{
    study s = { NULL, { NULL }, NULL, NULL, { { NULL }, { NULL }, { NULL } } };
    double start[P];
    dyn_ctx *ctx = NULL;
    int wrong = 1;

    dyn_ctx_create(NULL, &ctx);
    if (argc != 4 || measure(ctx, argv + 1, &s, start) < 0)
        fprintf(stderr, "%s\n", argc == 4 ? dyn_ctx_message(ctx) : "usage: measurement IMAGES LABELS CHECKPOINT");
    else
        wrong = check(&s, start, argv[3]);
    dyn_run_free(s.run);
    dyn_objective_unref(s.all);
    for (int i = 0; i < 2; i++) {
        dyn_objective_unref(s.half[i]);
        dyn_array_unref(s.d.x[i]);
        dyn_array_unref(s.d.y[i]);
        dyn_array_unref(s.d.file[i]);
    }
    dyn_model_unref(s.net);
    dyn_ctx_free(ctx);
    return wrong;
}
