/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Writing safetensors. Arrays are row-major by nature here, so that no layout can be mistaken. */
#include "base/buffer.h"
#include "data/safetensors.h"

#include <errno.h>
#include <jansson.h>
#include <string.h>

typedef struct contents {
    dyn_ctx *ctx;
    int64_t count;
    dyn_array *const *arrays;
    dyn__buffer header;
    int64_t length;         /* of the header, padded to eight bytes */
    int failed;             /* a part of it could not be kept */
} contents;

const char *dyn__st_name_of(int32_t dtype)
{
    return dtype == DYN_F64 ? "F64" : dtype == DYN_F32 ? "F32" : dtype == DYN_I64 ? "I64" : "U8";
}

/* NULL is out of memory, of this and the next. */
static json_t *shape_of(const dyn_array *a)
{
    json_t *shape = json_array();

    for (int32_t k = 0; k < a->rank; k++)
        if (json_array_append_new(shape, json_integer(a->shape[k])) != 0) {
            json_decref(shape);
            return NULL;
        }
    return shape;
}

static json_t *describe(const dyn_array *a, int64_t begin, int64_t end)
{
    json_t *shape = shape_of(a);

    if (!shape)
        return NULL;
    return json_pack("{s:s, s:o, s:[I, I]}", "dtype", dyn__st_name_of(a->dtype), "shape", shape, "data_offsets",
                     (json_int_t)begin, (json_int_t)end);
}

static dyn_status add(dyn_ctx *ctx, json_t *header, const char *name, const dyn_array *a, int64_t *at)
{
    const int64_t begin = *at;
    json_t *entry;

    if (!name || !a)
        return DYN__FAIL(ctx, DYN_EINVAL, "a name or an array is NULL");
    if (!*name || strcmp(name, "__metadata__") == 0 || json_object_get(header, name))
        return DYN__FAIL(ctx, DYN_EINVAL, "the name \"%.100s\" is empty, reserved or given twice", name);
    *at += a->size * (int64_t)dyn__dtype_size(a->dtype);
    entry = describe(a, begin, *at);
    if (!entry)
        return dyn__st_no_memory(ctx);
    errno = 0;
    if (json_object_set_new(header, name, entry) == 0)
        return DYN_OK;
    return errno == ENOMEM ? dyn__st_no_memory(ctx)
                           : DYN__FAIL(ctx, DYN_EINVAL, "the name \"%.100s\" is no UTF-8", name);
}

static dyn_status put(void *arg, dyn__file *f)
{
    static const char spaces[8] = "        ";
    const contents *c = arg;
    unsigned char length[8];

    for (int i = 0; i < 8; i++)
        length[i] = (unsigned char)((uint64_t)c->length >> 8 * i);
    DYN__TRY(dyn__file_put(f, length, sizeof length));
    DYN__TRY(dyn__file_put(f, c->header.at, (size_t)c->header.length));
    DYN__TRY(dyn__file_put(f, spaces, (size_t)(c->length - c->header.length)));
    for (int64_t i = 0; i < c->count; i++) {
        const dyn_array *a = c->arrays[i];

        DYN__TRY(dyn__file_put(f, a->data, (size_t)a->size * dyn__dtype_size(a->dtype)));
    }
    return DYN_OK;
}

/* jansson's own buffer drops characters without a word when memory runs out; and it does not look at every result. */
static int append(const char *text, size_t size, void *arg)
{
    contents *c = arg;

    c->failed = c->failed || dyn__buffer_add(&c->header, text, size) < 0;
    return c->failed ? -1 : 0;
}

static dyn_status write(const char *path, json_t *header, contents *c)
{
    dyn_status s;

    if (json_dump_callback(header, append, c, JSON_COMPACT) != 0 || c->failed)
        s = dyn__st_no_memory(c->ctx);
    else {
        c->length = (c->header.length + 7) / 8 * 8;
        s = dyn__file_replace(c->ctx, path, put, c);
    }
    dyn__free(c->ctx, c->header.at);
    return s;
}

dyn_status dyn_safetensors_write(dyn_ctx *ctx, const char *path, int64_t count, const char *const *names,
                                 dyn_array *const *arrays)
{
    contents c = { .ctx = ctx, .count = count, .arrays = arrays, .header = { .ctx = ctx } };
    int64_t at = 0;
    json_t *header;
    dyn_status s = DYN_OK;

    if (!ctx)
        return DYN_EINVAL;
    DYN__ENTER(ctx);
    DYN__NEED(ctx, path);
    if (count < 0)
        return DYN__FAIL(ctx, DYN_EINVAL, "count is %lld", (long long)count);
    if (count > 0) {
        DYN__NEED(ctx, names);
        DYN__NEED(ctx, arrays);
    }
    header = json_object();
    if (!header)
        return dyn__st_no_memory(ctx);
    for (int64_t i = 0; s == DYN_OK && i < count; i++)
        s = add(ctx, header, names[i], arrays[i], &at);
    if (s == DYN_OK)
        s = write(path, header, &c);
    json_decref(header);
    return s;
}
