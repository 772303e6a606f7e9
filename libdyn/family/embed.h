/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Perceptrons in larger perceptrons: what the embeddings in width and in depth share. */
#ifndef DYN__EMBED_H
#define DYN__EMBED_H

#include "family/perceptron.h"

/* A weight matrix [in, out] and its bias [out], NULL without one. */
typedef struct dyn__affine { double *w, *b; } dyn__affine;

/* Layer l, counted from 0, in theta. */
dyn__affine dyn__layer_at(const dyn__perceptron *p, int32_t l, const double *theta);

/* The perceptron behind m; refused: another family, copies, skip connections. */
dyn_status dyn__plain_perceptron(const dyn_model *m, const char *name, const dyn__perceptron **out);

/* x[i] = activation(x[i]). */
dyn_status dyn__activate(dyn_ctx *ctx, int32_t activation, int64_t n, double *x);

#endif
