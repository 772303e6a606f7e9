/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Stands for safetensors.c and safetensors_write.c where jansson is missing at build time. */
#include "data/safetensors.h"

static dyn_status no_jansson(dyn_ctx *ctx, const char *path)
{
    return DYN__FAIL(ctx, DYN_ENOTSUP, "%s: safetensors needs jansson, which this library was built without", path);
}

dyn_status dyn_safetensors_open(dyn_ctx *ctx, const char *path, dyn_safetensors **out)
{
    if (out)
        *out = NULL;
    if (!ctx)
        return DYN_EINVAL;
    DYN__ENTER(ctx);
    DYN__NEED(ctx, path);
    DYN__NEED(ctx, out);
    return no_jansson(ctx, path);
}

void dyn_safetensors_free(dyn_safetensors *st) { (void)st; }

int64_t dyn_safetensors_count(const dyn_safetensors *st) { return (void)st, 0; }

const char *dyn_safetensors_name(const dyn_safetensors *st, int64_t i) { return (void)st, (void)i, NULL; }

dyn_status dyn_safetensors_read(dyn_safetensors *st, const char *name, dyn_array **out)
{
    (void)st, (void)name;
    if (out)
        *out = NULL;
    return DYN_EINVAL;      /* there is no open file */
}

dyn_status dyn_safetensors_write(dyn_ctx *ctx, const char *path, int64_t count, const char *const *names,
                                 dyn_array *const *arrays)
{
    (void)count, (void)names, (void)arrays;
    if (!ctx)
        return DYN_EINVAL;
    DYN__ENTER(ctx);
    DYN__NEED(ctx, path);
    return no_jansson(ctx, path);
}
