/* SPDX-License-Identifier: BSD-3-Clause
 *
 * What a call that is refused must do: give this status and a message that begins with its function's name and holds
 * what was wrong. Used by programs with a static dyn_ctx *ctx. */
#ifndef GRAPH_REFUSED_H
#define GRAPH_REFUSED_H

#include <dyn/dyn.h>
#include "test.h"

#define SHAPE(...) (const int64_t[]){ __VA_ARGS__ }

static inline void check_refusal(dyn_ctx *ctx, const char *call, int64_t got, dyn_status expected, const char *function,
                                 const char *part)
{
    const char *message = dyn_ctx_message(ctx);
    const size_t length = strlen(function);

    if (got != expected)
        TEST_FAIL("%s: %s gives %lld, expected %d", test_name_, call, (long long)got, (int)expected);
    if (strncmp(message, function, length) || message[length] != ':' || !strstr(message, part))
        TEST_FAIL("%s: %s: \"%s\" lacks \"%s: ... %s\"", test_name_, call, message, function, part);
}
#define REFUSED(call, status, function, part) check_refusal(ctx, #call, (call), (status), (function), (part))

#endif
