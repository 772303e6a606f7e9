/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Damaged input, from memory: headers that lie, files cut at every byte, files with every byte changed. What matters is
 * a clear error or a sound array, never a crash, and no allocation that the file does not back. */
#include "data/data.h"
#include "data_util.h"

static dyn_ctx *ctx;

typedef dyn_status (*parser)(dyn_ctx *ctx, const dyn__bytes *b, dyn_array **out);

/* An .npy file of version 1 with this dictionary and so many zero bytes of elements. */
static dyn__bytes npy(const char *dictionary, int64_t elements)
{
    static unsigned char file[1024];
    size_t n = strlen(dictionary);

    memset(file, 0, sizeof file);
    memcpy(file, "\x93NUMPY\1\0", 8);
    file[8] = (unsigned char)n;
    file[9] = (unsigned char)(n >> 8);
    memcpy(file + 10, dictionary, n);
    return (dyn__bytes){ file, 10 + (int64_t)n + elements, "test.npy" };
}

static void check_npy(const char *dictionary, int64_t elements, dyn_status code, const char *part)
{
    dyn__bytes b = npy(dictionary, elements);
    dyn_array *a = (dyn_array *)&ctx;
    dyn_status s = dyn__parse_npy(ctx, &b, &a);

    if (s != code || (code != DYN_OK && a))
        TEST_FAIL("%s: status %d, expected %d: %s", dictionary, s, code, dyn_ctx_message(ctx));
    else if (code == DYN_OK)
        dyn_array_unref(a);
    else
        CHECK_STR(dyn_ctx_message(ctx), part);
}

#define ELEMENT(descr) "{'descr': '" descr "', 'fortran_order': False, 'shape': ()}"

TEST(npy_dictionaries)
{
    static const struct { const char *text; int64_t elements; dyn_status code; const char *part; } rows[] = {
        { "{'shape': (2L,), 'descr': \"<f8\", 'fortran_order':False}", 16, DYN_OK, "" },
        { "{'descr': '<f8', 'fortran_order': False, 'shape': (2,), }   \n", 16, DYN_OK, "" },
        { "", 0, DYN_EFORMAT, "test.npy: the header ends at byte 10, expected {" },
        { "{}", 0, DYN_EFORMAT, "expected descr, fortran_order and shape" },
        { "{'descr': '<f8', 'fortran_order': False}", 0, DYN_EFORMAT, "expected descr" },
        { "{'descr': '<f8', 'descr': '<f8'}", 0, DYN_EFORMAT, "byte 27: key 'descr' is unknown or given twice" },
        { "{'color': 3}", 0, DYN_EFORMAT, "byte 11: key 'color'" },
        { "{'descr' '<f8'}", 0, DYN_EFORMAT, "byte 19 is 0x27, expected :" },
        { "{descr: '<f8'}", 0, DYN_EFORMAT, "byte 11 is 0x64, expected a quoted string" },
        { "{'descr", 0, DYN_EFORMAT, "expected a closing quote" },
        { "{'a key that is much too long for us': 1}", 0, DYN_EFORMAT, "the end of a short string" },
        { "{'descr': '<f8' 'shape': ()}", 0, DYN_EFORMAT, "expected , or }" },
        { ELEMENT("<f2"), 0, DYN_ENOTSUP, "kind 'f' and 2 bytes" },
        { ELEMENT("<u8"), 0, DYN_ENOTSUP, "kind 'u' and 8 bytes" },
        { ELEMENT("=f8"), 0, DYN_ENOTSUP, "'=f8'" },
        { ELEMENT("<"), 0, DYN_ENOTSUP, "'<'" },
        { ELEMENT(""), 0, DYN_ENOTSUP, "''" },
        { ELEMENT("<f16"), 0, DYN_ENOTSUP, "'<f16'" },
        { ELEMENT("|O"), 0, DYN_ENOTSUP, "'|O'" },
        { "{'fortran_order': 1}", 0, DYN_EFORMAT, "True or False" },
        { "{'shape': 3}", 0, DYN_EFORMAT, "expected (" },
        { "{'shape': (-3,)}", 0, DYN_EFORMAT, "expected the length of an axis" },
        { "{'shape': (3 4)}", 0, DYN_EFORMAT, "expected , or )" },
        { "{'shape': (99999999999999999999,)}", 0, DYN_EFORMAT, "below 2^63" },
        { "{'shape': (1,1,1,1,1,1,1,1,1)}", 0, DYN_EFORMAT, "more than 8 axes" },
        { "{'descr': '<f8', 'fortran_order': False, 'shape': (2,), } x", 16, DYN_EFORMAT, "nothing after" },
        { "{'descr': '<f8', 'fortran_order': False, 'shape': (3,), }", 16, DYN_EFORMAT, "asks for 24 bytes" },
        { "{'descr': '<f8', 'fortran_order': False, 'shape': (1,), }", 16, DYN_EFORMAT, "the file has 16" },
        { "{'descr': '<f8', 'fortran_order': False, 'shape': (4000000000000000000,), }", 16, DYN_EFORMAT, "too large" },
        { "{'descr': '<f8', 'fortran_order': False, 'shape': (4294967296, 4294967296)}", 0, DYN_EFORMAT, "too large" },
        { "{'descr': '|u1', 'fortran_order': True, 'shape': (0, 4294967296, 2147483647)}", 0, DYN_EFORMAT,
          "npy: axis 2 of length 2147483647 makes the array too large" },
    };

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        check_npy(rows[i].text, rows[i].elements, rows[i].code, rows[i].part);
}

