/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Bytes that grow: a text, or what defines something. */
#ifndef DYN__BUFFER_H
#define DYN__BUFFER_H

#include "base/base.h"

/* Begins as zeros but for ctx; `at` is freed by dyn__free. */
typedef struct dyn__buffer {
    dyn_ctx *ctx;
    char *at;
    int64_t length, room;       /* without and with the NUL that is kept behind it */
} dyn__buffer;

/* Append bytes, or a text. After DYN_ENOMEM the buffer is what it was. */
dyn_status dyn__buffer_add(dyn__buffer *b, const void *bytes, size_t size);
dyn_status dyn__buffer_print(dyn__buffer *b, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
