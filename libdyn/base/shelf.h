/* SPDX-License-Identifier: BSD-3-Clause
 *
 * What contexts share: counted values, found by the bytes that define them. They lie on the shelf of a context that
 * keeps them for others, until that is freed by its owner; the least used make room. */
#ifndef DYN__SHELF_H
#define DYN__SHELF_H

#include "base/buffer.h"

/* How a value is counted. */
typedef struct dyn__counted { void (*take)(void *value), (*drop)(void *value); } dyn__counted;

/* 1: ctx shares with others. */
int dyn__shares(const dyn_ctx *ctx);
/* The value that these bytes define, of a context that shares, with a reference for the caller; NULL: there is none. Any thread. */
void *dyn__shelf_find(dyn_ctx *ctx, const dyn__buffer *k);
/* Put a value there with a reference of its own, unless there is one. Any thread. */
dyn_status dyn__shelf_put(dyn_ctx *ctx, const dyn__buffer *k, void *value, const dyn__counted *how);
/* Drop all that lies on the shelf of this context. */
void dyn__shelf_empty(dyn_ctx *keeper);
/* Let ctx, which shares nothing yet, share with others of this keeper. Any thread. */
dyn_status dyn__ctx_share(dyn_ctx *ctx, dyn_ctx *keeper);

#endif
