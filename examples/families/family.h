/* SPDX-License-Identifier: BSD-3-Clause
 *
 * What the C programs of this folder share: a family is trained on a task of its own, and an error must be small then. */
#ifndef FAMILY_H
#define FAMILY_H

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <dyn/dyn.h>

typedef struct family {
    const char *shows;
    dyn_status (*make)(dyn_ctx *ctx, dyn_model **model, dyn_array **x, dyn_array **y);
    /* What is to be small at the end; NULL: the loss. */
    dyn_status (*error)(dyn_ctx *ctx, dyn_model *model, const double *theta, double *error);
    int32_t loss, optimizer;
    double rate, scale;         /* of the optimiser, and of the normal start; 0: the family's own */
    int64_t steps, batch;       /* batch 0: all samples at once */
    double below;               /* the error is */
} family;

/* Rows of tokens, the last of each its label. */
static inline dyn_status cut_label(dyn_ctx *ctx, dyn_array *rows, dyn_array **x, dyn_array **y)
{
    const int64_t n = dyn_array_shape(rows)[0], length = dyn_array_shape(rows)[1] - 1, *all = dyn_array_data(rows);
    int64_t *tokens = malloc((size_t)(n * length + n) * sizeof *tokens), *labels = tokens ? tokens + n * length : NULL;

    if (!tokens)
        return DYN_ENOMEM;
    for (int64_t i = 0; i < n; i++) {
        for (int64_t t = 0; t < length; t++)
            tokens[i * length + t] = all[i * (length + 1) + t];
        labels[i] = all[i * (length + 1) + length];
    }
    dyn_status s = dyn_array_create(ctx, DYN_I64, 2, (int64_t[]){ n, length }, tokens, x);
    if (s >= 0)
        s = dyn_array_create(ctx, DYN_I64, 1, &n, labels, y);
    free(tokens);
    return s;
}

/* Keys behind an anchor, at places of the training set or of the test set. */
static inline dyn_status anchors(dyn_ctx *ctx, int32_t split, int64_t count, dyn_array **x, dyn_array **y)
{
    dyn_anchor_options o = DYN_ANCHOR_OPTIONS_INIT;
    dyn_array *rows = NULL;

    o.count = count;
    o.split = split;
    dyn_status s = dyn_generate_anchor(ctx, &o, &rows);
    if (s >= 0)
        s = cut_label(ctx, rows, x, y);
    dyn_array_unref(rows);
    return s;
}

/* A small transformer of a style, and anchors for it. */
static inline dyn_status styled(dyn_ctx *ctx, int32_t style, dyn_model **model, dyn_array **x, dyn_array **y)
{
    dyn_transformer_options o;
    dyn_status s = anchors(ctx, DYN_SPLIT_TRAIN, 200, x, y);

    if (s >= 0)
        s = dyn_transformer_defaults(style, &o);
    if (s < 0)
        return s;
    o.vocabulary = 201;
    o.length = 9;
    o.layers = 2;
    o.heads = 2;
    o.width = 32;
    o.hidden = 64;
    o.last = 1;                 /* logits of the last place; 0: of all */
    return dyn_model_transformer(ctx, &o, model);
}

/* Trains theta. */
static inline dyn_status family_train(const family *f, dyn_objective *objective, double *theta)
{
    dyn_optimizer_options optimizer = DYN_OPTIMIZER_OPTIONS_INIT;
    dyn_run_options options = DYN_RUN_OPTIONS_INIT;
    dyn_run *run = NULL;

    optimizer.kind = f->optimizer;
    optimizer.rate = f->rate;
    if (f->batch)
        options.batch = f->batch;
    dyn_status s = dyn_run_create(objective, &optimizer, &options, theta, &run);
    if (s >= 0)
        s = dyn_run_train(run, f->steps);
    if (s >= 0)
        s = dyn_run_theta(run, theta);
    dyn_run_free(run);
    return s;
}

static inline dyn_status family_start(const family *f, dyn_model *model, double *theta)
{
    dyn_init_options init = DYN_INIT_OPTIONS_INIT;

    init.kind = f->scale > 0 ? DYN_INIT_NORMAL : DYN_INIT_DEFAULT;
    init.scale = f->scale > 0 ? f->scale : 1;
    return dyn_model_initialise(model, &init, theta);
}

static inline dyn_status family_error(dyn_ctx *ctx, const family *f, double *error)
{
    dyn_objective_options loss = DYN_OBJECTIVE_OPTIONS_INIT;
    dyn_model *model = NULL;
    dyn_array *x = NULL, *y = NULL;
    dyn_objective *objective = NULL;
    double *theta = NULL;
    dyn_status s = f->make(ctx, &model, &x, &y);

    loss.loss = f->loss;
    if (s >= 0)
        s = dyn_objective_create(ctx, model, x, y, &loss, &objective);
    if (s >= 0)
        s = (theta = malloc((size_t)dyn_model_size(model) * sizeof *theta)) ? DYN_OK : DYN_ENOMEM;
    if (s >= 0)
        s = family_start(f, model, theta);
    if (s >= 0)
        s = family_train(f, objective, theta);
    if (s >= 0)
        s = f->error ? f->error(ctx, model, theta, error) : dyn_objective_value(objective, theta, error);
    free(theta);
    dyn_objective_unref(objective);
    dyn_array_unref(y);
    dyn_array_unref(x);
    dyn_model_unref(model);
    return s;
}

/* The share of other samples that is answered wrongly; takes x and y. */
static inline dyn_status wrong_share(dyn_ctx *ctx, dyn_model *model, const double *theta, dyn_array *x, dyn_array *y,
                                     double *share)
{
    dyn_objective_options loss = DYN_OBJECTIVE_OPTIONS_INIT;
    dyn_objective *objective = NULL;

    loss.loss = DYN_LOSS_CROSS_ENTROPY;
    dyn_status s = dyn_objective_create(ctx, model, x, y, &loss, &objective);
    if (s >= 0)
        s = dyn_objective_accuracy(objective, theta, share);
    *share = 1 - *share;
    dyn_objective_unref(objective);
    dyn_array_unref(y);
    dyn_array_unref(x);
    return s;
}

/* The program. */
static inline int family_show(const family *f)
{
    dyn_ctx *ctx = NULL;
    double error = NAN;
    dyn_status s = dyn_ctx_create(NULL, &ctx);

    if (s >= 0)
        s = family_error(ctx, f, &error);
    printf("%s: %.1e of at most %.1e%s%s\n", f->shows, error, f->below, s < 0 ? ": " : "",
           s < 0 && ctx ? dyn_ctx_message(ctx) : "");
    dyn_ctx_free(ctx);
    return s < 0 || !(error <= f->below);
}

#endif
