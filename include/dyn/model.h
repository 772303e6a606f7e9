/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Models: recipes that write a network into a graph for any number of samples. Parameters form one vector theta of
 * named tensors. Theta is passed as double everywhere at the edges, also for models trained in float32.
 *
 * A model is immutable and reference counted; any thread may read it. */
#ifndef DYN_MODEL_H
#define DYN_MODEL_H

#include <dyn/build.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct dyn_model dyn_model;

/** Activation functions; multiplicity p as in arXiv 2105.11686. Values never change. */
enum dyn_activation {
    DYN_IDENTITY = 0,
    DYN_TANH = 1,
    DYN_RELU = 2,
    DYN_LEAKY_RELU = 3,     /* slope 0.01 below 0 */
    DYN_SIGMOID = 4,
    DYN_GELU = 5,           /* x Phi(x) by erf */
    DYN_GELU_TANH = 6,      /* its tanh form */
    DYN_SILU = 7,           /* x sigmoid(x) */
    DYN_SOFTPLUS = 8,
    DYN_ELU = 9,            /* alpha 1 */
    DYN_SIN = 10,
    DYN_X_TANH = 11,        /* x tanh(x), p = 2 */
    DYN_X2_TANH = 12,       /* x^2 tanh(x), p = 3 */
    DYN_SQUARE = 13,
    DYN_CUBE = 14,
    DYN_ERF = 15
};

/** Write activation (enum dyn_activation) of x. since: 0.1 */
DYN_API dyn_node dyn_graph_activation(dyn_graph *g, int32_t activation, dyn_node x);

/**
 * How one parameter tensor is drawn. fan_in, fan_out: sizes a weight sums over and feeds (its last axis); a bias has
 * those of its layer. Values never change.
 */
enum dyn_init {
    DYN_INIT_DEFAULT = 0,   /* uniform +-scale/sqrt(fan_in): weights and biases as PyTorch's Linear */
    DYN_INIT_NORMAL = 1,    /* normal, std = scale */
    DYN_INIT_UNIFORM = 2,   /* uniform in +-scale */
    DYN_INIT_POWER = 3,     /* normal, std = fan_in^-gamma, gamma = scale; 2205-2405 papers' "initialisation rate" */
    DYN_INIT_LECUN = 4,     /* normal, std = scale/sqrt(fan_in) */
    DYN_INIT_XAVIER = 5,    /* normal, std = scale*sqrt(2/(fan_in+fan_out)) */
    DYN_INIT_XAVIER_UNIFORM = 6,    /* uniform in +-scale*sqrt(6/(fan_in+fan_out)) */
    DYN_INIT_HE = 7,        /* normal, std = scale*sqrt(2/fan_in) */
    DYN_INIT_ORTHOGONAL = 8,    /* rows or columns (the fewer) orthonormal, times scale; biases 0 */
    DYN_INIT_ZERO = 9,
    DYN_INIT_WIDTH_POWER = 10,  /* normal, std = m^-gamma, m = widest hidden width, gamma = scale */
    DYN_INIT_CONSTANT = 11,     /* every element = scale: gains 1, shifts 0 */
    DYN_INIT_IDENTITY = 12,     /* weights scale times the identity [in, out], of a convolution at its middle; biases 0 */
    DYN_INIT_UNIFORM_POWER = 13,    /* uniform in +-(6/fan_in)^s, s = scale (arXiv 2405.15302) */
    DYN_INIT_AS_WEIGHTS = 14    /* of biases only, their default: as the weights of their layer */
};

/** Tensors that are drawn in a way of their own; the last group that takes a tensor counts. */
typedef struct dyn_init_group {
    const char *pattern;    /* of names of tensors, as fnmatch(3) has it: "layer1.*", "*.Wq" */
    int32_t kind;           /* enum dyn_init */
    int32_t reserved;       /* must be 0 */
    double scale;           /* as dyn_init_options.scale */
} dyn_init_group;

