/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The library inside a host that loads it: a function of the host that bears one of our names is never called from
 * inside, and a host that closes the library too early, with a context and its threads alive, goes on unharmed.
 * Usage: embedding LIBRARY */
#include <dlfcn.h>
#include <stdlib.h>
#include <unistd.h>
#include <dyn/dyn.h>
#include "test.h"

static const char *library;
static int host_called;

/* The host's own: it is linked with -rdynamic and comes first where names are looked up. */
__attribute__((visibility("default")))
dyn_status dyn_array_create(dyn_ctx *ctx, int32_t dtype, int32_t rank, const int64_t *shape, const void *data,
                            dyn_array **out)
{
    (void)ctx, (void)dtype, (void)rank, (void)shape, (void)data;
    host_called++;
    *out = NULL;
    return DYN_EINTERNAL;
}

typedef struct api {
    void *handle;
    dyn_status (*ctx_create)(const dyn_ctx_options *, dyn_ctx **);
    void (*ctx_free)(dyn_ctx *);
    dyn_status (*read)(dyn_ctx *, const char *, const char *, dyn_array **);
    dyn_status (*eigh)(dyn_ctx *, int64_t, const double *, double *, double *);
    void (*unref)(dyn_array *);
} api;

static void look_up(void *handle, const char *name, void *function)
{
    void *p = dlsym(handle, name);

    CHECK(p != NULL);
    memcpy(function, &p, sizeof p);
}

static api load(void)
{
    api a = { .handle = dlopen(library, RTLD_NOW | RTLD_LOCAL) };

    if (!a.handle) {
        printf("# %s\n", dlerror());
        exit(1);
    }
    look_up(a.handle, "dyn_ctx_create", &a.ctx_create);
    look_up(a.handle, "dyn_ctx_free", &a.ctx_free);
    look_up(a.handle, "dyn_array_read", &a.read);
    look_up(a.handle, "dyn_array_unref", &a.unref);
    look_up(a.handle, "dyn_dense_eigh", &a.eigh);
    return a;
}

TEST(own_functions_are_called)
{
    char path[] = "/tmp/dyn-embedding-XXXXXX";
    FILE *f = fdopen(mkstemp(path), "w");
    api a = load();
    dyn_array *table = NULL;
    dyn_ctx *ctx = NULL;

    CHECK(f && fputs("1,2\n", f) >= 0 && fclose(f) == 0);
    CHECK(a.ctx_create(NULL, &ctx) == DYN_OK);
    CHECK(a.read(ctx, path, NULL, &table) == DYN_OK && table);      /* makes an array inside */
    CHECK(host_called == 0);
    a.unref(table);
    a.ctx_free(ctx);
    dlclose(a.handle);
    unlink(path);
}

static dyn_ctx *busy_context(const api *a)
{
    enum { N = 200 };
    dyn_ctx_options options = DYN_CTX_OPTIONS_INIT;
    double *matrix = calloc(N * N, sizeof *matrix), values[N];
    dyn_ctx *ctx = NULL;

    options.threads = 4;
    CHECK(a->ctx_create(&options, &ctx) == DYN_OK);
    for (int i = 0; i < N; i++)
        matrix[i * N + i] = i;
    CHECK(a->eigh(ctx, N, matrix, values, NULL) == DYN_OK);       /* its threads have started */
    free(matrix);
    return ctx;
}

TEST(closed_with_a_live_context)
{
    api a = load();
    dyn_ctx *ctx = busy_context(&a);

    CHECK(dlclose(a.handle) == 0);
    usleep(20000);                  /* workers wake, spin and sleep in code that must still be there */
    a.ctx_free(ctx);
}

int main(int argc, char **argv)
{
    if (argc != 2)
        return 2;
    library = argv[1];
    RUN(own_functions_are_called);
    RUN(closed_with_a_live_context);
    return test_end();
}
