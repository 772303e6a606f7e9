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

/**
 * The loss of one sample, with outputs f and targets y [.., c]. Cross-entropies are taken over the last axis and averaged
 * over what stands before it (the positions of a sequence); the others are summed. Values never change.
 */
enum dyn_loss {
    DYN_LOSS_MSE = 0,                   /* sum (f - y)^2, scaled as the options say */
    DYN_LOSS_CROSS_ENTROPY = 1,         /* -sum_c y_c log softmax(f)_c; y one-hot, any distribution, or classes (integers) */
    DYN_LOSS_BINARY_CROSS_ENTROPY = 2,  /* sum y softplus(-f) + (1 - y) softplus(f); y in [0, 1] */
    DYN_LOSS_L1 = 3,                    /* sum |f - y| */
    DYN_LOSS_HUBER = 4,                 /* sum e^2/2 for |e| <= delta, else delta (|e| - delta/2); e = f - y */
    DYN_LOSS_HINGE = 5,                 /* sum max(0, 1 - y f); y = -1 or 1 */
    DYN_LOSS_KL = 6                     /* sum_c y_c (log y_c - log softmax(f)_c) */
};

/**
 * A penalty l2/2 |w|^2 + l1 sum |w_i| on the tensors w whose names match a pattern as fnmatch(3) has it: "W*", "layer1.*".
 * Several that match add up.
 */
typedef struct dyn_penalty {
    const char *pattern;
    double l2, l1;              /* >= 0 */
} dyn_penalty;

typedef struct dyn_objective_options {
    uint32_t struct_size;       /* sizeof(dyn_objective_options); set by DYN_OBJECTIVE_OPTIONS_INIT */
    int32_t loss;               /* enum dyn_loss */
    int32_t dtype;              /* enum dyn_dtype of the arithmetic: DYN_F64 or DYN_F32 */
    int32_t half;               /* mean squared error: 1 puts 1/2 in front; 0 = none */
    int32_t sum_samples;        /* 1: sum over samples; 0: mean */
    int32_t mean_outputs;       /* 1: mean over outputs and positions (PyTorch's MSELoss); 0: as the loss says */
    double l2;                  /* adds l2/2 |theta|^2; 0 = none */
    /* bytes that values and buffers of one evaluation or operator may take with one thread. Met by chunks of samples, the
       same for any number of threads; each further thread takes buffers of one tile, that fit its cache */
    int64_t memory_limit;
    double delta;               /* of DYN_LOSS_HUBER, which needs one; 0 for the others */
    double label_smoothing;     /* eps of the cross-entropy: y is (1 - eps) y + eps / c; 0 = none */
    /* [n] or [n, positions], multiplies the losses, whose mean is still over n; NULL = none. A mask is zeros and ones */
    dyn_array *weight;
    const dyn_penalty *penalties;   /* [penalties_count] beside l2; read at creation */
    int32_t penalties_count;
    uint32_t reserved;              /* must be 0 */
} dyn_objective_options;
#define DYN_OBJECTIVE_OPTIONS_INIT \
    { DYN_SIZE_OF(dyn_objective_options), DYN_LOSS_MSE, DYN_F64, 0, 0, 0, 0.0, INT64_MAX, 0.0, 0.0, NULL, NULL, 0, 0 }

/**
 * Loss of a model of one input on data: x [n, input shape], y [n, output shape] (a vector y [n] serves one output; classes
 * leave the last axis out). The arrays are referenced and converted to the element type once. opt may be NULL.
 * errors: DYN_EINVAL an option or a target out of its range, with its value; DYN_ESHAPE; DYN_EDTYPE; DYN_ENONFINITE.
 * since: 0.1
 */
DYN_API dyn_status dyn_objective_create(dyn_ctx *ctx, dyn_model *model, dyn_array *x, dyn_array *y,
                                        const dyn_objective_options *opt, dyn_objective **out);

