/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Labels to targets: row i is zero but for a one in column labels[i]. */
#include "data/data.h"

static void set_one(dyn_array *a, int64_t i)
{
    if (a->dtype == DYN_F64)
        ((double *)a->own)[i] = 1;
    else if (a->dtype == DYN_F32)
        ((float *)a->own)[i] = 1;
    else if (a->dtype == DYN_U8)
        ((uint8_t *)a->own)[i] = 1;
    else
        ((int64_t *)a->own)[i] = 1;
}

static dyn_status check_labels(const dyn_array *labels, int64_t classes)
{
    int64_t c;

    for (int64_t i = 0; i < labels->size; i++)
        if (!dyn__array_integer(labels, i, &c) || c < 0 || c >= classes)
            return DYN__FAIL(labels->ctx, DYN_EINVAL, "label %lld is %g, not an integer in [0, %lld)", (long long)i,
                             dyn__array_at(labels, i), (long long)classes);
    return DYN_OK;
}

dyn_status dyn_array_one_hot(const dyn_array *labels, int64_t classes, int32_t dtype, dyn_array **out)
{
    int64_t shape[2], c = 0;

    if (out)
        *out = NULL;
    if (!labels)
        return DYN_EINVAL;
    DYN__ENTER(labels->ctx);
    DYN__NEED(labels->ctx, out);
    if (classes < 1)
        return DYN__FAIL(labels->ctx, DYN_EINVAL, "classes is %lld", (long long)classes);
    DYN__TRY(check_labels(labels, classes));
    shape[0] = labels->size;
    shape[1] = classes;
    DYN__TRY(dyn__array_new(labels->ctx, dtype, 2, shape, out));
    for (int64_t i = 0; i < labels->size; i++) {
        (void)dyn__array_integer(labels, i, &c);
        set_one(*out, i * classes + c);
    }
    return DYN_OK;
}