typedef struct dyn_init_options {
    uint32_t struct_size;   /* sizeof(dyn_init_options); set by DYN_INIT_OPTIONS_INIT */
    int32_t kind;           /* enum dyn_init, for all weights and, unless bias_kind says otherwise, biases */
    double scale;           /* see enum dyn_init */
    int32_t bias_kind;      /* enum dyn_init for biases; DYN_INIT_AS_WEIGHTS = as kind */
    int32_t layers;         /* how many entries layer_scale has: all layers of the model; 0 = scale for all */
    double bias_scale;      /* with a bias_kind of their own */
    const double *layer_scale;  /* [layers] scale of each layer, overrides scale; NULL with layers = 0 */
    uint64_t seed;
    const dyn_init_group *groups;   /* [groups_count]; they count for tensors with an initialisation of their own, too */
    int32_t groups_count;   /* default 0 */
    uint32_t reserved;      /* must be 0 */
} dyn_init_options;
#define DYN_INIT_OPTIONS_INIT \
    { DYN_SIZE_OF(dyn_init_options), DYN_INIT_DEFAULT, 1.0, DYN_INIT_AS_WEIGHTS, 0, 1.0, NULL, 0, NULL, 0, 0 }

/**
 * What stands before the layers of a perceptron, and how its tensors are drawn: h_l = sigma_l(c_l (h_{l-1} W_l + b_l)), W_l
 * and b_l normal of std s_l. m is a layer's width, fan its fan_in. Values never change.
 */
enum dyn_parametrisation {
    DYN_PARAMETRISATION_STANDARD = 0,   /* c_l as given, 1 by default; drawn as dyn_model_initialise's options say */
    DYN_PARAMETRISATION_NTK = 1,        /* c = 1/sqrt(fan), s = 1 */
    DYN_PARAMETRISATION_MEAN_FIELD = 2, /* c = 1 in the first layer, else 1/fan; s = 1 */
    DYN_PARAMETRISATION_MUP = 3,        /* first layer c = sqrt(m), s = 1/sqrt(m); others s = 1/sqrt(fan), the last c = s */
    /* kappa = m^-gamma, kappa' = m^-gamma', m the first hidden width. Two layers (arXiv 2007.07497): c = sqrt(kappa'), s =
       1/c, then c = kappa/sqrt(kappa'), s = sqrt(kappa'): gradient descent is that of the normalised model, whose weights
       are c/s times these. Other depths (arXiv 2205.12101): gamma' = 0, s = 1, the last c = kappa */
    DYN_PARAMETRISATION_NORMALISED = 4
};

typedef struct dyn_perceptron_options {
    uint32_t struct_size;       /* sizeof(dyn_perceptron_options); set by DYN_PERCEPTRON_OPTIONS_INIT */
    int32_t widths_count;       /* layers + 1: input, hidden..., output */
    const int64_t *widths;      /* [widths_count] */
    int32_t activation;         /* enum dyn_activation of the hidden layers */
    int32_t no_bias;            /* 1: no biases at all */
    /* [widths_count - 1] per layer, the output layer's last (identity by default); NULL = activation */
    const int32_t *activations;
    const int32_t *bias;        /* [widths_count - 1] per layer 0 or 1; NULL = by no_bias and no_output_bias */
    int32_t no_output_bias;     /* 1: none in the output layer */
    /* 1: f = f1 - f2 of two copies started equal, so f = 0 at the start; theta holds both, copy 1 first */
    int32_t antisymmetric;
    /* kappa: f = kappa * network, not 0. The normalised two-layer form is one hidden layer with kappa */
    double output_scale;
    int32_t parametrisation;    /* enum dyn_parametrisation */
    int32_t skip;               /* 1: a hidden layer as wide as the one before adds its input, h_l = sigma(..) + h_{l-1} */
    const double *multipliers;  /* [widths_count - 1] c_l of the standard parametrisation; NULL = 1 */
    double gamma;               /* of DYN_PARAMETRISATION_NORMALISED */
    double gamma_prime;         /* likewise */
    double dropout;             /* chance that an output of a hidden layer is dropped in training, in [0, 1] */
} dyn_perceptron_options;
#define DYN_PERCEPTRON_OPTIONS_INIT \
    { DYN_SIZE_OF(dyn_perceptron_options), 0, NULL, DYN_TANH, 0, NULL, NULL, 0, 0, 1.0, \
      DYN_PARAMETRISATION_STANDARD, 0, NULL, 0.0, 0.0, 0.0 }

