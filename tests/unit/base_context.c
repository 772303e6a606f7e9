/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Context, status codes, messages, log, option checker, allocator hooks. */
#include <stdlib.h>
#include <unistd.h>
#include <dyn/dyn.h>
#include "base/base.h"
#include "kernel/kernel.h"
#include "test.h"

/* ---- an allocator that counts, and checks that every free tells the size of its block ---- */

typedef struct counting { int64_t live, blocks, bad; } counting;

static void *count_alloc(void *user, size_t size, size_t align)
{
    counting *c = user;
    char *p = aligned_alloc(align, size + align - size % align);

    memcpy(p, &size, sizeof size);
    memset(p + sizeof size, 0x5a, size - sizeof size);
    c->live += (int64_t)size;
    c->blocks++;
    return p;
}

static void count_free(void *user, void *p, size_t size, size_t align)
{
    counting *c = user;

    c->bad += align != 64 || (uintptr_t)p % 64 != 0;
    c->live -= (int64_t)size;
    c->blocks--;
    free(p);
}

typedef struct logged { int count, level; char text[1024]; } logged;

static void keep_log(void *user, int32_t level, const char *text)
{
    logged *l = user;

    l->count++;
    l->level = level;
    snprintf(l->text, sizeof l->text, "%s", text);
}

static dyn_ctx *context(int threads)
{
    dyn_ctx_options o = DYN_CTX_OPTIONS_INIT;
    dyn_ctx *ctx = NULL;

    o.threads = threads;
    CHECK(dyn_ctx_create(&o, &ctx) == DYN_OK);
    return ctx;
}

/* ---- status codes ---- */

TEST(status_codes_are_distinct_and_named)
{
    static const struct { dyn_status value; const char *name; } all[] = {
#define X(name, value, text) { value, #name },
        DYN_STATUS_LIST(X)
#undef X
    };

    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        CHECK(!strcmp(dyn_status_name(all[i].value), all[i].name));
        CHECK(strlen(dyn_status_text(all[i].value)) > 0);
        for (size_t j = 0; j < i; j++)
            CHECK(all[i].value != all[j].value);
    }
    CHECK(DYN_OK == 0 && DYN_EINVAL == -1 && DYN_ENOMEM == -2 && DYN_EINTERNAL == -16 && DYN_NOT_CONVERGED == 1);
    CHECK(!strcmp(dyn_status_name(-999), "unknown status"));
    CHECK(!strcmp(dyn_status_text(99), "unknown status"));
    CHECK(!strcmp(dyn_version(), "0.1.0"));
}

/* ---- creation ---- */

static dyn_status create_with(void (*change)(dyn_ctx_options *o))
{
    dyn_ctx_options o = DYN_CTX_OPTIONS_INIT;
    dyn_ctx *ctx = (dyn_ctx *)&o;
    dyn_status s;

    change(&o);
    s = dyn_ctx_create(&o, &ctx);
    CHECK(ctx == NULL);
    return s;
}

static void negative_threads(dyn_ctx_options *o) { o->threads = -1; }
static void many_threads(dyn_ctx_options *o) { o->threads = 1 << 20; }
static void unknown_isa(dyn_ctx_options *o) { o->isa = 5; }
static void unknown_level(dyn_ctx_options *o) { o->log_level = 5; }
static void alloc_only(dyn_ctx_options *o) { o->alloc = count_alloc; }
static void free_only(dyn_ctx_options *o) { o->free = count_free; }
static void malformed(dyn_ctx_options *o) { o->struct_size = 3; }
static void old(dyn_ctx_options *o) { o->struct_size = 4; }

TEST(create_rejects)
{
    CHECK(dyn_ctx_create(NULL, NULL) == DYN_EINVAL);
    CHECK(create_with(negative_threads) == DYN_EINVAL);
    CHECK(create_with(many_threads) == DYN_EINVAL);
    CHECK(create_with(unknown_isa) == DYN_EINVAL);
    CHECK(create_with(unknown_level) == DYN_EINVAL);
    CHECK(create_with(alloc_only) == DYN_EINVAL);
    CHECK(create_with(free_only) == DYN_EINVAL);
    CHECK(create_with(malformed) == DYN_EABI_SIZE);
    CHECK(create_with(old) == DYN_EABI_OLD);
}

