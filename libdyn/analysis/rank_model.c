/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Rank of a model: the Jacobian of its outputs at given or at random inputs. Random inputs are numerous enough by
 * this argument: as long as the span of the df/dtheta_i is not resolved, one more generic input raises the rank by
 * one at least, so p inputs suffice in exact arithmetic, for any number of outputs. */
#include <inttypes.h>
#include "analysis/jacobian.h"
#include "analysis/rank.h"
#include "base/unset.h"
#include "linalg/operator.h"
#include "model/model.h"
#include "random/random.h"

/* Samples as the model takes them: of indices, x holds whole numbers. */
static dyn_status wrap_samples(dyn_model *m, int64_t samples, const double *x, dyn_array **out)
{
    const int64_t shape[2] = { samples, dyn_model_input_size(m) };
    dyn_array *numbers = NULL;

    DYN__TRY(dyn_array_wrap(m->ctx, DYN_F64, 2, shape, x, &numbers));
    const dyn_status s = dyn_array_convert(numbers, m->input[0].dtype == DYN_I64 ? DYN_I64 : DYN_F64, out);
    dyn_array_unref(numbers);
    return s;
}

dyn_status dyn__rank_jacobian(dyn_model *m, const double *theta, int64_t samples, const double *x, double *jacobian,
                              double *targets)
{
    dyn_array *inputs = NULL;

    DYN__TRY(wrap_samples(m, samples, x, &inputs));
    const dyn_status s = dyn__model_jacobian(m, theta, inputs, jacobian, targets);
    dyn_array_unref(inputs);
    return s;
}

static dyn_status rank_at(dyn_model *m, const double *theta, int64_t samples, const double *x,
                          const dyn_rank_options *o, dyn_rank **out)
{
    int64_t outputs = dyn_model_output_size(m), p = m->size;
    double *jacobian, *targets;
    dyn_status s = DYN_ENOMEM;

    if (o->memory_limit > 0 && dyn__rank_bytes(m, samples, 0) > o->memory_limit)
        return dyn__rank_tiles(m, theta, samples, x, o, out);
    jacobian = dyn__alloc_unset(m->ctx, (size_t)(samples * outputs), (size_t)p * sizeof *jacobian);
    targets = jacobian ? dyn__alloc(m->ctx, (size_t)(samples * outputs + p), sizeof *targets) : NULL;
    if (targets)
        s = dyn__rank_jacobian(m, theta, samples, x, jacobian, targets);
    if (s >= 0)
        s = dyn__rank_rounding(m, theta, dyn__rank_look(m, samples), samples, x, jacobian, targets + samples * outputs);
    if (s >= 0)
        s = dyn__rank_matrix(m->ctx, samples * outputs, p, jacobian, targets + samples * outputs, o, out);
    dyn__free(m->ctx, targets);
    dyn__free(m->ctx, jacobian);
    return s;
}

/* Inputs and Jacobian of so many samples have sizes that are numbers. */
static dyn_status check_samples(const dyn_model *m, int64_t samples)
{
    int64_t inputs = dyn_model_input_size(m), outputs = dyn_model_output_size(m), most = INT64_MAX / 8;

    if (samples >= 1 && samples <= most / inputs && samples <= most / outputs / m->size)
        return DYN_OK;
    return DYN__FAIL(m->ctx, DYN_EINVAL, "%" PRId64 " samples of %" PRId64 " inputs, %" PRId64 " outputs and %" PRId64
                     " parameters: at least one, and not so many", samples, inputs, outputs, m->size);
}

static dyn_status check_model(dyn_model *m, const double *theta, dyn_rank **out)
{
    DYN__NEED(m->ctx, theta);
    DYN__NEED(m->ctx, out);
    if (m->size < 1)
        return DYN__FAIL(m->ctx, DYN_EINVAL, "the model has no parameters");
    return dyn__check_finite(m->ctx, "theta", m->size, theta);
}

dyn_status dyn_rank_at(dyn_model *model, const double *theta, int64_t samples, const double *x,
                       const dyn_rank_options *opt, dyn_rank **out)
{
    dyn_rank_options o;

    if (out)
        *out = NULL;
    if (!model)
        return DYN_EINVAL;
    DYN__ENTER(model->ctx);
    DYN__TRY(check_model(model, theta, out));
    DYN__NEED(model->ctx, x);
    DYN__TRY(check_samples(model, samples));
    DYN__TRY(dyn__check_finite(model->ctx, "x", samples * dyn_model_input_size(model), x));
    DYN__TRY(dyn__rank_options(model->ctx, opt, &o));
    return rank_at(model, theta, samples, x, &o, out);
}

dyn_status dyn_rank_model(dyn_model *model, const double *theta, const dyn_rank_options *opt, dyn_rank **out)
{
    dyn_rank_options o;
    int64_t n;
    double *x;
    dyn_status s;

    if (out)
        *out = NULL;
    if (!model)
        return DYN_EINVAL;
    DYN__ENTER(model->ctx);
    DYN__TRY(check_model(model, theta, out));
    if (model->input[0].dtype == DYN_I64)
        return DYN__FAIL(model->ctx, DYN_EDTYPE, "the model takes indices, which are not drawn: see dyn_rank_at");
    DYN__TRY(dyn__rank_options(model->ctx, opt, &o));
    if (o.probes == 0)
        o.probes = model->size < 32 ? model->size + 32 : 2 * model->size;
    DYN__TRY(check_samples(model, o.probes));
    n = dyn_model_input_size(model);
    x = dyn__alloc(model->ctx, (size_t)o.probes, (size_t)n * sizeof *x);
    if (!x)
        return DYN_ENOMEM;
    dyn__normal_f64((dyn__key){ .seed = o.seed, .stream = DYN__STREAM_PROBE }, 0, o.probes * n, x);
    for (int64_t i = 0; i < o.probes * n; i++)
        x[i] *= o.probe_std;
    s = rank_at(model, theta, o.probes, x, &o, out);
    dyn__free(model->ctx, x);
    return s;
}

int64_t dyn_rank_memory(const dyn_model *model, int64_t samples, const dyn_rank_options *opt)
{
    dyn_rank_options o;
    int64_t all;

    if (!model)
        return 0;
    DYN__ENTER(model->ctx);
    DYN__TRY(dyn__rank_options(model->ctx, opt, &o));
    if (samples == 0)
        samples = o.probes > 0 ? o.probes : model->size < 32 ? model->size + 32 : 2 * model->size;
    DYN__TRY(check_samples(model, samples));
    all = dyn__rank_bytes(model, samples, 0);
    return o.memory_limit > 0 && o.memory_limit < all ? dyn__rank_bytes(model, 1, o.memory_limit) : all;
}
