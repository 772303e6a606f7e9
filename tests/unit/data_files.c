/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Files: what NumPy wrote is read as the rule of data/make.py says, what we write is what NumPy writes, text comes back
 * bit for bit. */
#include "data_util.h"

#include <locale.h>

static dyn_ctx *ctx;

/* Element i as data/make.py made it. */
static double rule(char kind, int64_t i)
{
    double v = (double)(kind == 'u' ? 7 * i : 7 * i - 11);

    return kind == 'f' ? v / 8 : v;
}

static void check_file(const char *name, const char *member, int32_t dtype, char kind, int rank, const int64_t *shape)
{
    dyn_array *a = NULL;

    CHECK_OK(ctx, dyn_array_read(ctx, fixture(name), member, &a));
    if (!has_shape(a, rank, shape) || dyn_array_dtype(a) != dtype)
        TEST_FAIL("%s: rank %d, type %d", name, dyn_array_rank(a), dyn_array_dtype(a));
    for (int64_t i = 0; i < dyn_array_size(a); i++)
        if (element(a, i) != rule(kind, i))
            TEST_FAIL("%s: element %lld is %g, expected %g", name, (long long)i, element(a, i), rule(kind, i));
    dyn_array_unref(a);
}

TEST(every_element_type)
{
    static const char *const names[] = {
        "little-f8", "little-f4", "little-i8", "little-i4", "little-i2", "byte-i1", "little-u4", "little-u2", "byte-u1",
        "big-f8", "big-f4", "big-i8", "big-i4", "big-i2", "big-u2",
    };
    char name[32];

    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        const char *type = strchr(names[i], '-') + 1;
        int32_t dtype = !strcmp(type, "u1") ? DYN_U8 : type[0] != 'f' ? DYN_I64 : type[1] == '8' ? DYN_F64 : DYN_F32;
        snprintf(name, sizeof name, "%s.npy", names[i]);
        check_file(name, NULL, dtype, type[0], 2, (int64_t[]){ 2, 3 });
    }
}

TEST(every_shape_order_and_version)
{
    check_file("fortran-f8.npy", NULL, DYN_F64, 'f', 3, (int64_t[]){ 2, 3, 4 });
    check_file("fortran-big-i2.npy", NULL, DYN_I64, 'i', 3, (int64_t[]){ 3, 1, 2 });
    check_file("rank0.npy", NULL, DYN_F64, 'f', 0, NULL);
    check_file("rank1.npy", NULL, DYN_F32, 'f', 1, (int64_t[]){ 5 });
    check_file("rank8.npy", NULL, DYN_F32, 'f', 8, (int64_t[]){ 1, 2, 1, 1, 3, 1, 1, 1 });
    check_file("empty.npy", NULL, DYN_F64, 'f', 2, (int64_t[]){ 0, 3 });
    check_file("version2.npy", NULL, DYN_F64, 'f', 2, (int64_t[]){ 2, 3 });
    check_file("version3.npy", NULL, DYN_F64, 'f', 2, (int64_t[]){ 2, 3 });
}

TEST(booleans)
{
    dyn_array *a;

    CHECK_OK(ctx, dyn_array_read(ctx, fixture("bool.npy"), NULL, &a));
    CHECK_SHAPE(a, 1, 3);
    CHECK(dyn_array_dtype(a) == DYN_U8 && element(a, 0) == 1 && element(a, 1) == 0 && element(a, 2) == 1);
    dyn_array_unref(a);
}

TEST(idx)
{
    check_file("images.idx", NULL, DYN_U8, 'u', 3, (int64_t[]){ 2, 3, 4 });
    check_file("shorts.idx", NULL, DYN_I64, 'i', 1, (int64_t[]){ 4 });
    check_file("floats.idx", NULL, DYN_F32, 'f', 2, (int64_t[]){ 2, 3 });
}

static void check_read_fails(const char *path, const char *member, dyn_status code, const char *part)
{
    dyn_array *a = (dyn_array *)&ctx;
    dyn_status s = dyn_array_read(ctx, path, member, &a);

    if (s != code || a)
        TEST_FAIL("%s: status %d, expected %d", path, s, code);
    CHECK_STR(dyn_ctx_message(ctx), "dyn_array_read: ");
    CHECK_STR(dyn_ctx_message(ctx), part);
}

