/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Singular values from the Gram matrix G = A^T A or A A^T, the smaller one. Only the lower triangle is formed, in
 * blocks of rows spread over the threads; blocks are fixed by the size, so that threads do not move bits.
 *
 * Error bound: forming G errs by at most k u |A|_F^2 in norm (k products per element, u the unit roundoff), its
 * eigenvalues by a further multiple n u |A|_F^2. An eigenvalue off by d is a singular value s off by at most min(d /
 * s, sqrt d). */
#include <float.h>
#include <inttypes.h>
#include <math.h>
#include "kernel/kernel.h"
#include "linalg/dense.h"

#define BLOCK 96        /* rows of G made by one task */

typedef struct gram {
    const double *a;
    double *g;
    int64_t n, lda;     /* size of G; row length of A */
    int by_rows;        /* G = A A^T, so that a block begins at a row of A */
    dyn__gemm *plan;    /* one per block */
} gram;

static void form_block(void *arg, int64_t block, int worker)
{
    const gram *p = arg;
    int64_t first = block * BLOCK;

    (void)worker;
    dyn__gemm_run(&p->plan[block], p->a + first * (p->by_rows ? p->lda : 1), p->a, p->g + first * p->n);
}

/* Lower triangle of G, n x n, from a of rows x cols. */
static dyn_status form(dyn_ctx *ctx, int64_t rows, int64_t cols, const double *a, int64_t n, double *g)
{
    int64_t blocks = (n + BLOCK - 1) / BLOCK;
    gram p = { a, g, n, cols, rows < cols, dyn__alloc(ctx, (size_t)blocks, sizeof(dyn__gemm)) };
    dyn_status s = p.plan ? DYN_OK : DYN_ENOMEM;

    for (int64_t b = 0; s == DYN_OK && b < blocks; b++) {
        int64_t first = b * BLOCK, end = first + BLOCK < n ? first + BLOCK : n;

        p.plan[b] = (dyn__gemm){ .dtype = DYN_F64, .trans_a = !p.by_rows, .trans_b = p.by_rows, .m = end - first,
                                 .n = end, .k = p.by_rows ? cols : rows, .lda = cols, .ldb = cols, .ldc = n };
        s = dyn__gemm_plan(dyn__kernels_of(ctx), &p.plan[b]);
    }
    if (s == DYN_OK)
        dyn__parallel(ctx, blocks, form_block, &p);
    dyn__free(ctx, p.plan);
    return s;
}

/* Eigenvalues ascending in v become singular values descending in s. */
static void to_singular(int64_t n, const double *v, double error, double *s, double *error_bound)
{
    for (int64_t i = 0; i < n; i++) {
        double square = v[n - 1 - i];

        s[i] = square > 0.0 ? sqrt(square) : 0.0;
        if (error_bound)
            error_bound[i] = fmin(s[i] > 0.0 ? error / s[i] : HUGE_VAL, sqrt(error));
    }
}

static dyn_status solve(dyn_ctx *ctx, int64_t rows, int64_t cols, const double *a, double *g, double *s,
                        double *error_bound)
{
    int64_t n = rows < cols ? rows : cols, k = rows < cols ? cols : rows;
    double *values = g + n * n, trace = 0.0;

    DYN__TRY(form(ctx, rows, cols, a, n, g));
    for (int64_t i = 0; i < n; i++)
        trace += g[i * n + i];
    if (!isfinite(trace))
        return DYN__FAIL(ctx, DYN_ENONFINITE,
                         "squares of the %" PRId64 " x %" PRId64 " matrix overflow; scale it first", rows, cols);
    DYN__TRY(dyn__eigh(ctx, n, g, values, 0));
    to_singular(n, values, (double)(k + 4 * n) * DBL_EPSILON * trace, s, error_bound);
    return DYN_OK;
}

dyn_status dyn_dense_svd_values_gram(dyn_ctx *ctx, int64_t rows, int64_t cols, const double *a, double *s,
                                     double *error_bound)
{
    int64_t n = rows < cols ? rows : cols;
    double *g;
    dyn_status status;

    if (!ctx)
        return DYN_EINVAL;
    DYN__ENTER(ctx);
    DYN__TRY(dyn__check_matrix(ctx, rows, cols, a, s, "s"));
    g = dyn__alloc(ctx, (size_t)(n + 1), (size_t)n * sizeof *g);
    if (!g)
        return DYN_ENOMEM;
    status = solve(ctx, rows, cols, a, g, s, error_bound);
    dyn__free(ctx, g);
    return status;
}
