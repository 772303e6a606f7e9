/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Orthonormal vectors by modified Gram-Schmidt, run twice: after the second pass they are orthogonal to
 * rounding, however close to dependent they were. The diagonal of R is positive, so normal draws give the uniform
 * (Haar) distribution. */
#include <math.h>
#include "kernel/kernel.h"
#include "model/model.h"

static void remove_part(int64_t n, double *v, const double *unit)
{
    const double c = dyn__inner(n, v, unit);

    for (int64_t i = 0; i < n; i++)
        v[i] -= c * unit[i];
}

void dyn__orthonormalise(int64_t count, int64_t length, double *v)
{
    for (int64_t j = 0; j < count; j++) {
        double *u = v + j * length;
        for (int pass = 0; pass < 2; pass++)
            for (int64_t k = 0; k < j; k++)
                remove_part(length, u, v + k * length);
        const double inverse = 1 / sqrt(dyn__inner(length, u, u));
        for (int64_t i = 0; i < length; i++)
            u[i] *= inverse;
    }
}
