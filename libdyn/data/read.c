/* SPDX-License-Identifier: BSD-3-Clause
 *
 * From a file to an array: its bytes, then the format that they show. */
#include "data/data.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static dyn_status read_all(dyn_ctx *ctx, int fd, const char *path, unsigned char *p, int64_t size)
{
    for (int64_t at = 0; at < size;) {
        ssize_t n = read(fd, p + at, (size_t)(size - at));
        if (n < 0 && errno != EINTR)
            return dyn__fail_system(ctx, "read", path);
        if (n == 0)
            return DYN__FAIL(ctx, DYN_EIO, "%s: ended at byte %lld of %lld", path, (long long)at, (long long)size);
        at += n > 0 ? n : 0;
    }
    return DYN_OK;
}

static dyn_status read_descriptor(dyn_ctx *ctx, int fd, dyn__bytes *b)
{
    unsigned char *bytes;
    struct stat st;

    if (fstat(fd, &st) != 0)
        return dyn__fail_system(ctx, "read", b->name);
    if (!S_ISREG(st.st_mode))
        return DYN__FAIL(ctx, DYN_EIO, "%s: is not a regular file", b->name);
    bytes = dyn__alloc(ctx, (size_t)st.st_size + 1, 1);
    if (!bytes)
        return DYN_ENOMEM;
    b->p = bytes;
    b->n = st.st_size;
    return read_all(ctx, fd, b->name, bytes, b->n);
}

dyn_status dyn__file_parse(dyn_ctx *ctx, const char *path, const char *member, dyn__parser *parse, void *out)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);     /* O_NONBLOCK: a pipe must not make us wait */
    dyn__bytes b = { .name = path };
    dyn_status s;

    if (fd < 0)
        return dyn__fail_system(ctx, "open", path);
    s = read_descriptor(ctx, fd, &b);
    close(fd);
    if (s == DYN_OK)
        dyn__log(ctx, DYN_LOG_DEBUG, "\"%s\": %lld bytes read", path, (long long)b.n);
    if (s == DYN_OK)
        s = parse(ctx, &b, member, out);
    dyn__free(ctx, (void *)(uintptr_t)b.p);
    return s;
}

static int has_ending(const char *path, const char *ending)
{
    size_t n = strlen(path), m = strlen(ending);

    return n >= m && !strcmp(path + n - m, ending);
}

static int is_zip(const dyn__bytes *b)
{
    return b->n >= 4 && (!memcmp(b->p, "PK\3\4", 4) || !memcmp(b->p, "PK\5\6", 4));     /* with members, without */
}

/* Without a member to choose, the archive must hold just one array. */
static dyn_status read_member(dyn_ctx *ctx, const dyn__bytes *b, const char *member, dyn_array **out)
{
    dyn_npz *npz = NULL;
    dyn_status s;

    DYN__TRY(dyn__npz_from_bytes(ctx, b, &npz));
    if (member || dyn_npz_count(npz) == 1)
        s = dyn_npz_read(npz, member ? member : dyn_npz_name(npz, 0), out);
    else
        s = DYN__FAIL(ctx, DYN_EINVAL, "%s: holds %lld arrays: give the member to read", b->name,
                      (long long)dyn_npz_count(npz));
    dyn_npz_free(npz);
    return s;
}

static dyn_status parse_plain(dyn_ctx *ctx, const dyn__bytes *b, const char *member, dyn_array **out)
{
    const char *foreign = dyn__is_gzip(b) ? "packed with gzip twice" : dyn__foreign(b);

    if (foreign)
        return DYN__FAIL(ctx, DYN_EFORMAT, "%s: is %s, not .npy, .npz, IDX or a table of numbers as text", b->name,
                         foreign);
    if (is_zip(b) || has_ending(b->name, ".npz"))
        return read_member(ctx, b, member, out);
    if (member)
        return DYN__FAIL(ctx, DYN_EINVAL, "%s: is no .npz archive, member \"%s\" asked for", b->name, member);
    if (dyn__is_npy(b) || has_ending(b->name, ".npy"))
        return dyn__parse_npy(ctx, b, out);
    return dyn__is_idx(b) ? dyn__parse_idx(ctx, b, out) : dyn__parse_csv(ctx, b, out);
}

static dyn_status parse_array(dyn_ctx *ctx, dyn__bytes *b, const char *member, void *out)
{
    dyn__bytes plain;
    dyn_status s;

    if (!dyn__is_gzip(b))
        return parse_plain(ctx, b, member, out);
    DYN__TRY(dyn__gunzip(ctx, b, &plain));
    dyn__free(ctx, (void *)(uintptr_t)b->p);    /* both at once only while it is unpacked */
    b->p = NULL;
    s = parse_plain(ctx, &plain, member, out);
    dyn__free(ctx, (void *)(uintptr_t)plain.p);
    return s;
}

dyn_status dyn_array_read(dyn_ctx *ctx, const char *path, const char *member, dyn_array **out)
{
    if (out)
        *out = NULL;
    if (!ctx)
        return DYN_EINVAL;
    DYN__ENTER(ctx);
    DYN__NEED(ctx, path);
    DYN__NEED(ctx, out);
    return dyn__file_parse(ctx, path, member, parse_array, out);
}
