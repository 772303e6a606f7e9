/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Cosines between neurons: a matrix product of the unit rows with themselves, block by block, and projections on one
 * vector. */
#include <math.h>
#include "analysis/condensation.h"
#include "kernel/kernel.h"

void dyn__condensation_project(const dyn_condensation *c, const double *v, double *out)
{
    dyn__arg arg[3] = { { out, 1, 1 }, { c->unit, c->components, 1 }, { (double *)(uintptr_t)v, 0, 1 } };

    dyn__kernels_of(c->ctx)->f64.tile[DYN__K_ROW_DOT](c->neurons, c->components, arg, 0.0);
}

dyn_status dyn__condensation_cosines(const dyn_condensation *c, int64_t first, int64_t count, double *out)
{
    dyn__gemm g = { .dtype = DYN_F64, .trans_b = 1, .m = count, .n = c->neurons, .k = c->components,
                    .lda = c->components, .ldb = c->components, .ldc = c->neurons };

    if (dyn__gemm_plan(dyn__kernels_of(c->ctx), &g) < 0)
        return DYN__FAIL(c->ctx, DYN_EINTERNAL, "no matrix product for %lld x %lld x %lld", (long long)count,
                         (long long)c->neurons, (long long)c->components);
    dyn__gemm_run(&g, c->unit + first * c->components, c->unit, out);
    for (int64_t i = 0; i < count * c->neurons; i++)
        out[i] = fmax(-1.0, fmin(1.0, out[i]));
    for (int64_t i = 0; i < count; i++)
        if (c->norms[first + i] > 0.0)
            out[i * c->neurons + first + i] = 1.0;
    return DYN_OK;
}

/* The product may round (i, j) and (j, i) differently. */
static void make_symmetric(int64_t n, double *a)
{
    for (int64_t i = 0; i < n; i++)
        for (int64_t j = 0; j < i; j++)
            a[j * n + i] = a[i * n + j];
}

static void permute(int64_t n, const int64_t *order, const double *a, double *out)
{
    for (int64_t i = 0; i < n; i++)
        for (int64_t j = 0; j < n; j++)
            out[i * n + j] = a[order[i] * n + order[j]];
}

dyn_status dyn_condensation_cosines(const dyn_condensation *c, int32_t ordered, double *cosines)
{
    double *plain = cosines;
    dyn_status s;

    if (!c)
        return DYN_EINVAL;
    DYN__ENTER(c->ctx);
    DYN__NEED(c->ctx, cosines);
    if (ordered)
        plain = dyn__alloc(c->ctx, (size_t)c->neurons, (size_t)c->neurons * sizeof *plain);
    if (!plain)
        return DYN_ENOMEM;
    s = dyn__condensation_cosines(c, 0, c->neurons, plain);
    if (s >= 0)
        make_symmetric(c->neurons, plain);
    if (ordered) {
        if (s >= 0)
            permute(c->neurons, c->order, plain, cosines);
        dyn__free(c->ctx, plain);
    }
    return s;
}
