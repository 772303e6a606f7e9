/* SPDX-License-Identifier: BSD-3-Clause
 *
 * What families share: checks of options, names of a layer's tensors. */
#ifndef DYN__FAMILY_H
#define DYN__FAMILY_H

#include <dyn/layer.h>
#include "model/model.h"

/* A size: 1 or more. */
dyn_status dyn__check_size(dyn_ctx *ctx, const char *name, int64_t value);
/* An enumerator from 0 to `last`. */
dyn_status dyn__check_choice(dyn_ctx *ctx, const char *name, int32_t value, int32_t last);
/* "layer2.name" into buf, or "name" for layer 0. */
void dyn__layer_name(char *buf, size_t size, int32_t layer, const char *name);

#endif
