/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The numeric class, from the report: its lines but those that decide no bit. */
#include <stdio.h>
#include <string.h>
#include "base/numerics.h"
#include <dyn/context.h>

static int decides_no_bit(const char *line)
{
    static const char *const others[] = { "threads:", "libzip:", "zlib:", "jansson:", "sqlite:" };

    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        if (strncmp(line, others[i], strlen(others[i])) == 0)
            return 1;
    return 0;
}

void dyn__numerics_of(const dyn_ctx *ctx, char room[DYN__NUMERICS])
{
    size_t length = 0;

    room[0] = '\0';
    for (const char *line = dyn_ctx_report(ctx); *line;) {
        const int size = (int)strcspn(line, "\n");

        if (!decides_no_bit(line) && length + (size_t)size + 3 < DYN__NUMERICS)
            length += (size_t)sprintf(room + length, "%s%.*s", length ? "; " : "", size, line);
        line += size + (line[size] == '\n');
    }
}