/**
 * A model at data, without targets: inputs in the model's order, each [n, input shape]. Its loss is the sum over samples of
 * outputs times "cotangent", data [n, output shape] that are ones until dyn_objective_set_data. So the gradient is J^T times
 * the cotangents, and dyn_objective_inside_values gives gradients by tensors inside; dyn_objective_predict gives outputs,
 * dyn_objective_jacobian_map J. opt may be NULL; of it dtype, penalties and memory_limit count.
 * errors: DYN_EINVAL; DYN_ESHAPE; DYN_EDTYPE; DYN_ENONFINITE; DYN_ENOMEM. since: 0.1
 */
DYN_API dyn_status dyn_objective_map(dyn_ctx *ctx, dyn_model *model, int32_t count, dyn_array *const *inputs,
                                     const dyn_objective_options *opt, dyn_objective **out);

/** What an objective's function works on. Lists are copied, models and arrays referenced. */
typedef struct dyn_objective_parts {
    uint32_t struct_size;       /* sizeof(dyn_objective_parts); set by DYN_OBJECTIVE_PARTS_INIT */
    int32_t models;
    dyn_model *const *model;            /* [models] theta is their parameters, one after the other */
    const char *const *model_name;      /* [models] head their tensors' names; NULL: "1", "2", ..., none for one model */
    int32_t data;
    uint32_t reserved;                  /* must be 0 */
    dyn_array *const *array;            /* [data] numbers, or DYN_I64 indices, which stay as they are */
    const char *const *name;            /* [data] by which the function asks for them */
    const int32_t *shared;              /* [data] 1: the same for all samples; 0: axis 0 are samples. NULL: all 0 */
} dyn_objective_parts;
#define DYN_OBJECTIVE_PARTS_INIT { DYN_SIZE_OF(dyn_objective_parts), 0, NULL, NULL, 0, 0, NULL, NULL, NULL }

/**
 * Any function of models and data as an objective (see <dyn/build.h>): it calls the models, reads the data by name, and
 * returns its loss: [n], a value for each sample, of which the mean is taken; or [], which depends on theta alone (a
 * penalty) or joins samples. A loss that joins samples has no chunks, no gradients per sample, and no shorter last batch:
 * what needs these is refused with the node that joins them. Several terms are made by dyn_build_term. build is run here
 * once; user must live as long as the objective. opt may be NULL; its loss and what belongs to that is not looked at.
 * errors: DYN_EINVAL, DYN_ESHAPE, DYN_EDTYPE; DYN_EUSER; what build returned; DYN_ENOMEM. since: 0.1
 */
DYN_API dyn_status dyn_objective_from_function(dyn_ctx *ctx, dyn_build_fn build, void *user,
                                               const dyn_objective_parts *parts, const dyn_objective_options *opt,
                                               dyn_objective **out);

/**
 * sum_i weights[i] parts[i], each with its own data. Theta holds every model once, in the order in which the parts name
 * them; where names of tensors meet, the later model's get a number in front. A model with states in several parts moves
 * them one part after the other. A mini-batch is taken of each part that has more samples. weights NULL: all 1. Parts are referenced.
 * errors: DYN_EINVAL; DYN_EDTYPE, DYN_ESHAPE parts that do not go together; since: 0.1
 */
DYN_API dyn_status dyn_objective_sum(dyn_ctx *ctx, int32_t count, dyn_objective *const *parts, const double *weights,
                                     dyn_objective **out);

/**
 * Exchange data for an array of the same shape, from the next evaluation on; nothing is compiled again. x, y and weight of
 * dyn_objective_create are given as there. Not while it evaluates in another thread. An array that the caller wrapped, of
 * the objective's type, is read where it lies: the caller may write new numbers into it between evaluations (operators at
 * a theta then change with it), which are not checked. errors: DYN_EINVAL no such data; DYN_ESHAPE; DYN_ENONFINITE.
 * since: 0.1
 */
DYN_API dyn_status dyn_objective_set_data(dyn_objective *o, const char *name, dyn_array *array);

