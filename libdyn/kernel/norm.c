/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The Euclidean norm, right wherever it can be represented. The fast sum of squares is taken first; where squares have
 * left the range of the type, it is taken again of scaled numbers. */
#include <math.h>
#include "kernel/kernel.h"

static double scaled(int64_t n, const double *x)
{
    double largest = 0.0, sum = 0.0;

    for (int64_t i = 0; i < n; i++)
        largest = fmax(largest, fabs(x[i]));
    if (largest == 0.0 || isinf(largest))
        return largest;
    for (int64_t i = 0; i < n; i++)
        sum += (x[i] / largest) * (x[i] / largest);
    return largest * sqrt(sum);
}

double dyn__norm(dyn_ctx *ctx, int64_t n, const double *x)
{
    double squares = 0.0;
    const dyn__arg arg[3] = { { &squares, 1, 0 }, { (void *)x, n, 1 }, { (void *)x, 0, 1 } };

    dyn__kernels_of(ctx)->f64.tile[DYN__K_ROW_DOT](1, n, arg, 0);
    if (isnan(squares) || (squares > 0x1p-900 && !isinf(squares)))
        return sqrt(squares);
    return scaled(n, x);
}
