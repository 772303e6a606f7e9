/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Decoder transformers: one build function for the models of the papers, their ablations, and the styles of GPT-2 and
 * LLaMA. */
#include <math.h>
#include <stdio.h>
#include <dyn/transformer.h>
#include "family/buffers.h"
#include "family/transformer.h"
#include "layer/attention.h"
#include "model/build.h"

/* A layer that is being written. */
typedef struct writer {
    const dyn_transformer_options *opt;
    dyn_build *b;
    dyn_graph *g;
    int32_t layer;          /* from 1 */
    char prefix[24];        /* "layer1." in the first layer, "" outside of layers */
    dyn_node mask;
} writer;

/* ---- parameters ---- */

static dyn_node parameter(const writer *w, const char *name, int32_t rank, int64_t rows, int64_t columns,
                          const dyn_init_options *init)
{
    return dyn__piece_parameter(&(dyn__piece){.b = w->b, .prefix = w->prefix}, name, rank, (int64_t[]){rows, columns}, init);
}

static dyn_node matrix(const writer *w, const char *name, int64_t rows, int64_t columns)
{
    return parameter(w, name, 2, rows, columns, w->opt->weights);
}

/* Wo and W2, which end in the sum over layers. */
static dyn_node last_matrix(const writer *w, const char *name, int64_t rows, int64_t columns)
{
    if (!w->opt->depth_scaled)
        return matrix(w, name, rows, columns);
    dyn_init_options init = *w->opt->weights;
    init.scale /= sqrt(2.0 * w->opt->layers);
    return parameter(w, name, 2, rows, columns, &init);
}

static dyn_node bias(const writer *w, const char *name, int64_t size)
{
    return w->opt->bias ? parameter(w, name, 1, size, 0, w->opt->weights) : DYN_NO_NODE;
}

/* ---- pieces ---- */

static dyn_node norm(const writer *w, const char *gain, const char *shift, dyn_node x)
{
    const int64_t d = w->opt->width;
    dyn_node a = parameter(w, gain, 1, d, 0, &dyn__init_one);

    if (w->opt->rms)
        return dyn_layer_rms_norm(w->g, x, a, w->opt->eps);
    return dyn_layer_layer_norm(w->g, x, 1, a, parameter(w, shift, 1, d, 0, &dyn__init_zero), w->opt->eps);
}

static dyn_node named(const writer *w, const char *name, dyn_node x)
{
    return dyn__piece_named(&(dyn__piece){.b = w->b, .prefix = w->prefix}, name, x);
}

static dyn_node heads_of(const writer *w, const char *weight, const char *shift, dyn_node x, int32_t heads, int64_t size)
{
    dyn_node m = matrix(w, weight, w->opt->width, heads * size);
    dyn_node y = dyn_layer_linear(w->g, x, m, bias(w, shift, heads * size));

    return dyn_layer_split_heads(w->g, y, heads);
}

static dyn_node turned(const writer *w, dyn_node x)
{
    return w->opt->position == DYN_POSITION_ROTARY ? dyn_layer_rotary(w->g, x, w->opt->rotary_base, 0) : x;
}

static dyn_node dropped(const writer *w, dyn_node x)
{
    return w->opt->dropout > 0 ? dyn_layer_dropout(w->b, x, w->opt->dropout, DYN_DROP_ELEMENTS) : x;
}

/* Whether the maps as a whole are wanted: as names, to lose some elements, or by buffers. */
static int needs_maps(const writer *w, dyn_node q)
{
    return !dyn__build_is_blind(w->b) || w->opt->dropout > 0 || w->opt->buffers || !dyn__attention_has_blocks(w->g, q);
}

/* What the heads see, [n, heads, T, T]: queries q were read from x, keys k from y. */
static dyn_node maps_of(const writer *w, dyn_node q, dyn_node k, dyn_node x, dyn_node y)
{
    dyn_node scores = dyn__attention_scores(w->g, q, k, NAN);

    scores = named(w, "scores", dyn__buffers_matched(w->b, w->opt, w->layer, scores, x, y));
    return dropped(w, named(w, "attention", dyn__attention_weights(w->g, scores, w->mask, w->opt->causal)));
}

