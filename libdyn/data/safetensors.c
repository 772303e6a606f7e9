/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Reading safetensors: eight bytes with the length of a JSON header, the header, the data. The header is a table of
 * tensors with types, shapes and ranges of the data. jansson parses it and refuses repeated names; everything else is
 * checked here before a tensor is given out. */
#include "data/safetensors.h"

#include <errno.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

enum { LENGTH = 8 };
static const int64_t MOST_HEADER = 100000000;   /* as in the format's own reader */

typedef struct tensor {
    const char *name;           /* of the JSON */
    const dyn__st_type *type;
    int64_t shape[DYN_ARRAY_MAX_RANK], begin, end;
    size_t rank;
} tensor;

struct dyn_safetensors {
    dyn_ctx *ctx;
    const unsigned char *own;   /* the file */
    int64_t size, data;         /* bytes of the file; where the data begins */
    char *path;
    json_t *header;
    int64_t count;
    tensor *tensors;            /* in the order of their data */
};

static const dyn__st_type types[] = {
    { "F64", 'f', 8 }, { "F32", 'f', 4 }, { "F16", 'h', 2 }, { "BF16", 'b', 2 }, { "I64", 'i', 8 }, { "I32", 'i', 4 },
    { "I16", 'i', 2 }, { "I8", 'i', 1 }, { "U32", 'u', 4 }, { "U16", 'u', 2 }, { "U8", 'u', 1 }, { "BOOL", '?', 1 },
    { "U64", 0, 8 }, { "F8_E4M3", 0, 1 }, { "F8_E5M2", 0, 1 },
};

const dyn__st_type *dyn__st_type_of(const char *name)
{
    for (size_t i = 0; i < sizeof types / sizeof *types; i++)
        if (strcmp(types[i].name, name) == 0)
            return &types[i];
    return NULL;
}

dyn_status dyn__st_no_memory(dyn_ctx *ctx) { return DYN__FAIL(ctx, DYN_ENOMEM, "out of memory in jansson"); }

#define BROKEN(st, ...) DYN__FAIL((st)->ctx, DYN_EFORMAT, __VA_ARGS__)

/* ---- the header ---- */

/* A member of a tensor that is an array of integers >= 0; at most `most` of them. */
static dyn_status read_integers(const dyn_safetensors *st, const tensor *t, json_t *entry, const char *what,
                                size_t most, int64_t *out, size_t *count)
{
    json_t *array = json_object_get(entry, what);

    if (!json_is_array(array) || json_array_size(array) > most)
        return BROKEN(st, "%s: \"%.100s\": %s is no array of at most %zu numbers", st->path, t->name, what, most);
    *count = json_array_size(array);
    for (size_t i = 0; i < *count; i++) {
        const json_t *number = json_array_get(array, i);

        if (!json_is_integer(number) || json_integer_value(number) < 0)
            return BROKEN(st, "%s: \"%.100s\": %s[%zu] is no integer from 0 on", st->path, t->name, what, i);
        out[i] = json_integer_value(number);
    }
    return DYN_OK;
}

static dyn_status check_range(const dyn_safetensors *st, const tensor *t)
{
    int64_t bytes = t->type->size;

    for (size_t i = 0; i < t->rank; i++)
        if (__builtin_mul_overflow(bytes, t->shape[i], &bytes))
            return BROKEN(st, "%s: \"%.100s\" is too large", st->path, t->name);
    if (t->begin > t->end || t->end > st->size - st->data || t->end - t->begin != bytes)
        return BROKEN(st, "%s: \"%.100s\" has bytes %" PRId64 " to %" PRId64 " of %" PRId64 ", it needs %" PRId64,
                      st->path, t->name, t->begin, t->end, st->size - st->data, bytes);
    return DYN_OK;
}

static dyn_status read_tensor(const dyn_safetensors *st, json_t *entry, tensor *t)
{
    int64_t range[2];
    const char *type;
    size_t count;

    if (!json_is_object(entry) || json_object_size(entry) != 3)
        return BROKEN(st, "%s: \"%.100s\" is no object of dtype, shape and data_offsets", st->path, t->name);
    type = json_string_value(json_object_get(entry, "dtype"));
    t->type = type ? dyn__st_type_of(type) : NULL;
    if (!t->type)
        return BROKEN(st, "%s: \"%.100s\": dtype \"%.20s\" is unknown", st->path, t->name, type ? type : "");
    DYN__TRY(read_integers(st, t, entry, "shape", DYN_ARRAY_MAX_RANK, t->shape, &t->rank));
    DYN__TRY(read_integers(st, t, entry, "data_offsets", 2, range, &count));
    if (count != 2)
        return BROKEN(st, "%s: \"%.100s\": data_offsets has %zu numbers", st->path, t->name, count);
    t->begin = range[0];
    t->end = range[1];
    return check_range(st, t);
}

