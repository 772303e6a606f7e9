/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Symmetric eigenvalues: reduction to tridiagonal form, then with vectors divide and conquer, without LAPACK's QR. Of
 * LAPACK only routines are called that use no BLAS: that would bring threads, memory and bits of its own. Sizes and
 * numbers are checked first: LAPACK prints when it dislikes an argument and may not end on numbers that are not
 * finite. */
#include <inttypes.h>
#include <math.h>
#include <string.h>
#include "linalg/dense.h"
#include "linalg/lapack.h"
#include "linalg/operator.h"

#define MAX_SIZE 30000          /* 8 GB and more */
#define MAX_SIDE 1000000
#define LARGE 300               /* binary exponent beyond which a matrix is scaled */

dyn_status dyn__lapack_status(dyn_ctx *ctx, const char *routine, int info)
{
    return info == 0 ? DYN_OK : DYN__FAIL(ctx, DYN_EINTERNAL, "LAPACK's %s gave up with info %d", routine, info);
}

/* Scale the lower triangle by a power of two, so that squares neither overflow nor vanish; its exponent. */
static int scale(int64_t n, double *a)
{
    double most = 0.0;
    int exponent;

    for (int64_t r = 0; r < n; r++)
        for (int64_t c = 0; c <= r; c++)
            most = fmax(most, fabs(a[r * n + c]));
    frexp(most, &exponent);
    if (exponent > -LARGE && exponent < LARGE)
        return 0;
    for (int64_t r = 0; r < n; r++)
        for (int64_t c = 0; c <= r; c++)
            a[r * n + c] = ldexp(a[r * n + c], -exponent);
    return exponent;
}

/* a, whose squares exist, becomes its eigenvectors. room [3 n + n n]. */
static dyn_status reduce_pairs(dyn_ctx *ctx, int64_t n, double *a, double *values, double *room)
{
    double *d = room, *e = d + n, *tau = e + n, *vectors = tau + n;

    DYN__TRY(dyn__tridiagonal(ctx, n, a, d, e, tau));
    DYN__TRY(dyn__tridiagonal_pairs(ctx, n, d, e, values, vectors));
    DYN__TRY(dyn__reflect_rows(ctx, n, a, tau, vectors));
    memcpy(a, vectors, (size_t)(n * n) * sizeof *a);
    return DYN_OK;
}

static void unscale(int64_t n, int exponent, double *values)
{
    for (int64_t i = 0; exponent != 0 && i < n; i++)
        values[i] = ldexp(values[i], exponent);
}

static dyn_status pairs(dyn_ctx *ctx, int64_t n, double *a, double *values)
{
    double *room = dyn__alloc(ctx, (size_t)(n + 3), (size_t)n * sizeof *room);
    int exponent = scale(n, a);
    dyn_status s = room ? reduce_pairs(ctx, n, a, values, room) : DYN_ENOMEM;

    dyn__free(ctx, room);
    if (s == DYN_OK)
        unscale(n, exponent, values);
    return s;
}

static dyn_status values_only(dyn_ctx *ctx, int64_t n, double *a, double *values)
{
    double *e = dyn__alloc(ctx, (size_t)n, sizeof *e);
    int exponent = scale(n, a);
    int32_t size = (int32_t)n, info = 0;
    dyn_status s = e ? dyn__tridiagonal(ctx, n, a, values, e, NULL) : DYN_ENOMEM;

    if (s == DYN_OK) {
        dsterf_(&size, values, e, &info);
        s = dyn__lapack_status(ctx, "dsterf", info);
    }
    dyn__free(ctx, e);
    if (s == DYN_OK)
        unscale(n, exponent, values);
    return s;
}

dyn_status dyn__eigh(dyn_ctx *ctx, int64_t n, double *a, double *values, int vectors)
{
    if (n > MAX_SIZE)
        return DYN__FAIL(ctx, DYN_EFULL, "dense eigenvalues of size %" PRId64 ", at most %d", n, MAX_SIZE);
    return vectors ? pairs(ctx, n, a, values) : values_only(ctx, n, a, values);
}

static dyn_status check_sizes(dyn_ctx *ctx, int64_t rows, int64_t cols, const double *a, const double *out,
                              const char *out_name)
{
    if (!a || !out)
        return DYN__FAIL(ctx, DYN_EINVAL, "%s is NULL", a ? out_name : "a");
    if (rows < 1 || cols < 1)
        return DYN__FAIL(ctx, DYN_EINVAL, "the matrix is %" PRId64 " x %" PRId64 ", both must be positive", rows, cols);
    if (rows > MAX_SIDE || cols > MAX_SIDE)
        return DYN__FAIL(ctx, DYN_EFULL, "the matrix is %" PRId64 " x %" PRId64 ", at most %d", rows, cols, MAX_SIDE);
    return DYN_OK;
}

dyn_status dyn__check_matrix(dyn_ctx *ctx, int64_t rows, int64_t cols, const double *a, const double *out,
                             const char *out_name)
{
    DYN__TRY(check_sizes(ctx, rows, cols, a, out, out_name));
    return dyn__check_finite(ctx, "a", rows * cols, a);
}

/* What is above the diagonal is not read. */
static dyn_status check_lower(dyn_ctx *ctx, int64_t n, const double *a)
{
    for (int64_t r = 0; r < n; r++)
        for (int64_t c = 0; c <= r; c++)
            if (!isfinite(a[r * n + c]))
                return DYN__FAIL(ctx, DYN_EINVAL, "a[%" PRId64 "] is %g, must be finite", r * n + c, a[r * n + c]);
    return DYN_OK;
}

dyn_status dyn_dense_eigh(dyn_ctx *ctx, int64_t n, const double *a, double *values, double *vectors)
{
    double *work;
    dyn_status s;

    if (!ctx)
        return DYN_EINVAL;
    DYN__ENTER(ctx);
    DYN__TRY(check_sizes(ctx, n, n, a, values, "values"));
    if (n > MAX_SIZE)
        return DYN__FAIL(ctx, DYN_EFULL, "n is %" PRId64 ", at most %d", n, MAX_SIZE);
    DYN__TRY(check_lower(ctx, n, a));
    work = vectors ? vectors : dyn__alloc(ctx, (size_t)(n * n), sizeof *work);
    if (!work)
        return DYN_ENOMEM;
    for (int64_t r = 0; r < n; r++) {
        memcpy(work + r * n, a + r * n, (size_t)(r + 1) * sizeof *work);
        memset(work + r * n + r + 1, 0, (size_t)(n - r - 1) * sizeof *work);
    }
    s = dyn__eigh(ctx, n, work, values, vectors != NULL);
    if (!vectors)
        dyn__free(ctx, work);
    return s;
}
