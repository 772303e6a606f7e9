/* SPDX-License-Identifier: BSD-3-Clause
 *
 * What a condensation result tells without further work. */
#include "analysis/condensation.h"

#define FIELD(type, name)                                       \
    type dyn_condensation_##name(const dyn_condensation *c)     \
    {                                                           \
        return c ? c->name : 0;                                 \
    }

FIELD(int64_t, neurons)
FIELD(int64_t, components)
FIELD(const double *, norms)
FIELD(const double *, amplitudes)
FIELD(int64_t, zeros)
FIELD(int64_t, dead)
FIELD(const int64_t *, assignment)
FIELD(int64_t, clusters)
FIELD(const int64_t *, sizes)
FIELD(const double *, shares)
FIELD(const double *, directions)
FIELD(const double *, tightness)
FIELD(int64_t, effective)
FIELD(double, entropy_count)
FIELD(const int64_t *, order)

const dyn_condensation_options *dyn_condensation_settings(const dyn_condensation *c)
{
    return c ? &c->opt : NULL;
}

double dyn_condensation_leading(const dyn_condensation *c, double *residual, int32_t *converged)
{
    if (residual)
        *residual = c ? c->leading_residual : 0.0;
    if (converged)
        *converged = c ? c->leading_converged : 0;
    return c ? c->leading : 0.0;
}