/**
 * A perceptron of any depth: h_0 = x, h_l = sigma_l(c_l (h_{l-1} W_l + b_l)). x [n, widths[0]], f [n, widths[last]].
 * Parameters, in this order per layer l = 1..: "W<l>" [widths[l-1], widths[l]], "b<l>" [widths[l]] (copies: "W<l>.2",
 * "b<l>.2").
 * errors: DYN_EINVAL, DYN_ESHAPE, DYN_ENOMEM, DYN_EABI_*. since: 0.1
 */
DYN_API dyn_status dyn_model_perceptron(dyn_ctx *ctx, const dyn_perceptron_options *opt, dyn_model **out);
/** dyn_model_perceptron with all other options at their defaults; widths [widths_count]. errors: as there. since: 0.1 */
DYN_API dyn_status dyn_model_mlp(dyn_ctx *ctx, int32_t widths_count, const int64_t *widths, int32_t activation,
                                 dyn_model **out);

/**
 * A model of the caller's own making: build writes it, with any number of inputs (see <dyn/build.h>). It is run here once
 * for one sample, which declares inputs, tensors and states; user must live as long as the model.
 * errors: DYN_EINVAL; DYN_EUSER build made no parameter, no input or no node; what build returned; DYN_ENOMEM.
 * since: 0.1
 */
DYN_API dyn_status dyn_model_create(dyn_ctx *ctx, dyn_build_fn build, void *user, dyn_model **out);

/** Writes a network of the one input x [n, input shape] into g with dyn_graph_*; returns the node f [n, ...]. */
typedef dyn_node (*dyn_model_build_fn)(void *user, dyn_graph *g, dyn_node x);
/**
 * dyn_model_create for one input called "x", of which input_shape is the shape of one sample.
 * errors: as dyn_model_create; DYN_ESHAPE. since: 0.1
 */
DYN_API dyn_status dyn_model_from_callback(dyn_ctx *ctx, dyn_model_build_fn build, void *user, int32_t input_rank,
                                           const int64_t *input_shape, dyn_model **out);

/**
 * The model with some tensors fixed at their values in theta [p]: those whose names match a pattern of the shell ("W*",
 * "*.gain"). It has fewer parameters, in m's order, so that what is frozen has no gradient, no moments, no decay and no
 * part in any curvature. m is referenced, theta copied.
 * errors: DYN_EINVAL a pattern matches nothing, or the patterns everything; DYN_ENOMEM. since: 0.1
 */
DYN_API dyn_status dyn_model_freeze(dyn_model *m, int32_t count, const char *const *patterns, const double *theta,
                                    dyn_model **out);
/**
 * The model with states that begin at these values, one after the other: states [dyn_model_state_size], copied. m is
 * referenced. errors: DYN_EINVAL; DYN_ENOMEM. since: 0.1
 */
DYN_API dyn_status dyn_model_with_states(dyn_model *m, const double *states, dyn_model **out);
/**
 * The model less what it gives at theta [p]: f(x; .) - f(x; theta), which is 0 at the start where theta is the start. It has
 * m's parameters. m is referenced, theta copied. errors: DYN_EINVAL; DYN_ENOTSUP a model with states; DYN_ENOMEM.
 * since: 0.1
 */
DYN_API dyn_status dyn_model_centre(dyn_model *m, const double *theta, dyn_model **out);
/**
 * Between the parameters theta [p] of a model made by dyn_model_freeze and those of the whole model, frozen ones included.
 * errors: DYN_EINVAL another model. since: 0.1
 */
DYN_API dyn_status dyn_model_expand(const dyn_model *m, const double *theta, double *whole);
DYN_API dyn_status dyn_model_contract(const dyn_model *m, const double *whole, double *theta);

