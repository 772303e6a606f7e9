/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Looking at an operator through its products: the whole matrix from unit vectors, and a test of symmetry on random
 * vectors. */
#include <math.h>
#include <string.h>
#include "linalg/basis.h"
#include "linalg/operator.h"
#include "random/random.h"

#define BLOCK 32        /* unit vectors multiplied at once */
#define PAIRS 4

/* Columns of A, as rows of a block, go to their places in the matrix [rows][n]. */
static dyn_status write_columns(dyn_operator *A, double *unit, double *column, double *matrix)
{
    int64_t n = A->size;

    for (int64_t i = 0; i < n; i += BLOCK) {
        int64_t rows = n - i < BLOCK ? n - i : BLOCK;

        memset(unit, 0, (size_t)(rows * n) * sizeof(double));
        for (int64_t r = 0; r < rows; r++)
            unit[r * n + i + r] = 1.0;
        DYN__TRY(dyn__operator_apply(A, rows, unit, column));
        dyn__kernels_of(A->ctx)->f64.transpose(rows, A->rows, matrix + i, n, column, A->rows);
    }
    return DYN_OK;
}

dyn_status dyn_operator_dense(dyn_operator *A, double *matrix)
{
    size_t block;
    double *unit;
    dyn_status s;

    if (!A)
        return DYN_EINVAL;
    DYN__ENTER(A->ctx);
    DYN__NEED(A->ctx, matrix);
    block = A->size < BLOCK ? (size_t)A->size : BLOCK;
    unit = dyn__alloc(A->ctx, block, (size_t)(A->size + A->rows) * sizeof(double));
    if (!unit)
        return DYN_ENOMEM;
    s = write_columns(A, unit, unit + block * (size_t)A->size, matrix);
    dyn__free(A->ctx, unit);
    return s;
}

/* Both products are first divided by the larger norm, so that sums of them stay numbers. */
static double asymmetry(dyn_ctx *ctx, int64_t n, const double *u, const double *v, double *Au, double *Av)
{
    double larger = fmax(dyn__norm(ctx, n, Au), dyn__norm(ctx, n, Av)), difference;
    double uAv, vAu;

    if (larger == 0.0)
        return 0.0;
    dyn__basis_divide(n, larger, Au);
    dyn__basis_divide(n, larger, Av);
    difference = fabs(dyn__basis_dot(ctx, n, u, Av) - dyn__basis_dot(ctx, n, v, Au));
    uAv = dyn__norm(ctx, n, u) * dyn__norm(ctx, n, Av);
    vAu = dyn__norm(ctx, n, v) * dyn__norm(ctx, n, Au);
    return difference / (uAv + vAu);
}

dyn_status dyn_operator_symmetry(dyn_operator *A, uint64_t seed, double *relative_asymmetry)
{
    int64_t n;
    double *x, *y, worst = 0.0;
    dyn_status s;

    if (!A)
        return DYN_EINVAL;
    DYN__ENTER(A->ctx);
    DYN__TRY(dyn__need_symmetric(A));
    DYN__NEED(A->ctx, relative_asymmetry);
    n = A->size;
    x = dyn__alloc(A->ctx, (size_t)n, 4 * PAIRS * sizeof(double));
    if (!x)
        return DYN_ENOMEM;
    y = x + 2 * PAIRS * n;
    dyn__normal_f64((dyn__key){ .seed = seed, .stream = DYN__STREAM_PROBE }, 0, 2 * PAIRS * n, x);
    s = dyn__operator_apply(A, 2 * PAIRS, x, y);
    for (int64_t p = 0; s >= 0 && p < PAIRS; p++)
        worst = fmax(worst, asymmetry(A->ctx, n, x + 2 * p * n, x + (2 * p + 1) * n, y + 2 * p * n,
                                      y + (2 * p + 1) * n));
    dyn__free(A->ctx, x);
    if (s >= 0)
        *relative_asymmetry = worst;
    return s;
}
