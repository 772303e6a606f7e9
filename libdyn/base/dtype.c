/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Element types, a table. */
#include "base/dtype.h"

static const struct { size_t size; const char *name; } dtypes[] = {
    [DYN_F64] = { sizeof(double), "float64" },
    [DYN_F32] = { sizeof(float), "float32" },
    [DYN_I64] = { sizeof(int64_t), "int64" },
    [DYN_U8] = { sizeof(uint8_t), "uint8" },
};

static int is_dtype(int32_t dtype)
{
    return dtype >= 0 && dtype < (int32_t)(sizeof dtypes / sizeof *dtypes);
}

size_t dyn__dtype_size(int32_t dtype)
{
    return is_dtype(dtype) ? dtypes[dtype].size : 0;
}

const char *dyn__dtype_name(int32_t dtype)
{
    return is_dtype(dtype) ? dtypes[dtype].name : "unknown";
}
