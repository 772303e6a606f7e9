/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Layers as the graph has them: a weight that multiplies what comes in, row by row, and the bias added to it. A dense
 * layer has one row for a sample, or one per position of a sequence; a convolution one for each place of its window. */
#ifndef DYN__LAYERS_H
#define DYN__LAYERS_H

#include "objective/parts.h"

typedef struct dyn__layer {
    int32_t weight, bias;       /* numbers of tensors; bias -1 = none */
    int64_t in, out;            /* rows and columns of the weight */
    int64_t positions;          /* rows of a sample */
    dyn_node input, product;    /* in a graph */
} dyn__layer;

/* Layers of a graph in its order, each weight that is used once and so. *list is the caller's to free. */
dyn_status dyn__layers_find(dyn_objective *o, const dyn__loss_graph *l, dyn__layer **list, int32_t *count);

/* The way back of a part of the samples, from what the way there keeps: several cotangents share one evaluation. */
typedef struct dyn__way_back {
    dyn_exec *exec;             /* NULL: gradients of the loss, which come with the way there */
    dyn__slots slots;
    int32_t cuts;
    dyn_node *cut;              /* [cuts] nodes that it is given */
    void **value;
} dyn__way_back;

/* What comes in and the gradients by what goes out, chunk by chunk of samples. */
typedef struct dyn__layers {
    dyn_objective *o;
    dyn__layer *layer;
    int32_t count, targets;     /* targets 1: gradients of the loss; 0: of <cotangent, outputs> */
    void *theta, *cotangent;    /* [p]; [n, c], in the element type */
    dyn__parts parts;
    dyn__way_back back[2];      /* of the whole parts, of the tail */
} dyn__layers;

dyn_status dyn__layers_open(dyn_objective *o, const double *theta, int targets, dyn__layers *out);
void dyn__layers_close(dyn__layers *l);
/* Values of some samples of layer k, in the element type: what came in [count positions, in], gradients [count positions, out]. */
typedef void (*dyn__layers_fn)(void *user, int32_t k, int64_t count, const void *input, const void *gradient);
/* Writes cotangent number `column` of the samples from `first` on to the start of l->cotangent. */
typedef void (*dyn__cotangent_fn)(void *user, int64_t column, int64_t first, int64_t count);
/* All samples, each chunk at one cotangent after the other. */
dyn_status dyn__layers_run(dyn__layers *l, int64_t columns, dyn__cotangent_fn fill, dyn__layers_fn use, void *user);

#endif