/* The heads side by side, through Wo. */
static dyn_node mixed(const writer *w, dyn_node heads)
{
    const dyn_transformer_options *o = w->opt;
    dyn_node all = dyn_layer_merge_heads(w->g, named(w, "heads", heads));

    if (!o->mix)
        return all;
    dyn_node mixing = last_matrix(w, "Wo", o->heads * o->value_width, o->width);
    return dyn_layer_linear(w->g, all, mixing, bias(w, "bo", o->width));
}

/* Queries are read from x, keys and values from y. */
static dyn_node attention(const writer *w, dyn_node x, dyn_node y)
{
    const dyn_transformer_options *o = w->opt;
    dyn_node q = turned(w, heads_of(w, "Wq", "bq", x, o->heads, o->key_width));
    dyn_node k = turned(w, heads_of(w, "Wk", "bk", y, o->kv_heads, o->key_width));
    dyn_node v = heads_of(w, "Wv", "bv", y, o->kv_heads, o->value_width);

    if (q < 0 || k < 0 || v < 0)
        return q < 0 ? q : k < 0 ? k : v;
    if (!needs_maps(w, q))
        return mixed(w, dyn__attention_in_blocks(w->g, q, k, v, w->mask, o->causal, NAN));
    dyn_node maps = maps_of(w, q, k, x, y);
    dyn_node out = mixed(w, dyn__attention_values(w->g, maps, v));
    return dyn__buffers_carried(w->b, o, w->layer, out, maps, y);
}

static dyn_node feed_forward(const writer *w, dyn_node x)
{
    const dyn_transformer_options *o = w->opt;
    dyn_node w1 = matrix(w, "W1", o->width, o->hidden), b1 = bias(w, "b1", o->hidden);
    dyn_node gate = o->gated ? matrix(w, "Wg", o->width, o->hidden) : DYN_NO_NODE;
    dyn_node w2 = last_matrix(w, "W2", o->hidden, o->width), b2 = bias(w, "b2", o->width);

    return dyn_layer_feed_forward(w->g, x, w1, b1, gate, w2, b2, o->activation);
}

/* ---- the model ---- */

static dyn_node write_layer(const writer *w, dyn_node x)
{
    const dyn_transformer_options *o = w->opt;
    dyn_node in = o->norm == DYN_NORM_PRE ? norm(w, "gain1", "shift1", x) : x;
    dyn_node y = dropped(w, attention(w, in, o->norm_query_only ? x : in));

    if (o->residual)
        y = dyn_graph_add(w->g, x, y);
    x = o->norm == DYN_NORM_POST ? norm(w, "gain1", "shift1", y) : y;
    if (o->hidden) {
        y = feed_forward(w, o->norm == DYN_NORM_PRE ? norm(w, "gain2", "shift2", x) : x);
        y = dyn_graph_add(w->g, x, dropped(w, y));
        x = o->norm == DYN_NORM_POST ? norm(w, "gain2", "shift2", y) : y;
    }
    return named(w, "stream", x);
}

/* 0 where a token is the one that is never seen. shape: [n, 1, 1, T] */
static dyn_node pad_mask(const writer *w, dyn_node tokens)
{
    const int64_t before = w->opt->pad, after = w->opt->vocabulary - before - 1, one = 1;
    dyn_node seen = dyn_graph_constant(w->g, 0, 1, &one);

    if (before > 0)
        seen = dyn_graph_concat(w->g, dyn_graph_constant(w->g, 1, 1, &before), seen, 0);
    if (after > 0)
        seen = dyn_graph_concat(w->g, seen, dyn_graph_constant(w->g, 1, 1, &after), 0);
    seen = dyn_graph_gather(w->g, seen, tokens);
    return dyn_graph_reshape(w->g, seen, 4, (int64_t[]){dyn_build_samples(w->b), 1, 1, w->opt->length});
}

