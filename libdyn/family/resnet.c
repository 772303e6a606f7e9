/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Residual networks of basic blocks. */
#include <stdio.h>
#include <string.h>
#include <dyn/convolutional.h>
#include "family/family.h"

enum { STAGES = 16 };       /* the channels double with each: more would not fit anyway */

typedef struct resnet {
    dyn_resnet_options opt;
    int64_t blocks[STAGES];
} resnet;

/* A convolution without biases, then its norm. */
static dyn_node convolution(const resnet *r, const dyn__piece *piece, dyn_node x, int64_t size, int64_t channels,
                            int64_t step)
{
    dyn_graph *g = dyn_build_graph(piece->b);
    const int64_t stride[] = {step, step}, padding[] = {size / 2, size / 2};
    int64_t shape[DYN_MAX_RANK];

    DYN__TRY(dyn_graph_shape(g, x, shape));
    dyn_node w = dyn__piece_parameter(piece, "W", 4, (int64_t[]){size, size, shape[3], channels}, NULL);
    x = dyn_layer_conv(g, x, w, DYN_NO_NODE, stride, padding, NULL, 1);
    return dyn__piece_normed(piece, x, r->opt.batch_norm, 1);
}

static dyn_node begin(const resnet *r, dyn_build *b, dyn_node x)
{
    dyn_graph *g = dyn_build_graph(b);
    const dyn__piece piece = {b, "begin.", 0};

    x = convolution(r, &piece, x, r->opt.large ? 7 : 3, r->opt.base, r->opt.large ? 2 : 1);
    x = dyn_graph_activation(g, r->opt.activation, x);
    if (!r->opt.large)
        return x;
    return dyn_layer_max_pool(g, x, (int64_t[]){3, 3}, (int64_t[]){2, 2}, (int64_t[]){1, 1}, NULL, 0);
}

static dyn_node block(const resnet *r, dyn_build *b, const char *name, dyn_node x, int64_t channels, int64_t step)
{
    dyn_graph *g = dyn_build_graph(b);
    char prefix[64], beside[80];
    int64_t shape[DYN_MAX_RANK];

    DYN__TRY(dyn_graph_shape(g, x, shape));
    snprintf(prefix, sizeof prefix, "%s.", name);
    snprintf(beside, sizeof beside, "%s.shortcut.", name);
    const dyn__piece first = {b, prefix, 1}, second = {b, prefix, 2}, shortcut = {b, beside, 0};
    dyn_node y = dyn_graph_activation(g, r->opt.activation, convolution(r, &first, x, 3, channels, step));
    y = convolution(r, &second, y, 3, channels, 1);
    if (step != 1 || shape[3] != channels)
        x = convolution(r, &shortcut, x, 1, channels, step);
    return dyn_build_name(b, name, dyn_graph_activation(g, r->opt.activation, dyn_graph_add(g, x, y)));
}

static dyn_node build(void *user, dyn_build *b)
{
    const resnet *r = user;
    const int64_t input[] = {r->opt.height, r->opt.width, r->opt.channels};
    dyn_graph *g = dyn_build_graph(b);
    dyn_node x = dyn_build_input(b, "x", 3, input);
    char name[48];

    DYN__TRY(x);
    x = begin(r, b, x);
    for (int32_t stage = 0; stage < r->opt.stages; stage++)
        for (int64_t i = 0; i < r->blocks[stage] && x >= 0; i++) {
            snprintf(name, sizeof name, "stage%d.block%lld", (int)stage + 1, (long long)i + 1);
            x = block(r, b, name, x, r->opt.base << stage, i == 0 && stage > 0 ? 2 : 1);
        }
    x = dyn_layer_adaptive_avg_pool(g, x, (int64_t[]){1, 1});
    x = dyn_graph_reshape(g, x, 2, (int64_t[]){dyn_build_samples(b), r->opt.base << (r->opt.stages - 1)});
    const dyn__piece last = {b, "", 0};
    return dyn__piece_linear(&last, x, r->opt.outputs, 1);
}

/* ---- names: torchvision's ---- */