TEST(create_and_report)
{
    dyn_ctx *ctx = NULL;

    CHECK(dyn_ctx_create(NULL, &ctx) == DYN_OK);
    CHECK(dyn_ctx_threads(ctx) >= 1);
    CHECK(dyn_ctx_isa(ctx) > DYN_ISA_REFERENCE && dyn_ctx_isa(ctx) <= DYN_ISA_VECTOR);
    CHECK(!strcmp(dyn_ctx_message(ctx), ""));
    CHECK_STR(dyn_ctx_report(ctx), "version: 0.1.0\n");
    CHECK_STR(dyn_ctx_report(ctx), "\nblis-arch: ");
    CHECK_STR(dyn_ctx_report(ctx), "\nlarge-products: ");
    CHECK_STR(dyn_ctx_report(ctx), "\nlibzip: ");
    CHECK(dyn__kernels_of(ctx) != NULL);
    dyn_ctx_free(ctx);
    ctx = context(3);
    CHECK(dyn_ctx_threads(ctx) == 3 && dyn__workers(ctx) == 3);
    CHECK_STR(dyn_ctx_report(ctx), "\nthreads: 3\n");
    dyn_ctx_free(ctx);
    dyn_ctx_free(NULL);
}

/* ---- numeric classes ---- */

/* The class of ctx with another value of a key. */
static void with(const dyn_ctx *ctx, const char *key, const char *value, char text[512])
{
    const char *all = dyn_ctx_numerics(ctx), *at = strstr(all, key) + strlen(key);

    snprintf(text, 512, "%.*s: %s%s", (int)(at - all), all, value, at + strcspn(at, ";"));
}

/* Asks for a class; what the log said is in l. */
static dyn_status in_class(const char *text, int isa, logged *l, dyn_ctx **out)
{
    dyn_ctx_options o = DYN_CTX_OPTIONS_INIT;

    *l = (logged){ 0 };
    o.threads = 1;
    o.isa = isa;
    o.log = keep_log;
    o.log_user = l;
    o.log_level = DYN_LOG_ERROR;
    o.numerics = text;
    return dyn_ctx_create(&o, out);
}

TEST(a_class_can_be_asked_for)
{
    static const char *const change[][2] = {
        { "isa", "reference" }, { "isa", "vector" }, { "caches", "16 KiB, 256 KiB" }, { "caches", "64 KiB, 4096 KiB" },
        { "backend", "reference" } };
    dyn_ctx *own = context(1), *made = NULL, *again = NULL;
    char text[512];
    logged l;

    CHECK(in_class(dyn_ctx_numerics(own), DYN_ISA_AUTO, &l, &again) == DYN_OK);
    CHECK(!strcmp(dyn_ctx_numerics(again), dyn_ctx_numerics(own)));
    dyn_ctx_free(again);
    for (size_t i = 0; i < sizeof change / sizeof *change; i++) {
        dyn_ctx_options o = DYN_CTX_OPTIONS_INIT;

        if (!strcmp(change[i][0], "isa")) {     /* what the others of its lines are is its own affair */
            o.isa = i ? DYN_ISA_VECTOR : DYN_ISA_REFERENCE;
            CHECK(dyn_ctx_create(&o, &again) == DYN_OK);
            snprintf(text, sizeof text, "%s", dyn_ctx_numerics(again));
            dyn_ctx_free(again);
        } else {
            with(own, change[i][0], change[i][1], text);
        }
        CHECK(in_class(text, DYN_ISA_AUTO, &l, &made) == DYN_OK);
        CHECK(!strcmp(dyn_ctx_numerics(made), text));
        dyn_ctx_free(made);
    }
    with(own, "caches", "16 KiB, 256 KiB", text);
    CHECK(in_class(text, DYN_ISA_AUTO, &l, &made) == DYN_OK);
    CHECK(dyn__kernels_of(made)->first_cache == 16 << 10 && dyn__kernels_of(made)->second_cache == 256 << 10);
    CHECK_STR(dyn_ctx_report(made), "\ncaches: 16 KiB, 256 KiB\n");
    dyn_ctx_free(made);
    with(own, "large-products", "own", text);   /* the library's own blocks do on every machine */
    CHECK(in_class(text, DYN_ISA_AUTO, &l, &made) == DYN_OK && !dyn__kernels_of(made)->large_by_blis);
    dyn_ctx_free(made);
    dyn_ctx_free(own);
}

