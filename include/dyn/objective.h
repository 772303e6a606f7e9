/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Objectives: a loss as a function of theta. Either a model on data, with exact derivatives of every kind, or the
 * caller's own functions. Everything that is measured is measured on an objective.
 *
 * theta, gradients and directions are double vectors of p = dyn_objective_size numbers; the arithmetic inside is in the
 * objective's element type. An objective is immutable, reference counted; calls on it from one thread at a time. */
#ifndef DYN_OBJECTIVE_H
#define DYN_OBJECTIVE_H

#include <dyn/data.h>
#include <dyn/model.h>
#include <dyn/operator.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct dyn_objective dyn_objective;

/** The loss of one sample, with outputs f [c] and targets y [c]. */
enum dyn_loss {
    DYN_LOSS_MSE = 0,                   /* sum_c (f - y)^2, scaled as the options say */
    DYN_LOSS_CROSS_ENTROPY = 1,         /* -sum_c y_c log softmax(f)_c; y one-hot or any distribution */
    DYN_LOSS_BINARY_CROSS_ENTROPY = 2   /* sum_c softplus(f) - y f; y in [0, 1] */
};

typedef struct dyn_objective_options {
    uint32_t struct_size;       /* sizeof(dyn_objective_options); set by DYN_OBJECTIVE_OPTIONS_INIT */
    int32_t loss;               /* enum dyn_loss */
    int32_t dtype;              /* enum dyn_dtype of the arithmetic; 0 = DYN_F64 */
    int32_t half;               /* mean squared error: 1 puts 1/2 in front; 0 = none */
    int32_t sum_samples;        /* 1: sum over samples; 0: mean */
    int32_t mean_outputs;       /* 1: mean over the outputs c; 0: sum (PyTorch's MSELoss is 1) */
    double l2;                  /* adds l2/2 |theta|^2; 0 = none */
    /* bytes that values and buffers of one evaluation or operator may take; 0 = no limit. Met by chunks of samples */
    int64_t memory_limit;
} dyn_objective_options;
#define DYN_OBJECTIVE_OPTIONS_INIT { (uint32_t)sizeof(dyn_objective_options), 0, 0, 0, 0, 0, 0.0, 0 }

/**
 * Loss of a model on data: x [n, input shape], y [n, output shape] (a vector y [n] serves one output). The arrays are
 * referenced and converted to the element type once. opt may be NULL. since: 0.1
 */
DYN_API dyn_status dyn_objective_create(dyn_ctx *ctx, dyn_model *model, dyn_array *x, dyn_array *y,
                                        const dyn_objective_options *opt, dyn_objective **out);

/** The caller's functions, 0 = success; any but value may be NULL, and what needs it then fails with DYN_ENOTSUP. */
typedef int32_t (*dyn_value_fn)(void *user, const double *theta, double *value);
typedef int32_t (*dyn_gradient_fn)(void *user, const double *theta, double *value, double *gradient);
/* v, hv [count, p] */
typedef int32_t (*dyn_product_fn)(void *user, const double *theta, int64_t count, const double *v, double *hv);
/** An objective of the caller's own functions of p parameters. since: 0.1 */
DYN_API dyn_status dyn_objective_from_callbacks(dyn_ctx *ctx, int64_t p, dyn_value_fn value, dyn_gradient_fn gradient,
                                                dyn_product_fn hessian, void *user, dyn_objective **out);

/** One more reference; returns o. since: 0.1 */
DYN_API dyn_objective *dyn_objective_ref(dyn_objective *o);
/** NULL is allowed. since: 0.1 */
DYN_API void dyn_objective_unref(dyn_objective *o);
/** Number of parameters p. since: 0.1 */
DYN_API int64_t dyn_objective_size(const dyn_objective *o);
/** Number of samples n, outputs per sample c; 0 for callbacks. since: 0.1 */
DYN_API int64_t dyn_objective_samples(const dyn_objective *o);
DYN_API int64_t dyn_objective_outputs(const dyn_objective *o);
/** Borrowed model; NULL for callbacks. since: 0.1 */
DYN_API dyn_model *dyn_objective_model(const dyn_objective *o);

/** Loss at theta [p]. since: 0.1 */
DYN_API dyn_status dyn_objective_value(dyn_objective *o, const double *theta, double *value);
/** Gradient [p] and, unless NULL, loss. since: 0.1 */
DYN_API dyn_status dyn_objective_gradient(dyn_objective *o, const double *theta, double *gradient, double *value);
/** Outputs f [n, c] of the model. since: 0.1 */
DYN_API dyn_status dyn_objective_predict(dyn_objective *o, const double *theta, double *f);
/**
 * Share of samples whose largest output is where the target is largest (one output: same side of 1/2 or of 0 as
 * half/BCE says). since: 0.1
 */
DYN_API dyn_status dyn_objective_accuracy(dyn_objective *o, const double *theta, double *accuracy);
/**
 * Hessian at theta as a linear operator of size p: H v exact. theta is copied; what depends on theta alone is computed
 * once here. The operator keeps the objective alive. since: 0.1
 */
DYN_API dyn_status dyn_objective_hessian(dyn_objective *o, const double *theta, dyn_operator **out);
/** Generalised Gauss-Newton matrix at theta, likewise. since: 0.1 */
DYN_API dyn_status dyn_objective_ggn(dyn_objective *o, const double *theta, dyn_operator **out);
/**
 * Jacobian of the outputs at theta: jacobian [n*c, p], row i*c + k is the gradient of output k of sample i. since:
 * 0.1
 */
DYN_API dyn_status dyn_objective_jacobian(dyn_objective *o, const double *theta, double *jacobian);
/**
 * Gradient of the loss of every sample: gradients [n, p]; their mean (or sum, as the options say) is the gradient
 * without l2. since: 0.1
 */
DYN_API dyn_status dyn_objective_sample_gradients(dyn_objective *o, const double *theta, double *gradients);

#ifdef __cplusplus
}
#endif
#endif