TEST(npy_versions)
{
    dyn__bytes b = npy("{'descr': '<f8', 'fortran_order': False, 'shape': ()}", 8);
    unsigned char *file = (unsigned char *)(uintptr_t)b.p;
    dyn_array *a;

    file[6] = 4;
    CHECK(dyn__parse_npy(ctx, &b, &a) == DYN_EVERSION && !a);
    CHECK_STR(dyn_ctx_message(ctx), "version 4.0");
    file[6] = 1;
    file[7] = 1;
    CHECK(dyn__parse_npy(ctx, &b, &a) == DYN_EVERSION);
    file[7] = 0;
    file[9] = 0xff;
    CHECK(dyn__parse_npy(ctx, &b, &a) == DYN_EFORMAT);
    CHECK_STR(dyn_ctx_message(ctx), "the header claims 65333 bytes");
    file[6] = 3;
    memset(file + 8, 0xff, 4);
    CHECK(dyn__parse_npy(ctx, &b, &a) == DYN_EFORMAT);
    CHECK_STR(dyn_ctx_message(ctx), "claims 4294967295 bytes");
}

static void check_idx(const char *bytes, int64_t n, dyn_status code, const char *part)
{
    dyn__bytes b = { (const unsigned char *)bytes, n, "test.idx" };
    dyn_array *a = (dyn_array *)&ctx;

    CHECK(dyn__parse_idx(ctx, &b, &a) == code && !a);
    CHECK_STR(dyn_ctx_message(ctx), part);
}

TEST(idx_headers)
{
    check_idx("\0\0\x0a\1\0\0\0\0", 8, DYN_EFORMAT, "does not begin as an IDX file");
    check_idx("\0\1\x08\1\0\0\0\0", 8, DYN_EFORMAT, "does not begin");
    check_idx("\0\0\x08\x09\0\0\0\0", 8, DYN_EFORMAT, "byte 3: rank 9 is above 8");
    check_idx("\0\0\x08\2\0\0\0\0", 8, DYN_EFORMAT, "ends at byte 8 within its header of 12 bytes");
    check_idx("\0\0\x0e\2\xff\xff\xff\xff\xff\xff\xff\xff", 12, DYN_EFORMAT, "too large");
    check_idx("\0\0\x08\1\xff\xff\xff\xff", 8, DYN_EFORMAT,
              "asks for 4294967295 bytes of elements from byte 8 on, the file has 0");
    check_idx("\0\0\x08\1\0\0\0\1ab", 10, DYN_EFORMAT, "asks for 1 bytes");
}

/* Any status is fine for a changed file; the array, if there is one, must be readable to its end. */
static dyn_status try_bytes(parser parse, const unsigned char *p, int64_t n)
{
    unsigned char *exact = malloc(n ? (size_t)n : 1);   /* of its own size: AddressSanitizer sees a byte too far */
    dyn__bytes b = { exact, n, "changed" };
    dyn_array *a = (dyn_array *)&ctx;
    dyn_status s;
    double sum = 0;

    memcpy(exact, p, (size_t)n);
    s = parse(ctx, &b, &a);
    CHECK(s == DYN_OK ? a != NULL : a == NULL);
    for (int64_t i = 0; s == DYN_OK && i < a->size; i++)
        sum += dyn__array_at(a, i);
    CHECK(s <= 0 && (sum >= 0 || sum <= 0 || isnan(sum)));
    dyn_array_unref(s == DYN_OK ? a : NULL);
    free(exact);
    return s;
}

