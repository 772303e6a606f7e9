/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The Jacobian of a model's outputs at samples, for measurements that take a model and not a loss. */
#include <dyn/objective.h>
#include "analysis/jacobian.h"
#include "model/model.h"

dyn_status dyn__model_jacobian(dyn_model *m, const double *theta, dyn_array *x, double *jacobian, double *targets)
{
    const int64_t shape[2] = { dyn_array_shape(x)[0], dyn_model_output_size(m) };
    dyn_array *outputs = NULL;
    dyn_objective *o = NULL;
    dyn_status s = dyn_array_wrap(m->ctx, DYN_F64, 2, shape, targets, &outputs);

    if (s >= 0)
        s = dyn_objective_create(m->ctx, m, x, outputs, NULL, &o);
    if (s >= 0)
        s = dyn_objective_jacobian(o, theta, jacobian);
    dyn_objective_unref(o);
    dyn_array_unref(outputs);
    return s;
}