/** Where a function of the caller's is evaluated, and where its results go; valid during the call. */
typedef struct dyn_objective_view {
    uint32_t struct_size;       /* sizeof(dyn_objective_view) as the library has it */
    uint32_t reserved;
    int64_t size;               /* p */
    const double *theta;        /* [size] */
    int64_t samples;            /* of a mini-batch; 0 = all that there are */
    const int64_t *sample;      /* [samples] their numbers; NULL = all */
    double *value;              /* value, gradient: the loss, to be filled in */
    double *gradient;           /* gradient: [size], to be filled in */
    int64_t count;              /* hessian: directions */
    const double *v;            /* hessian: [count, size] */
    double *product;            /* hessian: [count, size], the Hessian times each, to be filled in */
} dyn_objective_view;
/** 0 = success, else what needed it ends with DYN_EUSER. */
typedef int32_t (*dyn_objective_fn)(void *user, const dyn_objective_view *at);

/**
 * The caller's functions. Any but value may be NULL, and what needs it then fails with DYN_ENOTSUP. Without a Hessian product
 * that of the gradient's central differences serves, with steps of cbrt(eps) (1 + |theta|); eigenpairs and
 * dyn_operator_product_errors say how wrong it is.
 */
typedef struct dyn_objective_functions {
    uint32_t struct_size;       /* sizeof(dyn_objective_functions); set by DYN_OBJECTIVE_FUNCTIONS_INIT */
    uint32_t reserved;          /* must be 0 */
    int64_t size;               /* p, at least 1 */
    int64_t samples;            /* n, of which a run may take mini-batches: gradient is then asked for these alone; 0 = none */
    dyn_objective_fn value;
    dyn_objective_fn gradient;  /* fills in value and gradient */
    dyn_objective_fn hessian;   /* fills in product */
    void *user;                 /* must live as long as the objective */
} dyn_objective_functions;
#define DYN_OBJECTIVE_FUNCTIONS_INIT { DYN_SIZE_OF(dyn_objective_functions), 0, 0, 0, NULL, NULL, NULL, NULL }

/**
 * An objective of the caller's own functions. errors: DYN_EINVAL no parameter, no value function, samples without a
 * gradient; DYN_ENOMEM; DYN_EABI_*. since: 0.1
 */
DYN_API dyn_status dyn_objective_from_callbacks(dyn_ctx *ctx, const dyn_objective_functions *functions,
                                                dyn_objective **out);

/* Test functions of p unknowns, with exact derivatives. */

/** sum_i x_i^power / power. errors: DYN_EINVAL p < 1, power < 2; DYN_ENOMEM. since: 0.1 */
DYN_API dyn_status dyn_objective_power(dyn_ctx *ctx, int64_t p, int32_t power, dyn_objective **out);
/** sum_i eigenvalues[i] x_i^2 / 2; they are copied. errors: DYN_EINVAL, DYN_ENONFINITE, DYN_ENOMEM. since: 0.1 */
DYN_API dyn_status dyn_objective_quadratic(dyn_ctx *ctx, int64_t p, const double *eigenvalues, dyn_objective **out);
/** sum_i 100 (x_{i+1} - x_i^2)^2 + (1 - x_i)^2. errors: DYN_EINVAL p < 2; DYN_ENOMEM. since: 0.1 */
DYN_API dyn_status dyn_objective_rosenbrock(dyn_ctx *ctx, int64_t p, dyn_objective **out);

/** Curves between two vectors of parameters, with bends C_1 .. C_m between the ends A, B. */
enum dyn_path {
    DYN_PATH_BEZIER = 0,    /* phi(t) = sum_i binomial(m + 1, i) t^i (1 - t)^(m + 1 - i) C_i; one bend: (1-t)^2 A + 2t(1-t) C + t^2 B */
    DYN_PATH_CHAIN = 1      /* straight from one to the next, each for t / (m + 1) of the time */
};

/**
 * The mean over t in [0, 1] of the loss of `o` at phi(t), as an objective of the bends [bends p], for joining minima by a path
 * on which the loss stays low (arXiv 1802.10026). The mean is the Gauss-Legendre sum of so many points, and the objective
 * smooth: it can be minimised like any other, from bends on the straight line. Ends [p] are copied, o is referenced. It has
 * value and gradient. errors: DYN_EINVAL; DYN_ENONFINITE; DYN_ENOMEM. since: 0.1
 */