TEST(a_class_that_cannot_be_had)
{
    static const struct { const char *key, *value, *said; } other[] = {
        { "version", "9.9.9", "asked for is \"version: 9.9.9\", here there is \"version: 0.1.0\"" },
        { "large-products", "BLIS 0.0.1 as skx", "asked for is \"large-products: BLIS 0.0.1 as skx\", here there is" },
        { "sleef", "1.0", "asked for is \"sleef: 1.0\"" }, { "lapack", "1.0.0", "asked for is \"lapack: 1.0.0\"" },
        { "isa", "avx9", "asked for is \"isa: avx9\", here there is \"isa: " },
        { "caches", "17 KiB, 3 KiB", "asked for is \"caches: 17 KiB, 3 KiB\"" },
        { "caches", "no KiB", "asked for is \"caches: no KiB\"" } };
    dyn_ctx *own = context(1), *made = own;
    char text[512];
    logged l;

    for (size_t i = 0; i < sizeof other / sizeof *other; i++) {
        with(own, other[i].key, other[i].value, text);
        CHECK(in_class(text, DYN_ISA_AUTO, &l, &made) == DYN_ENOTSUP && !made);
        CHECK_STR(l.text, "dyn_ctx_create: numerics: ");
        CHECK_STR(l.text, other[i].said);
    }
    CHECK(in_class("", DYN_ISA_AUTO, &l, &made) == DYN_EINVAL && !made);
    CHECK_STR(l.text, "\"\" stands where \"version: 0.1.0\" is expected");
    CHECK(in_class("fast", DYN_ISA_AUTO, &l, &made) == DYN_EINVAL);
    CHECK_STR(l.text, "\"fast\" stands where \"version: 0.1.0\" is expected");
    snprintf(text, sizeof text, "%s; speed: high", dyn_ctx_numerics(own));
    CHECK(in_class(text, DYN_ISA_AUTO, &l, &made) == DYN_EINVAL);
    CHECK_STR(l.text, "\"speed: high\" stands where \"\" is expected");
    /* what is given beside it must not contradict it */
    CHECK(in_class(dyn_ctx_numerics(own), DYN_ISA_REFERENCE, &l, &made) == DYN_ENOTSUP);
    CHECK_STR(l.text, "here there is \"isa: reference\"");
    dyn_ctx_free(own);
}

TEST(null_context_is_harmless)
{
    CHECK(!strcmp(dyn_ctx_numerics(NULL), ""));
    CHECK(!strcmp(dyn_ctx_message(NULL), ""));
    CHECK(!strcmp(dyn_ctx_report(NULL), ""));
    CHECK(dyn_ctx_threads(NULL) == 0 && dyn_ctx_isa(NULL) == 0 && dyn_ctx_bytes(NULL) == 0);
}

TEST(objects_keep_the_context)
{
    dyn_ctx *ctx = context(1);

    dyn__ctx_ref(ctx);
    dyn_ctx_free(ctx);
    CHECK(dyn_ctx_threads(ctx) == 1);
    dyn__ctx_unref(ctx);
}

/* ---- messages ---- */

static dyn_status dyn_inner(dyn_ctx *ctx)
{
    DYN__ENTER(ctx);
    return DYN__FAIL(ctx, DYN_ESHAPE, "x is [%d], expected [%d]", 3, 4);
}

static dyn_status dyn_outer(dyn_ctx *ctx, int wrap)
{
    DYN__ENTER(ctx);
    dyn_status s = dyn_inner(ctx);

    return wrap ? DYN__FAIL(ctx, s, "layer 2: %s", dyn_ctx_message(ctx)) : s;
}

TEST(messages_begin_with_the_outermost_function)
{
    dyn_ctx *ctx = context(1);

    CHECK(DYN__FAIL(NULL, DYN_ESTATE, "nobody hears") == DYN_ESTATE);
    CHECK(DYN__FAIL(ctx, DYN_ESTATE, "outside") == DYN_ESTATE);
    CHECK(!strcmp(dyn_ctx_message(ctx), "outside"));
    CHECK(dyn_inner(ctx) == DYN_ESHAPE);
    CHECK(!strcmp(dyn_ctx_message(ctx), "dyn_inner: x is [3], expected [4]"));
    CHECK(dyn_outer(ctx, 0) == DYN_ESHAPE);
    CHECK(!strcmp(dyn_ctx_message(ctx), "dyn_outer: x is [3], expected [4]"));
    CHECK(dyn_outer(ctx, 1) == DYN_ESHAPE);
    CHECK(!strcmp(dyn_ctx_message(ctx), "dyn_outer: layer 2: dyn_outer: x is [3], expected [4]"));
    CHECK(dyn_inner(ctx) == DYN_ESHAPE);
    CHECK(!strcmp(dyn_ctx_message(ctx), "dyn_inner: x is [3], expected [4]"));
    dyn_ctx_free(ctx);
}

