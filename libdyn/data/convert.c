/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Between element types. A number must survive: to int64 and uint8 only integers in range go, to float32 the nearest. */
#include "data/data.h"

/* An int64 goes to float in one rounding, not through double. */
static float to_single(const dyn_array *a, int64_t i)
{
    return a->dtype == DYN_I64 ? (float)((const int64_t *)a->data)[i] : (float)dyn__array_at(a, i);
}

static dyn_status fill_integers(const dyn_array *a, dyn_array *out)
{
    const int bytes = out->dtype == DYN_U8;
    int64_t v = 0;

    for (int64_t i = 0; i < a->size; i++) {
        if (!dyn__array_integer(a, i, &v) || (bytes && (v < 0 || v > UINT8_MAX)))
            return DYN__FAIL(a->ctx, DYN_EINVAL, "element %lld is %g, which is no integer %s", (long long)i,
                             dyn__array_at(a, i), bytes ? "in 0..255" : "of 64 bits");
        if (bytes)
            ((uint8_t *)out->own)[i] = (uint8_t)v;
        else
            ((int64_t *)out->own)[i] = v;
    }
    return DYN_OK;
}

static dyn_status fill(const dyn_array *a, dyn_array *out)
{
    if (out->dtype != DYN_F64 && out->dtype != DYN_F32)
        return fill_integers(a, out);
    for (int64_t i = 0; i < a->size; i++) {
        if (out->dtype == DYN_F64)
            ((double *)out->own)[i] = dyn__array_at(a, i);
        else
            ((float *)out->own)[i] = to_single(a, i);
    }
    return DYN_OK;
}

dyn_status dyn_array_convert(dyn_array *a, int32_t dtype, dyn_array **out)
{
    dyn_array *b;
    dyn_status s;

    if (out)
        *out = NULL;
    if (!a)
        return DYN_EINVAL;
    DYN__ENTER(a->ctx);
    DYN__NEED(a->ctx, out);
    if (dtype == a->dtype) {
        *out = dyn_array_ref(a);
        return DYN_OK;
    }
    DYN__TRY(dyn__array_new(a->ctx, dtype, a->rank, a->shape, &b));
    s = fill(a, b);
    if (s != DYN_OK)
        dyn_array_unref(b);
    else
        *out = b;
    return s;
}