DYN_API dyn_status dyn_objective_path(dyn_objective *o, const double *first, const double *last, int32_t kind, int32_t bends,
                                      int32_t points, dyn_objective **out);

/** One more reference; returns o. since: 0.1 */
DYN_API dyn_objective *dyn_objective_ref(dyn_objective *o);
/** NULL is allowed. since: 0.1 */
DYN_API void dyn_objective_unref(dyn_objective *o);
/** Number of parameters p. since: 0.1 */
DYN_API int64_t dyn_objective_size(const dyn_objective *o);
/** Number of samples n (of callbacks what they say), outputs per sample c; 0 for none. since: 0.1 */
DYN_API int64_t dyn_objective_samples(const dyn_objective *o);
DYN_API int64_t dyn_objective_outputs(const dyn_objective *o);
/** The borrowed model, if it is one; NULL for callbacks and for several. since: 0.1 */
DYN_API dyn_model *dyn_objective_model(const dyn_objective *o);
/** Number of models; model i, borrowed, NULL out of range; offset (or NULL): where its parameters begin. since: 0.1 */
DYN_API int32_t dyn_objective_models(const dyn_objective *o);
DYN_API dyn_model *dyn_objective_member(const dyn_objective *o, int32_t i, int64_t *offset);
/** Number of parameter tensors, of all models. since: 0.1 */
DYN_API int32_t dyn_objective_tensors(const dyn_objective *o);
/**
 * Rank of tensor i; shape (NULL or [DYN_MAX_RANK]), offset in theta (NULL or one number) and its name (NULL or of so many
 * bytes with the final zero, cut to that) are filled. errors: DYN_EINVAL. since: 0.1
 */
DYN_API int32_t dyn_objective_tensor(const dyn_objective *o, int32_t i, int64_t *shape, int64_t *offset, char *name,
                                     int64_t bytes);
/** Number of terms; name of term i, borrowed, NULL out of range. One term is called "loss". since: 0.1 */
DYN_API int32_t dyn_objective_terms(const dyn_objective *o);
DYN_API const char *dyn_objective_term_name(const dyn_objective *o, int32_t i);
/** Values [terms] of the terms at theta, without their weights. since: 0.1 */
DYN_API dyn_status dyn_objective_term_values(dyn_objective *o, const double *theta, double *values);
/** The node that joins samples, in words, when measuring (training 0) or in training (1); NULL: none does. since: 0.1 */
DYN_API const char *dyn_objective_coupling(const dyn_objective *o, int32_t training);

/** Loss at theta [p]. since: 0.1 */
DYN_API dyn_status dyn_objective_value(dyn_objective *o, const double *theta, double *value);
/** Gradient [p] and, unless NULL, loss. since: 0.1 */
DYN_API dyn_status dyn_objective_gradient(dyn_objective *o, const double *theta, double *gradient, double *value);
/** Loss and gradient of training steps at one theta: means over draws of their random numbers, with standard errors. */
typedef struct dyn_noise {
    double loss, loss_error;
    double gradient_square, gradient_square_error;      /* of the squared norm of the gradient */
} dyn_noise;
/**
 * What dropout and other random numbers of training do at theta [p]: the loss in expectation, and the mean squared norm
 * of the gradient, of which rate / 4 is the penalty R2 that steps of gradient descent add (arXiv 2207.05952). All samples
 * take part in each draw; draw k has the numbers of step k of a run with this seed.
 *
 * errors: DYN_EINVAL draws < 1; DYN_ENONFINITE; DYN_EINTERRUPTED; DYN_ENOMEM.   since: 0.1
 */
DYN_API dyn_status dyn_objective_noise(dyn_objective *o, const double *theta, int64_t draws, uint64_t seed,
                                       dyn_noise *out);
/** Outputs f [n, c] of the model. since: 0.1 */
DYN_API dyn_status dyn_objective_predict(dyn_objective *o, const double *theta, double *f);
/**
 * Share of right answers: of samples (and positions) whose largest output is where the target is largest, or at its class.
 * One output, or binary cross-entropy: each output is an answer, right when it is on the target's side, the cut being 0 for
 * logits and else the middle of the two labels (1/2 if there are not two).
 * errors: DYN_ENOTSUP a function of the caller's own. since: 0.1
 */
