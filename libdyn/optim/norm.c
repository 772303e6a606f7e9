/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Norm of a gradient. The sum of squares is taken in the element type by the kernel; where that may have lost
 * something, because squares leave the range of the type, it is taken again with scaled numbers in double. */
#include "optim/optim.h"

#include <math.h>
#include "optim/chunk.h"

typedef struct squares {
    const dyn_optimizer *o;
    int64_t size;
    const char *gradient;
} squares;

static void sum_chunk(void *arg, int64_t task, int worker)
{
    const squares *q = arg;
    const dyn_optimizer *o = q->o;
    void *x = (void *)(uintptr_t)(q->gradient + (size_t)(task * DYN__CHUNK) * o->width);
    double wide = 0;
    float single = 0;
    const dyn__arg args[3] = { { o->dtype == DYN_F32 ? (void *)&single : &wide, 0, 1 }, { x, 0, 1 }, { x, 0, 1 } };

    (void)worker;
    o->kernels->tile[DYN__K_DOT](1, dyn__chunk_size(q->size, task), args, 0);
    o->partial[task] = o->dtype == DYN_F32 ? (double)single : wide;
}

static double element(const dyn_optimizer *o, const void *x, int64_t i)
{
    return o->dtype == DYN_F32 ? (double)((const float *)x)[i] : ((const double *)x)[i];
}

static double scaled_norm(const dyn_optimizer *o, int64_t n, const void *gradient)
{
    double largest = 0, sum = 0;

    for (int64_t i = 0; i < n; i++) {
        const double a = fabs(element(o, gradient, i));
        if (isnan(a))
            return a;
        largest = fmax(largest, a);
    }
    if (largest == 0 || isinf(largest))
        return largest;
    for (int64_t i = 0; i < n; i++) {
        const double a = element(o, gradient, i) / largest;
        sum += a * a;
    }
    return largest * sqrt(sum);
}

double dyn__optimizer_norm_of(const dyn_optimizer *o, int64_t n, const void *x)
{
    const double smallest = o->dtype == DYN_F32 ? 1e-30 : 1e-290;
    squares q = { o, n, x };
    double sum = 0;

    if (n <= DYN__CHUNK)
        sum_chunk(&q, 0, 0);
    else
        dyn__parallel(o->ctx, dyn__chunks(n), sum_chunk, &q);
    for (int64_t i = 0; i < dyn__chunks(n); i++)
        sum += o->partial[i];
    return sum > smallest && isfinite(sum) ? sqrt(sum) : scaled_norm(o, n, x);
}

double dyn__optimizer_norm(const dyn_optimizer *o, const void *gradient)
{
    return dyn__optimizer_norm_of(o, o->size, gradient);
}
