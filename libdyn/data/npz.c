/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Reading .npz: a zip archive whose members "name.npy" are .npy files, stored or deflated. libzip walks the archive;
 * sizes are believed only as far as the file can back them: deflate never packs more than 1032 bytes into one. */
#include "data/npz.h"

#include <string.h>

enum { DEFLATE_RATIO = 1032 };

typedef struct member {
    char *name;             /* without ".npy" */
    zip_uint64_t index;
} member;

struct dyn_npz {
    dyn_ctx *ctx;
    zip_t *zip;
    char *path;
    const unsigned char *own;       /* bytes of the file, if the archive was opened by path */
    int64_t size, count;
    member *members;
};

enum { ZLIB_NO_MEMORY = -4 };   /* zlib's Z_MEM_ERROR */

/* libzip forgets to set an error in some places where memory has run out. */
static int out_of_memory(zip_error_t *e)
{
    const int code = zip_error_code_zip(e);

    return code == ZIP_ER_MEMORY || code == ZIP_ER_OK ||
           (code == ZIP_ER_ZLIB && zip_error_code_system(e) == ZLIB_NO_MEMORY);
}

dyn_status dyn__zip_fail(dyn_ctx *ctx, const char *path, const char *what, zip_error_t *e, dyn_status otherwise)
{
    if (out_of_memory(e))
        return DYN__FAIL(ctx, DYN_ENOMEM, "%s: %s: out of memory in libzip", path, what);
    return DYN__FAIL(ctx, otherwise, "%s: %s: %s", path, what, zip_error_strerror(e));
}

/* An archive ends with a record that begins so. Where libzip does not see one that is there, its memory has run out. */
static int has_end_record(const dyn__bytes *b)
{
    const int64_t most = 22 + UINT16_MAX, n = b->n < most ? b->n : most;

    return memmem(b->p + b->n - n, (size_t)n, "PK\5\6", 4) != NULL;
}

static dyn_status fail(dyn_npz *npz, const char *what)
{
    return dyn__zip_fail(npz->ctx, npz->path, what, zip_get_error(npz->zip), DYN_EFORMAT);
}

static dyn_status open_zip(dyn_npz *npz, const dyn__bytes *b)
{
    zip_error_t e;
    zip_source_t *source;
    dyn_status s = DYN_OK;

    zip_error_init(&e);
    source = zip_source_buffer_create(b->p, (zip_uint64_t)b->n, 0, &e);
    npz->zip = source ? zip_open_from_source(source, ZIP_RDONLY, &e) : NULL;
    if (!npz->zip) {
        if (zip_error_code_zip(&e) == ZIP_ER_NOZIP && has_end_record(b))
            zip_error_set(&e, ZIP_ER_MEMORY, 0);
        s = dyn__zip_fail(npz->ctx, b->name, "cannot open as an .npz archive", &e, DYN_EFORMAT);
        zip_source_free(source);
    }
    zip_error_fini(&e);
    return s;
}

static dyn_status add_member(dyn_npz *npz, zip_uint64_t index)
{
    const char *file = zip_get_name(npz->zip, index, 0);
    size_t n;

    if (!file)
        return fail(npz, "a member without a name");
    n = strlen(file);
    if (n < 4 || strcmp(file + n - 4, ".npy") != 0)
        return DYN_OK;      /* not an array */
    npz->members[npz->count].index = index;
    npz->members[npz->count].name = dyn__strdup(npz->ctx, file);
    if (!npz->members[npz->count].name)
        return DYN_ENOMEM;
    npz->members[npz->count++].name[n - 4] = 0;
    return DYN_OK;
}

static dyn_status list_members(dyn_npz *npz)
{
    zip_int64_t n = zip_get_num_entries(npz->zip, 0);

    npz->members = dyn__alloc(npz->ctx, (size_t)n + 1, sizeof *npz->members);
    if (!npz->members)
        return DYN_ENOMEM;
    for (zip_int64_t i = 0; i < n; i++)
        DYN__TRY(add_member(npz, (zip_uint64_t)i));
    return DYN_OK;
}

dyn_status dyn__npz_from_bytes(dyn_ctx *ctx, const dyn__bytes *b, dyn_npz **out)
{
    dyn_npz *npz = dyn__alloc(ctx, 1, sizeof *npz);
    dyn_status s;

    *out = NULL;
    if (!npz)
        return DYN_ENOMEM;
    dyn__ctx_ref(ctx);
    npz->ctx = ctx;
    npz->size = b->n;
    npz->path = dyn__strdup(ctx, b->name);
    s = npz->path ? open_zip(npz, b) : DYN_ENOMEM;
    if (s == DYN_OK)
        s = list_members(npz);
    if (s == DYN_OK)
        *out = npz;
    else
        dyn_npz_free(npz);
    return s;
}