TEST(read_rejects)
{
    check_read_fails(fixture("complex.npy"), NULL, DYN_ENOTSUP, "element type '<c16'");
    check_read_fails(fixture("records.npy"), NULL, DYN_ENOTSUP, "records");
    check_read_fails(fixture("unicode.npy"), NULL, DYN_ENOTSUP, "'<U2'");
    check_read_fails(fixture("no-such-file.npy"), NULL, DYN_EIO, "No such file");
    check_read_fails(fixture("no-such-file.npy"), NULL, DYN_EIO, "no-such-file.npy");
    check_read_fails("/", NULL, DYN_EIO, "not a regular file");
    check_read_fails("/dev/zero", NULL, DYN_EIO, "not a regular file");
    check_read_fails(fixture("rank1.npy"), "a", DYN_EINVAL, "no .npz archive");
    check_read_fails(write_text("short.npy", "hello", 5), NULL, DYN_EFORMAT, "does not begin as an .npy file");
    check_read_fails(write_text("empty.csv", "", 0), NULL, DYN_EFORMAT, "no row");
    CHECK(dyn_array_read(ctx, NULL, NULL, NULL) == DYN_EINVAL);
}

#if DYN__HAVE_ZIP
TEST(npz_of_numpy)
{
    dyn_npz *npz;
    dyn_array *a;

    check_file("stored.npz", "a", DYN_F64, 'f', 2, (int64_t[]){ 2, 3 });
    check_file("stored.npz", "b", DYN_I64, 'i', 2, (int64_t[]){ 3, 2 });
    check_file("deflated.npz", "a", DYN_F64, 'f', 2, (int64_t[]){ 2, 3 });
    check_file("single.npz", NULL, DYN_F32, 'f', 2, (int64_t[]){ 2, 3 });
    CHECK_OK(ctx, dyn_npz_open(ctx, fixture("deflated.npz"), &npz));
    CHECK(dyn_npz_count(npz) == 2 && !strcmp(dyn_npz_name(npz, 0), "zeros") && !strcmp(dyn_npz_name(npz, 1), "a"));
    CHECK(!dyn_npz_name(npz, 2) && !dyn_npz_name(npz, -1));
    CHECK_OK(ctx, dyn_npz_read(npz, "zeros", &a));
    CHECK_SHAPE(a, 40, 50);
    dyn_array_unref(a);
    CHECK(dyn_npz_read(npz, "b", &a) == DYN_EINVAL && !a);
    CHECK_STR(dyn_ctx_message(ctx), "no member \"b\" among 2");
    dyn_npz_free(npz);
    check_read_fails(fixture("stored.npz"), NULL, DYN_EINVAL, "holds 2 arrays");
    check_read_fails(write_text("bad.npz", "PK\3\4 and nothing more", 22), NULL, DYN_EFORMAT, "cannot open");
}

TEST(npz_round_trip)
{
    const char *path = scratch("out.npz"), *names[] = { "x", "label \xc3\xa9", "none" };
    double x[3] = { 1.5, -0.0, NAN };
    int64_t label[2] = { INT64_MIN, INT64_MAX }, three = 3, two = 2, zero = 0;
    dyn_array *in[3], *out = NULL;

    CHECK_OK(ctx, dyn_array_create(ctx, DYN_F64, 1, &three, x, &in[0]));
    CHECK_OK(ctx, dyn_array_create(ctx, DYN_I64, 1, &two, label, &in[1]));
    CHECK_OK(ctx, dyn_array_wrap(ctx, DYN_F32, 1, &zero, NULL, &in[2]));
    CHECK_OK(ctx, dyn_npz_write(ctx, path, 3, names, in));
    for (int i = 0; i < 3; i++) {
        CHECK_OK(ctx, dyn_array_read(ctx, path, names[i], &out));
        CHECK(dyn_array_dtype(out) == dyn_array_dtype(in[i]) && dyn_array_size(out) == dyn_array_size(in[i]));
        for (int64_t j = 0; j < dyn_array_size(out); j++)
            CHECK(!memcmp((const int64_t *)dyn_array_data(out) + j, (const int64_t *)dyn_array_data(in[i]) + j, 8));
        dyn_array_unref(out);
    }
    dyn_ctx *other = NULL;
    CHECK_OK(ctx, dyn_ctx_create(NULL, &other));
    CHECK_OK(other, dyn_npz_write(other, path, 3, names, in));      /* of any context */
    dyn_ctx_free(other);
    names[1] = "x";
    CHECK(dyn_npz_write(ctx, path, 3, names, in) == DYN_EINVAL);
    CHECK_STR(dyn_ctx_message(ctx), "dyn_npz_write: arrays 0 and 1 are both named \"x\"");
    names[1] = "";
    CHECK(dyn_npz_write(ctx, path, 3, names, in) == DYN_EINVAL);
    CHECK(dyn_npz_write(ctx, path, 0, names, in) == DYN_EINVAL);
    CHECK(dyn_npz_write(ctx, "/no/such/folder/x.npz", 1, names, in) == DYN_EIO);
    CHECK_OK(ctx, dyn_array_read(ctx, path, "none", &out));     /* the old file is still there */
    dyn_array_unref(out);
    for (int i = 0; i < 3; i++)
        dyn_array_unref(in[i]);
}
#else
TEST(npz_of_numpy)
{
    check_read_fails(fixture("stored.npz"), "a", DYN_ENOTSUP, "libzip");
}

