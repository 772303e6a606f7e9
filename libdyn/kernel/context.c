/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The context's kernel table and its report. A context (base room) owns a table whose contents only this room knows;
 * the two functions are declared there and defined here, so that base includes nothing from above. */
#include "base/have.h"
#include "base/context.h"

#include <stdio.h>
#include "kernel/kernel.h"
#include "kernel/machine.h"

dyn_status dyn__ctx_choose_kernels(dyn_ctx *ctx, int isa)
{
    ctx->kernels = dyn__alloc(ctx, 1, sizeof *ctx->kernels);
    if (!ctx->kernels)
        return DYN_ENOMEM;
    DYN__TRY(dyn__kernels_init(ctx->kernels, isa));
    ctx->isa = ctx->kernels->isa;
    if (ctx->kernels->blis_differs)
        dyn__log(ctx, DYN_LOG_WARNING, "%s runs, which is not the version compiled for: large products go without it",
                 ctx->kernels->blas);
    return DYN_OK;
}

static const char *answer(int have) { return have ? "yes" : "no"; }

void dyn__ctx_write_report(dyn_ctx *ctx)
{
    const dyn__kernels *k = ctx->kernels;
    const dyn__machine m = dyn__machine_of(k->isa);

    snprintf(ctx->report, sizeof ctx->report,
             "version: %s\nisa: %s\ncaches: %lld KiB, %lld KiB\nbackend: %s\nthreads: %d\n"
             "blis: %s\nblis-arch: %s\nlarge-products: %s\n"
             "libxsmm: %s\nsleef: %s\nlapack: dsterf, dlasq2, dlaed4, which call no blas\n"
             "libzip: %s\nzlib: %s\njansson: %s\nsqlite: %s\n",
             dyn_version(), k->isa_name, (long long)m.first >> 10, (long long)m.second >> 10,
             ctx->backend == DYN_BACKEND_CPU ? "cpu" : "reference", (int)ctx->threads, k->blas, k->blas_arch,
             k->large_by_blis ? "blis" : "own", answer(k->have_xsmm), answer(k->have_sleef), answer(DYN__HAVE_ZIP),
             answer(DYN__HAVE_ZLIB), answer(DYN__HAVE_JANSSON), answer(DYN__HAVE_SQLITE));
}