/** One more reference; returns m. since: 0.1 */
DYN_API dyn_model *dyn_model_ref(dyn_model *m);
/** NULL is allowed. since: 0.1 */
DYN_API void dyn_model_unref(dyn_model *m);
/** Number of parameters p. since: 0.1 */
DYN_API int64_t dyn_model_size(const dyn_model *m);
/** Number of parameter tensors. since: 0.1 */
DYN_API int32_t dyn_model_tensors(const dyn_model *m);
/** Name of tensor i, borrowed; NULL when out of range. since: 0.1 */
DYN_API const char *dyn_model_tensor_name(const dyn_model *m, int32_t i);
/** Rank of tensor i; shape (NULL or [DYN_MAX_RANK]) and offset in theta (NULL or one number) are filled. since: 0.1 */
DYN_API int32_t dyn_model_tensor(const dyn_model *m, int32_t i, int64_t *shape, int64_t *offset);
/** Number of inputs; name of input i, borrowed, NULL when out of range. since: 0.1 */
DYN_API int32_t dyn_model_inputs(const dyn_model *m);
DYN_API const char *dyn_model_input_name(const dyn_model *m, int32_t i);
/** Rank of input i for one sample; shape (NULL or [DYN_MAX_RANK]) and dtype (NULL; DYN_F64 or DYN_I64) are filled.
 * since: 0.1 */
DYN_API int32_t dyn_model_input(const dyn_model *m, int32_t i, int64_t *shape, int32_t *dtype);
/** Rank of the output of one sample; shape (NULL or [DYN_MAX_RANK]) is filled. since: 0.1 */
DYN_API int32_t dyn_model_output(const dyn_model *m, int64_t *shape);
/** Number of state tensors; name of state i, borrowed, NULL when out of range. since: 0.1 */
DYN_API int32_t dyn_model_states(const dyn_model *m);
DYN_API const char *dyn_model_state_name(const dyn_model *m, int32_t i);
/** Rank of state i; shape (NULL or [DYN_MAX_RANK]) is filled. since: 0.1 */
DYN_API int32_t dyn_model_state(const dyn_model *m, int32_t i, int64_t *shape);
/** Numbers in all state tensors together. since: 0.1 */
DYN_API int64_t dyn_model_state_size(const dyn_model *m);
/** All states as they are at the start, one after the other: states [dyn_model_state_size]. since: 0.1 */
DYN_API dyn_status dyn_model_initial_states(const dyn_model *m, double *states);
/** Size of the first input of one sample, and of the output. since: 0.1 */
DYN_API int64_t dyn_model_input_size(const dyn_model *m);
DYN_API int64_t dyn_model_output_size(const dyn_model *m);
/**
 * Write a model of one input into g applied to x [n, input shape], as it measures; returns f [n, output shape], or a
 * negative status. Once per graph, as names are unique; states are inputs of the graph.
 * errors: DYN_EINVAL; DYN_ESHAPE x; DYN_EUSER a callback made other parameters or outputs than before; DYN_ENOMEM.
 * since: 0.1
 */
DYN_API dyn_node dyn_model_build(const dyn_model *m, dyn_graph *g, dyn_node x);
/**
 * Draw theta. Element k of tensor i is a function of (seed, i, k) and the options only. The second copy of an
 * antisymmetric model gets the numbers of the first. In a callback's model, tensors of rank 2 or more are weights,
 * each beginning a layer, and the others biases of the layer before.
 *
 * shape:  theta [p].   opt may be NULL.
 * errors: DYN_EINVAL a kind or scale out of its range, a group that takes no tensor; DYN_ESHAPE layers; DYN_ENONFINITE a power overflows;
 * DYN_ENOMEM; DYN_EABI_*.
 * since:  0.1
 */
DYN_API dyn_status dyn_model_initialise(const dyn_model *m, const dyn_init_options *opt, double *theta);

#ifdef __cplusplus
}
#endif
#endif
