/* SPDX-License-Identifier: BSD-3-Clause
 *
 * SOPHIA's average of estimates of the Hessian's diagonal. */
#include "optim/optim.h"

#include <inttypes.h>
#include <math.h>

static double element(const dyn_optimizer *o, const void *x, int64_t i)
{
    return o->dtype == DYN_F32 ? (double)((const float *)x)[i] : ((const double *)x)[i];
}

dyn_status dyn_optimizer_curvature(dyn_optimizer *o, const void *diagonal)
{
    double b;

    if (!o)
        return DYN_EINVAL;
    DYN__ENTER(o->ctx);
    DYN__NEED(o->ctx, diagonal);
    if (o->opt.kind != DYN_OPTIMIZER_SOPHIA)
        return DYN__FAIL(o->ctx, DYN_ENOTSUP, "%s has no use for a diagonal", o->rule.name);
    for (int64_t i = 0; i < o->size; i++)
        if (!isfinite(element(o, diagonal, i)))
            return DYN__FAIL(o->ctx, DYN_ENONFINITE, "the diagonal is %g at parameter %" PRId64,
                             element(o, diagonal, i), i);
    b = o->opt.beta2;
    for (int64_t i = 0; i < o->size; i++) {
        const double v = b * element(o, o->moment[1], i) + (1 - b) * element(o, diagonal, i);

        if (o->dtype == DYN_F32)
            ((float *)o->moment[1])[i] = (float)v;
        else
            ((double *)o->moment[1])[i] = v;
    }
    return DYN_OK;
}
