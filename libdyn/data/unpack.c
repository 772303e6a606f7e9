/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Numbers as files hold them - integers of 1 to 8 bytes, floats of 4 or 8, either byte order, C or Fortran order - to
 * the element types of an array. The length is checked before anything is allocated: a header cannot make us allocate
 * more than eight times what the file really holds. Bytes stay bytes. */
#include "data/data.h"

#include <string.h>

typedef void (*unpack_fn)(const unsigned char *src, int64_t n, int swap, void *dst);

static uint8_t swap8(uint8_t v) { return v; }

/* UNPACK(name, bits, type in the file, type in the array) */
#define swap16 __builtin_bswap16
#define swap32 __builtin_bswap32
#define swap64 __builtin_bswap64
#define UNPACK(name, bits, file_type, array_type)                                           \
    static void name(const unsigned char *src, int64_t n, int swap, void *dst)              \
    {                                                                                       \
        for (int64_t i = 0; i < n; i++) {                                                   \
            uint##bits##_t u;                                                               \
            file_type v;                                                                    \
            memcpy(&u, src + i * (int64_t)sizeof u, sizeof u);                              \
            u = swap ? swap##bits(u) : u;                                                   \
            memcpy(&v, &u, sizeof v);                                                       \
            ((array_type *)dst)[i] = v;                                                     \
        }                                                                                   \
    }
UNPACK(unpack_f8, 64, double, double)
UNPACK(unpack_f4, 32, float, float)
UNPACK(unpack_i8, 64, int64_t, int64_t)
UNPACK(unpack_i4, 32, int32_t, int64_t)
UNPACK(unpack_i2, 16, int16_t, int64_t)
UNPACK(unpack_i1, 8, int8_t, int64_t)
UNPACK(unpack_u4, 32, uint32_t, int64_t)
UNPACK(unpack_u2, 16, uint16_t, int64_t)
UNPACK(unpack_u1, 8, uint8_t, uint8_t)

static const struct format {
    char kind;
    int size;
    int32_t dtype;
    unpack_fn unpack;
} formats[] = {
    { 'f', 8, DYN_F64, unpack_f8 }, { 'f', 4, DYN_F32, unpack_f4 },
    { 'i', 8, DYN_I64, unpack_i8 }, { 'i', 4, DYN_I64, unpack_i4 },
    { 'i', 2, DYN_I64, unpack_i2 }, { 'i', 1, DYN_I64, unpack_i1 },
    { 'u', 4, DYN_I64, unpack_u4 }, { 'u', 2, DYN_I64, unpack_u2 }, { 'u', 1, DYN_U8, unpack_u1 },
};

static const struct format *find_format(const dyn__packing *pack)
{
    for (size_t i = 0; i < sizeof formats / sizeof *formats; i++)
        if (formats[i].kind == pack->kind && formats[i].size == pack->size)
            return &formats[i];
    return NULL;
}

static dyn_status check_length(dyn_ctx *ctx, const dyn__bytes *b, int64_t start, const dyn__packing *pack, int32_t rank,
                               const int64_t *shape)
{
    int64_t span = sizeof(int64_t), need, have = b->n - start;      /* of the widest element in memory */

    for (int i = 0; i < rank; i++)
        if (__builtin_mul_overflow(span, shape[i] ? shape[i] : 1, &span))
            return DYN__FAIL(ctx, DYN_EFORMAT, "%s: axis %d of length %lld makes the array too large", b->name, i,
                             (long long)shape[i]);
    need = span / (int64_t)sizeof(int64_t) * pack->size;
    for (int i = 0; i < rank; i++)
        need = shape[i] ? need : 0;
    if (need != have)
        return DYN__FAIL(ctx, DYN_EFORMAT,
                         "%s: the header asks for %lld bytes of elements from byte %lld on, the file has %lld",
                         b->name, (long long)need, (long long)start, (long long)have);
    return DYN_OK;
}

/* Element `from` of the file goes to place i; counting the axes up keeps the two in step. */
static void transpose(const dyn_array *a, const void *file_order, void *row_major)
{
    size_t w = dyn__dtype_size(a->dtype);
    int64_t place[DYN_ARRAY_MAX_RANK] = { 0 }, stride[DYN_ARRAY_MAX_RANK], from = 0, step = 1;

    for (int k = 0; k < a->rank; k++) {
        stride[k] = step;
        step *= a->shape[k];
    }
    for (int64_t i = 0; i < a->size; i++) {
        memcpy((char *)row_major + (size_t)i * w, (const char *)file_order + (size_t)from * w, w);
        for (int k = a->rank - 1; k >= 0; k--) {
            from += stride[k];
            if (++place[k] < a->shape[k])
                break;
            from -= stride[k] * place[k];
            place[k] = 0;
        }
    }
}

static dyn_status to_row_major(dyn_array *a)
{
    void *sorted = dyn__alloc(a->ctx, (size_t)a->size, dyn__dtype_size(a->dtype));

    if (!sorted)
        return DYN_ENOMEM;
    transpose(a, a->own, sorted);
    dyn__free(a->ctx, a->own);
    a->own = sorted;
    a->data = sorted;
    return DYN_OK;
}

dyn_status dyn__unpack(dyn_ctx *ctx, const dyn__bytes *b, int64_t start, const dyn__packing *pack, int32_t rank,
                       const int64_t *shape, dyn_array **out)
{
    const struct format *f = find_format(pack);
    int host_big = __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__;
    dyn_array *a;

    *out = NULL;
    if (!f)
        return DYN__FAIL(ctx, DYN_ENOTSUP, "%s: elements of kind '%c' and %d bytes are not supported", b->name,
                         pack->kind, pack->size);
    DYN__TRY(check_length(ctx, b, start, pack, rank, shape));
    DYN__TRY(dyn__array_new(ctx, f->dtype, rank, shape, &a));
    f->unpack(b->p + start, a->size, pack->big != host_big, a->own);
    if (pack->fortran && rank > 1 && a->size && to_row_major(a) != DYN_OK) {
        dyn_array_unref(a);
        return DYN_ENOMEM;
    }
    *out = a;
    return DYN_OK;
}
