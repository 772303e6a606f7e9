/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Every allocation of the data room fails once, and for ever from there on. libzip allocates by itself and does not
 * fail here. */
#include "data_util.h"
#include "oom/oom.h"

/* Status of a call that makes an array, which is dropped again. */
#define MADE(call)                                      \
    do {                                                \
        dyn_array *made = NULL;                         \
        dyn_status s_ = (call);                         \
        CHECK((s_ == DYN_OK) == (made != NULL));        \
        dyn_array_unref(made);                          \
        if (s_ != DYN_OK)                               \
            return s_;                                  \
    } while (0)

static dyn_status read_file(dyn_ctx *ctx, void *arg)
{
    const char *const *file = arg;

    MADE(dyn_array_read(ctx, file[0], file[1], &made));
    return DYN_OK;
}

#if DYN__HAVE_ZIP
static dyn_status archive(dyn_ctx *ctx, void *path)
{
    dyn_npz *npz = NULL;
    dyn_array *a = NULL;
    dyn_status s = dyn_npz_open(ctx, path, &npz);

    if (s == DYN_OK)
        s = dyn_npz_read(npz, "a", &a);
    dyn_array_unref(a);
    dyn_npz_free(npz);
    return s;
}
#endif

TEST(reading)
{
    static const char text[] = "a,b\n1,2\n3,4\n5,6\n7,8\n9,10\n11,12\n13,14\n15,16\n17,18\n19,20\n";
    const char *csv[] = { write_text("t.csv", text, sizeof text - 1), NULL };
    const char *file[2] = { NULL, NULL };

    CHECK(oom_try("csv", read_file, csv) > 3);
    file[0] = fixture("fortran-f8.npy");
    CHECK(oom_try("npy", read_file, file) > 4);
    file[0] = fixture("images.idx");
    CHECK(oom_try("idx", read_file, file) > 3);
#if DYN__HAVE_ZLIB
    file[0] = fixture("images.idx.gz");
    CHECK(oom_try("gzip", read_file, file) > 4);
#endif
#if DYN__HAVE_ZIP
    file[0] = fixture("deflated.npz");
    file[1] = "a";
    CHECK(oom_try("npz", read_file, file) > 6);
    CHECK(oom_try("archive", archive, (void *)(uintptr_t)file[0]) > 4);
#endif
}

static dyn_status transform(dyn_ctx *ctx, dyn_array *a)
{
    int64_t index[2] = { 1, 0 };
    dyn_array *second = NULL;

    MADE(dyn_array_convert(a, DYN_F32, &made));
    MADE(dyn_array_reshape(a, 1, (int64_t[]){ 6 }, &made));
    MADE(dyn_array_slice(a, 1, 1, 2, &made));
    MADE(dyn_array_take(a, 2, index, &made));
    MADE(dyn_array_one_hot(a, 6, DYN_F64, &made));
    MADE(dyn_array_standardise(a, DYN_MOMENTS_COLUMNS, NULL, NULL, &made));
    MADE(dyn_array_linspace(ctx, DYN_F64, 0, 1, 5, &made));
    MADE(dyn_array_split(a, 1, 1, &made, &second));
    dyn_array_unref(second);
    return DYN_OK;
}

static dyn_status make_and_transform(dyn_ctx *ctx, void *arg)
{
    double data[6] = { 0, 1, 2, 3, 4, 5 };
    dyn_array *a = NULL;
    dyn_status s = dyn_array_create(ctx, DYN_F64, 2, (int64_t[]){ 2, 3 }, data, &a);

    (void)arg;
    if (s == DYN_OK)
        s = transform(ctx, a);
    dyn_array_unref(a);
    return s;
}

TEST(transformations)
{
    CHECK(oom_try("transformations", make_and_transform, NULL) > 15);
}

static dyn_status write_files(dyn_ctx *ctx, void *arg)
{
    const char *const *paths = arg, *name = "a";
    double data[2] = { 1, 2 };
    dyn_array *a = NULL;
    dyn_status s = dyn_array_create(ctx, DYN_F64, 2, (int64_t[]){ 1, 2 }, data, &a);

    if (s == DYN_OK)
        s = dyn_array_write_npy(a, paths[0]);
    if (s == DYN_OK)
        s = dyn_array_write_csv(a, paths[1], NULL);
#if DYN__HAVE_ZIP
    if (s == DYN_OK)
        s = dyn_npz_write(ctx, paths[2], 1, &name, &a);
#endif
    (void)name;
    dyn_array_unref(a);
    return s;
}

TEST(writing)
{
    const char *paths[3];

    paths[0] = scratch("a.npy");
    paths[1] = scratch("a.csv");
    paths[2] = scratch("a.npz");
    CHECK(oom_try("writing", write_files, paths) > 5);
}

int main(void)
{
    RUN(reading);
    RUN(transformations);
    RUN(writing);
    drop_scratch();     /* fails if a temporary file was left */
    return test_end();
}
