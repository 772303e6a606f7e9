/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Parts of an array: a range of one axis, rows by index, rows divided at random. */
#include "data/data.h"

#include <string.h>
#include "random/random.h"

dyn_status dyn_array_slice(const dyn_array *a, int32_t axis, int64_t first, int64_t count, dyn_array **out)
{
    int64_t outer = 1, inner, length;

    if (out)
        *out = NULL;
    if (!a)
        return DYN_EINVAL;
    DYN__ENTER(a->ctx);
    DYN__NEED(a->ctx, out);
    if (axis < 0 || axis >= a->rank)
        return DYN__FAIL(a->ctx, DYN_EINVAL, "axis %d of an array of rank %d", axis, a->rank);
    length = a->shape[axis];
    if (first < 0 || count < 0 || first > length || count > length - first)
        return DYN__FAIL(a->ctx, DYN_ESHAPE, "%lld places from %lld on leave axis %d of length %lld", (long long)count,
                         (long long)first, axis, (long long)length);
    DYN__TRY(dyn__array_like(a, axis, count, out));
    inner = (int64_t)dyn__dtype_size(a->dtype);
    for (int i = axis + 1; i < a->rank; i++)
        inner *= a->shape[i];
    for (int i = 0; i < axis; i++)
        outer *= a->shape[i];
    if (count && inner)
        for (int64_t i = 0; i < outer; i++)
            memcpy((char *)(*out)->own + i * count * inner, (const char *)a->data + (i * length + first) * inner,
                   (size_t)(count * inner));
    return DYN_OK;
}

dyn_status dyn_array_take(const dyn_array *a, int64_t count, const int64_t *index, dyn_array **out)
{
    size_t row;

    if (out)
        *out = NULL;
    if (!a)
        return DYN_EINVAL;
    DYN__ENTER(a->ctx);
    DYN__NEED(a->ctx, out);
    if (a->rank < 1)
        return DYN__FAIL(a->ctx, DYN_ESHAPE, "an array of rank 0 has no rows");
    if (count < 0 || (count && !index))
        return DYN__FAIL(a->ctx, DYN_EINVAL, "count is %lld, index is %s", (long long)count, index ? "given" : "NULL");
    for (int64_t i = 0; i < count; i++)
        if (index[i] < 0 || index[i] >= a->shape[0])
            return DYN__FAIL(a->ctx, DYN_EINVAL, "index %lld is %lld, but there are %lld rows", (long long)i,
                             (long long)index[i], (long long)a->shape[0]);
    DYN__TRY(dyn__array_like(a, 0, count, out));
    row = (size_t)dyn__array_columns(a) * dyn__dtype_size(a->dtype);
    for (int64_t i = 0; i < count && row; i++)
        memcpy((char *)(*out)->own + (size_t)i * row, (const char *)a->data + (size_t)index[i] * row, row);
    return DYN_OK;
}

static dyn_status take_both(const dyn_array *a, const int64_t *order, int64_t count, dyn_array **first,
                            dyn_array **second)
{
    dyn_status s;

    DYN__TRY(dyn_array_take(a, count, order, first));
    s = dyn_array_take(a, a->shape[0] - count, order + count, second);
    if (s != DYN_OK) {
        dyn_array_unref(*first);
        *first = NULL;
    }
    return s;
}

dyn_status dyn_array_split(const dyn_array *a, uint64_t seed, int64_t count, dyn_array **first_out,
                           dyn_array **second_out)
{
    dyn__key key = { .seed = seed, .stream = DYN__STREAM_DATA };
    int64_t rows, *order;
    dyn_status s;

    if (first_out)
        *first_out = NULL;
    if (second_out)
        *second_out = NULL;
    if (!a)
        return DYN_EINVAL;
    DYN__ENTER(a->ctx);
    DYN__NEED(a->ctx, first_out);
    DYN__NEED(a->ctx, second_out);
    if (a->rank < 1)
        return DYN__FAIL(a->ctx, DYN_ESHAPE, "an array of rank 0 has no rows");
    rows = a->shape[0];
    if (count < 0 || count > rows)
        return DYN__FAIL(a->ctx, DYN_EINVAL, "count is %lld, but there are %lld rows", (long long)count,
                         (long long)rows);
    order = dyn__alloc(a->ctx, (size_t)rows + 1, sizeof *order);
    if (!order)
        return DYN_ENOMEM;
    dyn__permutation(key, rows, order);
    s = take_both(a, order, count, first_out, second_out);
    dyn__free(a->ctx, order);
    return s;
}