static dyn_status check_metadata(const dyn_safetensors *st, json_t *entry)
{
    const char *key;
    json_t *value;

    if (!json_is_object(entry))
        return BROKEN(st, "%s: __metadata__ is no object", st->path);
    json_object_foreach(entry, key, value)
        if (!json_is_string(value))
            return BROKEN(st, "%s: __metadata__: \"%.100s\" is no text", st->path, key);
    return DYN_OK;
}

static int by_place(const void *a, const void *b)
{
    const tensor *p = a, *q = b;

    if (p->begin != q->begin)
        return p->begin < q->begin ? -1 : 1;
    return p->end < q->end ? -1 : p->end > q->end;
}

static dyn_status check_cover(const dyn_safetensors *st)
{
    int64_t at = 0;

    for (int64_t i = 0; i < st->count; i++) {
        if (st->tensors[i].begin != at)
            return BROKEN(st, "%s: \"%.100s\" begins at byte %" PRId64 " of the data, the one before ends at %" PRId64,
                          st->path, st->tensors[i].name, st->tensors[i].begin, at);
        at = st->tensors[i].end;
    }
    if (at != st->size - st->data)
        return BROKEN(st, "%s: the tensors end at byte %" PRId64 " of %" PRId64, st->path, at, st->size - st->data);
    return DYN_OK;
}

static dyn_status read_header(dyn_safetensors *st)
{
    const char *key;
    json_t *value;

    st->tensors = dyn__alloc(st->ctx, json_object_size(st->header) + 1, sizeof *st->tensors);
    if (!st->tensors)
        return DYN_ENOMEM;
    json_object_foreach(st->header, key, value) {
        tensor *t = &st->tensors[st->count];

        if (strcmp(key, "__metadata__") == 0) {
            DYN__TRY(check_metadata(st, value));
            continue;
        }
        t->name = key;
        DYN__TRY(read_tensor(st, value, t));
        st->count++;
    }
    qsort(st->tensors, (size_t)st->count, sizeof *st->tensors, by_place);
    return check_cover(st);
}

static json_t *read_json(const dyn_safetensors *st, int64_t length, json_error_t *error)
{
    return json_loadb((const char *)st->own + LENGTH, (size_t)length, JSON_REJECT_DUPLICATES, error);
}

/* When memory runs out jansson drops characters and goes on, or blames the text: what two readings agree on counts. */
static dyn_status read_twice(dyn_safetensors *st, int64_t length)
{
    json_error_t error, again;
    json_t *second;
    int same;

    st->header = read_json(st, length, &error);
    errno = 0;
    second = read_json(st, length, &again);
    same = st->header && second ? json_equal(st->header, second)
                                : st->header == second && error.position == again.position && errno != ENOMEM;
    json_decref(second);
    if (!same)
        return dyn__st_no_memory(st->ctx);
    return st->header ? DYN_OK : BROKEN(st, "%s: header: %s", st->path, error.text);
}

static dyn_status parse(dyn_safetensors *st)
{
    int64_t length = 0;

    if (st->size < LENGTH)
        return BROKEN(st, "%s: %" PRId64 " bytes are no safetensors file", st->path, st->size);
    for (int i = LENGTH - 1; i >= 0; i--)
        length = (int64_t)((uint64_t)length << 8 | st->own[i]);
    if (length < 2 || length > MOST_HEADER || length > st->size - LENGTH)
        return BROKEN(st, "%s: a header of %" PRId64 " bytes in a file of %" PRId64, st->path, length, st->size);
    if (st->own[LENGTH] != '{')
        return BROKEN(st, "%s: the header does not begin with {", st->path);
    st->data = LENGTH + length;
    DYN__TRY(read_twice(st, length));
    return read_header(st);
}

