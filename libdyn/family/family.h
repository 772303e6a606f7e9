/* SPDX-License-Identifier: BSD-3-Clause
 *
 * What families share: checks of options, and pieces of a network, whose tensors have a prefix and a number. */
#ifndef DYN__FAMILY_H
#define DYN__FAMILY_H

#include <dyn/layer.h>
#include "model/theirs.h"

/* A size: 1 or more. */
dyn_status dyn__check_size(dyn_ctx *ctx, const char *name, int64_t value);
/* An enumerator from 0 to `last`. */
dyn_status dyn__check_choice(dyn_ctx *ctx, const char *name, int32_t value, int32_t last);

/* A model whose build function gets a copy of these options, and whose tensors are called so in PyTorch. */
dyn_status dyn__family_create(dyn_ctx *ctx, dyn_build_fn build, dyn__theirs_fn theirs, const void *options, size_t size,
                             dyn_model **out);

/* Gains begin as 1, shifts as 0, whatever the initialisation of the model is. */
extern const dyn_init_options dyn__init_one, dyn__init_zero;

/* A piece of a network: its tensors are called prefix, name, number; without a number where it is 0. */
typedef struct dyn__piece {
    dyn_build *b;
    const char *prefix;
    int32_t number;
} dyn__piece;

dyn_node dyn__piece_parameter(const dyn__piece *p, const char *name, int32_t rank, const int64_t *shape,
                             const dyn_init_options *init);
/* Names a tensor. */
dyn_node dyn__piece_named(const dyn__piece *p, const char *name, dyn_node x);
/* x W + b of the features x [n, in]. */
dyn_node dyn__piece_linear(const dyn__piece *p, dyn_node x, int64_t out, int32_t bias);
/* A batch norm with "gain" and "shift", or "b" alone if wanted, over the last axis of x. */
dyn_node dyn__piece_normed(const dyn__piece *p, dyn_node x, int32_t batch_norm, int32_t bias);

#endif
