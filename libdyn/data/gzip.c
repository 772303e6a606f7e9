/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Files packed with gzip, as those of MNIST are: unpacked in memory, to be read like the file inside. A file may be
 * several members, one after the other. */
#include "data/data.h"

#include <string.h>

int dyn__is_gzip(const dyn__bytes *b)
{
    return b->n >= 2 && b->p[0] == 0x1f && b->p[1] == 0x8b;
}

#if DYN__HAVE_ZLIB
#include <limits.h>
#include <zlib.h>

enum { RATIO = 1032,            /* deflate packs no more bytes than that into one */
       GZIP_ONLY = 16 + 15,     /* for inflateInit2: the format, and the largest window */
       TRAILER = 8, LEAST_ROOM = 1 << 16 };

typedef struct unpacker {
    dyn_ctx *ctx;
    const dyn__bytes *packed;
    unsigned char *out;
    int64_t n, room, at;        /* bytes unpacked, room for them, bytes of the file taken */
    z_stream z;
} unpacker;

static void *z_alloc(void *ctx, unsigned count, unsigned size) { return dyn__alloc(ctx, count, size); }
static void z_free(void *ctx, void *p) { dyn__free(ctx, p); }

static dyn_status damaged(unpacker *u, const char *why)
{
    return DYN__FAIL(u->ctx, DYN_EFORMAT, "%s: packed with gzip, byte %lld: %s", u->packed->name, (long long)u->at, why);
}

/* A member ends with its size modulo 2^32: a hint, believed as far as the file can back it. */
static int64_t expected_size(const dyn__bytes *b)
{
    const unsigned char *p = b->p + b->n - 4;
    int64_t size = b->n < TRAILER ? 0 : (int64_t)p[0] | (int64_t)p[1] << 8 | (int64_t)p[2] << 16 | (int64_t)p[3] << 24;

    return size / RATIO < b->n ? size : 0;
}

static dyn_status make_room(unpacker *u)
{
    void *out = u->out;
    dyn_status s = DYN_OK;

    if (u->n == u->room)
        s = dyn__grow(u->ctx, &out, &u->room, u->n ? u->n + 1 : expected_size(u->packed) + LEAST_ROOM, 1);
    u->out = out;
    return s;
}

/* One call of inflate; *result is what it says. */
static dyn_status step(unpacker *u, int *result)
{
    int64_t left = u->packed->n - u->at, room;

    DYN__TRY(make_room(u));
    room = u->room - u->n;
    u->z.next_in = (unsigned char *)(uintptr_t)u->packed->p + u->at;
    u->z.avail_in = left < INT_MAX ? (unsigned)left : INT_MAX;
    u->z.next_out = u->out + u->n;
    u->z.avail_out = room < INT_MAX ? (unsigned)room : INT_MAX;
    *result = inflate(&u->z, Z_NO_FLUSH);
    u->at = u->z.next_in - u->packed->p;
    u->n = u->z.next_out - u->out;
    return DYN_OK;
}

static dyn_status unpack_member(unpacker *u)
{
    int result = Z_OK;

    while (result == Z_OK)
        DYN__TRY(step(u, &result));
    if (result == Z_STREAM_END)
        return DYN_OK;
    if (result == Z_MEM_ERROR)
        return DYN_ENOMEM;
    return damaged(u, result == Z_BUF_ERROR ? "the file ends too early" : u->z.msg ? u->z.msg : "damaged");
}

static dyn_status unpack_all(unpacker *u)
{
    do {
        DYN__TRY(unpack_member(u));
        inflateReset(&u->z);
    } while (u->packed->n - u->at >= 2 && dyn__is_gzip(&(dyn__bytes){ .p = u->packed->p + u->at, .n = 2 }));
    while (u->at < u->packed->n && u->packed->p[u->at] == 0)
        u->at++;                /* tapes are filled up */
    return u->at == u->packed->n ? DYN_OK : damaged(u, "more bytes than the packed file");
}

dyn_status dyn__gunzip(dyn_ctx *ctx, const dyn__bytes *b, dyn__bytes *out)
{
    unpacker u = { .ctx = ctx, .packed = b, .z = { .zalloc = z_alloc, .zfree = z_free, .opaque = ctx } };
    dyn_status s;

    if (inflateInit2(&u.z, GZIP_ONLY) != Z_OK)
        return DYN_ENOMEM;
    s = unpack_all(&u);
    inflateEnd(&u.z);
    if (s == DYN_OK)
        *out = (dyn__bytes){ u.out, u.n, b->name };
    else
        dyn__free(ctx, u.out);
    return s;
}
#else
dyn_status dyn__gunzip(dyn_ctx *ctx, const dyn__bytes *b, dyn__bytes *out)
{
    (void)out;
    return DYN__FAIL(ctx, DYN_ENOTSUP, "%s: packed with gzip, which this library was built without zlib to unpack",
                     b->name);
}
#endif
