/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Singular values by bidiagonalisation (absolute accuracy) and by preconditioned Jacobi (LAPACK's dgejsv: relative
 * accuracy). The first reduces the matrix, or if it is much longer than wide its QR factor, to bidiagonal form and
 * leaves that to LAPACK's dqds. A row-major matrix is LAPACK's transposed one, with the same singular values. */
#include <lapacke.h>
#include <math.h>
#include <string.h>
#include "linalg/basis.h"
#include "linalg/dense.h"

#define TALL 1.4     /* ratio of the sides from which a QR factorisation pays */

/* The exponent of a power of two to divide by, so that squares neither overflow nor vanish; mostly 0. */
static int excess(dyn_ctx *ctx, int64_t count, const double *a)
{
    double squares = dyn__basis_dot(ctx, count, a, a), most = 0.0;
    int exponent;

    if (squares > 0x1p-400 && squares < 0x1p400)
        return 0;
    for (int64_t i = 0; i < count; i++)
        most = fmax(most, fabs(a[i]));
    frexp(most, &exponent);
    return exponent;
}

static void shift(int64_t count, int exponent, const double *a, double *out)
{
    for (int64_t i = 0; i < count; i++)
        out[i] = ldexp(a[i], exponent);
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

/* A copy with the longer side contiguous, in rows of length ld: for LAPACK at least as many rows as columns. */
static double *copy_tall(dyn_ctx *ctx, int64_t rows, int64_t cols, const double *a, int64_t ld)
{
    double *copy = dyn__alloc(ctx, (size_t)((rows < cols ? rows : cols) * ld), sizeof *copy);

    if (copy && rows > cols)
        dyn__kernels_of(ctx)->f64.transpose(rows, cols, copy, ld, a, cols);
    else if (copy)
        for (int64_t r = 0; r < rows; r++)
            memcpy(copy + r * ld, a + r * cols, (size_t)cols * sizeof *copy);
    return copy;
}

/* R of the matrix with its longer side upright, in rows of length ld; NULL without memory. */
static double *triangle_of(dyn_ctx *ctx, int64_t rows, int64_t cols, const double *a, int64_t ld)
{
    int64_t shorter = rows < cols ? rows : cols, longer = rows < cols ? cols : rows;
    double *r = dyn__alloc(ctx, (size_t)(shorter * ld), sizeof *r);

    if (r && dyn__qr(ctx, longer, shorter, a, rows < cols, r, ld) != DYN_OK) {
        dyn__free(ctx, r);
        r = NULL;
    }
    return r;
}

/* Values of a bidiagonal matrix: s its diagonal at first, e [5 n] what is above the diagonal and workspace. */
static dyn_status bidiagonal_values(dyn_ctx *ctx, int64_t n, double *s, double *e)
{
    lapack_int info = LAPACKE_dbdsqr_work(LAPACK_COL_MAJOR, 'U', (lapack_int)n, 0, 0, 0, s, e, NULL, 1, NULL, 1, NULL,
                                          1, e + n);

    return dyn__lapack_status(ctx, "dbdsqr", (int)info);
}

/* Values of a matrix of which squares exist. */
static dyn_status reduce(dyn_ctx *ctx, int64_t rows, int64_t cols, const double *a, double *s)
{
    int64_t shorter = rows < cols ? rows : cols, longer = rows < cols ? cols : rows;
    int tall = (double)longer >= TALL * (double)shorter;
    int64_t n = tall ? shorter : longer, ld = (n + 7) / 8 * 8;
    double *b = tall ? triangle_of(ctx, rows, cols, a, ld) : copy_tall(ctx, rows, cols, a, ld);
    double *e = dyn__alloc(ctx, (size_t)(5 * shorter), sizeof *e);
    dyn_status status = b && e ? dyn__bidiagonal(ctx, shorter, n, b, ld, s, e) : DYN_ENOMEM;

    if (status == DYN_OK)
        status = bidiagonal_values(ctx, shorter, s, e);
    dyn__free(ctx, e);
    dyn__free(ctx, b);
    return status;
}

dyn_status dyn_dense_svd_values(dyn_ctx *ctx, int64_t rows, int64_t cols, const double *a, double *s)
{
    double *scaled;
    dyn_status status;
    int exponent;

    if (!ctx)
        return DYN_EINVAL;
    DYN__ENTER(ctx);
    DYN__TRY(dyn__check_matrix(ctx, rows, cols, a, s, "s"));
    exponent = excess(ctx, rows * cols, a);
    if (exponent == 0)
        return reduce(ctx, rows, cols, a, s);
    scaled = dyn__alloc(ctx, (size_t)(rows * cols), sizeof *scaled);
    if (!scaled)
        return DYN_ENOMEM;
    shift(rows * cols, -exponent, a, scaled);
    status = reduce(ctx, rows, cols, scaled, s);
    if (status == DYN_OK)
        shift(rows < cols ? rows : cols, exponent, s, s);
    dyn__free(ctx, scaled);
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
    copy = copy_tall(ctx, rows, cols, a, longer);
    if (!copy)
        return DYN_ENOMEM;
    status = jacobi(ctx, (lapack_int)longer, (lapack_int)shorter, copy, s, &estimate);
    dyn__free(ctx, copy);
    if (status >= 0 && condition)
        *condition = estimate;
    return status;
}
