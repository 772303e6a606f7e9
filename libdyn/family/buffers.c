/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Buffers of a transformer: see buffers.h. Z is never multiplied into the weights, so that a layer costs two products with
 * it, not a matrix of its size. */
#include <math.h>
#include <stdio.h>
#include "family/buffers.h"
#include "family/family.h"
#include "random/random.h"

/* Z_layer [d, d] of N(0, 1/d), by the seed. */
static dyn_node drawn(dyn_build *b, const dyn_transformer_options *o, int32_t layer)
{
    const dyn__key key = {o->buffer_seed, DYN__STREAM_INIT, 1, (uint32_t)layer};
    const int64_t d = o->width;
    dyn_graph *g = dyn_build_graph(b);
    double *z = dyn__alloc(g->ctx, (size_t)(d * d), sizeof *z);

    if (!z)
        return DYN_ENOMEM;
    dyn__normal_f64(key, 0, d * d, z);
    for (int64_t i = 0; i < d * d; i++)
        z[i] /= sqrt((double)d);
    const dyn_node node = dyn_graph_constant_array(g, 2, (int64_t[]){d, d}, z);
    dyn__free(g->ctx, z);
    return node;
}

/* x Z_layer, or x Z_layer^T. */
static dyn_node through(dyn_build *b, const dyn_transformer_options *o, int32_t layer, dyn_node x, int32_t transposed)
{
    if (o->buffers == DYN_BUFFERS_IDENTITY)
        return x;
    return dyn_graph_matmul(dyn_build_graph(b), x, drawn(b, o, layer), 0, transposed);
}

/* One factor per head, [heads, 1, 1]. */
static dyn_node factors(dyn_build *b, const dyn_transformer_options *o, int32_t layer, const char *name)
{
    const dyn_init_options init = {sizeof init, DYN_INIT_CONSTANT, o->buffer_scale, DYN_INIT_AS_WEIGHTS, 0, 1, NULL, 0, NULL, 0, 0};
    const int64_t heads = o->heads;
    char full[32];

    snprintf(full, sizeof full, "layer%d.%s", (int)layer, name);
    const dyn_node f = dyn_build_parameter(b, full, 1, &heads, &init);
    return dyn_graph_reshape(dyn_build_graph(b), f, 3, (int64_t[]){heads, 1, 1});
}

dyn_node dyn__buffers_matched(dyn_build *b, const dyn_transformer_options *o, int32_t layer, dyn_node scores, dyn_node x,
                              dyn_node y)
{
    dyn_graph *g = dyn_build_graph(b);

    if (o->buffers == DYN_BUFFERS_NONE || layer == 1)
        return scores;
    dyn_node match = dyn_graph_matmul(g, through(b, o, layer - 1, x, 1), y, 0, 1);
    match = dyn_graph_scale(g, match, 1 / sqrt((double)o->key_width));
    match = dyn_graph_reshape(g, match, 4, (int64_t[]){dyn_build_samples(b), 1, o->length, o->length});
    return dyn_graph_add(g, scores, dyn_graph_mul(g, factors(b, o, layer, "beta"), match));
}

dyn_node dyn__buffers_carried(dyn_build *b, const dyn_transformer_options *o, int32_t layer, dyn_node out, dyn_node maps,
                              dyn_node y)
{
    const int32_t heads = 1;
    dyn_graph *g = dyn_build_graph(b);

    if (o->buffers == DYN_BUFFERS_NONE)
        return out;
    dyn_node map = dyn_graph_sum(g, dyn_graph_mul(g, maps, factors(b, o, layer, "alpha")), 1, &heads);
    return dyn_graph_add(g, out, dyn_graph_matmul(g, map, through(b, o, layer, y, 0), 0, 0));
}
