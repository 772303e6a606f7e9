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

/* What comes in and the gradients by what goes out, chunk by chunk of samples. */
typedef struct dyn__layers {
    dyn_objective *o;
    dyn__layer *layer;
    int32_t count, targets;     /* targets 1: gradients of the loss; 0: of <cotangent, outputs> */
    void *theta, *cotangent;    /* [p]; [n, c], in the element type */
    dyn__parts parts;
} dyn__layers;

dyn_status dyn__layers_open(dyn_objective *o, const double *theta, int targets, dyn__layers *out);
void dyn__layers_close(dyn__layers *l);
/* Values of some samples of layer k, in the element type: what came in [count positions, in], gradients [count positions, out]. */
typedef void (*dyn__layers_fn)(void *user, int32_t k, int64_t count, const void *input, const void *gradient);
/* All samples, at the cotangent of now. */
dyn_status dyn__layers_run(dyn__layers *l, dyn__layers_fn use, void *user);

#endif