TEST(npz_round_trip)
{
    CHECK(dyn_npz_write(ctx, "/tmp/x.npz", 0, NULL, NULL) == DYN_ENOTSUP);
}
#endif

static size_t slurp(const char *path, char *text, size_t room)
{
    FILE *f = fopen(path, "rb");
    size_t n = f ? fread(text, 1, room, f) : 0;

    if (f)
        fclose(f);
    return n;
}

/* Written again, these files of NumPy on a machine of this byte order must come out as they were, byte for byte. */
TEST(npy_as_numpy_writes_it)
{
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
    static const char *const names[] = { "big-f8.npy", "big-f4.npy", "big-i8.npy" };
#else
    static const char *const names[] = { "little-f8.npy", "little-f4.npy", "little-i8.npy", "rank0.npy", "rank1.npy",
                                         "rank8.npy", "empty.npy" };
#endif
    char expected[512], got[512];
    dyn_array *a;

    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        const char *path = scratch("again.npy");
        size_t n = slurp(fixture(names[i]), expected, sizeof expected);
        CHECK_OK(ctx, dyn_array_read(ctx, fixture(names[i]), NULL, &a));
        CHECK_OK(ctx, dyn_array_write_npy(a, path));
        if (slurp(path, got, sizeof got) != n || memcmp(expected, got, n) != 0)
            TEST_FAIL("%s: differs when written again", names[i]);
        dyn_array_unref(a);
        unlink(path);
        scratch_count--;
    }
}

static void check_csv(const char *name, const char *text, int64_t rows, int64_t columns, const double *values)
{
    dyn_array *a = NULL;

    CHECK_OK(ctx, dyn_array_read(ctx, write_text(name, text, strlen(text)), NULL, &a));
    CHECK_SHAPE(a, rows, columns);
    for (int64_t i = 0; i < dyn_array_size(a) && i < rows * columns; i++)
        if (element(a, i) != values[i])
            TEST_FAIL("\"%s\": element %lld is %.17g", text, (long long)i, element(a, i));
    dyn_array_unref(a);
    unlink(scratch_files[--scratch_count]);
}

TEST(csv_forms)
{
    static const double v[6] = { 1, 2.5, -3e-7, 4, 5, 6 };

    check_csv("t", "1,2.5,-3e-7\n4,5,6\n", 2, 3, v);
    check_csv("t", "1;2.5;-3e-7\n4;5;6", 2, 3, v);
    check_csv("t", "1\t2.5\t-3e-7\r\n4\t5\t6\r\n", 2, 3, v);
    check_csv("t", "  1   2.5 -3e-7  \n4 5 6\n", 2, 3, v);
    check_csv("t", "\xef\xbb\xbf" "a, b, c\n1, 2.5 , -3e-7\n\n4,5,6\n\n", 2, 3, v);
    check_csv("t", "# x y\n\"x\",\"y\"\n1,2.5\n# comment\n-3e-7,+4\n5,6e0\n", 3, 2, v);
    check_csv("t", "1\n2.5\n-3e-7\n", 3, 1, v);
    check_csv("t", "1e-400,0x10\n", 1, 2, (double[]){ 0, 16 });
    check_csv("t", "inf,-inf\n", 1, 2, (double[]){ INFINITY, -INFINITY });
}

static void check_bad_csv(const char *text, size_t n, const char *part)
{
    check_read_fails(write_text("bad.txt", text, n), NULL, DYN_EFORMAT, part);
    unlink(scratch_files[--scratch_count]);
}
#define BAD_CSV(text, part) check_bad_csv(text, sizeof text - 1, part)

