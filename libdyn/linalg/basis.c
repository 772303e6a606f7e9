/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Operations on a basis V [rows][n]: coefficients, combination, rotation in place by column panels, Gram-Schmidt. */
#include <float.h>
#include <inttypes.h>
#include <math.h>
#include <string.h>
#include "kernel/kernel.h"
#include "linalg/basis.h"

#define PANEL 512   /* columns done at a time, so that the row being summed stays in the first-level cache */

void dyn__basis_coefficients(dyn_ctx *ctx, int64_t rows, int64_t n, const double *V, const double *w, double *h)
{
    const dyn__arg arg[3] = { { h, 1, 0 }, { (void *)V, n, 1 }, { (void *)w, 0, 1 } };

    dyn__basis_tile(ctx, DYN__K_ROW_DOT, rows, n, arg, 0);
}

double dyn__basis_dot(dyn_ctx *ctx, int64_t n, const double *x, const double *y)
{
    double h;

    dyn__basis_coefficients(ctx, 1, n, x, y, &h);
    return h;
}

void dyn__basis_scale(int64_t n, double a, double *x)
{
    for (int64_t i = 0; i < n; i++)
        x[i] *= a;
}

void dyn__basis_divide(int64_t n, double norm, double *x)
{
    if (isfinite(1.0 / norm))
        dyn__basis_scale(n, 1.0 / norm, x);
    else
        for (int64_t i = 0; i < n; i++)
            x[i] /= norm;
}

void dyn__basis_combine(dyn_ctx *ctx, int64_t rows, int64_t n, const double *V, const double *h, double *w)
{
    for (int64_t c = 0; c < n; c += PANEL) {
        int64_t cols = n - c < PANEL ? n - c : PANEL;
        const dyn__arg arg[3] = { { w + c, 0, 1 }, { (void *)(V + c), n, 1 }, { (void *)h, 1, 0 } };

        dyn__basis_tile(ctx, DYN__K_COL_DOT, rows, cols, arg, 1);
    }
}

static dyn_status plan_panel(dyn_ctx *ctx, int64_t to, int64_t cols, int64_t rows, int64_t n, dyn__gemm *g)
{
    *g = (dyn__gemm){ .dtype = DYN_F64, .m = to, .n = cols, .k = rows, .lda = rows, .ldb = PANEL, .ldc = n };
    return dyn__gemm_plan(dyn__kernels_of(ctx), g);
}

dyn_status dyn__basis_rotate(dyn_ctx *ctx, int64_t rows, int64_t n, double *V, int64_t to, const double *S)
{
    double *panel = dyn__alloc(ctx, (size_t)(rows * PANEL), sizeof(double));
    dyn__gemm g = { .n = 0 };
    dyn_status s = panel ? DYN_OK : DYN_ENOMEM;

    for (int64_t c = 0; s == DYN_OK && c < n; c += PANEL) {
        int64_t cols = n - c < PANEL ? n - c : PANEL;

        if (cols != g.n)
            s = plan_panel(ctx, to, cols, rows, n, &g);
        if (s != DYN_OK)
            break;
        for (int64_t r = 0; r < rows; r++)
            memcpy(panel + r * PANEL, V + r * n + c, (size_t)cols * sizeof(double));
        dyn__gemm_run(&g, S, panel, V + c);
    }
    dyn__free(ctx, panel);
    return s;
}

dyn_status dyn__basis_orthonormalise(dyn_ctx *ctx, int64_t rows, int64_t n, double *V, int64_t *kept)
{
    double *h = dyn__alloc(ctx, (size_t)(DYN__BASIS_ROOM * rows + 1), sizeof(double));
    int64_t k = 0;

    if (!h)
        return DYN_ENOMEM;
    for (int64_t r = 0; r < rows && k < n; r++) {
        double *v = V + k * n, before = dyn__norm(ctx, n, V + r * n), after;

        if (!isfinite(before)) {
            dyn__free(ctx, h);
            return DYN__FAIL(ctx, DYN_EINVAL, "the norm of vector %" PRId64 " is not finite", r);
        }
        memmove(v, V + r * n, (size_t)n * sizeof(double));
        if (before > 0.0)
            dyn__basis_divide(n, before, v);
        dyn__basis_project_out(ctx, k, n, V, v, h);
        after = dyn__norm(ctx, n, v);
        if (after > 1e4 * DBL_EPSILON) {
            dyn__basis_scale(n, 1.0 / after, v);
            k++;
        }
    }
    dyn__free(ctx, h);
    *kept = k;
    return DYN_OK;
}
