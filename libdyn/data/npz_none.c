/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Stands for npz.c and npz_write.c where libzip is missing at build time. */
#include "data/data.h"

static dyn_status no_libzip(dyn_ctx *ctx, const char *path)
{
    return DYN__FAIL(ctx, DYN_ENOTSUP, "%s: .npz needs libzip, which this library was built without", path);
}

dyn_status dyn__npz_from_bytes(dyn_ctx *ctx, const dyn__bytes *b, dyn_npz **out)
{
    *out = NULL;
    return no_libzip(ctx, b->name);
}

dyn_status dyn_npz_open(dyn_ctx *ctx, const char *path, dyn_npz **out)
{
    if (out)
        *out = NULL;
    if (!ctx)
        return DYN_EINVAL;
    DYN__ENTER(ctx);
    DYN__NEED(ctx, path);
    DYN__NEED(ctx, out);
    return no_libzip(ctx, path);
}

dyn_status dyn_npz_write(dyn_ctx *ctx, const char *path, int64_t count, const char *const *names,
                         dyn_array *const *arrays)
{
    (void)count;
    (void)names;
    (void)arrays;
    if (!ctx)
        return DYN_EINVAL;
    DYN__ENTER(ctx);
    DYN__NEED(ctx, path);
    return no_libzip(ctx, path);
}

/* No archive can have been opened: the rest only ever sees NULL. */
void dyn_npz_free(dyn_npz *npz) { (void)npz; }
int64_t dyn_npz_count(const dyn_npz *npz) { (void)npz; return 0; }

const char *dyn_npz_name(const dyn_npz *npz, int64_t i)
{
    (void)npz;
    (void)i;
    return NULL;
}

dyn_status dyn_npz_read(dyn_npz *npz, const char *name, dyn_array **out)
{
    (void)npz;
    (void)name;
    if (out)
        *out = NULL;
    return DYN_EINVAL;
}