TEST(csv_rejects)
{
    BAD_CSV("1,2\n3,x4\n", "bad.txt: line 2, column 2: \"x4\" is not a number");
    BAD_CSV("a,b\n1,2\n\n3,\n", "line 4, column 2: \"\" is not");
    BAD_CSV("1,oops,3\n4,5,6\n", "line 1, column 2: \"oops\"");     /* no header: it has numbers */
    BAD_CSV("1,2\n3\n", "line 2 has 1 cells, the lines before it 2");
    BAD_CSV("1,2\n3,4,5\n", "line 2 has 3 cells");
    BAD_CSV("1,2\n3,1e999\n", "\"1e999\" is beyond the largest double");
    BAD_CSV("1,2\n3,4\0" "5\n", "\"4?5\" is not");
    BAD_CSV("1 000,5\n", "\"1 000\"");
    BAD_CSV("a,b\n", "no row of numbers in 1 lines");
    BAD_CSV("1,2\n0.0000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000"
            "000000000000000000000000000000000000000000000000000001,2\n", "\"0.0000000000000000000000\"...");
}

static void check_csv_round_trip(int32_t dtype, const void *data, size_t size, const char *expected)
{
    const char *path = scratch("t.csv"), *const header[] = { "step", "loss" };
    char text[512] = { 0 };
    dyn_array *a, *b = NULL, *c = NULL;

    CHECK_OK(ctx, dyn_array_create(ctx, dtype, 2, (int64_t[]){ 3, 2 }, data, &a));
    CHECK_OK(ctx, dyn_array_write_csv(a, path, header));
    CHECK_OK(ctx, dyn_array_read(ctx, path, NULL, &b));
    CHECK_OK(ctx, dyn_array_convert(b, dtype, &c));
    CHECK(c && !memcmp(dyn_array_data(c), data, size));
    slurp(path, text, sizeof text - 1);
    if (strcmp(text, expected) != 0)
        TEST_FAIL("wrote \"%s\"", text);
    dyn_array_unref(a);
    dyn_array_unref(b);
    dyn_array_unref(c);
    unlink(path);
    scratch_count--;
}

TEST(csv_round_trip)
{
    double f64[6] = { 0.1, 1.0 / 3, -1.7976931348623157e308, 5e-324, 2, -0.0 };
    float f32[6] = { 0.1f, 1.0f / 3, 3.4028234e38f, 1e-45f, 16777216, -2 };
    int64_t i64[6] = { 0, -1, 1 << 30, INT64_C(1) << 53, 7, 8 };

    check_csv_round_trip(DYN_F64, f64, sizeof f64, "step,loss\n0.1,0.3333333333333333\n"
                         "-1.7976931348623157e+308,4.94065645841247e-324\n2,-0\n");
    check_csv_round_trip(DYN_F32, f32, sizeof f32,
                         "step,loss\n0.1,0.33333334\n3.4028235e+38,1.4013e-45\n16777216,-2\n");
    check_csv_round_trip(DYN_I64, i64, sizeof i64, "step,loss\n0,-1\n1073741824,9007199254740992\n7,8\n");
}

TEST(csv_long_table)
{
    const char *path = scratch("long.csv");
    dyn_array *a, *b, *c;

    CHECK_OK(ctx, dyn_array_linspace(ctx, DYN_F64, 0, 1, 3000, &a));
    CHECK_OK(ctx, dyn_array_reshape(a, 2, (int64_t[]){ 1000, 3 }, &b));
    CHECK_OK(ctx, dyn_array_write_csv(b, path, NULL));
    CHECK_OK(ctx, dyn_array_read(ctx, path, NULL, &c));
    CHECK_SHAPE(c, 1000, 3);
    CHECK(!memcmp(dyn_array_data(a), dyn_array_data(c), 3000 * sizeof(double)));
    dyn_array_unref(a);
    dyn_array_unref(b);
    dyn_array_unref(c);
}

