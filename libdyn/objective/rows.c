/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Between the caller's doubles and a plan's numbers, in the objective's element type. A plan keeps several directions
 * or gradients [count, p] tensor by tensor: [count, size of the first], [count, size of the second] ... */
#include <string.h>
#include "objective/impl.h"

void dyn__to_native(const dyn_objective *o, int64_t n, void *to, const double *from)
{
    if (o->opt.dtype == DYN_F32)
        dyn__narrow(n, to, from);
    else
        memcpy(to, from, (size_t)n * sizeof *from);
}

void dyn__from_native(const dyn_objective *o, int64_t n, double *to, const void *from)
{
    if (o->opt.dtype == DYN_F32)
        dyn__widen(n, to, from);
    else
        memcpy(to, from, (size_t)n * sizeof *to);
}

void dyn__rows_to_native(const dyn_objective *o, int64_t count, void *to, const double *rows)
{
    for (int32_t i = 0; i < o->tensors; i++) {
        int64_t at;
        const int64_t size = dyn__objective_tensor(o, i, &at, NULL)->size;
        for (int64_t r = 0; r < count; r++)
            dyn__to_native(o, size, (char *)to + (count * at + r * size) * o->esize, rows + r * o->p + at);
    }
}

void dyn__rows_from_native(const dyn_objective *o, int64_t count, double *rows, const void *from)
{
    for (int32_t i = 0; i < o->tensors; i++) {
        int64_t at;
        const int64_t size = dyn__objective_tensor(o, i, &at, NULL)->size;
        for (int64_t r = 0; r < count; r++)
            dyn__from_native(o, size, rows + r * o->p + at, (const char *)from + (count * at + r * size) * o->esize);
    }
}

void dyn__add_native(const dyn_objective *o, int64_t n, double *to, const void *from)
{
    const double *wide = from;
    const float *narrow = from;

    for (int64_t i = 0; i < n; i++)
        to[i] += o->opt.dtype == DYN_F32 ? (double)narrow[i] : wide[i];
}