static dyn_node embed(const writer *w, dyn_node tokens, dyn_node *table)
{
    static const dyn_init_options standard = {sizeof standard, DYN_INIT_NORMAL, 1, DYN_INIT_AS_WEIGHTS, 0, 1, NULL, 0, NULL, 0, 0};
    const dyn_transformer_options *o = w->opt;
    const dyn_init_options *init = o->embedding ? o->embedding : &standard;

    *table = parameter(w, "embedding", 2, o->vocabulary, o->width, init);
    dyn_node x = dyn_layer_embedding(w->g, tokens, *table);
    if (o->position == DYN_POSITION_LEARNED)
        return dyn_graph_add(w->g, x, parameter(w, "position", 2, o->length, o->width, init));
    if (o->position == DYN_POSITION_SINUSOIDAL)
        return dyn_graph_add(w->g, x, dyn_layer_sinusoidal(w->g, o->length, o->width, 1e4));
    return x;
}

static dyn_node last_place(const writer *w, dyn_node x)
{
    const int64_t n = dyn_build_samples(w->b), d = w->opt->width;

    x = dyn_graph_slice(w->g, x, (int64_t[]){0, w->opt->length - 1, 0}, (int64_t[]){n, 1, d});
    return dyn_graph_reshape(w->g, x, 2, (int64_t[]){n, d});
}

static dyn_node logits(const writer *w, dyn_node x, dyn_node table)
{
    const dyn_transformer_options *o = w->opt;

    if (o->last)
        x = last_place(w, x);
    if (o->norm == DYN_NORM_PRE)
        x = norm(w, "gain", "shift", x);
    if (!o->project)
        return x;
    if (o->tied)
        x = dyn_graph_matmul(w->g, x, table, 0, 1);
    else
        x = dyn_graph_matmul(w->g, x, matrix(w, "W", o->width, o->vocabulary), 0, 0);
    return o->output_bias ? dyn_graph_add(w->g, x, parameter(w, "b", 1, o->vocabulary, 0, o->weights)) : x;
}

static dyn_node build(void *user, dyn_build *b)
{
    writer w = {.opt = user, .b = b, .g = dyn_build_graph(b), .mask = DYN_NO_NODE};
    dyn_node table, tokens = dyn_build_indices(b, "tokens", 1, &w.opt->length);

    DYN__TRY(tokens);
    if (w.opt->pad >= 0)
        DYN__TRY(w.mask = pad_mask(&w, tokens));
    dyn_node x = dropped(&w, embed(&w, tokens, &table));
    for (w.layer = 1; w.layer <= w.opt->layers && x >= 0; w.layer++) {
        snprintf(w.prefix, sizeof w.prefix, "layer%d.", (int)w.layer);
        x = write_layer(&w, x);
    }
    w.prefix[0] = '\0';
    return x < 0 ? x : logits(&w, x, table);
}

/* ---- options ---- */

static dyn_status check_sizes(dyn_ctx *ctx, const dyn_transformer_options *o)
{
    DYN__TRY(dyn__check_size(ctx, "layers", o->layers));
    DYN__TRY(dyn__check_size(ctx, "vocabulary", o->vocabulary));
    DYN__TRY(dyn__check_size(ctx, "length", o->length));
    DYN__TRY(dyn__check_size(ctx, "width", o->width));
    DYN__TRY(dyn__check_size(ctx, "heads", o->heads));
    DYN__TRY(dyn__check_size(ctx, "kv_heads", o->kv_heads));
    DYN__TRY(dyn__check_size(ctx, "key_width", o->key_width));
    DYN__TRY(dyn__check_size(ctx, "value_width", o->value_width));
    if (o->hidden != 0)
        DYN__TRY(dyn__check_size(ctx, "hidden", o->hidden));
    if (o->heads % o->kv_heads)
        return DYN__FAIL(ctx, DYN_EINVAL, "%d heads do not fall into %d groups of keys", (int)o->heads, (int)o->kv_heads);
    if (o->pad < -1 || o->pad >= o->vocabulary)
        return DYN__FAIL(ctx, DYN_EINVAL, "pad is %lld, expected -1 or a token below %lld", (long long)o->pad,
                         (long long)o->vocabulary);
    return DYN_OK;
}

