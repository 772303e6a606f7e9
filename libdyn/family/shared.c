/* SPDX-License-Identifier: BSD-3-Clause
 *
 * What families share: see family.h. */
#include <stdio.h>
#include "family/family.h"

dyn_status dyn__check_size(dyn_ctx *ctx, const char *name, int64_t value)
{
    if (value < 1)
        return DYN__FAIL(ctx, DYN_EINVAL, "%s is %lld, expected at least 1", name, (long long)value);
    return DYN_OK;
}

dyn_status dyn__check_choice(dyn_ctx *ctx, const char *name, int32_t value, int32_t last)
{
    if (value < 0 || value > last)
        return DYN__FAIL(ctx, DYN_EINVAL, "%s %d is outside [0, %d]", name, (int)value, (int)last);
    return DYN_OK;
}

void dyn__layer_name(char *buf, size_t size, int32_t layer, const char *name)
{
    if (layer > 0)
        snprintf(buf, size, "layer%d.%s", (int)layer, name);
    else
        snprintf(buf, size, "%s", name);
}
