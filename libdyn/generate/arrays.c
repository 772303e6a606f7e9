/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Arrays to write to. */
#include "generate/generate.h"

static dyn_status make(dyn_ctx *ctx, int32_t dtype, int64_t rows, int64_t columns, dyn_array **out, void **data)
{
    const int64_t shape[2] = { rows, columns };

    DYN__TRY(dyn__array_new(ctx, dtype, columns ? 2 : 1, shape, out));
    *data = (*out)->own;
    return DYN_OK;
}

dyn_status dyn__new_tokens(dyn_ctx *ctx, int64_t rows, int64_t columns, dyn_array **out, int64_t **data)
{
    void *p;

    DYN__TRY(make(ctx, DYN_I64, rows, columns, out, &p));
    *data = p;
    return DYN_OK;
}

dyn_status dyn__new_reals(dyn_ctx *ctx, int64_t rows, int64_t columns, dyn_array **out, double **data)
{
    void *p;

    DYN__TRY(make(ctx, DYN_F64, rows, columns, out, &p));
    *data = p;
    return DYN_OK;
}