TEST(csv_write_rejects)
{
    const char *const comma[] = { "a,b" }, *const none[] = { NULL };
    double x = 1;
    dyn_array *a, *b;

    CHECK_OK(ctx, dyn_array_create(ctx, DYN_F64, 2, (int64_t[]){ 1, 1 }, &x, &a));
    CHECK_OK(ctx, dyn_array_create(ctx, DYN_F64, 0, NULL, &x, &b));
    CHECK(dyn_array_write_csv(b, "/tmp/never", NULL) == DYN_ESHAPE);
    CHECK_STR(dyn_ctx_message(ctx), "dyn_array_write_csv: rank is 0");
    CHECK(dyn_array_write_csv(a, "/tmp/never", comma) == DYN_EINVAL);
    CHECK_STR(dyn_ctx_message(ctx), "name of column 0 is \"a,b\"");
    CHECK(dyn_array_write_csv(a, "/tmp/never", none) == DYN_EINVAL);
    CHECK(dyn_array_write_csv(a, "/no/such/folder/t.csv", NULL) == DYN_EIO);
    CHECK(dyn_array_write_npy(a, "/no/such/folder/t.npy") == DYN_EIO);
    dyn_array_unref(a);
    dyn_array_unref(b);
}

/* A first row that cannot be read as numbers is a header only if it has names. */
TEST(csv_headers)
{
    static const double v[] = { 1, 2 };

    check_csv("t", "x1,x2\n1,2\n", 1, 2, v);
    check_csv("t", "\"time [s]\",\"l\xc3\xb6ss\"\n1,2\n", 1, 2, v);
    check_csv("t", "name,NA\n1,2\n", 1, 2, v);
    check_csv("t", "1st,2nd\n1,2\n", 1, 2, v);
    check_csv("t", ",value\n1,2\n", 1, 2, v);
    BAD_CSV("0,5;1,5\n0,6;1,7\n", "line 1, column 1: \"0,5\" is not a number");
    BAD_CSV("\"1\",\"2\"\n1,2\n", "line 1, column 1: \"\"1\"\" is not");
    BAD_CSV("1e400,2e400\n1,2\n", "line 1, column 1: \"1e400\" is beyond");
    BAD_CSV("1.0D0,-2.5d-3\n1,2\n", "line 1, column 1: \"1.0D0\"");
    BAD_CSV("NA,n/a\n1,2\n", "line 1, column 1: \"NA\"");
    BAD_CSV("1_000,2_000\n1,2\n", "line 1, column 1: \"1_000\"");
    BAD_CSV("1+2j,3i\n1,2\n", "line 1, column 1: \"1+2j\"");
    BAD_CSV("-,-\n1,2\n", "line 1, column 1: \"-\"");
    BAD_CSV("50 %,60 %\n1,2\n", "line 1, column 1: \"50 %\"");
}

#define FOREIGN(bytes, part) BAD_CSV(bytes, "bad.txt: is " part)

TEST(files_of_other_kinds)
{
    FOREIGN("\x89HDF\r\n\x1a\n 1 2", "an HDF5 file");
    FOREIGN("\x89PNG\r\n\x1a\n 1 2", "a PNG image");
    FOREIGN("\xff\xfe" "1\0,\0" "2\0", "text in UTF-16");
    FOREIGN("\xfe\xff\0" "1", "text in UTF-16");
    FOREIGN("1\0,\0" "2\0\n\0", "text in UTF-16");
    FOREIGN("\x80\x04\x95", "a Python pickle");
    FOREIGN("<!DOCTYPE html><p>404", "an HTML page");
    check_read_fails(write_text("h5.npy", "\x89HDF\r\n\x1a\n", 8), NULL, DYN_EFORMAT, "h5.npy: is an HDF5 file");
}

#if DYN__HAVE_ZLIB
/* Two members, one after the other, as gzip itself reads them. */
TEST(packed_with_gzip)
{
    check_file("images.idx.gz", NULL, DYN_U8, 'u', 3, (int64_t[]){ 2, 3, 4 });
    check_file("floats.npy.gz", NULL, DYN_F32, 'f', 2, (int64_t[]){ 2, 3 });
    check_read_fails(fixture("twice.gz"), NULL, DYN_EFORMAT, "packed with gzip twice");
    check_read_fails(write_text("cut.gz", "\x1f\x8b\x08\0", 4), NULL, DYN_EFORMAT, "byte 4: the file ends too early");
    check_read_fails(write_text("bad.gz", "\x1f\x8b\x07\0\0\0\0\0\0\0\0\0", 12), NULL, DYN_EFORMAT, "unknown compression");
}
#endif

