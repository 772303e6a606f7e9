/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Random signs (of all probes with independent entries they have the least variance) and running means. */
#include <math.h>
#include "linalg/probe.h"
#include "random/random.h"

void dyn__probe_signs(uint64_t seed, uint32_t site, int64_t first, int64_t count, int64_t n, double *x)
{
    for (int64_t r = 0; r < count; r++)
        dyn__uniform_f64((dyn__key){ .seed = seed, .stream = DYN__STREAM_PROBE, .step = (uint32_t)(first + r),
                                     .site = site }, 0, n, x + r * n);
    for (int64_t i = 0; i < count * n; i++)
        x[i] = x[i] < 0.5 ? -1.0 : 1.0;
}

void dyn__mean_add(dyn__mean *m, double x)
{
    double d = x - m->mean;
    int exponent;

    if (m->unit == 0.0 && x != 0.0) {
        frexp(x, &exponent);
        m->unit = ldexp(1.0, exponent < -1020 ? -1020 : exponent - 1);
    }
    m->count++;
    m->mean += d / (double)m->count;
    if (d != 0.0)
        m->squares += d / m->unit * ((x - m->mean) / m->unit);
}

double dyn__mean_error(const dyn__mean *m)
{
    double n = (double)m->count;

    return m->count > 1 ? m->unit * sqrt(m->squares / (n - 1.0) / n) : 0.0;
}