static dyn_status keep(dyn_ctx *ctx, dyn__bytes *b, const char *none, void *out)
{
    dyn_safetensors *st = dyn__alloc(ctx, 1, sizeof *st);
    dyn_status s;

    (void)none;
    if (!st)
        return DYN_ENOMEM;
    dyn__ctx_ref(ctx);
    st->ctx = ctx;
    st->own = b->p;
    st->size = b->n;
    b->p = NULL;
    st->path = dyn__strdup(ctx, b->name);
    s = st->path ? parse(st) : DYN_ENOMEM;
    if (s == DYN_OK)
        *(dyn_safetensors **)out = st;
    else
        dyn_safetensors_free(st);
    return s;
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
    return dyn__file_parse(ctx, path, NULL, keep, out);
}

void dyn_safetensors_free(dyn_safetensors *st)
{
    dyn_ctx *ctx;

    if (!st)
        return;
    ctx = st->ctx;
    json_decref(st->header);
    dyn__free(ctx, st->tensors);
    dyn__free(ctx, st->path);
    dyn__free(ctx, (void *)(uintptr_t)st->own);
    dyn__free(ctx, st);
    dyn__ctx_unref(ctx);
}

int64_t dyn_safetensors_count(const dyn_safetensors *st) { return st ? st->count : 0; }

const char *dyn_safetensors_name(const dyn_safetensors *st, int64_t i)
{
    return st && i >= 0 && i < st->count ? st->tensors[i].name : NULL;
}

/* ---- elements ---- */

static float half(uint16_t h)
{
    const uint32_t sign = (uint32_t)(h >> 15) << 31, exponent = h >> 10 & 31, fraction = h & 1023;
    uint32_t bits = sign | (exponent + 112) << 23 | fraction << 13;
    float x;

    if (exponent == 31)
        bits = sign | 0x7F800000u | fraction << 13;
    memcpy(&x, &bits, sizeof x);
    if (exponent == 0) {
        x = (float)fraction * 0x1p-24f;
        return sign ? -x : x;
    }
    return x;
}

static float brain(uint16_t h)
{
    const uint32_t bits = (uint32_t)h << 16;
    float x;

    memcpy(&x, &bits, sizeof x);
    return x;
}

static dyn_status read_short(const dyn_safetensors *st, const tensor *t, dyn_array **out)
{
    const unsigned char *p = st->own + st->data + t->begin;

    DYN__TRY(dyn__array_new(st->ctx, DYN_F32, (int32_t)t->rank, t->shape, out));
    for (int64_t i = 0; i < (*out)->size; i++) {
        const uint16_t h = (uint16_t)(p[2 * i] | p[2 * i + 1] << 8);

        ((float *)(*out)->own)[i] = t->type->kind == 'h' ? half(h) : brain(h);
    }
    return DYN_OK;
}

static dyn_status check_booleans(const dyn_safetensors *st, const tensor *t)
{
    for (int64_t i = t->begin; t->type->kind == '?' && i < t->end; i++)
        if (st->own[st->data + i] > 1)
            return BROKEN(st, "%s: \"%.100s\": element %" PRId64 " is %d, no boolean", st->path, t->name, i - t->begin,
                          st->own[st->data + i]);
    return DYN_OK;
}

dyn_status dyn_safetensors_read(dyn_safetensors *st, const char *name, dyn_array **out)
{
    const tensor *t = NULL;
    dyn__packing pack = { 0 };
    dyn__bytes b;

    if (out)
        *out = NULL;
    if (!st)
        return DYN_EINVAL;
    DYN__ENTER(st->ctx);
    DYN__NEED(st->ctx, name);
    DYN__NEED(st->ctx, out);
    for (int64_t i = 0; i < st->count && !t; i++)
        t = strcmp(st->tensors[i].name, name) == 0 ? &st->tensors[i] : NULL;
    if (!t)
        return DYN__FAIL(st->ctx, DYN_EINVAL, "%s: there is no tensor \"%.100s\"", st->path, name);
    if (!t->type->kind)
        return DYN__FAIL(st->ctx, DYN_ENOTSUP, "%s: \"%.100s\" is of type %s", st->path, name, t->type->name);
    if (t->type->kind == 'h' || t->type->kind == 'b')
        return read_short(st, t, out);
    DYN__TRY(check_booleans(st, t));
    pack.kind = t->type->kind == '?' ? 'u' : t->type->kind;
    pack.size = t->type->size;
    b = (dyn__bytes){ st->own, st->data + t->end, st->path };
    return dyn__unpack(st->ctx, &b, st->data + t->begin, &pack, (int32_t)t->rank, t->shape, out);
}
