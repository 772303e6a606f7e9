/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The context's kernel table and its report. A context (base room) owns a table whose contents only this room knows;
 * the two functions are declared there and defined here, so that base includes nothing from above. */
#include "base/have.h"
#include "base/context.h"

#include <stdio.h>
#include "kernel/kernel.h"

/* LAPACK's version, by reference. */
void ilaver_(int32_t *major, int32_t *minor, int32_t *patch);

dyn_status dyn__ctx_choose_kernels(dyn_ctx *ctx, int isa, const char *numerics)
{
    ctx->kernels = dyn__alloc(ctx, 1, sizeof *ctx->kernels);
    if (!ctx->kernels)
        return DYN_ENOMEM;
    DYN__TRY(dyn__kernels_init(ctx->kernels, numerics && isa == DYN_ISA_AUTO ? dyn__kernels_isa(numerics) : isa));
    if (numerics)
        dyn__kernels_pin(ctx->kernels, numerics);
    ctx->isa = ctx->kernels->isa;
    if (ctx->kernels->blis_differs)
        dyn__log(ctx, DYN_LOG_WARNING, "%s runs, which is not the version compiled for: large products go without it",
                 ctx->kernels->blas);
    return DYN_OK;
}

static const char *answer(int have) { return have ? "yes" : "no"; }

/* What the class and the report have in common, as texts. */
typedef struct facts {
    char caches[48], lapack[48];
    const char *backend, *xsmm, *sleef;
} facts;

static facts facts_of(const dyn_ctx *ctx)
{
    const dyn__kernels *k = ctx->kernels;
    facts f = { .backend = ctx->backend == DYN_BACKEND_CPU ? "cpu" : "reference",
                .xsmm = k->have_xsmm ? DYN__XSMM_VERSION : "no", .sleef = k->have_sleef ? DYN__SLEEF_VERSION : "no" };
    int32_t major, minor, patch;

    ilaver_(&major, &minor, &patch);
    snprintf(f.lapack, sizeof f.lapack, "%d.%d.%d", (int)major, (int)minor, (int)patch);
    snprintf(f.caches, sizeof f.caches, "%lld KiB, %lld KiB", (long long)k->first_cache >> 10,
             (long long)k->second_cache >> 10);
    return f;
}

/* BLIS decides bits only where it computes large products. */
static void write_class(dyn_ctx *ctx, const facts *f)
{
    const dyn__kernels *k = ctx->kernels;
    char large[128] = "own";

    if (k->large_by_blis)
        snprintf(large, sizeof large, "%s as %s", k->blas, k->blas_arch);
    snprintf(ctx->numerics, sizeof ctx->numerics,
             "version: %s; isa: %s; caches: %s; backend: %s; large-products: %s; libxsmm: %s; sleef: %s; lapack: %s",
             dyn_version(), k->isa_name, f->caches, f->backend, large, f->xsmm, f->sleef, f->lapack);
}

void dyn__ctx_write_report(dyn_ctx *ctx)
{
    const dyn__kernels *k = ctx->kernels;
    const facts f = facts_of(ctx);

    write_class(ctx, &f);
    snprintf(ctx->report, sizeof ctx->report,
             "version: %s\nisa: %s\ncaches: %s\nbackend: %s\nthreads: %d\n"
             "blis: %s\nblis-arch: %s\nlarge-products: %s\n"
             "libxsmm: %s\nsleef: %s\nlapack: %s (dsterf, dlasq2, dlaed4, which call no blas)\n"
             "libzip: %s\nzlib: %s\njansson: %s\nsqlite: %s\n",
             dyn_version(), k->isa_name, f.caches, f.backend, (int)ctx->threads, k->blas, k->blas_arch,
             k->large_by_blis ? "blis" : "own", f.xsmm, f.sleef, f.lapack, answer(DYN__HAVE_ZIP),
             answer(DYN__HAVE_ZLIB), answer(DYN__HAVE_JANSSON), answer(DYN__HAVE_SQLITE));
}
