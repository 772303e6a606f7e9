/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The least nuclear norm of observed entries, and the spectra of a factorisation. */
#include <inttypes.h>
#include <dyn/completion.h>
#include <dyn/dense.h>
#include <dyn/generate.h>
#include "linalg/operator.h"

static dyn_status add_nuclear(dyn_ctx *ctx, int64_t rows, int64_t columns, const double *a, double *norm)
{
    int64_t count = rows < columns ? rows : columns;
    double *s = dyn__alloc(ctx, (size_t)count, sizeof *s);
    dyn_status status = s ? dyn_dense_svd_values(ctx, rows, columns, a, s) : DYN_ENOMEM;

    for (int64_t i = 0; status >= 0 && i < count; i++)
        *norm += s[i];
    dyn__free(ctx, s);
    return status;
}

/* Blocks on disjoint rows and columns, zero elsewhere, have the singular values of all blocks together. */
static dyn_status norm_of_blocks(dyn_ctx *ctx, int64_t rows, int64_t columns, int64_t n, const int64_t *place,
                                 const double *values, double *norm)
{
    double *filled = dyn__alloc(ctx, (size_t)rows, (size_t)columns * sizeof *filled);
    dyn_status s;

    if (!filled)
        return DYN_ENOMEM;
    for (int64_t e = 0; e < n; e++)
        filled[place[e]] = values[e];
    *norm = 0.0;
    s = add_nuclear(ctx, rows, columns, filled, norm);
    dyn__free(ctx, filled);
    return s;
}

dyn_status dyn_completion_nuclear_norm(dyn_ctx *ctx, int64_t rows, int64_t columns, int64_t n, const int64_t *place,
                                       const double *values, double *norm)
{
    int32_t complete = 0;

    if (!ctx)
        return DYN_EINVAL;
    DYN__ENTER(ctx);
    DYN__NEED(ctx, norm);
    DYN__TRY(dyn_observation_graph(ctx, rows, columns, n, place, 0, NULL, NULL, &complete));
    if (n > 0)
        DYN__NEED(ctx, values);
    DYN__TRY(dyn__check_finite(ctx, "values", n, values));
    if (!complete)
        return DYN__FAIL(ctx, DYN_ENOTSUP, "a place is missing inside a component: the least nuclear norm has no "
                         "closed form");
    return norm_of_blocks(ctx, rows, columns, n, place, values, norm);
}

/* out [p][q] = a [p][m] b [m][q]. */
static void multiply(dyn_ctx *ctx, int64_t p, int64_t m, int64_t q, const double *a, const double *b, double *out)
{
    for (int64_t i = 0; i < p && !dyn__interrupted(ctx); i++)
        for (int64_t j = 0; j < q; j++) {
            out[i * q + j] = 0.0;
            for (int64_t k = 0; k < m; k++)
                out[i * q + j] += a[i * m + k] * b[k * q + j];
        }
}

static void augment(int64_t rows, int64_t inner, int64_t columns, const double *a, const double *b, double *out)
{
    int64_t width = rows + columns;

    for (int64_t k = 0; k < inner; k++) {
        for (int64_t i = 0; i < rows; i++)
            out[k * width + i] = a[i * inner + k];
        for (int64_t j = 0; j < columns; j++)
            out[k * width + rows + j] = b[k * columns + j];
    }
}

static dyn_status spectra(dyn_ctx *ctx, const int64_t *size, const double *a, const double *b, double *work,
                          double *product, double *augmented)
{
    if (product) {
        multiply(ctx, size[0], size[1], size[2], a, b, work);
        DYN__TRY(dyn__check_interrupt(ctx));
        DYN__TRY(dyn_dense_svd_values(ctx, size[0], size[2], work, product));
    }
    if (augmented) {
        augment(size[0], size[1], size[2], a, b, work);
        DYN__TRY(dyn_dense_svd_values(ctx, size[1], size[0] + size[2], work, augmented));
    }
    return DYN_OK;
}

dyn_status dyn_completion_spectra(dyn_ctx *ctx, int64_t rows, int64_t inner, int64_t columns, const double *a,
                                  const double *b, double *product, double *of_a, double *of_b, double *augmented)
{
    const int64_t size[3] = { rows, inner, columns };
    double *work;
    dyn_status s;

    if (!ctx)
        return DYN_EINVAL;
    DYN__ENTER(ctx);
    if (rows < 1 || inner < 1 || columns < 1 || rows > 1000000 || inner > 1000000 || columns > 1000000)
        return DYN__FAIL(ctx, DYN_EINVAL, "sizes are %" PRId64 ", %" PRId64 ", %" PRId64 ", must be in 1 .. 1000000",
                         rows, inner, columns);
    DYN__NEED(ctx, a);
    DYN__NEED(ctx, b);
    DYN__TRY(dyn__check_finite(ctx, "a", rows * inner, a));
    DYN__TRY(dyn__check_finite(ctx, "b", inner * columns, b));
    if (of_a)
        DYN__TRY(dyn_dense_svd_values(ctx, rows, inner, a, of_a));
    if (of_b)
        DYN__TRY(dyn_dense_svd_values(ctx, inner, columns, b, of_b));
    work = dyn__alloc(ctx, (size_t)(rows > inner ? rows : inner), (size_t)(rows + columns) * sizeof *work);
    if (!work)
        return DYN_ENOMEM;
    s = spectra(ctx, size, a, b, work, product, augmented);
    dyn__free(ctx, work);
    return s;
}