static dyn_status check_flags(dyn_ctx *ctx, const dyn_transformer_options *o)
{
    const struct { const char *name; int32_t value; } flags[] = {
        {"rms", o->rms}, {"norm_query_only", o->norm_query_only}, {"gated", o->gated}, {"bias", o->bias},
        {"output_bias", o->output_bias}, {"causal", o->causal}, {"residual", o->residual}, {"mix", o->mix},
        {"project", o->project}, {"tied", o->tied}, {"last", o->last}, {"depth_scaled", o->depth_scaled},
    };

    for (size_t i = 0; i < sizeof flags / sizeof *flags; i++)
        DYN__TRY(dyn__check_flag(ctx, flags[i].name, flags[i].value));
    DYN__TRY(dyn__check_choice(ctx, "norm", o->norm, DYN_NORM_POST));
    DYN__TRY(dyn__check_choice(ctx, "position", o->position, DYN_POSITION_ROTARY));
    DYN__TRY(dyn__check_choice(ctx, "buffers", o->buffers, DYN_BUFFERS_IDENTITY));
    return dyn__check_activation(ctx, o->activation);
}

/* What does not go together. */
static dyn_status check_together(dyn_ctx *ctx, const dyn_transformer_options *o)
{
    if (!o->mix && o->heads * o->value_width != o->width)
        return DYN__FAIL(ctx, DYN_ESHAPE, "without Wo, %d heads of %lld must make the width %lld", (int)o->heads,
                         (long long)o->value_width, (long long)o->width);
    if (!o->project && o->width != o->vocabulary)
        return DYN__FAIL(ctx, DYN_ESHAPE, "without a projection the width %lld must be the vocabulary %lld",
                         (long long)o->width, (long long)o->vocabulary);
    if (o->depth_scaled && (!o->weights || o->weights->kind == DYN_INIT_POWER || o->weights->kind == DYN_INIT_WIDTH_POWER))
        return DYN__FAIL(ctx, DYN_EINVAL, "depth_scaled needs `weights` of a kind whose scale is a factor");
    if (o->position == DYN_POSITION_SINUSOIDAL && o->width % 2)
        return DYN__FAIL(ctx, DYN_ESHAPE, "sinusoidal positions need an even width, it is %lld", (long long)o->width);
    if (o->position == DYN_POSITION_ROTARY && o->key_width % 2)
        return DYN__FAIL(ctx, DYN_ESHAPE, "rotary positions need an even key_width, it is %lld", (long long)o->key_width);
    if (!(o->dropout >= 0 && o->dropout <= 1))
        return DYN__FAIL(ctx, DYN_EINVAL, "dropout is %g, expected 0 to 1", o->dropout);
    if (!isfinite(o->buffer_scale))
        return DYN__FAIL(ctx, DYN_EINVAL, "buffer_scale is %g, expected a finite number", o->buffer_scale);
    if (!(o->eps >= 0) || !isfinite(o->eps) || !(o->rotary_base > 0) || !isfinite(o->rotary_base))
        return DYN__FAIL(ctx, DYN_EINVAL, "eps is %g, expected >= 0; rotary_base is %g, expected > 0", o->eps,
                         o->rotary_base);
    return DYN_OK;
}

static void complete(dyn_transformer_options *o)
{
    if (o->key_width == 0 && o->heads > 0)
        o->key_width = o->width / o->heads;
    if (o->value_width == 0)
        o->value_width = o->key_width;
    if (o->kv_heads == 0)
        o->kv_heads = o->heads;
}

