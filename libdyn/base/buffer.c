/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Growing bytes. They double at the most, so that many small pieces cost what one large one does. */
#include "base/buffer.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static dyn_status make_room(dyn__buffer *b, size_t more)
{
    int64_t need;

    if (__builtin_add_overflow(b->length + 1, more, &need))
        return DYN__FAIL(b->ctx, DYN_ENOMEM, "out of memory: %zu bytes behind %lld", more, (long long)b->length);
    return dyn__grow(b->ctx, (void **)&b->at, &b->room, need, 1);
}

dyn_status dyn__buffer_add(dyn__buffer *b, const void *bytes, size_t size)
{
    if (size == 0)
        return DYN_OK;
    DYN__TRY(make_room(b, size));
    memcpy(b->at + b->length, bytes, size);
    b->length += (int64_t)size;
    b->at[b->length] = '\0';
    return DYN_OK;
}

dyn_status dyn__buffer_print(dyn__buffer *b, const char *format, ...)
{
    va_list list;

    va_start(list, format);
    const int more = vsnprintf(NULL, 0, format, list);
    va_end(list);
    DYN__TRY(make_room(b, (size_t)more));
    va_start(list, format);
    vsnprintf(b->at + b->length, (size_t)more + 1, format, list);
    va_end(list);
    b->length += more;
    return DYN_OK;
}
