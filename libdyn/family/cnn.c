/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Plain convolutional networks: convolutions and poolings, then fully connected layers. */
#include <stdio.h>
#include <string.h>
#include <dyn/convolutional.h>
#include "family/family.h"

/* The options, with their lists in one piece behind them. */
typedef struct cnn {
    dyn_cnn_options opt;
    int64_t lists[];
} cnn;

static dyn_node convolution(dyn_build *b, const dyn_cnn_options *o, int64_t channels, int32_t number, dyn_node x)
{
    const dyn__piece piece = {b, "", number};
    int64_t shape[DYN_MAX_RANK], kernel[DYN_MAX_RANK], stride[3], padding[3];
    dyn_graph *g = dyn_build_graph(b);

    DYN__TRY(dyn_graph_shape(g, x, shape));
    for (int32_t i = 0; i < o->axes; i++) {
        kernel[i] = o->kernel;
        stride[i] = o->stride;
        padding[i] = o->padding;
    }
    kernel[o->axes] = shape[o->axes + 1];
    kernel[o->axes + 1] = channels;
    dyn_node w = dyn__piece_parameter(&piece, "W", o->axes + 2, kernel, NULL);
    x = dyn_layer_conv(g, x, w, DYN_NO_NODE, stride, padding, NULL, 1);
    x = dyn__piece_normed(&piece, x, o->batch_norm, o->bias);
    return dyn__piece_named(&piece, "layer", dyn_graph_activation(g, o->activation, x));
}

static dyn_node pooling(dyn_graph *g, dyn_node x)
{
    return dyn_layer_max_pool(g, x, (int64_t[]){2, 2, 2}, NULL, NULL, NULL, 0);
}

/* [n, places, channels] as one axis of features, or the mean over the places. */
static dyn_node flattened(dyn_build *b, const dyn_cnn_options *o, dyn_node x)
{
    int64_t shape[DYN_MAX_RANK], features = 1;
    dyn_graph *g = dyn_build_graph(b);

    if (o->global_pool)
        x = dyn_layer_adaptive_avg_pool(g, x, (int64_t[]){1, 1, 1});
    const int32_t rank = dyn_graph_shape(g, x, shape);
    DYN__TRY(rank);
    for (int32_t i = 1; i < rank; i++)
        features *= shape[i];
    return dyn_graph_reshape(g, x, 2, (int64_t[]){shape[0], features});
}

static dyn_node build(void *user, dyn_build *b)
{
    const dyn_cnn_options *o = user;
    dyn_graph *g = dyn_build_graph(b);
    dyn_node x = dyn_build_input(b, "x", o->axes + 1, o->input);
    int32_t number = 0;

    for (int32_t i = 0; i < o->convolutions && x >= 0; i++)
        x = o->channels[i] ? convolution(b, o, o->channels[i], ++number, x) : pooling(g, x);
    DYN__TRY(x);
    x = flattened(b, o, x);
    for (int32_t i = 0; i < o->dense && x >= 0; i++) {
        const dyn__piece piece = {b, "", ++number};
        x = dyn_graph_activation(g, o->dense_activation, dyn__piece_linear(&piece, x, o->hidden[i], o->bias));
        x = dyn__piece_named(&piece, "layer", x);
    }
    DYN__TRY(x);
    const dyn__piece last = {b, "", number + 1};
    return dyn__piece_linear(&last, x, o->outputs, o->bias);
}

/* ---- names: torchvision's VGG ---- */

/* The place in nn.Sequential of the convolution of this number, from 1: a convolution, its norm and its activation, or a
 * pooling, stand there one after the other. */
static int32_t place_of(const dyn_cnn_options *o, int32_t number)
{
    int32_t place = 0, found = 0;

    for (int32_t i = 0; i < o->convolutions; i++) {
        if (o->channels[i] && ++found == number)
            return place;
        place += o->channels[i] == 0 ? 1 : o->batch_norm ? 3 : 2;
    }
    return -1;
}

static int32_t convolutions(const dyn_cnn_options *o)
{
    int32_t count = 0;

    for (int32_t i = 0; i < o->convolutions; i++)
        count += o->channels[i] != 0;
    return count;
}

/* PyTorch flattens [channels, places], here it is [places, channels]. */
static void flatten(const dyn_cnn_options *o, dyn_exchange_part *p)
{
    int64_t channels = o->input[o->axes];

    for (int32_t i = 0; i < o->convolutions; i++)
        channels = o->channels[i] ? o->channels[i] : channels;
    *p = (dyn_exchange_part){.state = p->state, .source = p->source, .joined = -1, .flat = 2, .axes = 3,
                             .order = {2, 1, 0}, .split = {p->split[0] / channels, channels, p->split[1]}};
}

