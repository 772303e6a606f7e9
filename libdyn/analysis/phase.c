/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Phase diagrams: regimes, the boundary between them, outputs that begin at 0. */
#include <inttypes.h>
#include <math.h>
#include <dyn/objective.h>
#include <dyn/phase.h>
#include "linalg/operator.h"
#include "model/model.h"

int32_t dyn_phase_regime(double slope, double tolerance)
{
    return slope > tolerance ? DYN_REGIME_CONDENSED : slope < -tolerance ? DYN_REGIME_LINEAR : DYN_REGIME_CRITICAL;
}

/* ---- crossings ---- */

static dyn_status check_ascending(dyn_ctx *ctx, int64_t n, const double *x)
{
    for (int64_t i = 0; i < n; i++)
        if (!isfinite(x[i]) || (i > 0 && !(x[i] > x[i - 1])))
            return DYN__FAIL(ctx, DYN_EINVAL, "x[%" PRId64 "] is %g, x must be finite and ascend", i, x[i]);
    return DYN_OK;
}

static double first_crossing(int64_t columns, const double *x, const double *values, double level)
{
    for (int64_t i = 0; i < columns; i++) {
        const double b = values[i] - level, a = i > 0 ? values[i - 1] - level : b;

        if (b == 0.0)
            return x[i];
        if (isfinite(a) && isfinite(b) && a != 0.0 && (a < 0.0) != (b < 0.0))
            return x[i - 1] + (x[i] - x[i - 1]) * (a / (a - b));
    }
    return NAN;
}

dyn_status dyn_phase_crossings(dyn_ctx *ctx, int64_t rows, int64_t columns, const double *x, const double *values,
                               double level, double *crossings)
{
    if (!ctx)
        return DYN_EINVAL;
    DYN__ENTER(ctx);
    if (rows < 0 || columns < 1 || !x || !values || !crossings)
        return DYN__FAIL(ctx, DYN_EINVAL, "%" PRId64 " rows, %" PRId64 " columns, or an array is NULL", rows, columns);
    if (!isfinite(level))
        return DYN__FAIL(ctx, DYN_EINVAL, "level is %g", level);
    DYN__TRY(check_ascending(ctx, columns, x));
    for (int64_t i = 0; i < rows; i++)
        crossings[i] = first_crossing(columns, x, values + i * columns, level);
    return DYN_OK;
}

/* ---- centring ---- */

/* f [samples][outputs] of the model; y are any targets. */
static dyn_status outputs_at(dyn_model *m, const double *theta, int64_t samples, const double *x, const double *y,
                             double *f)
{
    const int64_t in[2] = { samples, dyn_model_input_size(m) }, out[2] = { samples, dyn_model_output_size(m) };
    dyn_array *inputs = NULL, *targets = NULL;
    dyn_objective *o = NULL;
    dyn_status s = dyn_array_wrap(m->ctx, DYN_F64, 2, in, x, &inputs);

    if (s >= 0)
        s = dyn_array_wrap(m->ctx, DYN_F64, 2, out, y, &targets);
    if (s >= 0)
        s = dyn_objective_create(m->ctx, m, inputs, targets, NULL, &o);
    if (s >= 0)
        s = dyn_objective_predict(o, theta, f);
    dyn_objective_unref(o);
    dyn_array_unref(targets);
    dyn_array_unref(inputs);
    return s;
}

dyn_status dyn_phase_centred_targets(dyn_model *model, const double *theta, int64_t samples, const double *x,
                                     const double *y, double *targets)
{
    int64_t outputs;
    double *f;
    dyn_status s;

    if (!model)
        return DYN_EINVAL;
    DYN__ENTER(model->ctx);
    if (samples < 1 || !theta || !x || !y || !targets)
        return DYN__FAIL(model->ctx, DYN_EINVAL, "samples is %" PRId64 " or an array is NULL", samples);
    outputs = dyn_model_output_size(model);
    DYN__TRY(dyn__check_finite(model->ctx, "theta", model->size, theta));
    DYN__TRY(dyn__check_finite(model->ctx, "y", samples * outputs, y));
    f = dyn__alloc(model->ctx, (size_t)samples, (size_t)outputs * sizeof *f);
    if (!f)
        return DYN_ENOMEM;
    s = outputs_at(model, theta, samples, x, y, f);
    for (int64_t i = 0; s >= 0 && i < samples * outputs; i++)
        targets[i] = y[i] + f[i];
    dyn__free(model->ctx, f);
    return s;
}
