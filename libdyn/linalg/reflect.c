/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Eigenvectors of a tridiagonal matrix turned into those of the matrix it came from: z becomes H_(n-1) ... H_2 H_1 z, for
 * rows z of Z, by blocks of reflections
 *
 *     H_a ... H_b = I - V^T S V,    V [PANEL][n] the vectors of the reflections, S upper triangular,
 *
 * some rows of Z by each task. */
#include <string.h>
#include "linalg/basis.h"
#include "linalg/dense.h"

enum { PANEL = 32, ROWS = 48 };

typedef struct panel {
    dyn_ctx *ctx;
    int64_t n, rows, cols, count;   /* of Z; columns that the reflections touch; reflections */
    double *Z, *V;                  /* V [count][cols] */
    double S[PANEL * PANEL];        /* -S [count][count] */
} panel;

/* -S from tau and the products of the vectors. */
static void combine(panel *p, const double *tau)
{
    for (int64_t j = 0; j < p->count; j++) {
        double dot[PANEL];

        dyn__basis_coefficients(p->ctx, p->count, p->cols, p->V, p->V + j * p->cols, dot);
        for (int64_t i = 0; i < j; i++) {
            double sum = 0.0;

            for (int64_t l = i; l < j; l++)
                sum += p->S[i * p->count + l] * dot[l];
            p->S[i * p->count + j] = -tau[j] * sum;
            p->S[j * p->count + i] = 0.0;
        }
        p->S[j * p->count + j] = -tau[j];
    }
}

static void turn_rows(void *arg, int64_t task, int worker)
{
    const panel *p = arg;
    int64_t first = task * ROWS, rows = p->rows - first < ROWS ? p->rows - first : ROWS;
    double along[ROWS * PANEL], step[ROWS * PANEL], *z = p->Z + first * p->n;
    dyn__gemm project = { .dtype = DYN_F64, .trans_b = 1, .m = rows, .n = p->count, .k = p->cols, .lda = p->n,
                          .ldb = p->cols, .ldc = p->count };
    dyn__gemm small = { .dtype = DYN_F64, .m = rows, .n = p->count, .k = p->count, .lda = p->count, .ldb = p->count,
                        .ldc = p->count };
    dyn__gemm add = { .dtype = DYN_F64, .accumulate = 1, .m = rows, .n = p->cols, .k = p->count, .lda = p->count,
                      .ldb = p->cols, .ldc = p->n };

    (void)worker;
    if (dyn__plan_panel(p->ctx, &project) < 0 || dyn__plan_panel(p->ctx, &small) < 0
        || dyn__plan_panel(p->ctx, &add) < 0)
        return;                     /* the kernels of every table can do this */
    dyn__gemm_run(&project, z, p->V, along);
    dyn__gemm_run(&small, along, p->S, step);
    dyn__gemm_run(&add, step, p->V, z);
}

dyn_status dyn__reflect_rows(dyn_ctx *ctx, int64_t n, const double *a, const double *tau, double *Z)
{
    panel p = { .ctx = ctx, .n = n, .rows = n, .Z = Z };
    dyn_status s = DYN_OK;

    p.V = dyn__alloc(ctx, PANEL, (size_t)n * sizeof *p.V);
    if (!p.V)
        return DYN_ENOMEM;
    for (int64_t i = 1; s == DYN_OK && i < n; i += PANEL) {
        p.count = n - i < PANEL ? n - i : PANEL;
        p.cols = i + p.count - 1;
        memset(p.V, 0, (size_t)(p.count * p.cols) * sizeof *p.V);
        for (int64_t k = 0; k < p.count; k++)
            memcpy(p.V + k * p.cols, a + (i + k) * n, (size_t)(i + k) * sizeof *p.V);
        combine(&p, tau + i);
        dyn__parallel(ctx, (n + ROWS - 1) / ROWS, turn_rows, &p);
        s = dyn__check_interrupt(ctx);
    }
    dyn__free(ctx, p.V);
    return s;
}
