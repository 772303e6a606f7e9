/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Creation of objectives, loss and gradient, and the small helpers shared by the files beside this one. */
#include <math.h>
#include <string.h>
#include "data/data.h"
#include "train/objective_parts.h"

/* ---- creation ---- */

static dyn_status check_options(dyn_ctx *ctx, const dyn_objective_options *opt)
{
    if (opt->loss < DYN_LOSS_MSE || opt->loss > DYN_LOSS_BINARY_CROSS_ENTROPY)
        return DYN__FAIL(ctx, DYN_EINVAL, "loss %d is not known", (int)opt->loss);
    if (opt->dtype != DYN_F64 && opt->dtype != DYN_F32)
        return DYN__FAIL(ctx, DYN_EDTYPE, "dtype %d is neither DYN_F64 nor DYN_F32", (int)opt->dtype);
    DYN__TRY(dyn__check_flag(ctx, "half", opt->half));
    DYN__TRY(dyn__check_flag(ctx, "sum_samples", opt->sum_samples));
    DYN__TRY(dyn__check_flag(ctx, "mean_outputs", opt->mean_outputs));
    if (!(opt->l2 >= 0) || !isfinite(opt->l2) || opt->memory_limit < 0)
        return DYN__FAIL(ctx, DYN_EINVAL, "l2 %g, memory_limit %lld: both must be finite and not negative", opt->l2,
                         (long long)opt->memory_limit);
    return DYN_OK;
}

static dyn_status check_data(dyn_ctx *ctx, const dyn_model *m, const dyn_array *x, const dyn_array *y)
{
    int64_t d = dyn_model_input_size(m), c = dyn_model_output_size(m), n;

    if (dyn_array_rank(x) < 1 || dyn_array_rank(y) < 1)
        return DYN__FAIL(ctx, DYN_ESHAPE, "x of rank %d and y of rank %d: both need a sample axis",
                         (int)dyn_array_rank(x), (int)dyn_array_rank(y));
    n = dyn_array_shape(x)[0];
    if (n < 1 || dyn_array_size(x) != n * d)
        return DYN__FAIL(ctx, DYN_ESHAPE, "x has %lld numbers in %lld samples, the model takes %lld per sample",
                         (long long)dyn_array_size(x), (long long)n, (long long)d);
    if (dyn_array_shape(y)[0] != n || dyn_array_size(y) != n * c)
        return DYN__FAIL(ctx, DYN_ESHAPE, "y has %lld numbers in %lld samples, expected %lld samples of %lld outputs",
                         (long long)dyn_array_size(y), (long long)dyn_array_shape(y)[0], (long long)n, (long long)c);
    return DYN_OK;
}

static dyn_status check_finite(dyn_ctx *ctx, const char *what, const dyn_array *a)
{
    const double *v = dyn_array_data(a);
    const float *w = dyn_array_data(a);

    for (int64_t i = 0; i < dyn_array_size(a); i++)
        if (!isfinite(dyn_array_dtype(a) == DYN_F32 ? (double)w[i] : v[i]))
            return DYN__FAIL(ctx, DYN_ENONFINITE, "%s: number %lld is not finite", what, (long long)i);
    return DYN_OK;
}

static dyn_objective *new_objective(dyn_ctx *ctx, int64_t p, int32_t dtype)
{
    dyn_objective *o = dyn__alloc(ctx, 1, sizeof *o);

    if (!o)
        return NULL;
    dyn__ref_init(&o->ref);
    o->ctx = ctx;
    o->p = p;
    o->esize = dtype == DYN_F32 ? 4 : 8;
    o->opt.dtype = dtype;
    dyn__ctx_ref(ctx);
    o->theta = dyn__alloc(ctx, (size_t)p, (size_t)o->esize);
    o->gradient = dyn__alloc(ctx, (size_t)p, (size_t)o->esize);
    if (o->theta && o->gradient)
        return o;
    dyn_objective_unref(o);
    return NULL;
}

static dyn_status take_data(dyn_objective *o, dyn_array *x, dyn_array *y)
{
    o->n = dyn_array_shape(x)[0];
    DYN__TRY(dyn_array_convert(x, o->opt.dtype, &o->x));
    DYN__TRY(dyn_array_convert(y, o->opt.dtype, &o->y));
    DYN__TRY(check_finite(o->ctx, "x", o->x));
    return check_finite(o->ctx, "y", o->y);
}

dyn_status dyn_objective_create(dyn_ctx *ctx, dyn_model *model, dyn_array *x, dyn_array *y,
                                const dyn_objective_options *given,
                                dyn_objective **out)
{
    dyn_objective_options opt;
    dyn_objective *o;
    dyn_status s;

    if (out)
        *out = NULL;
    if (!ctx)
        return DYN_EINVAL;
    DYN__ENTER(ctx);
    DYN__NEED(ctx, out);
    DYN__NEED(ctx, model);
    DYN__NEED(ctx, x);
    DYN__NEED(ctx, y);
    DYN__TRY(dyn__check_ctx(ctx, "model", model->ctx));
    DYN__TRY(dyn__check_ctx(ctx, "x", x->ctx));
    DYN__TRY(dyn__check_ctx(ctx, "y", y->ctx));
    DYN__TRY(dyn__options(ctx, "dyn_objective_options", given, &opt, sizeof opt, sizeof opt));
    DYN__TRY(check_options(ctx, &opt));
    DYN__TRY(check_data(ctx, model, x, y));
    o = new_objective(ctx, dyn_model_size(model), opt.dtype);
    if (!o)
        return DYN_ENOMEM;
    o->opt = opt;
    o->model = dyn_model_ref(model);
    o->d = dyn_model_input_size(model);
    o->c = dyn_model_output_size(model);
    s = take_data(o, x, y);
    if (s < 0)
        dyn_objective_unref(o);
    else
        *out = o;
    return s;
}

