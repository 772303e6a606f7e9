/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The numeric class of a context, what decides the bits of its results beside sizes, seeds and limits, as a text
 * "key: value; key: value". The kernel room writes it (context.c). */
#ifndef DYN__NUMERICS_H
#define DYN__NUMERICS_H

#include <dyn/context.h>

enum { DYN__NUMERICS = 512 };

/* The value of a key, and its length; NULL where the text has none. */
const char *dyn__numerics_value(const char *text, const char *key, int *length);
/* Whether the value is this word. */
int dyn__numerics_is(const char *text, const char *key, const char *word);
/* DYN_ENOTSUP with both, where ctx has another value than is asked for; DYN_EINVAL where that is no such text. */
dyn_status dyn__numerics_check(dyn_ctx *ctx, const char *asked);

#endif
