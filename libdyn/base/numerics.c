/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Reading and comparing numeric classes. Their keys have one order, so that two texts are compared item by item. */
#include "base/numerics.h"

#include <string.h>
#include "base/context.h"

/* The length of an item, and where the one behind it begins. */
static int item_length(const char *item) { return (int)strcspn(item, ";"); }
static const char *behind(const char *item)
{
    item += item_length(item);
    return item + strspn(item, "; ");
}

const char *dyn__numerics_value(const char *text, const char *key, int *length)
{
    const size_t n = strlen(key);

    for (const char *item = text; *item; item = behind(item))
        if (!strncmp(item, key, n) && !strncmp(item + n, ": ", 2)) {
            *length = item_length(item) - (int)n - 2;
            return item + n + 2;
        }
    return NULL;
}

int dyn__numerics_is(const char *text, const char *key, const char *word)
{
    int length;
    const char *value = dyn__numerics_value(text, key, &length);

    return value && (size_t)length == strlen(word) && !strncmp(value, word, (size_t)length);
}

static dyn_status compare_items(dyn_ctx *ctx, const char *asked, const char *ours)
{
    const int n = item_length(asked), m = item_length(ours);

    if (n == m && !strncmp(asked, ours, (size_t)n))
        return DYN_OK;
    if (!n || !m || strncmp(asked, ours, strcspn(ours, ":") + 1) != 0)
        return DYN__FAIL(ctx, DYN_EINVAL, "numerics: \"%.*s\" stands where \"%.*s\" is expected", n, asked, m, ours);
    return DYN__FAIL(ctx, DYN_ENOTSUP, "numerics: asked for is \"%.*s\", here there is \"%.*s\"", n, asked, m, ours);
}

dyn_status dyn__numerics_check(dyn_ctx *ctx, const char *asked)
{
    const char *ours = ctx->numerics;

    while (*asked || *ours) {
        DYN__TRY(compare_items(ctx, asked, ours));
        asked = behind(asked);
        ours = behind(ours);
    }
    return DYN_OK;
}