/* Bytes are kept as they are and converted once, into the type asked for. */
TEST(bytes)
{
    static const double whole[] = { 0, 255 }, outside[] = { 256, 0 }, broken[] = { 0.5, 0 };
    const char *path = scratch("bytes.npy");
    const uint8_t in[] = { 0, 255, 7 };
    dyn_array *a, *b;

    CHECK_OK(ctx, dyn_array_create(ctx, DYN_U8, 1, (int64_t[]){ 3 }, in, &a));
    CHECK_OK(ctx, dyn_array_write_npy(a, path));
    for (int32_t type = DYN_F64; type <= DYN_U8; type++) {
        CHECK_OK(ctx, dyn_array_convert(a, type, &b));
        CHECK(dyn_array_dtype(b) == type && element(b, 0) == 0 && element(b, 1) == 255 && element(b, 2) == 7);
        dyn_array_unref(b);
    }
    dyn_array_unref(a);
    CHECK_OK(ctx, dyn_array_read(ctx, path, NULL, &a));
    CHECK(dyn_array_dtype(a) == DYN_U8 && dyn_array_size(a) == 3 && element(a, 1) == 255);
    dyn_array_unref(a);
    CHECK_OK(ctx, dyn_array_wrap(ctx, DYN_F64, 1, (int64_t[]){ 2 }, whole, &a));
    CHECK_OK(ctx, dyn_array_convert(a, DYN_U8, &b));
    CHECK(((const uint8_t *)dyn_array_data(b))[1] == 255);
    dyn_array_unref(b);
    dyn_array_unref(a);
    CHECK_OK(ctx, dyn_array_wrap(ctx, DYN_F64, 1, (int64_t[]){ 2 }, outside, &a));
    CHECK(dyn_array_convert(a, DYN_U8, &b) == DYN_EINVAL && !b);
    CHECK_STR(dyn_ctx_message(ctx), "element 0 is 256, which is no integer in 0..255");
    dyn_array_unref(a);
    CHECK_OK(ctx, dyn_array_wrap(ctx, DYN_F64, 1, (int64_t[]){ 2 }, broken, &a));
    CHECK(dyn_array_convert(a, DYN_U8, &b) == DYN_EINVAL && !b);
    dyn_array_unref(a);
}

/* A decimal comma in the program's locale changes nothing. Without such a locale this repeats csv_forms. */
TEST(csv_in_another_locale)
{
    static const char *const names[] = { "de_DE.UTF-8", "de_DE.utf8", "fr_FR.UTF-8", "fr_FR.utf8", "de_DE" };

    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (setlocale(LC_ALL, names[i]))
            break;
    csv_forms();
    csv_round_trip();
    setlocale(LC_ALL, "C");
}

TEST(digits_that_we_ship)
{
    static const int64_t per_class[10] = { 178, 182, 177, 183, 181, 182, 181, 179, 174, 180 };
    int64_t count[10] = { 0 };
    double sum = 0, top = 0;
    dyn_array *x, *y;

    CHECK_OK(ctx, dyn_array_read(ctx, source_path("examples/data/digits-images.npy"), NULL, &x));
    CHECK_OK(ctx, dyn_array_read(ctx, source_path("examples/data/digits-labels.npy"), NULL, &y));
    CHECK_SHAPE(x, 1797, 64);
    CHECK_SHAPE(y, 1797);
    for (int64_t i = 0; i < dyn_array_size(x); i++) {
        sum += element(x, i);
        top = fmax(top, element(x, i));
    }
    for (int64_t i = 0; i < dyn_array_size(y); i++)
        count[(int)element(y, i) % 10]++;
    CHECK(sum == 561718 && top == 16);
    CHECK(!memcmp(count, per_class, sizeof count));
    dyn_array_unref(x);
    dyn_array_unref(y);
}

int main(void)
{
    if (dyn_ctx_create(NULL, &ctx) != DYN_OK)
        return 1;
    RUN(every_element_type);
    RUN(every_shape_order_and_version);
    RUN(booleans);
    RUN(idx);
    RUN(read_rejects);
    RUN(npz_of_numpy);
    RUN(npz_round_trip);
    RUN(npy_as_numpy_writes_it);
    RUN(csv_forms);
    RUN(csv_rejects);
    RUN(csv_headers);
    RUN(files_of_other_kinds);
#if DYN__HAVE_ZLIB
    RUN(packed_with_gzip);
#endif
    RUN(bytes);
    RUN(csv_round_trip);
    RUN(csv_long_table);
    RUN(csv_write_rejects);
    RUN(csv_in_another_locale);
    RUN(digits_that_we_ship);
    drop_scratch();
    dyn_ctx_free(ctx);
    return test_end();
}
