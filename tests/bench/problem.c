/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The problem of a case: with the key model=decoder a transformer (decoder.c), with model=cnn a convolutional network
 * (convolution.c), else a perceptron. Keys widths, dtype (f32, f64), data (line, normal, digits), samples, loss (mse,
 * cross_entropy), output_bias, warm (Adam steps taken before anything is measured), export, digits (their folder).
 * Numbers come from libdyn's generator; the peers read the exported files. */
#include "bench.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void *must_alloc(size_t count, size_t size)
{
    void *p = calloc(count, size);

    if (!p) {
        printf("error: out of memory\n");
        exit(1);
    }
    return p;
}

void must(const dyn_ctx *ctx, dyn_status s)
{
    if (s >= 0)
        return;
    printf("error: %s\n", dyn_ctx_message(ctx));
    exit(1);
}

void show(const char *name, double value, const char *unit)
{
    printf("%s %.17g %s\n", name, value, unit);
}

double norm(int64_t n, const double *v)
{
    double sum = 0;

    for (int64_t i = 0; i < n; i++)
        sum += v[i] * v[i];
    return sqrt(sum);
}

void spec_parse(spec *s, const char *line)
{
    char *rest = NULL;

    s->count = 0;
    snprintf(s->text, sizeof s->text, "%s", line);
    for (char *word = strtok_r(s->text, " ", &rest); word && s->count < SPEC_MAX; word = strtok_r(NULL, " ", &rest)) {
        char *equals = strchr(word, '=');

        if (!equals)
            continue;
        *equals = 0;
        s->key[s->count] = word;
        s->value[s->count++] = equals + 1;
    }
}

const char *spec_text(const spec *s, const char *key, const char *fallback)
{
    for (int i = 0; i < s->count; i++)
        if (!strcmp(s->key[i], key))
            return s->value[i];
    return fallback;
}

int64_t spec_int(const spec *s, const char *key, int64_t fallback)
{
    const char *text = spec_text(s, key, NULL);

    return text ? strtoll(text, NULL, 10) : fallback;
}

double spec_real(const spec *s, const char *key, double fallback)
{
    const char *text = spec_text(s, key, NULL);

    return text ? strtod(text, NULL) : fallback;
}

dyn_optimizer_options problem_optimizer(const spec *s)
{
    dyn_optimizer_options opt;

    dyn_optimizer_defaults(spec_int(s, "adamw", 0) ? DYN_OPTIMIZER_ADAMW : DYN_OPTIMIZER_ADAM, &opt);
    opt.rate = spec_real(s, "rate", 0.001);
    opt.clip_norm = spec_real(s, "clip", 0);
    return opt;
}

static void make_model(problem *p, const spec *s)
{
    dyn_perceptron_options opt = DYN_PERCEPTRON_OPTIONS_INIT;
    const char *text = spec_text(s, "widths", "1,100,1");
    int64_t *widths = must_alloc(strlen(text), sizeof *widths);
    int32_t count = 0;

    for (const char *at = text; at; at = strchr(at, ',')) {
        at += *at == ',';
        widths[count++] = strtoll(at, NULL, 10);
    }
    opt.widths_count = count;
    opt.widths = widths;
    opt.activation = DYN_TANH;
    opt.no_output_bias = !spec_int(s, "output_bias", 1);
    must(p->ctx, dyn_model_perceptron(p->ctx, &opt, &p->model));
    free(widths);
}

/* y_j = sin(3 sum(x) / sqrt(inputs) + j), targets that a perceptron can learn. */
static void make_targets(problem *p, int64_t inputs)
{
    const double *x = dyn_array_data(p->x);
    const int64_t outputs = dyn_model_output_size(p->model), shape[2] = { p->samples, outputs };
    double *y = must_alloc((size_t)(p->samples * outputs), sizeof *y);

    for (int64_t i = 0; i < p->samples; i++) {
        double sum = 0;

        for (int64_t j = 0; j < inputs; j++)
            sum += x[i * inputs + j];
        for (int64_t j = 0; j < outputs; j++)
            y[i * outputs + j] = sin(3 * sum / sqrt((double)inputs) + (double)j);
    }
    must(p->ctx, dyn_array_create(p->ctx, DYN_F64, 2, shape, y, &p->y));
    free(y);
}

static void make_data(problem *p, const spec *s, int line)
{
    const int64_t inputs = dyn_model_input_size(p->model);
    const int64_t shape[2] = { p->samples = spec_int(s, "samples", 80), inputs };
    double *x = must_alloc((size_t)(shape[0] * inputs), sizeof *x);

    if (line)
        for (int64_t i = 0; i < shape[0]; i++)
            x[i] = 2 * (double)i / (double)(shape[0] - 1) - 1;
    else
        must(p->ctx, dyn_random_normal(p->ctx, 7, 1, 0, shape[0] * inputs, x));
    must(p->ctx, dyn_array_create(p->ctx, DYN_F64, 2, shape, x, &p->x));
    free(x);
    make_targets(p, inputs);
}

