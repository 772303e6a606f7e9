/* SPDX-License-Identifier: BSD-3-Clause
 *
 * IDX, the format of MNIST: two zero bytes, element type, rank, one big-endian 32-bit length per axis, then the
 * elements, big-endian, last axis fastest. */
#include "data/data.h"

static int element(unsigned char code, dyn__packing *pack)
{
    static const struct { unsigned char code; char kind; int size; } types[] = {
        { 0x08, 'u', 1 }, { 0x09, 'i', 1 }, { 0x0b, 'i', 2 }, { 0x0c, 'i', 4 }, { 0x0d, 'f', 4 }, { 0x0e, 'f', 8 },
    };

    for (size_t i = 0; i < sizeof types / sizeof *types; i++)
        if (types[i].code == code) {
            *pack = (dyn__packing){ .kind = types[i].kind, .size = types[i].size, .big = 1 };
            return 1;
        }
    return 0;
}

int dyn__is_idx(const dyn__bytes *b)
{
    dyn__packing pack;

    return b->n >= 4 && b->p[0] == 0 && b->p[1] == 0 && element(b->p[2], &pack);
}

dyn_status dyn__parse_idx(dyn_ctx *ctx, const dyn__bytes *b, dyn_array **out)
{
    dyn__packing pack;
    int64_t shape[DYN_ARRAY_MAX_RANK], start;
    int rank;

    *out = NULL;
    if (!dyn__is_idx(b))
        return DYN__FAIL(ctx, DYN_EFORMAT, "%s: does not begin as an IDX file", b->name);
    (void)element(b->p[2], &pack);
    rank = b->p[3];
    start = 4 + 4 * (int64_t)rank;
    if (rank > DYN_ARRAY_MAX_RANK)
        return DYN__FAIL(ctx, DYN_EFORMAT, "%s: byte 3: rank %d is above %d", b->name, rank, DYN_ARRAY_MAX_RANK);
    if (b->n < start)
        return DYN__FAIL(ctx, DYN_EFORMAT, "%s: ends at byte %lld within its header of %lld bytes", b->name,
                         (long long)b->n, (long long)start);
    for (int i = 0; i < rank; i++) {
        const unsigned char *p = b->p + 4 + 4 * i;
        shape[i] = (int64_t)p[0] << 24 | (int64_t)p[1] << 16 | (int64_t)p[2] << 8 | (int64_t)p[3];
    }
    return dyn__unpack(ctx, b, start, &pack, rank, shape, out);
}