TEST(long_messages_are_cut)
{
    dyn_ctx *ctx = context(1);
    char text[3000];

    memset(text, 'x', sizeof text);
    text[sizeof text - 1] = '\0';
    DYN__FAIL(ctx, DYN_EINVAL, "%s", text);
    CHECK(strlen(dyn_ctx_message(ctx)) == 1023);
    dyn_ctx_free(ctx);
}

TEST(log_levels)
{
    dyn_ctx_options o = DYN_CTX_OPTIONS_INIT;
    logged l = { 0 };
    dyn_ctx *ctx = NULL;

    o.log = keep_log;
    o.log_user = &l;
    CHECK(dyn_ctx_create(&o, &ctx) == DYN_OK);
    l.count = 0;        /* another BLIS than the one compiled for has its warning */
    dyn__log(ctx, DYN_LOG_INFO, "too quiet");
    CHECK(l.count == 0);
    dyn__log(ctx, DYN_LOG_WARNING, "step %d", 7);
    CHECK(l.count == 1 && l.level == DYN_LOG_WARNING && !strcmp(l.text, "step 7"));
    dyn_inner(ctx);
    CHECK(l.count == 2 && l.level == DYN_LOG_ERROR && !strcmp(l.text, dyn_ctx_message(ctx)));
    CHECK(!strcmp(dyn_ctx_message(ctx), "dyn_inner: x is [3], expected [4]"));
    dyn_ctx_free(ctx);
}

/* At its most talkative the log tells what is read and written, and how training went. */
TEST(debug_log)
{
    dyn_ctx_options o = DYN_CTX_OPTIONS_INIT;
    char path[] = "/tmp/dyn-context-XXXXXX";
    const int64_t two = 2;
    const double x[2] = { 1, 2 };
    logged l = { 0 };
    dyn_array *a = NULL;
    dyn_ctx *ctx = NULL;

    close(mkstemp(path));
    o.log = keep_log;
    o.log_user = &l;
    o.log_level = DYN_LOG_DEBUG;
    CHECK(dyn_ctx_create(&o, &ctx) == DYN_OK && l.level == DYN_LOG_DEBUG);
    CHECK_STR(l.text, "dyn_ctx_create: version ");
    CHECK_OK(ctx, dyn_array_wrap(ctx, DYN_F64, 1, &two, x, &a));
    CHECK_OK(ctx, dyn_array_write_npy(a, path));
    CHECK_STR(l.text, "dyn_array_write_npy: \"/tmp/dyn-context-");
    dyn_array_unref(a);
    CHECK_OK(ctx, dyn_array_read(ctx, path, NULL, &a));
    CHECK_STR(l.text, "144 bytes read");
    dyn_array_unref(a);
    unlink(path);
    dyn_ctx_free(ctx);
}

/* ---- option structs ---- */

typedef struct options { uint32_t struct_size, a, b, c; } options;      /* b and c came later: v1 had 8 bytes */
typedef struct future { uint32_t struct_size, a, b, c, d, e; } future;

static dyn_status check_options(dyn_ctx *ctx, const void *given, options *full)
{
    *full = (options){ sizeof *full, 7, 8, 9 };       /* the defaults */
    return dyn__options(ctx, "dyn_some_options", given, full, sizeof *full, 8);
}

TEST(options_accepted)
{
    future f = { sizeof f, 1, 2, 3, 0, 0 };
    options o = { sizeof o, 1, 2, 3 }, full;
    uint32_t v1[] = { 8, 5, 77, 78 };
    dyn_ctx *ctx = context(1);

    CHECK(check_options(ctx, NULL, &full) == DYN_OK);
    CHECK(full.struct_size == sizeof full && full.a == 7 && full.b == 8 && full.c == 9);
    CHECK(check_options(ctx, &o, &full) == DYN_OK);
    CHECK(full.a == 1 && full.b == 2 && full.c == 3);
    CHECK(check_options(ctx, v1, &full) == DYN_OK);
    CHECK(full.struct_size == sizeof full && full.a == 5 && full.b == 8 && full.c == 9);
    CHECK(check_options(ctx, &f, &full) == DYN_OK);
    CHECK(full.struct_size == sizeof full && full.c == 3);
    dyn_ctx_free(ctx);
}