static dyn_array *read_digits(problem *p, const spec *s, const char *what, int32_t dtype)
{
    char path[1024];
    dyn_array *raw, *converted;

    snprintf(path, sizeof path, "%s/digits-%s.npy", spec_text(s, "digits", "examples/data"), what);
    must(p->ctx, dyn_array_read(p->ctx, path, NULL, &raw));
    must(p->ctx, dyn_array_convert(raw, dtype, &converted));
    dyn_array_unref(raw);
    return converted;
}

static void make_digits(problem *p, const spec *s)
{
    dyn_array *pixels = read_digits(p, s, "images", DYN_F64), *labels = read_digits(p, s, "labels", DYN_I64);
    const int64_t count = dyn_array_size(pixels);
    const double *raw = dyn_array_data(pixels);
    double *x = must_alloc((size_t)count, sizeof *x);

    for (int64_t i = 0; i < count; i++)
        x[i] = raw[i] / 16;
    p->samples = dyn_array_shape(pixels)[0];
    must(p->ctx, dyn_array_create(p->ctx, DYN_F64, 2, dyn_array_shape(pixels), x, &p->x));
    must(p->ctx, dyn_array_one_hot(labels, 10, DYN_F64, &p->y));
    free(x);
    dyn_array_unref(pixels);
    dyn_array_unref(labels);
}

static void perceptron_create(problem *p, const spec *s)
{
    const char *data = spec_text(s, "data", "line");

    make_model(p, s);
    if (!strcmp(data, "digits"))
        make_digits(p, s);
    else
        make_data(p, s, !strcmp(data, "line"));
}

static void make_objective(problem *p, const spec *s)
{
    dyn_objective_options opt = DYN_OBJECTIVE_OPTIONS_INIT;

    opt.loss = strcmp(spec_text(s, "loss", "mse"), "mse") ? DYN_LOSS_CROSS_ENTROPY : DYN_LOSS_MSE;
    opt.dtype = strcmp(spec_text(s, "dtype", "f32"), "f32") ? DYN_F64 : DYN_F32;
    must(p->ctx, dyn_objective_create(p->ctx, p->model, p->x, p->y, &opt, &p->objective));
    p->outputs = dyn_objective_outputs(p->objective);
}

/* Where training has been for a while the spectrum has its usual form. */
static void warm_up(problem *p, const spec *s)
{
    const int64_t steps = spec_int(s, "warm", 0);
    const dyn_optimizer_options adam = problem_optimizer(s);
    dyn_run *run;

    if (!steps)
        return;
    must(p->ctx, dyn_run_create(p->objective, &adam, NULL, p->theta, &run));
    must(p->ctx, dyn_run_train(run, steps));
    must(p->ctx, dyn_run_theta(run, p->theta));
    dyn_run_free(run);
}

void problem_export(const problem *p, const spec *s, const char *name, int32_t rank, const int64_t *shape,
                    const double *data)
{
    const char *folder = spec_text(s, "export", NULL);
    char path[1024];
    dyn_array *a;

    if (!folder)
        return;
    snprintf(path, sizeof path, "%s/%s.npy", folder, name);
    must(p->ctx, dyn_array_wrap(p->ctx, DYN_F64, rank, shape, data, &a));
    must(p->ctx, dyn_array_write_npy(a, path));
    dyn_array_unref(a);
}

/* Arrays of numbers go to the peers as they are; indices have their own export. */
static void export_array(const problem *p, const spec *s, const char *name, const dyn_array *a)
{
    if (dyn_array_dtype(a) == DYN_F64)
        problem_export(p, s, name, dyn_array_rank(a), dyn_array_shape(a), dyn_array_data(a));
}

void problem_create(problem *p, dyn_ctx *ctx, const spec *s)
{
    const char *model = spec_text(s, "model", "perceptron");
    dyn_init_options init = DYN_INIT_OPTIONS_INIT;

    memset(p, 0, sizeof *p);
    p->ctx = ctx;
    init.seed = 1;
    if (!strcmp(model, "decoder"))
        decoder_create(p, s);
    else if (!strcmp(model, "cnn"))
        convolution_create(p, s);
    else
        perceptron_create(p, s);
    make_objective(p, s);
    p->size = dyn_model_size(p->model);
    p->theta = must_alloc((size_t)p->size, sizeof *p->theta);
    must(ctx, dyn_model_initialise(p->model, &init, p->theta));
    warm_up(p, s);
    export_array(p, s, "x", p->x);
    export_array(p, s, "y", p->y);
    problem_export(p, s, "theta", 1, &p->size, p->theta);
}

void problem_free(problem *p)
{
    free(p->theta);
    dyn_objective_unref(p->objective);
    dyn_array_unref(p->x);
    dyn_array_unref(p->y);
    dyn_model_unref(p->model);
}
