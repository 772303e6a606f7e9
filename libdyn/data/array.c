/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Arrays: creation, references and looking at them. The product of the axes that are not zero must fit, so that partial
 * products of a shape never overflow later, also in an array without elements. */
#include "data/data.h"

#include <math.h>
#include <string.h>

static dyn_status count_elements(dyn_ctx *ctx, int32_t dtype, int32_t rank, const int64_t *shape, int64_t *size)
{
    int64_t elements = 1, span = (int64_t)dyn__dtype_size(dtype);

    if (!span)
        return DYN__FAIL(ctx, DYN_EDTYPE, "element type %d is unknown", dtype);
    if (rank < 0 || rank > DYN_ARRAY_MAX_RANK)
        return DYN__FAIL(ctx, DYN_ESHAPE, "rank %d is not in 0..%d", rank, DYN_ARRAY_MAX_RANK);
    if (rank && !shape)
        return DYN__FAIL(ctx, DYN_EINVAL, "shape is NULL with rank %d", rank);
    for (int i = 0; i < rank; i++) {
        if (shape[i] < 0)
            return DYN__FAIL(ctx, DYN_ESHAPE, "axis %d has the negative length %lld", i, (long long)shape[i]);
        if (__builtin_mul_overflow(span, shape[i] ? shape[i] : 1, &span))
            return DYN__FAIL(ctx, DYN_ESHAPE, "axis %d of length %lld makes the array too large", i,
                             (long long)shape[i]);
        elements = shape[i] ? elements * shape[i] : 0;
    }
    *size = elements;
    return DYN_OK;
}

/* An array without elements yet. */
static dyn_status make_head(dyn_ctx *ctx, int32_t dtype, int32_t rank, const int64_t *shape, dyn_array **out)
{
    int64_t size = 0;
    dyn_array *a;

    *out = NULL;
    DYN__TRY(count_elements(ctx, dtype, rank, shape, &size));
    a = dyn__alloc(ctx, 1, sizeof *a);
    if (!a)
        return DYN_ENOMEM;
    dyn__ref_init(&a->ref);
    dyn__ctx_ref(ctx);
    a->ctx = ctx;
    a->dtype = dtype;
    a->rank = rank;
    a->size = size;
    for (int i = 0; i < rank; i++)
        a->shape[i] = shape[i];
    *out = a;
    return DYN_OK;
}

dyn_status dyn__array_new(dyn_ctx *ctx, int32_t dtype, int32_t rank, const int64_t *shape, dyn_array **out)
{
    dyn_array *a;

    DYN__TRY(make_head(ctx, dtype, rank, shape, out));
    a = *out;
    a->own = dyn__alloc(ctx, a->size ? (size_t)a->size : 1, dyn__dtype_size(dtype));
    a->data = a->own;
    if (a->own)
        return DYN_OK;
    dyn_array_unref(a);
    *out = NULL;
    return DYN_ENOMEM;
}

dyn_status dyn__array_like(const dyn_array *a, int32_t axis, int64_t rows, dyn_array **out)
{
    int64_t shape[DYN_ARRAY_MAX_RANK];

    memcpy(shape, a->shape, sizeof shape);
    shape[axis] = rows;
    return dyn__array_new(a->ctx, a->dtype, a->rank, shape, out);
}

dyn_status dyn_array_create(dyn_ctx *ctx, int32_t dtype, int32_t rank, const int64_t *shape, const void *data,
                            dyn_array **out)
{
    dyn_array *a;

    if (!ctx)
        return DYN_EINVAL;
    DYN__ENTER(ctx);
    DYN__NEED(ctx, out);
    DYN__TRY(dyn_array_wrap(ctx, dtype, rank, shape, data, out));   /* checks before anything large is allocated */
    dyn_array_unref(*out);
    DYN__TRY(dyn__array_new(ctx, dtype, rank, shape, out));
    a = *out;
    if (a->size)
        memcpy(a->own, data, (size_t)a->size * dyn__dtype_size(dtype));
    return DYN_OK;
}

dyn_status dyn_array_wrap(dyn_ctx *ctx, int32_t dtype, int32_t rank, const int64_t *shape, const void *data,
                          dyn_array **out)
{
    if (!ctx)
        return DYN_EINVAL;
    DYN__ENTER(ctx);
    DYN__NEED(ctx, out);
    DYN__TRY(make_head(ctx, dtype, rank, shape, out));
    (*out)->data = data;
    if (data || !(*out)->size)
        return DYN_OK;
    dyn_array_unref(*out);
    *out = NULL;
    return DYN__FAIL(ctx, DYN_EINVAL, "data is NULL");
}

dyn_status dyn_array_reshape(dyn_array *a, int32_t rank, const int64_t *shape, dyn_array **out)
{
    dyn_array *b;

    if (out)
        *out = NULL;
    if (!a)
        return DYN_EINVAL;
    DYN__ENTER(a->ctx);
    DYN__NEED(a->ctx, out);
    DYN__TRY(make_head(a->ctx, a->dtype, rank, shape, &b));
    if (b->size != a->size) {
        dyn_status s = DYN__FAIL(a->ctx, DYN_ESHAPE, "the new shape has %lld elements, the array %lld",
                                 (long long)b->size, (long long)a->size);
        dyn_array_unref(b);
        return s;
    }
    b->base = dyn_array_ref(a);
    b->data = a->data;
    *out = b;
    return DYN_OK;
}

dyn_array *dyn_array_ref(dyn_array *a)
{
    if (a)
        dyn__ref_take(&a->ref);
    return a;
}

void dyn_array_unref(dyn_array *a)
{
    dyn_ctx *ctx;

    if (!a || !dyn__ref_drop(&a->ref))
        return;
    ctx = a->ctx;
    dyn_array_unref(a->base);
    dyn__free(ctx, a->own);
    dyn__free(ctx, a);
    dyn__ctx_unref(ctx);
}

int32_t dyn_array_dtype(const dyn_array *a) { return a ? a->dtype : DYN_EINVAL; }
int32_t dyn_array_rank(const dyn_array *a) { return a ? a->rank : 0; }
const int64_t *dyn_array_shape(const dyn_array *a) { return a ? a->shape : NULL; }
int64_t dyn_array_size(const dyn_array *a) { return a ? a->size : 0; }
const void *dyn_array_data(const dyn_array *a) { return a ? a->data : NULL; }

double dyn__array_at(const dyn_array *a, int64_t i)
{
    if (a->dtype == DYN_F64)
        return ((const double *)a->data)[i];
    if (a->dtype == DYN_F32)
        return (double)((const float *)a->data)[i];
    if (a->dtype == DYN_U8)
        return ((const uint8_t *)a->data)[i];
    return (double)((const int64_t *)a->data)[i];
}

int dyn__array_integer(const dyn_array *a, int64_t i, int64_t *out)
{
    double v;

    if (a->dtype == DYN_I64) {
        *out = ((const int64_t *)a->data)[i];
        return 1;
    }
    v = dyn__array_at(a, i);
    if (!(v >= -0x1p63 && v < 0x1p63) || rint(v) != v)
        return 0;
    *out = (int64_t)v;
    return 1;
}

int64_t dyn__array_columns(const dyn_array *a)
{
    int64_t n = 1;

    for (int i = 1; i < a->rank; i++)
        n *= a->shape[i];
    return n;
}
