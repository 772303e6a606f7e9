/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Writing .npz. libzip builds the archive in memory, from the arrays where they lie; the bytes then go to the file as
 * all our files do. Members are stored, not deflated, and dated 1980 as NumPy does: equal arrays give equal files. */
#include "data/npz.h"

#include <stdio.h>
#include <string.h>

enum { DOS_DATE_1980 = 1 << 5 | 1 };    /* 1 January */

typedef struct archive {
    dyn_ctx *ctx;
    const char *path;
    zip_t *zip;
    zip_source_t *bytes;    /* the archive, in memory */
} archive;

static dyn_status fail(archive *w, const char *what, zip_error_t *e)
{
    return dyn__zip_fail(w->ctx, w->path, what, e, DYN_EIO);
}

static dyn_status open_archive(archive *w)
{
    zip_error_t e;
    dyn_status s = DYN_OK;

    zip_error_init(&e);
    w->bytes = zip_source_buffer_create(NULL, 0, 0, &e);
    w->zip = w->bytes ? zip_open_from_source(w->bytes, ZIP_CREATE | ZIP_TRUNCATE, &e) : NULL;
    if (w->zip) {
        zip_source_keep(w->bytes);      /* closing the archive gives back the other reference */
    } else {
        s = fail(w, "cannot begin an archive", &e);
        zip_source_free(w->bytes);
    }
    zip_error_fini(&e);
    return s;
}

static dyn_status add_source(archive *w, const char *name, zip_source_t *source)
{
    zip_int64_t i;
    char *file = dyn__alloc(w->ctx, strlen(name) + 5, 1);

    if (!file) {
        zip_source_free(source);
        return DYN_ENOMEM;
    }
    sprintf(file, "%s.npy", name);
    i = zip_file_add(w->zip, file, source, ZIP_FL_ENC_UTF_8);
    dyn__free(w->ctx, file);
    if (i < 0) {
        zip_source_free(source);
        return fail(w, name, zip_get_error(w->zip));
    }
    if (zip_set_file_compression(w->zip, (zip_uint64_t)i, ZIP_CM_STORE, 0) != 0 ||
        zip_file_set_dostime(w->zip, (zip_uint64_t)i, 0, DOS_DATE_1980, 0) != 0)
        return fail(w, name, zip_get_error(w->zip));
    return DYN_OK;
}

/* header is the room for the array's header, which must stay until the archive is closed. */
static dyn_status add_array(archive *w, const char *name, const dyn_array *a, unsigned char *header)
{
    zip_buffer_fragment_t parts[2] = {
        { header, (zip_uint64_t)dyn__npy_header(a, header) },
        { (zip_uint8_t *)(uintptr_t)a->data, (zip_uint64_t)a->size * dyn__dtype_size(a->dtype) },
    };
    zip_source_t *source = zip_source_buffer_fragment(w->zip, parts, a->size ? 2 : 1, 0);

    return source ? add_source(w, name, source) : fail(w, name, zip_get_error(w->zip));
}

static dyn_status build(archive *w, int64_t count, const char *const *names, dyn_array *const *arrays)
{
    unsigned char *headers = dyn__alloc(w->ctx, (size_t)count, DYN__NPY_HEADER);
    dyn_status s = headers ? DYN_OK : DYN_ENOMEM;

    for (int64_t i = 0; i < count && s == DYN_OK; i++)
        s = add_array(w, names[i], arrays[i], headers + i * DYN__NPY_HEADER);
    if (s == DYN_OK && zip_close(w->zip) != 0)
        s = fail(w, "cannot finish the archive", zip_get_error(w->zip));
    if (s != DYN_OK)
        zip_discard(w->zip);
    dyn__free(w->ctx, headers);
    return s;
}

/* Writer for dyn__file_replace. */
static dyn_status copy_bytes(void *arg, dyn__file *f)
{
    archive *w = arg;
    zip_int64_t n;
    char chunk[1 << 14];

    if (zip_source_open(w->bytes) != 0)
        return fail(w, "cannot read the archive back", zip_source_error(w->bytes));
    while ((n = zip_source_read(w->bytes, chunk, sizeof chunk)) > 0) {
        dyn_status s = dyn__file_put(f, chunk, (size_t)n);
        if (s != DYN_OK) {
            zip_source_close(w->bytes);
            return s;
        }
    }
    zip_source_close(w->bytes);
    return n == 0 ? DYN_OK : fail(w, "cannot read the archive back", zip_source_error(w->bytes));
}

static dyn_status check(dyn_ctx *ctx, int64_t count, const char *const *names, dyn_array *const *arrays)
{
    if (count < 1 || !names || !arrays)
        return DYN__FAIL(ctx, DYN_EINVAL, "count is %lld, names are %s, arrays are %s", (long long)count,
                         names ? "given" : "NULL", arrays ? "given" : "NULL");
    for (int64_t i = 0; i < count; i++) {
        if (!arrays[i] || !names[i] || !*names[i])
            return DYN__FAIL(ctx, DYN_EINVAL, "array %lld is NULL, or its name is NULL or empty", (long long)i);
        for (int64_t j = 0; j < i; j++)
            if (!strcmp(names[i], names[j]))
                return DYN__FAIL(ctx, DYN_EINVAL, "arrays %lld and %lld are both named \"%s\"", (long long)j,
                                 (long long)i, names[i]);
    }
    return DYN_OK;
}

dyn_status dyn_npz_write(dyn_ctx *ctx, const char *path, int64_t count, const char *const *names,
                         dyn_array *const *arrays)
{
    archive w = { .ctx = ctx, .path = path };
    dyn_status s;

    if (!ctx)
        return DYN_EINVAL;
    DYN__ENTER(ctx);
    DYN__NEED(ctx, path);
    DYN__TRY(check(ctx, count, names, arrays));
    DYN__TRY(open_archive(&w));
    s = build(&w, count, names, arrays);
    if (s == DYN_OK)
        s = dyn__file_replace(ctx, path, copy_bytes, &w);
    zip_source_free(w.bytes);
    return s;
}
