/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Singular values by bidiagonalisation (absolute accuracy) and by Jacobi rotations (relative accuracy). The first
 * reduces the matrix, or if it is much longer than wide its QR factor, to bidiagonal form and leaves that to LAPACK's
 * dqds, which calls no BLAS. */
#include <math.h>
#include <string.h>
#include "base/unset.h"
#include "linalg/basis.h"
#include "linalg/dense.h"
#include "linalg/lapack.h"

#define TALL 1.4     /* ratio of the sides from which a QR factorisation pays */
#define LARGEST_ROOT 480

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

/* A copy with the longer side contiguous, in rows of length ld. */
static double *copy_tall(dyn_ctx *ctx, int64_t rows, int64_t cols, const double *a, int64_t ld)
{
    const int64_t shorter = rows < cols ? rows : cols, longer = rows < cols ? cols : rows;
    double *copy = ld > longer ? dyn__alloc(ctx, (size_t)(shorter * ld), sizeof *copy)
                               : dyn__alloc_unset(ctx, (size_t)(shorter * ld), sizeof *copy);

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

/* Values of a bidiagonal matrix: s its diagonal at first, e [5 n] what is above the diagonal and workspace. dqds works on
 * squares, so the largest number is scaled to where those of the small ones vanish last. */
static dyn_status bidiagonal_values(dyn_ctx *ctx, int64_t n, double *s, double *e)
{
    double most = 0.0, *z = e + n;
    int32_t size = (int32_t)n, info = 0;
    int exponent;

    for (int64_t i = 0; i < n; i++)
        most = fmax(most, fmax(fabs(s[i]), i + 1 < n ? fabs(e[i]) : 0.0));
    if (most == 0.0)
        return DYN_OK;
    frexp(most, &exponent);
    exponent = LARGEST_ROOT - exponent;
    for (int64_t i = 0; i < n; i++) {
        double q = ldexp(s[i], exponent), r = i + 1 < n ? ldexp(e[i], exponent) : 0.0;

        z[2 * i] = q * q;
        z[2 * i + 1] = r * r;
    }
    dlasq2_(&size, z, &info);
    for (int64_t i = 0; i < n; i++)
        s[i] = ldexp(sqrt(z[i]), -exponent);
    return dyn__lapack_status(ctx, "dlasq2", info);
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
    int exponent;

    if (!ctx)
        return DYN_EINVAL;
    DYN__ENTER(ctx);
    DYN__TRY(dyn__check_matrix(ctx, rows, cols, a, s, "s"));
    copy = copy_tall(ctx, rows, cols, a, longer);
    if (!copy)
        return DYN_ENOMEM;
    exponent = excess(ctx, shorter * longer, copy);
    if (exponent != 0)
        shift(shorter * longer, -exponent, copy, copy);
    status = dyn__jacobi(ctx, shorter, longer, copy, s, &estimate);
    if (exponent != 0 && status == DYN_OK)
        shift(shorter, exponent, s, s);
    dyn__free(ctx, copy);
    if (status >= 0 && condition)
        *condition = estimate;
    return status;
}
