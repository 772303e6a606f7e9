/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Recurrent networks: an embedding, recurrent layers, a linear output. */
#include <stdio.h>
#include <string.h>
#include <dyn/recurrent.h>
#include "family/family.h"

static dyn_node layer(const dyn_recurrent_options *o, dyn_build *b, int32_t number, int64_t inputs, dyn_node x)
{
    static const int64_t gates[] = {[DYN_CELL_SIMPLE] = 1, [DYN_CELL_GRU] = 3, [DYN_CELL_LSTM] = 4};
    const int64_t wide = gates[o->cell] * o->width;
    char prefix[24];

    snprintf(prefix, sizeof prefix, "layer%d.", (int)number);
    const dyn__piece piece = {b, prefix, 0};
    dyn_node w = dyn__piece_parameter(&piece, "W", 2, (int64_t[]){inputs, wide}, NULL);
    dyn_node u = dyn__piece_parameter(&piece, "U", 2, (int64_t[]){o->width, wide}, NULL);
    dyn_node bias = o->bias ? dyn__piece_parameter(&piece, "b", 1, &wide, NULL) : DYN_NO_NODE;
    dyn_node c = o->bias ? dyn__piece_parameter(&piece, "c", 1, &wide, NULL) : DYN_NO_NODE;
    return dyn__piece_named(&piece, "state", dyn_layer_recurrent(dyn_build_graph(b), o->cell, x, w, u, bias, c));
}

/* The input, with the table it was looked up in or DYN_NO_NODE. */
static dyn_node read(const dyn_recurrent_options *o, dyn_build *b, dyn_node *table)
{
    static const dyn_init_options standard = {sizeof standard, DYN_INIT_NORMAL, 1, DYN_INIT_AS_WEIGHTS, 0, 1, NULL, 0, NULL, 0, 0};
    const dyn__piece piece = {b, "", 0};

    *table = DYN_NO_NODE;
    if (o->vocabulary == 0)
        return dyn_build_input(b, "x", 2, (int64_t[]){o->length, o->inputs});
    dyn_node tokens = dyn_build_indices(b, "tokens", 1, &o->length);
    *table = dyn__piece_parameter(&piece, "embedding", 2, (int64_t[]){o->vocabulary, o->inputs}, &standard);
    return dyn_layer_embedding(dyn_build_graph(b), tokens, *table);
}

static dyn_node last_place(const dyn_recurrent_options *o, dyn_build *b, dyn_node x)
{
    dyn_graph *g = dyn_build_graph(b);
    const int64_t n = dyn_build_samples(b);

    x = dyn_graph_slice(g, x, (int64_t[]){0, o->length - 1, 0}, (int64_t[]){n, 1, o->width});
    return dyn_graph_reshape(g, x, 2, (int64_t[]){n, o->width});
}

static dyn_node build(void *user, dyn_build *b)
{
    const dyn_recurrent_options *o = user;
    const dyn__piece piece = {b, "", 0};
    dyn_graph *g = dyn_build_graph(b);
    dyn_node table, x = read(o, b, &table);

    for (int32_t l = 1; l <= o->layers && x >= 0; l++)
        x = layer(o, b, l, l == 1 ? o->inputs : o->width, x);
    if (o->last && x >= 0)
        x = last_place(o, b, x);
    DYN__TRY(x);
    if (!o->tied)
        return dyn__piece_linear(&piece, x, o->outputs, o->bias);
    x = dyn_graph_matmul(g, x, table, 0, 1);
    return o->bias ? dyn_graph_add(g, x, dyn__piece_parameter(&piece, "b", 1, &o->outputs, NULL)) : x;
}

/* nn.Embedding "embedding", nn.RNN, nn.GRU or nn.LSTM "rnn", nn.Linear "output". */
static dyn_status theirs(const void *user, dyn_exchange_part *p)
{
    static const char *const kinds[][2] = {{"W", "weight_ih"}, {"U", "weight_hh"}, {"b", "bias_ih"}, {"c", "bias_hh"}};
    const dyn_recurrent_options *o = user;
    const char *rest;
    const int32_t layer = dyn__numbered(p->name, "layer", &rest);

    if (strcmp(p->name, "embedding") == 0) {
        dyn__part_name(p, "embedding.weight");
        if (o->tied)
            memcpy(p->also, "output.weight", sizeof "output.weight");
        return DYN_OK;
    }
    if (!layer)
        dyn__part_name(p, "output.%s", p->name[0] == 'W' ? "weight" : "bias");
    for (int32_t i = 0; layer && i < 4; i++)
        if (rest[1] == kinds[i][0][0]) {
            dyn__part_name(p, "rnn.%s_l%d", kinds[i][1], (int)layer - 1);
            break;
        }
    dyn__part_turned(p);
    return DYN_OK;
}

static dyn_status check(dyn_ctx *ctx, const dyn_recurrent_options *o)
{
    DYN__TRY(dyn__check_choice(ctx, "cell", o->cell, DYN_CELL_LSTM));
    DYN__TRY(dyn__check_size(ctx, "layers", o->layers));
    if (o->vocabulary != 0)
        DYN__TRY(dyn__check_size(ctx, "vocabulary", o->vocabulary));
    DYN__TRY(dyn__check_size(ctx, "inputs", o->inputs));
    DYN__TRY(dyn__check_size(ctx, "length", o->length));
    DYN__TRY(dyn__check_size(ctx, "width", o->width));
    DYN__TRY(dyn__check_size(ctx, "outputs", o->outputs));
    DYN__TRY(dyn__check_flag(ctx, "last", o->last));
    DYN__TRY(dyn__check_flag(ctx, "bias", o->bias));
    DYN__TRY(dyn__check_flag(ctx, "tied", o->tied));
    if (o->tied && (o->vocabulary == 0 || o->outputs != o->vocabulary || o->width != o->inputs))
        return DYN__FAIL(ctx, DYN_ESHAPE, "tied: outputs %lld must be the vocabulary %lld, the width %lld the embedding's "
                         "%lld", (long long)o->outputs, (long long)o->vocabulary, (long long)o->width,
                         (long long)o->inputs);
    return DYN_OK;
}

dyn_status dyn_model_recurrent(dyn_ctx *ctx, const dyn_recurrent_options *opt, dyn_model **out)
{
    dyn_recurrent_options o = DYN_RECURRENT_OPTIONS_INIT;

    if (out)
        *out = NULL;
    if (!ctx)
        return DYN_EINVAL;
    DYN__ENTER(ctx);
    DYN__NEED(ctx, out);
    DYN__TRY(dyn__options(ctx, "dyn_recurrent_options", opt, &o, sizeof o, sizeof o));
    DYN__TRY(check(ctx, &o));
    return dyn__family_create(ctx, build, theirs, &o, sizeof o, out);
}
