/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Symmetric eigenvalues by LAPACK's divide and conquer. Sizes and numbers are checked first: LAPACK prints when it
 * dislikes an argument and may not end on numbers that are not finite. */
#include <inttypes.h>
#include <lapacke.h>
#include <string.h>
#include "linalg/dense.h"
#include "linalg/operator.h"

#define MAX_SIZE 30000          /* the workspace 2 n^2 must fit LAPACK's 32-bit integer */
#define MAX_SIDE 1000000

dyn_status dyn__eigh(dyn_ctx *ctx, int64_t n, double *a, double *values, int vectors)
{
    lapack_int N = (lapack_int)n, info, work_size, iwork_size;
    double *work;
    lapack_int *iwork;

    if (n > MAX_SIZE)
        return DYN__FAIL(ctx, DYN_EFULL, "dense eigenvalues of size %" PRId64 ", at most %d", n, MAX_SIZE);
    work_size = vectors ? 1 + 6 * N + 2 * N * N : 2 * N + 1;
    iwork_size = vectors ? 3 + 5 * N : 1;
    work = dyn__alloc(ctx, (size_t)work_size, sizeof *work);
    iwork = dyn__alloc(ctx, (size_t)iwork_size, sizeof *iwork);
    info = work && iwork ? LAPACKE_dsyevd_work(LAPACK_COL_MAJOR, vectors ? 'V' : 'N', 'U', N, a, N, values, work,
                                               work_size, iwork, iwork_size) : 0;
    dyn__free(ctx, iwork);
    dyn__free(ctx, work);
    if (!work || !iwork)
        return DYN_ENOMEM;
    return info == 0 ? DYN_OK : DYN__FAIL(ctx, DYN_EINTERNAL, "LAPACK's dsyevd gave up with info %d", (int)info);
}

dyn_status dyn__check_matrix(dyn_ctx *ctx, int64_t rows, int64_t cols, const double *a, const double *out,
                             const char *out_name)
{
    if (!a || !out)
        return DYN__FAIL(ctx, DYN_EINVAL, "%s is NULL", a ? out_name : "a");
    if (rows < 1 || cols < 1)
        return DYN__FAIL(ctx, DYN_EINVAL, "the matrix is %" PRId64 " x %" PRId64 ", both must be positive", rows, cols);
    if (rows > MAX_SIDE || cols > MAX_SIDE)
        return DYN__FAIL(ctx, DYN_EFULL, "the matrix is %" PRId64 " x %" PRId64 ", at most %d", rows, cols, MAX_SIDE);
    return dyn__check_finite(ctx, "a", rows * cols, a);
}

dyn_status dyn_dense_eigh(dyn_ctx *ctx, int64_t n, const double *a, double *values, double *vectors)
{
    double *work;
    dyn_status s;

    if (!ctx)
        return DYN_EINVAL;
    DYN__ENTER(ctx);
    DYN__TRY(dyn__check_matrix(ctx, n, n, a, values, "values"));
    if (n > MAX_SIZE)
        return DYN__FAIL(ctx, DYN_EFULL, "n is %" PRId64 ", at most %d", n, MAX_SIZE);
    work = vectors ? vectors : dyn__alloc(ctx, (size_t)(n * n), sizeof *work);
    if (!work)
        return DYN_ENOMEM;
    memcpy(work, a, (size_t)(n * n) * sizeof *work);
    s = dyn__eigh(ctx, n, work, values, vectors != NULL);
    if (!vectors)
        dyn__free(ctx, work);
    return s;
}
