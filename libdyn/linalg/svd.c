/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Singular values by bidiagonalisation (dgesdd: absolute accuracy) and by preconditioned Jacobi (dgejsv: relative
 * accuracy). A row-major matrix is LAPACK's transposed one, with the same singular values. */
#include <lapacke.h>
#include <string.h>
#include "kernel/kernel.h"
#include "linalg/dense.h"

/* Values of a (rows x cols, column-major, rows >= cols, overwritten). */
static dyn_status divide_and_conquer(dyn_ctx *ctx, lapack_int rows, lapack_int cols, double *a, double *s)
{
    lapack_int size = -1, info = 0;
    lapack_int *iwork = dyn__alloc(ctx, (size_t)cols * 8, sizeof *iwork);
    double best = 1.0, none = 0.0, *work = NULL;

    if (iwork) {
        LAPACKE_dgesdd_work(LAPACK_COL_MAJOR, 'N', rows, cols, a, rows, s, &none, 1, &none, 1, &best, size, iwork);
        size = (lapack_int)best;
        work = dyn__alloc(ctx, (size_t)size, sizeof *work);
    }
    if (work)
        info = LAPACKE_dgesdd_work(LAPACK_COL_MAJOR, 'N', rows, cols, a, rows, s, &none, 1, &none, 1, work, size,
                                   iwork);
    dyn__free(ctx, work);
    dyn__free(ctx, iwork);
    return work ? dyn__lapack_status(ctx, "dgesdd", (int)info) : DYN_ENOMEM;
}

/* Values of a (rows x cols, column-major, rows >= cols, overwritten). 'G': rows and columns of any scale, with an
 * estimate of the condition left after scaling. */
static dyn_status jacobi(dyn_ctx *ctx, lapack_int rows, lapack_int cols, double *a, double *s, double *condition)
{
    int64_t with_estimate = (int64_t)cols * cols + 4 * (int64_t)cols, plain = 2 * (int64_t)rows + 65 * (int64_t)cols;
    int64_t size = (with_estimate > plain ? with_estimate : plain) + 7;
    lapack_int *iwork = dyn__alloc(ctx, (size_t)rows + 3 * (size_t)cols, sizeof *iwork);
    double none = 0.0, *work;
    lapack_int info = 0;

    if (size > INT32_MAX) {
        dyn__free(ctx, iwork);
        return DYN__FAIL(ctx, DYN_EFULL, "the matrix is %d x %d, too large for this method", (int)rows, (int)cols);
    }
    work = dyn__alloc(ctx, (size_t)size, sizeof *work);
    if (work && iwork) {
        info = LAPACKE_dgejsv_work(LAPACK_COL_MAJOR, 'G', 'N', 'N', 'R', 'N', 'N', rows, cols, a, rows, s, &none, 1,
                                   &none, 1, work, (lapack_int)size, iwork);
        for (lapack_int i = 0; i < cols; i++)
            s[i] *= work[0] / work[1];
        *condition = work[2];
    }
    dyn__free(ctx, iwork);
    dyn__free(ctx, work);
    return work && iwork ? dyn__lapack_status(ctx, "dgejsv", (int)info) : DYN_ENOMEM;
}

/* A copy with the longer side contiguous: column-major with at least as many rows as columns. */
static double *copy_tall(dyn_ctx *ctx, int64_t rows, int64_t cols, const double *a)
{
    double *copy = dyn__alloc(ctx, (size_t)(rows * cols), sizeof *copy);

    if (copy && rows > cols)
        dyn__kernels_of(ctx)->f64.transpose(rows, cols, copy, rows, a, cols);
    else if (copy)
        memcpy(copy, a, (size_t)(rows * cols) * sizeof *copy);
    return copy;
}

/* LAPACK's QR of a tall matrix is faster here than its LQ of a wide one, by more than the transposition costs. */
dyn_status dyn_dense_svd_values(dyn_ctx *ctx, int64_t rows, int64_t cols, const double *a, double *s)
{
    int64_t shorter = rows < cols ? rows : cols, longer = rows < cols ? cols : rows;
    double *copy;
    dyn_status status;

    if (!ctx)
        return DYN_EINVAL;
    DYN__ENTER(ctx);
    DYN__TRY(dyn__check_matrix(ctx, rows, cols, a, s, "s"));
    copy = copy_tall(ctx, rows, cols, a);
    if (!copy)
        return DYN_ENOMEM;
    status = divide_and_conquer(ctx, (lapack_int)longer, (lapack_int)shorter, copy, s);
    dyn__free(ctx, copy);
    return status;
}

dyn_status dyn_dense_svd_values_accurate(dyn_ctx *ctx, int64_t rows, int64_t cols, const double *a, double *s,
                                         double *condition)
{
    int64_t shorter = rows < cols ? rows : cols, longer = rows < cols ? cols : rows;
    double *copy, estimate = 0.0;
    dyn_status status;

    if (!ctx)
        return DYN_EINVAL;
    DYN__ENTER(ctx);
    DYN__TRY(dyn__check_matrix(ctx, rows, cols, a, s, "s"));
    copy = copy_tall(ctx, rows, cols, a);
    if (!copy)
        return DYN_ENOMEM;
    status = jacobi(ctx, (lapack_int)longer, (lapack_int)shorter, copy, s, &estimate);
    dyn__free(ctx, copy);
    if (status >= 0 && condition)
        *condition = estimate;
    return status;
}
