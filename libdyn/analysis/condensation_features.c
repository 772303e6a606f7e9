/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Features of a layer of a model, from the names of its tensors: neuron k of layer l is column k of "W<l>" followed by
 * element k of "b<l>", and its output weights are row k of "W<l+1>". */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include "analysis/condensation.h"
#include "model/model.h"

typedef struct tensor {
    int32_t rank;           /* -1: the model has none of that name */
    int64_t shape[DYN_MAX_RANK], offset;
} tensor;

typedef struct layer {
    tensor weight, bias, next;
} layer;

static tensor find(const dyn_model *m, char kind, int64_t number)
{
    tensor t = { .rank = -1 };
    char name[32];

    snprintf(name, sizeof name, "%c%" PRId64, kind, number);
    for (int32_t i = 0; i < dyn_model_tensors(m); i++)
        if (strcmp(dyn_model_tensor_name(m, i), name) == 0)
            t.rank = dyn_model_tensor(m, i, t.shape, &t.offset);
    return t;
}

static dyn_status find_layer(const dyn_model *m, int32_t number, layer *l)
{
    const int64_t *shape = l->weight.shape;

    l->weight = find(m, 'W', number);
    l->bias = find(m, 'b', number);
    l->next = find(m, 'W', (int64_t)number + 1);
    if (l->weight.rank != 2)
        return DYN__FAIL(m->ctx, DYN_EINVAL, "layer %" PRId32 ": the model has no matrix \"W%" PRId32 "\"", number,
                         number);
    if (l->bias.rank >= 0 && (l->bias.rank != 1 || l->bias.shape[0] != shape[1]))
        return DYN__FAIL(m->ctx, DYN_ESHAPE, "layer %" PRId32 ": the bias has rank %" PRId32 " and %" PRId64
                         " elements for %" PRId64 " neurons", number, l->bias.rank, l->bias.shape[0], shape[1]);
    if (l->next.rank >= 0 && (l->next.rank != 2 || l->next.shape[0] != shape[1]))
        return DYN__FAIL(m->ctx, DYN_ESHAPE, "layer %" PRId32 ": the next matrix has rank %" PRId32 " and %" PRId64
                         " rows for %" PRId64 " neurons", number, l->next.rank, l->next.shape[0], shape[1]);
    return DYN_OK;
}

dyn_status dyn_condensation_shape(const dyn_model *m, int32_t layer_number, int64_t *neurons, int64_t *components,
                                  int64_t *outputs)
{
    layer l;

    if (!m)
        return DYN_EINVAL;
    DYN__ENTER(m->ctx);
    if (!neurons || !components || !outputs)
        return DYN__FAIL(m->ctx, DYN_EINVAL, "an output is NULL");
    DYN__TRY(find_layer(m, layer_number, &l));
    *neurons = l.weight.shape[1];
    *components = l.weight.shape[0] + (l.bias.rank >= 0);
    *outputs = l.next.rank >= 0 ? l.next.shape[1] : 0;
    return DYN_OK;
}

static void copy_features(const layer *l, const double *theta, double *features)
{
    int64_t inputs = l->weight.shape[0], neurons = l->weight.shape[1], width = inputs + (l->bias.rank >= 0);

    for (int64_t k = 0; k < neurons; k++) {
        for (int64_t j = 0; j < inputs; j++)
            features[k * width + j] = theta[l->weight.offset + j * neurons + k];
        if (l->bias.rank >= 0)
            features[k * width + inputs] = theta[l->bias.offset + k];
    }
}

dyn_status dyn_condensation_features(const dyn_model *m, const double *theta, int32_t layer_number, double *features,
                                     double *output_weights)
{
    layer l;

    if (!m)
        return DYN_EINVAL;
    DYN__ENTER(m->ctx);
    DYN__NEED(m->ctx, theta);
    DYN__NEED(m->ctx, features);
    DYN__TRY(find_layer(m, layer_number, &l));
    copy_features(&l, theta, features);
    if (output_weights && l.next.rank >= 0)
        memcpy(output_weights, theta + l.next.offset, (size_t)(l.next.shape[0] * l.next.shape[1]) * sizeof *theta);
    return DYN_OK;
}