TEST(options_rejected)
{
    static const uint32_t malformed_sizes[] = { 0, 3, 9, 4097, 4100, 0xffffffff };
    future f = { sizeof f, 1, 2, 3, 0, 9 };
    options o = { 0, 1, 2, 3 }, full;
    dyn_ctx *ctx = context(1);

    for (size_t i = 0; i < sizeof malformed_sizes / sizeof *malformed_sizes; i++) {
        o.struct_size = malformed_sizes[i];
        CHECK(check_options(ctx, &o, &full) == DYN_EABI_SIZE);
        CHECK_STR(dyn_ctx_message(ctx), "dyn_some_options: struct_size is");
    }
    o.struct_size = 4;
    CHECK(check_options(ctx, &o, &full) == DYN_EABI_OLD);
    CHECK_STR(dyn_ctx_message(ctx), "4, the oldest supported is 8");
    CHECK(check_options(ctx, &f, &full) == DYN_EABI_NEW);
    CHECK_STR(dyn_ctx_message(ctx), "bytes 16 to 24");
    CHECK(dyn__options(NULL, "x", &f, &full, sizeof full, 8) == DYN_EABI_NEW);
    dyn_ctx_free(ctx);
}

/* ---- memory ---- */

static int all_zero(const char *p, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (p[i])
            return 0;
    return 1;
}

static void use_memory(dyn_ctx *ctx)
{
    int64_t before = dyn_ctx_bytes(ctx), cap = 0;
    void *list = NULL;

    for (size_t n = 0; n < 300; n += 7) {
        char *p = dyn__alloc(ctx, n, 3);

        CHECK(p && (uintptr_t)p % 64 == 0 && all_zero(p, 3 * n));
        CHECK(dyn_ctx_bytes(ctx) >= before + (int64_t)(3 * n));
        dyn__free(ctx, p);
    }
    for (int64_t i = 0; i < 200; i++) {
        CHECK_OK(ctx, dyn__grow(ctx, &list, &cap, i + 1, 8));
        CHECK(cap > i && cap < 2 * i + 10);
        ((int64_t *)list)[i] = 3 * i;
    }
    for (int64_t i = 0; i < 200; i++)
        CHECK(((int64_t *)list)[i] == 3 * i);
    dyn__free(ctx, list);
    dyn__free(ctx, NULL);
    CHECK(dyn_ctx_bytes(ctx) == before);
}

TEST(allocator_hooks)
{
    dyn_ctx_options o = DYN_CTX_OPTIONS_INIT;
    counting c = { 0 };
    dyn_ctx *ctx = NULL;
    char *name;

    o.alloc = count_alloc;
    o.free = count_free;
    o.alloc_user = &c;
    CHECK(dyn_ctx_create(&o, &ctx) == DYN_OK);
    CHECK(c.blocks > 0 && c.live == dyn_ctx_bytes(ctx));
    use_memory(ctx);
    name = dyn__strdup(ctx, "name");
    CHECK(!strcmp(name, "name") && c.live == dyn_ctx_bytes(ctx));
    dyn__free(ctx, name);
    dyn_ctx_free(ctx);
    CHECK(c.live == 0 && c.blocks == 0 && c.bad == 0);
}

TEST(impossible_sizes)
{
    dyn_ctx *ctx = context(1);
    int64_t before = dyn_ctx_bytes(ctx), cap = 0;
    void *list = NULL;

    CHECK(dyn__alloc(ctx, SIZE_MAX / 2, 3) == NULL);
    CHECK_STR(dyn_ctx_message(ctx), "out of memory: 9223372036854775807 elements of 3 bytes");
    CHECK(dyn__alloc(ctx, SIZE_MAX, 1) == NULL);
    CHECK(dyn__alloc(ctx, SIZE_MAX - 63, 1) == NULL);
    CHECK(dyn__alloc(ctx, PTRDIFF_MAX, 1) == NULL);
    CHECK(dyn__grow(ctx, &list, &cap, INT64_MAX / 2, 8) == DYN_ENOMEM);
    CHECK(list == NULL && cap == 0 && dyn_ctx_bytes(ctx) == before);
    dyn_ctx_free(ctx);
}

int main(void)
{
    RUN(status_codes_are_distinct_and_named);
    RUN(create_rejects);
    RUN(create_and_report);
    RUN(a_class_can_be_asked_for);
    RUN(a_class_that_cannot_be_had);
    RUN(null_context_is_harmless);
    RUN(objects_keep_the_context);
    RUN(messages_begin_with_the_outermost_function);
    RUN(long_messages_are_cut);
    RUN(log_levels);
    RUN(debug_log);
    RUN(options_accepted);
    RUN(options_rejected);
    RUN(allocator_hooks);
    RUN(impossible_sizes);
    return test_end();
}