/* A tensor of a convolution and its norm, which have these names. */
static void conv_and_norm(dyn_exchange_part *p, const char *ours, const char *prefix, const char *conv, const char *norm)
{
    static const char *const kinds[][2] = {{"W", "weight"}, {"gain", "weight"}, {"shift", "bias"}, {"b", "bias"}};

    if (*ours == 'W')
        dyn__part_kernel(p);
    for (int32_t i = 0; i < 4; i++)
        if (strncmp(ours, kinds[i][0], strlen(kinds[i][0])) == 0) {
            dyn__part_name(p, "%s%s.%s", prefix, i == 1 || i == 2 ? norm : conv, kinds[i][1]);
            return;
        }
    const char *moment = strchr(ours, '.');     /* "norm1.mean" */
    char kind[8];
    snprintf(kind, sizeof kind, "%s", moment ? moment + 1 : "");
    dyn__part_name(p, "%s%s.running_%s", prefix, norm, kind);
}

static dyn_status theirs(const void *user, dyn_exchange_part *p)
{
    const char *rest, *within;
    char ours[sizeof p->name], prefix[64], conv[16], norm[16];
    const int32_t stage = dyn__numbered(p->name, "stage", &rest);

    (void)user;
    memcpy(ours, p->name, sizeof ours);
    if (stage) {
        const int32_t block = dyn__numbered(rest, ".block", &within);
        const char *tensor = ours + (within - p->name) + 1;
        const size_t digit = strcspn(tensor, "0123456789");
        snprintf(prefix, sizeof prefix, "layer%d.%d.", (int)stage, (int)block - 1);
        if (strncmp(tensor, "shortcut.", 9) == 0) {
            conv_and_norm(p, tensor + 9, prefix, "downsample.0", "downsample.1");
            return DYN_OK;
        }
        snprintf(conv, sizeof conv, "conv%.1s", tensor + digit);
        snprintf(norm, sizeof norm, "bn%.1s", tensor + digit);
        conv_and_norm(p, tensor, prefix, conv, norm);
    } else if (strncmp(ours, "begin.", 6) == 0) {
        conv_and_norm(p, ours + 6, "", "conv1", "bn1");
    } else {
        dyn__part_name(p, "fc.%s", ours[0] == 'W' ? "weight" : "bias");
        dyn__part_turned(p);
    }
    return DYN_OK;
}

/* ---- options ---- */

static dyn_status check(dyn_ctx *ctx, const dyn_resnet_options *o)
{
    if (o->stages < 1 || o->stages > STAGES)
        return DYN__FAIL(ctx, DYN_EINVAL, "stages is %d, expected 1 to %d", (int)o->stages, STAGES);
    for (int32_t i = 0; o->blocks && i < o->stages; i++)
        DYN__TRY(dyn__check_size(ctx, "an entry of blocks", o->blocks[i]));
    DYN__TRY(dyn__check_size(ctx, "height", o->height));
    DYN__TRY(dyn__check_size(ctx, "width", o->width));
    DYN__TRY(dyn__check_size(ctx, "channels", o->channels));
    DYN__TRY(dyn__check_size(ctx, "base", o->base));
    DYN__TRY(dyn__check_size(ctx, "outputs", o->outputs));
    if (o->base > INT32_MAX)
        return DYN__FAIL(ctx, DYN_EINVAL, "base is %lld", (long long)o->base);
    DYN__TRY(dyn__check_activation(ctx, o->activation));
    DYN__TRY(dyn__check_flag(ctx, "batch_norm", o->batch_norm));
    DYN__TRY(dyn__check_flag(ctx, "large", o->large));
    return dyn__check_reserved(ctx, o->reserved);
}

dyn_status dyn_model_resnet(dyn_ctx *ctx, const dyn_resnet_options *opt, dyn_model **out)
{
    dyn_resnet_options o = DYN_RESNET_OPTIONS_INIT;

    if (out)
        *out = NULL;
    if (!ctx)
        return DYN_EINVAL;
    DYN__ENTER(ctx);
    DYN__NEED(ctx, out);
    DYN__TRY(dyn__options(ctx, "dyn_resnet_options", opt, &o, sizeof o, sizeof o));
    DYN__TRY(check(ctx, &o));
    resnet *r = dyn__alloc(ctx, 1, sizeof *r);
    if (!r)
        return DYN_ENOMEM;
    r->opt = o;
    for (int32_t i = 0; i < o.stages; i++)
        r->blocks[i] = o.blocks ? o.blocks[i] : 2;
    r->opt.blocks = NULL;
    return dyn__model_called(dyn__model_create(ctx, build, r, 1, 1, out), out, theirs);
}