static dyn_status theirs(const void *user, dyn_exchange_part *p)
{
    static const char *const kinds[][2] = {{"W", "weight"}, {"b", "bias"}, {"gain", "weight"}, {"shift", "bias"},
                                           {"norm", "running_"}};
    const dyn_cnn_options *o = user;
    const char *rest = "";
    int32_t kind = 0, number = 0;

    while (kind < 5 && !(number = dyn__numbered(p->name, kinds[kind][0], &rest)))
        kind++;
    if (kind == 5)
        return DYN_OK;
    const int32_t dense = number - convolutions(o);
    char moment[8] = "";
    snprintf(moment, sizeof moment, "%s", *rest ? rest + 1 : "");
    if (dense == 1 && kind == 0)
        flatten(o, p);
    else if (kind == 0)
        dense > 0 ? dyn__part_turned(p) : dyn__part_kernel(p);
    if (dense > 0)
        dyn__part_name(p, "classifier.%d.%s", (int)(3 * (dense - 1)), kinds[kind][1]);
    else
        dyn__part_name(p, "features.%d.%s%s", (int)place_of(o, number) + (kind > 1), kinds[kind][1], moment);
    return DYN_OK;
}

/* ---- options ---- */

static dyn_status check_list(dyn_ctx *ctx, const char *name, int32_t count, const int64_t *list, int64_t least)
{
    if (count > 0 && !list)
        return DYN__FAIL(ctx, DYN_EINVAL, "%s is NULL, expected %d entries", name, (int)count);
    for (int32_t i = 0; i < count; i++)
        if (list[i] < least)
            return DYN__FAIL(ctx, DYN_EINVAL, "%s[%d] is %lld, expected at least %lld", name, (int)i,
                             (long long)list[i], (long long)least);
    return DYN_OK;
}

static dyn_status check(dyn_ctx *ctx, const dyn_cnn_options *o)
{
    if (o->axes < 1 || o->axes > 3)
        return DYN__FAIL(ctx, DYN_EINVAL, "axes is %d, expected 1 to 3", (int)o->axes);
    DYN__TRY(dyn__check_size(ctx, "convolutions", o->convolutions));
    if (o->dense < 0)
        return DYN__FAIL(ctx, DYN_EINVAL, "dense is %d", (int)o->dense);
    DYN__TRY(check_list(ctx, "input", o->axes + 1, o->input, 1));
    DYN__TRY(check_list(ctx, "channels", o->convolutions, o->channels, 0));
    DYN__TRY(check_list(ctx, "hidden", o->dense, o->hidden, 1));
    DYN__TRY(dyn__check_size(ctx, "outputs", o->outputs));
    DYN__TRY(dyn__check_size(ctx, "kernel", o->kernel));
    DYN__TRY(dyn__check_size(ctx, "stride", o->stride));
    if (o->padding < DYN_SAME)
        return DYN__FAIL(ctx, DYN_EINVAL, "padding is %lld, expected -1 or more", (long long)o->padding);
    DYN__TRY(dyn__check_activation(ctx, o->activation));
    DYN__TRY(dyn__check_activation(ctx, o->dense_activation));
    DYN__TRY(dyn__check_flag(ctx, "bias", o->bias));
    DYN__TRY(dyn__check_flag(ctx, "batch_norm", o->batch_norm));
    DYN__TRY(dyn__check_flag(ctx, "global_pool", o->global_pool));
    return dyn__check_reserved(ctx, o->reserved);
}

/* The list copied to *end, which moves behind it. */
static const int64_t *kept(int64_t **end, const int64_t *list, int32_t count)
{
    int64_t *copy = *end;

    if (count > 0)
        memcpy(copy, list, (size_t)count * sizeof *list);
    *end += count;
    return copy;
}

dyn_status dyn_model_cnn(dyn_ctx *ctx, const dyn_cnn_options *opt, dyn_model **out)
{
    dyn_cnn_options o = DYN_CNN_OPTIONS_INIT;

    if (out)
        *out = NULL;
    if (!ctx)
        return DYN_EINVAL;
    DYN__ENTER(ctx);
    DYN__NEED(ctx, out);
    DYN__TRY(dyn__options(ctx, "dyn_cnn_options", opt, &o, sizeof o, sizeof o));
    DYN__TRY(check(ctx, &o));
    const size_t entries = (size_t)o.axes + 1 + (size_t)o.convolutions + (size_t)o.dense;
    cnn *c = dyn__alloc(ctx, 1, sizeof *c + entries * sizeof c->lists[0]);
    if (!c)
        return DYN_ENOMEM;
    int64_t *end = c->lists;
    c->opt = o;
    c->opt.input = kept(&end, o.input, o.axes + 1);
    c->opt.channels = kept(&end, o.channels, o.convolutions);
    c->opt.hidden = kept(&end, o.hidden, o.dense);
    return dyn__model_called(dyn__model_create(ctx, build, c, 1, 1, out), out, theirs);     /* opt is the first thing in c */
}