dyn_status dyn_objective_from_callbacks(dyn_ctx *ctx, int64_t p, dyn_value_fn value, dyn_gradient_fn gradient,
                                        dyn_product_fn hessian, void *user, dyn_objective **out)
{
    dyn_objective *o;

    if (out)
        *out = NULL;
    if (!ctx)
        return DYN_EINVAL;
    DYN__ENTER(ctx);
    DYN__NEED(ctx, out);
    if (p < 1 || !value)
        return DYN__FAIL(ctx, DYN_EINVAL, "%lld parameters, value function %s", (long long)p, value ? "given" : "NULL");
    o = new_objective(ctx, p, DYN_F64);
    if (!o)
        return DYN_ENOMEM;
    o->value = value;
    o->gradient_fn = gradient;
    o->product = hessian;
    o->user = user;
    *out = o;
    return DYN_OK;
}

dyn_objective *dyn_objective_ref(dyn_objective *o)
{
    if (o)
        dyn__ref_take(&o->ref);
    return o;
}

void dyn_objective_unref(dyn_objective *o)
{
    dyn_ctx *ctx;

    if (!o || !dyn__ref_drop(&o->ref))
        return;
    ctx = o->ctx;
    dyn__curvature_free(o->spare[0]);
    dyn__curvature_free(o->spare[1]);
    dyn__evaluator_free(o->evaluator);
    dyn__evaluator_free(o->loss);
    dyn__parts_free(o, &o->forward);
    dyn_model_unref(o->model);
    dyn_array_unref(o->x);
    dyn_array_unref(o->y);
    dyn__free(ctx, o->theta);
    dyn__free(ctx, o->gradient);
    dyn__free(ctx, o);
    dyn__ctx_unref(ctx);
}

int64_t dyn_objective_size(const dyn_objective *o) { return o ? o->p : 0; }
int64_t dyn_objective_samples(const dyn_objective *o) { return o ? o->n : 0; }
int64_t dyn_objective_outputs(const dyn_objective *o) { return o ? o->c : 0; }
dyn_model *dyn_objective_model(const dyn_objective *o) { return o ? o->model : NULL; }
dyn_ctx *dyn__objective_ctx(const dyn_objective *o) { return o->ctx; }
int32_t dyn__objective_dtype(const dyn_objective *o) { return o->opt.dtype; }

/* ---- helpers ---- */

dyn_status dyn__check_theta(dyn_objective *o, const double *theta, const void *result)
{
    if (!theta || !result)
        return DYN__FAIL(o->ctx, DYN_EINVAL, "theta or the result is NULL");
    for (int64_t i = 0; i < o->p; i++)
        if (!isfinite(theta[i]))
            return DYN__FAIL(o->ctx, DYN_ENONFINITE, "theta[%lld] = %g", (long long)i, theta[i]);
    return DYN_OK;
}

dyn_status dyn__need_model(dyn_objective *o)
{
    return o->model ? DYN_OK : DYN__FAIL(o->ctx, DYN_ENOTSUP, "the objective is made of callbacks, a model is needed");
}

/* ---- value and gradient ---- */

static dyn_status call_gradient(dyn_objective *o, const double *theta, double *gradient, double *value)
{
    double v = 0;
    int32_t r = gradient ? (o->gradient_fn ? o->gradient_fn(o->user, theta, &v, gradient) : 0) : o->value(o->user,
            theta, &v);

    if (gradient && !o->gradient_fn)
        return DYN__FAIL(o->ctx, DYN_ENOTSUP, "the objective has no gradient function");
    if (r != 0)
        return DYN__FAIL(o->ctx, DYN_EUSER, "the caller's function returned %d", (int)r);
    if (value)
        *value = v;
    return DYN_OK;
}

static dyn_status evaluate(dyn_objective *o, const double *theta, double *gradient, double *value)
{
    double v;

    if (!o->model)
        return call_gradient(o, theta, gradient, value);
    if (gradient && !o->evaluator)
        DYN__TRY(dyn__evaluator_create(o, 0, 0, &o->evaluator));
    if (!gradient && !o->loss)
        DYN__TRY(dyn__evaluator_create_value(o, &o->loss));
    dyn__to_native(o, o->p, o->theta, theta);
    DYN__TRY(dyn__evaluator_gradient(gradient ? o->evaluator : o->loss, o->theta, NULL, o->gradient, &v));
    if (gradient)
        dyn__from_native(o, o->p, gradient, o->gradient);
    if (value)
        *value = v;
    return DYN_OK;
}

dyn_status dyn_objective_value(dyn_objective *o, const double *theta, double *value)
{
    if (!o)
        return DYN_EINVAL;
    DYN__ENTER(o->ctx);
    DYN__TRY(dyn__check_theta(o, theta, value));
    return evaluate(o, theta, NULL, value);
}

dyn_status dyn_objective_gradient(dyn_objective *o, const double *theta, double *gradient, double *value)
{
    if (!o)
        return DYN_EINVAL;
    DYN__ENTER(o->ctx);
    DYN__TRY(dyn__check_theta(o, theta, gradient));
    return evaluate(o, theta, gradient, value);
}