static void damage(const char *name, parser parse)
{
    static const unsigned char masks[] = { 0x01, 0x10, 0x80, 0xff };
    unsigned char file[4096];
    FILE *f = fopen(fixture(name), "rb");
    int64_t n = f ? (int64_t)fread(file, 1, sizeof file, f) : 0;

    if (f)
        fclose(f);
    if (try_bytes(parse, file, n) != DYN_OK)
        TEST_FAIL("%s: not readable: %s", name, dyn_ctx_message(ctx));
    for (int64_t cut = 0; cut < n; cut++)
        if (try_bytes(parse, file, cut) == DYN_OK)
            TEST_FAIL("%s: readable when cut at byte %lld", name, (long long)cut);
    for (int64_t i = 0; i < n; i++)
        for (size_t m = 0; m < sizeof masks; m++) {
            file[i] ^= masks[m];
            try_bytes(parse, file, n);
            file[i] ^= masks[m];
        }
}

TEST(damaged_files)
{
    damage("little-f8.npy", dyn__parse_npy);
    damage("fortran-big-i2.npy", dyn__parse_npy);
    damage("version2.npy", dyn__parse_npy);
    damage("rank8.npy", dyn__parse_npy);
    damage("images.idx", dyn__parse_idx);
    damage("floats.idx", dyn__parse_idx);
}

#if DYN__HAVE_ZLIB
static dyn_status parse_packed_idx(dyn_ctx *c, const dyn__bytes *b, dyn_array **out)
{
    dyn__bytes plain;
    dyn_status s = dyn__gunzip(c, b, &plain);

    *out = NULL;
    if (s != DYN_OK)
        return s;
    s = dyn__parse_idx(c, &plain, out);
    dyn__free(c, (void *)(uintptr_t)plain.p);
    return s;
}

TEST(damaged_gzip)
{
    damage("images.idx.gz", parse_packed_idx);
}
#endif

/* Text may be cut anywhere and still be a table; here it must only be sound. */
TEST(damaged_text)
{
    static const char text[] = "a;b\n1.5;-2e3\n# c\n  7;nan\r\n\n";
    unsigned char changed[sizeof text];

    for (int64_t cut = 0; cut < (int64_t)sizeof text; cut++)
        try_bytes(dyn__parse_csv, (const unsigned char *)text, cut);
    for (size_t i = 0; i < sizeof text - 1; i++)
        for (int v = 0; v < 256; v++) {
            memcpy(changed, text, sizeof text);
            changed[i] = (unsigned char)v;
            try_bytes(dyn__parse_csv, changed, sizeof text - 1);
        }
}

#if DYN__HAVE_ZIP
/* All members of an archive; the last one counts. */
static dyn_status parse_npz(dyn_ctx *c, const dyn__bytes *b, dyn_array **out)
{
    dyn_npz *npz = NULL;
    dyn_status s = dyn__npz_from_bytes(c, b, &npz);

    *out = NULL;
    for (int64_t i = 0; i < dyn_npz_count(npz) && s == DYN_OK; i++) {
        dyn_array_unref(*out);
        s = dyn_npz_read(npz, dyn_npz_name(npz, i), out);
    }
    if (s == DYN_OK && !*out)
        s = DYN_EFORMAT;
    dyn_npz_free(npz);
    return s;
}

TEST(damaged_archives)
{
    damage("stored.npz", parse_npz);
    damage("deflated.npz", parse_npz);
}

/* The central directory of an archive begins with PK\1\2; sizes lie 20 and 24 bytes after, the checksum 16. */
static void check_lie(int offset, uint32_t value, const char *part)
{
    unsigned char file[4096];
    FILE *f = fopen(fixture("single.npz"), "rb");
    size_t n = f ? fread(file, 1, sizeof file, f) : 0, at = 0;
    dyn_array *a = NULL;

    if (f)
        fclose(f);
    while (at + 4 < n && memcmp(file + at, "PK\1\2", 4) != 0)
        at++;
    memcpy(file + at + offset, &value, 4);
    CHECK(parse_npz(ctx, &(dyn__bytes){ file, (int64_t)n, "lie.npz" }, &a) == DYN_EFORMAT && !a);
    CHECK_STR(dyn_ctx_message(ctx), part);
}

TEST(archives_that_lie)
{
    check_lie(16, 0x12345678, "CRC error");
    check_lie(24, 0x7fffffff, "claims to unpack 2147483647 bytes from");
    check_lie(20, 0x7fffffff, "claims 2147483647 bytes, the file has");
}
#endif

int main(void)
{
    if (dyn_ctx_create(NULL, &ctx) != DYN_OK)
        return 1;
    RUN(npy_dictionaries);
    RUN(npy_versions);
    RUN(idx_headers);
    RUN(damaged_files);
    RUN(damaged_text);
#if DYN__HAVE_ZLIB
    RUN(damaged_gzip);
#endif
#if DYN__HAVE_ZIP
    RUN(damaged_archives);
    RUN(archives_that_lie);
#endif
    dyn_ctx_free(ctx);
    return test_end();
}