static dyn_status keep_archive(dyn_ctx *ctx, dyn__bytes *b, const char *none, void *out)
{
    dyn_npz **npz = out;

    (void)none;
    DYN__TRY(dyn__npz_from_bytes(ctx, b, npz));
    (*npz)->own = b->p;
    b->p = NULL;
    return DYN_OK;
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
    return dyn__file_parse(ctx, path, NULL, keep_archive, out);
}

void dyn_npz_free(dyn_npz *npz)
{
    dyn_ctx *ctx;

    if (!npz)
        return;
    ctx = npz->ctx;
    if (npz->zip)
        zip_discard(npz->zip);
    for (int64_t i = 0; i < npz->count; i++)
        dyn__free(ctx, npz->members[i].name);
    dyn__free(ctx, npz->members);
    dyn__free(ctx, npz->path);
    dyn__free(ctx, (void *)(uintptr_t)npz->own);
    dyn__free(ctx, npz);
    dyn__ctx_unref(ctx);
}

int64_t dyn_npz_count(const dyn_npz *npz) { return npz ? npz->count : 0; }

const char *dyn_npz_name(const dyn_npz *npz, int64_t i)
{
    return npz && i >= 0 && i < npz->count ? npz->members[i].name : NULL;
}

static dyn_status check_sizes(dyn_npz *npz, const char *name, const zip_stat_t *st)
{
    zip_uint64_t need = ZIP_STAT_SIZE | ZIP_STAT_COMP_SIZE | ZIP_STAT_COMP_METHOD, most;

    if ((st->valid & need) != need || (st->comp_method != ZIP_CM_STORE && st->comp_method != ZIP_CM_DEFLATE))
        return DYN__FAIL(npz->ctx, DYN_ENOTSUP, "%s: member \"%s\" is neither stored nor deflated", npz->path, name);
    if (st->comp_size > (zip_uint64_t)npz->size)
        return DYN__FAIL(npz->ctx, DYN_EFORMAT, "%s: member \"%s\" claims %llu bytes, the file has %lld", npz->path,
                         name, (unsigned long long)st->comp_size, (long long)npz->size);
    most = st->comp_method == ZIP_CM_DEFLATE ? st->comp_size * DEFLATE_RATIO : st->comp_size;
    if (st->size > most)
        return DYN__FAIL(npz->ctx, DYN_EFORMAT, "%s: member \"%s\" claims to unpack %llu bytes from %llu", npz->path,
                         name, (unsigned long long)st->size, (unsigned long long)st->comp_size);
    return DYN_OK;
}

/* Read to the end and once more: only then libzip compares the checksum. */
static dyn_status inflate_member(dyn_npz *npz, const char *name, zip_uint64_t index, unsigned char *p, int64_t size)
{
    zip_file_t *file = zip_fopen_index(npz->zip, index, 0);
    zip_int64_t n = 1;
    int64_t at = 0;
    unsigned char beyond;
    dyn_status s = DYN_OK;

    if (!file)
        return fail(npz, name);
    while (n > 0 && at < size) {
        n = zip_fread(file, p + at, (zip_uint64_t)(size - at));
        at += n > 0 ? n : 0;
    }
    if (n >= 0 && at == size)
        n = zip_fread(file, &beyond, 1);
    if (n < 0)
        s = dyn__zip_fail(npz->ctx, npz->path, name, zip_file_get_error(file), DYN_EFORMAT);
    else if (at != size || n > 0)
        s = DYN__FAIL(npz->ctx, DYN_EFORMAT, "%s: member \"%s\" has %s than the %lld bytes it claims", npz->path, name,
                      n > 0 ? "more" : "fewer", (long long)size);
    zip_fclose(file);
    return s;
}

static dyn_status read_member(dyn_npz *npz, const member *m, dyn_array **out)
{
    zip_stat_t st;
    unsigned char *p;
    dyn_status s;

    if (zip_stat_index(npz->zip, m->index, 0, &st) != 0)
        return fail(npz, m->name);
    DYN__TRY(check_sizes(npz, m->name, &st));
    p = dyn__alloc(npz->ctx, (size_t)st.size + 1, 1);
    if (!p)
        return DYN_ENOMEM;
    s = inflate_member(npz, m->name, m->index, p, (int64_t)st.size);
    if (s == DYN_OK)
        s = dyn__parse_npy(npz->ctx, &(dyn__bytes){ p, (int64_t)st.size, m->name }, out);
    dyn__free(npz->ctx, p);
    return s;
}

dyn_status dyn_npz_read(dyn_npz *npz, const char *name, dyn_array **out)
{
    if (out)
        *out = NULL;
    if (!npz)
        return DYN_EINVAL;
    DYN__ENTER(npz->ctx);
    DYN__NEED(npz->ctx, name);
    DYN__NEED(npz->ctx, out);
    for (int64_t i = 0; i < npz->count; i++)
        if (!strcmp(npz->members[i].name, name))
            return read_member(npz, &npz->members[i], out);
    return DYN__FAIL(npz->ctx, DYN_EINVAL, "%s: no member \"%s\" among %lld", npz->path, name, (long long)npz->count);
}