/* The options with copies of what they point to. */
typedef struct transformer {
    dyn_transformer_options opt;
    dyn_init_options embedding, weights;
} transformer;

static dyn_status fill(dyn_ctx *ctx, const dyn_transformer_options *opt, transformer *t)
{
    const dyn_transformer_options defaults = DYN_TRANSFORMER_OPTIONS_INIT;

    t->opt = defaults;
    DYN__TRY(dyn__options(ctx, "dyn_transformer_options", opt, &t->opt, sizeof t->opt, sizeof t->opt));
    complete(&t->opt);
    if (t->opt.embedding)
        DYN__TRY(dyn__init_complete(ctx, t->opt.embedding, &t->embedding));
    if (t->opt.weights)
        DYN__TRY(dyn__init_complete(ctx, t->opt.weights, &t->weights));
    t->opt.embedding = t->opt.embedding ? &t->embedding : NULL;
    t->opt.weights = t->opt.weights ? &t->weights : NULL;
    DYN__TRY(check_sizes(ctx, &t->opt));
    DYN__TRY(check_flags(ctx, &t->opt));
    return check_together(ctx, &t->opt);
}

dyn_status dyn_model_transformer(dyn_ctx *ctx, const dyn_transformer_options *opt, dyn_model **out)
{
    if (out)
        *out = NULL;
    if (!ctx)
        return DYN_EINVAL;
    DYN__ENTER(ctx);
    DYN__NEED(ctx, out);
    transformer *t = dyn__alloc(ctx, 1, sizeof *t);
    if (!t)
        return DYN_ENOMEM;
    dyn_status s = fill(ctx, opt, t);
    if (s < 0) {
        dyn__free(ctx, t);
        return s;
    }
    /* opt is the first thing in t */
    return dyn__model_called(dyn__model_create(ctx, build, t, 1, 1, out), out, dyn__transformer_theirs);
}

/* ---- styles ---- */

static void set_gpt2(dyn_transformer_options *o)
{
    static const dyn_init_options small = {sizeof small, DYN_INIT_NORMAL, .02, DYN_INIT_ZERO, 0, 1, NULL, 0, NULL, 0, 0};

    o->layers = o->heads = 12;
    o->vocabulary = 50257;
    o->length = 1024;
    o->width = 768;
    o->key_width = 0;
    o->hidden = 4 * o->width;
    o->norm = DYN_NORM_PRE;
    o->activation = DYN_GELU_TANH;
    o->bias = o->tied = o->depth_scaled = 1;
    o->output_bias = o->last = 0;
    o->embedding = o->weights = &small;
}

static void set_llama(dyn_transformer_options *o)
{
    static const dyn_init_options small = {sizeof small, DYN_INIT_NORMAL, .02, DYN_INIT_AS_WEIGHTS, 0, 1, NULL, 0, NULL, 0, 0};

    o->layers = o->heads = 8;
    o->vocabulary = 32000;
    o->length = 512;
    o->width = 512;
    o->key_width = 0;
    o->hidden = 1376;
    o->norm = DYN_NORM_PRE;
    o->rms = o->gated = 1;
    o->position = DYN_POSITION_ROTARY;
    o->activation = DYN_SILU;
    o->output_bias = o->last = 0;
    o->embedding = o->weights = &small;
}

dyn_status dyn_transformer_defaults(int32_t style, dyn_transformer_options *out)
{
    if (!out || style < DYN_TRANSFORMER_PAPER || style > DYN_TRANSFORMER_LLAMA)
        return DYN_EINVAL;
    *out = (dyn_transformer_options)DYN_TRANSFORMER_OPTIONS_INIT;
    if (style == DYN_TRANSFORMER_GPT2)
        set_gpt2(out);
    if (style == DYN_TRANSFORMER_LLAMA)
        set_llama(out);
    return DYN_OK;
}
