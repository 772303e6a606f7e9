/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Vectors of float64 or float32 in pieces of fixed size: the pieces, not the threads that take them, decide the order
 * of summation. */
#ifndef DYN__CHUNK_H
#define DYN__CHUNK_H

#include <string.h>
#include "kernel/kernel.h"

#define DYN__CHUNK ((int64_t)1 << 13)

static inline int64_t dyn__chunks(int64_t size) { return (size + DYN__CHUNK - 1) / DYN__CHUNK; }
/* Elements in chunk i. */
static inline int64_t dyn__chunk_size(int64_t size, int64_t i)
{
    const int64_t rest = size - i * DYN__CHUNK;

    return rest < DYN__CHUNK ? rest : DYN__CHUNK;
}

/* Between the element type of a computation and the double of the public functions. */
static inline void dyn__to_double(int32_t dtype, int64_t n, const void *x, double *y)
{
    if (dtype == DYN_F32)
        dyn__widen(n, y, x);
    else
        memcpy(y, x, (size_t)n * sizeof *y);
}

static inline void dyn__from_double(int32_t dtype, int64_t n, const double *x, void *y)
{
    if (dtype == DYN_F32)
        dyn__narrow(n, y, x);
    else
        memcpy(y, x, (size_t)n * sizeof *x);
}

#endif
