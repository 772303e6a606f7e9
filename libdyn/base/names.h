/* SPDX-License-Identifier: BSD-3-Clause
 *
 * A hash table from names to numbers. The texts stay the caller's and outlive the table. */
#ifndef DYN__NAMES_H
#define DYN__NAMES_H

#include "base/base.h"

typedef struct dyn__name_slot { const char *text; int32_t number; } dyn__name_slot;
/* Begins as zeros. */
typedef struct dyn__names { dyn__name_slot *slot; int64_t size, count; } dyn__names;

/* The number of the name first given, or -1. */
int32_t dyn__names_find(const dyn__names *t, const char *text);
/* A name that the table has keeps its number. */
dyn_status dyn__names_add(dyn_ctx *ctx, dyn__names *t, const char *text, int32_t number);
void dyn__names_free(dyn_ctx *ctx, dyn__names *t);

#endif