DYN_API dyn_status dyn_objective_accuracy(dyn_objective *o, const double *theta, double *accuracy);
/**
 * Loss at each of count vectors theta [count, p]: values [count]. since: 0.1
 */
DYN_API dyn_status dyn_objective_values(dyn_objective *o, int64_t count, const double *theta, double *values);

/**
 * Where it begins that the loss or its gradient is not finite at theta, in words: the first node, what it is, its shape and
 * an element; of so many bytes with the final zero, cut to that, empty where all is finite. As measured, on all samples at
 * once; it is no matter of a moment. errors: DYN_EINVAL; DYN_ENOTSUP not a function on the graph; DYN_ENONFINITE theta is
 * not; DYN_EFULL, DYN_ENOMEM. since: 0.1
 */
DYN_API dyn_status dyn_objective_nonfinite(dyn_objective *o, const double *theta, char *text, int64_t room);

/**
 * Tensors inside, which the build functions named by dyn_build_name: how many; and of tensor i its rank, shape (NULL or
 * [DYN_MAX_RANK]) and name (NULL or of so many bytes with the final zero, cut to that). They are those of all samples, as
 * measured. errors: a negative status; DYN_ENOTSUP not a function on the graph. since: 0.1
 */
DYN_API int32_t dyn_objective_inside_count(dyn_objective *o);
DYN_API int32_t dyn_objective_inside(dyn_objective *o, int32_t i, int64_t *shape, char *name, int64_t bytes);
/**
 * Values of the tensors of these names [count] at theta and, unless gradients is NULL, the gradients of the loss by them,
 * in one pass. values[i], gradients[i]: room of the tensor's shape, or NULL. errors: DYN_EINVAL no such name. since: 0.1
 */
DYN_API dyn_status dyn_objective_inside_values(dyn_objective *o, const double *theta, int32_t count,
                                               const char *const *names, double *const *values, double *const *gradients);

/**
 * Hessian at theta as a linear operator of size p: H v exact. theta is copied; what depends on theta alone is computed
 * once here. The operator keeps the objective alive. since: 0.1
 */
DYN_API dyn_status dyn_objective_hessian(dyn_objective *o, const double *theta, dyn_operator **out);
/** Generalised Gauss-Newton matrix at theta, likewise. since: 0.1 */
DYN_API dyn_status dyn_objective_ggn(dyn_objective *o, const double *theta, dyn_operator **out);
/**
 * The third derivative at theta along u [p], as a symmetric operator: v -> D^3 L [u, v, .], the derivative of H(theta + e u) v
 * by e at 0, exact. With u = v an eigenvector of length 1, its image of itself is the gradient of the eigenvalue. theta and
 * u are copied. Kinks add nothing: it is that of the smooth pieces. errors: as dyn_objective_hessian; DYN_ENOTSUP
 * callbacks. since: 0.1
 */
DYN_API dyn_status dyn_objective_third_derivative(dyn_objective *o, const double *theta, const double *u,
                                                  dyn_operator **out);
/**
 * Jacobian of the outputs at theta: jacobian [n*c, p], row i*c + k is the gradient of output k of sample i. since:
 * 0.1
 */
DYN_API dyn_status dyn_objective_jacobian(dyn_objective *o, const double *theta, double *jacobian);
/**
 * The Jacobian at theta as a map of n*c rows and p columns: J v and J^T u without forming it. Not for dyn_eigen_solve, which
 * dyn_operator_gram serves. theta is copied; the map keeps the objective alive. errors: DYN_ENOTSUP not of one model's
 * outputs. since: 0.1
 */
DYN_API dyn_status dyn_objective_jacobian_map(dyn_objective *o, const double *theta, dyn_operator **out);
/**
 * Gradient of the loss of every sample: gradients [n, p]; their mean (or sum, as the options say) is the gradient
 * without l2. since: 0.1
 */
DYN_API dyn_status dyn_objective_sample_gradients(dyn_objective *o, const double *theta, double *gradients);

#ifdef __cplusplus
}
#endif
#endif
