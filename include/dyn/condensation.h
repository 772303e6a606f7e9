/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Condensation: how far the neurons of a layer have gathered in a few directions. The feature of a neuron is its input
 * weight with its bias as last component; the features of a layer form a matrix of one row per neuron. From it come
 * the cosines between neurons, an order that shows groups as blocks, clusters by angle, the share of every direction
 * in the amplitude, and the alignment with a given direction (arXiv 2007.07497, 2105.11686, 2207.05952). */
#ifndef DYN_CONDENSATION_H
#define DYN_CONDENSATION_H

#include <dyn/model.h>

#ifdef __cplusplus
extern "C" {
#endif

/** What the amplitude of a neuron is. w: its feature; a: its output weights, of any number of outputs. */
enum dyn_amplitude {
    DYN_AMPLITUDE_DEFAULT = 0,  /* product where output weights are given, else norm */
    DYN_AMPLITUDE_PRODUCT = 1,  /* |a| |w| */
    DYN_AMPLITUDE_NORM = 2      /* |w| */
};

typedef struct dyn_condensation_options {
    uint32_t struct_size;   /* sizeof(dyn_condensation_options); set by DYN_CONDENSATION_OPTIONS_INIT */
    int32_t join_opposite;  /* 1: w and -w are one direction (lines); 0: two (orientations) */
    int32_t amplitude;      /* enum dyn_amplitude */
    uint32_t reserved;      /* must be 0 */
    double threshold;       /* a neuron joins a leader when their cosine is above; in [0, 1) */
    double min_share;       /* a cluster counts as a direction from this share of amplitude on; in [0, 1] */
    double dead;            /* a neuron is dead up to this times the largest amplitude; in [0, 1) */
} dyn_condensation_options;
#define DYN_CONDENSATION_OPTIONS_INIT \
    { DYN_SIZE_OF(dyn_condensation_options), 0, DYN_AMPLITUDE_DEFAULT, 0, 0.95, 0.01, 1e-3 }

/** What was found in one layer. Immutable; free with dyn_condensation_free. thread: may be read from any. */
typedef struct dyn_condensation dyn_condensation;

/* ---- features ---- */

/**
 * Sizes of the features of a layer: that with the tensors "W<layer>" [in, out] and, if the model has it, "b<layer>".
 *
 * shape:  *neurons = out; *components = in, plus 1 with a bias; *outputs = columns of "W<layer+1>", 0 without one.
 * errors: DYN_EINVAL no such layer, with the name looked for; DYN_ESHAPE the tensors do not fit together.   since: 0.1
 */
DYN_API dyn_status dyn_condensation_shape(const dyn_model *m, int32_t layer, int64_t *neurons, int64_t *components,
                                          int64_t *outputs);

/**
 * Features and output weights of a layer. Of an antisymmetric pair the first copy is taken.
 *
 * shape:  theta [p]; features [neurons][components], the bias last; output_weights [neurons][outputs] or NULL.
 * errors: as dyn_condensation_shape.   since: 0.1
 */
DYN_API dyn_status dyn_condensation_features(const dyn_model *m, const double *theta, int32_t layer, double *features,
                                             double *output_weights);

/* ---- the measurement ---- */

/**
 * Measure a layer.
 *
 * Clusters are made greedily: the neuron of largest amplitude that has none leads the next cluster, and all those
 * without one whose cosine with it is above the threshold join it. Dead neurons and those of norm zero stay outside.
 *
 * shape:  features [neurons][components]; output_weights [neurons][outputs], NULL with outputs = 0.
 * owner:  *out is the caller's, NULL after an error. opt may be NULL.
 * errors: DYN_EINVAL (sizes, an option out of range, a number that is not finite), DYN_EABI_*, DYN_ENOMEM.   since: 0.1
 */
DYN_API dyn_status dyn_condensation_measure(dyn_ctx *ctx, int64_t neurons, int64_t components, const double *features,
                                            int64_t outputs, const double *output_weights,
                                            const dyn_condensation_options *opt, dyn_condensation **out);

/** Free; NULL is allowed. since: 0.1 */
DYN_API void dyn_condensation_free(dyn_condensation *c);

/** Rows of the features. All numbers here are 0 and all arrays NULL for NULL. since: 0.1 */
DYN_API int64_t dyn_condensation_neurons(const dyn_condensation *c);
/** Columns of the features. since: 0.1 */
DYN_API int64_t dyn_condensation_components(const dyn_condensation *c);
/** The options used, with the defaults filled in. Borrowed, as all arrays here. since: 0.1 */
DYN_API const dyn_condensation_options *dyn_condensation_settings(const dyn_condensation *c);

/** Norm of every feature [neurons]. since: 0.1 */
DYN_API const double *dyn_condensation_norms(const dyn_condensation *c);
/** Amplitude of every neuron [neurons]. since: 0.1 */
DYN_API const double *dyn_condensation_amplitudes(const dyn_condensation *c);
/** Number of features that are exactly zero: they have no direction. since: 0.1 */
DYN_API int64_t dyn_condensation_zeros(const dyn_condensation *c);
/** Number of dead neurons, those of norm zero among them. since: 0.1 */
DYN_API int64_t dyn_condensation_dead(const dyn_condensation *c);

/** Cluster of every neuron [neurons], -1 for the dead. since: 0.1 */
DYN_API const int64_t *dyn_condensation_assignment(const dyn_condensation *c);
/** Number of clusters, small ones included. They are numbered by share, the largest first. since: 0.1 */
DYN_API int64_t dyn_condensation_clusters(const dyn_condensation *c);
/** Neurons of every cluster [clusters]. since: 0.1 */
DYN_API const int64_t *dyn_condensation_sizes(const dyn_condensation *c);
/** Share of every cluster in the amplitude of the living neurons [clusters]; they sum to 1. since: 0.1 */
DYN_API const double *dyn_condensation_shares(const dyn_condensation *c);
/** Mean direction of every cluster, weighted by amplitude, norm 1 [clusters][components]. since: 0.1 */
DYN_API const double *dyn_condensation_directions(const dyn_condensation *c);
/** The smallest cosine between the mean direction and a member of the cluster [clusters]. since: 0.1 */
DYN_API const double *dyn_condensation_tightness(const dyn_condensation *c);
/** Number of directions: clusters with at least min_share of the amplitude. since: 0.1 */
DYN_API int64_t dyn_condensation_effective(const dyn_condensation *c);
/** exp of the entropy of the shares: the number of equal clusters that would be as spread. since: 0.1 */
DYN_API double dyn_condensation_entropy_count(const dyn_condensation *c);

/**
 * Order of the neurons that shows groups as blocks of the cosine matrix [neurons]: by the components of its leading
 * eigenvector, ascending; features of norm zero last. The sign of the vector is chosen so that its components sum to a
 * positive number. since: 0.1
 */
DYN_API const int64_t *dyn_condensation_order(const dyn_condensation *c);
/**
 * Leading eigenvalue of the cosine matrix over the number of features that are not zero: 1 when all lie on one line.
 * residual and converged (both may be NULL) say how well it is known. since: 0.1
 */
DYN_API double dyn_condensation_leading(const dyn_condensation *c, double *residual, int32_t *converged);

/**
 * The cosine matrix.
 *
 * shape:  cosines [neurons][neurons], symmetric, with ones on the diagonal; rows and columns of zero features are 0.
 *         ordered = 1: rows and columns in the order of dyn_condensation_order.
 * errors: DYN_EINVAL, DYN_ENOMEM.   since: 0.1
 */
DYN_API dyn_status dyn_condensation_cosines(const dyn_condensation *c, int32_t ordered, double *cosines);

/**
 * Effective ratio: how many of the neurons' own directions are needed so that every neuron has a cosine above threshold
 * with one of them, over the number of neurons. Greedy, as the least number is hard to find: each step takes the
 * direction that covers most. Zero features do not count. threshold is in [0, 1); join_opposite acts.
 *
 * errors: DYN_EINVAL, DYN_ENOMEM. Takes neurons^2 bits of memory.   since: 0.1
 */
DYN_API dyn_status dyn_condensation_cover(const dyn_condensation *c, double threshold, int64_t *directions,
                                          double *ratio);

/* ---- directions ---- */

/**
 * Alignment with the direction z: ratio = |(w_k . z)_k| / (|W| |z|), 1 when every feature is parallel to z, and
 * 1/sqrt(components) on average for random ones.
 *
 * shape:  z [components]; cosines [neurons] or NULL receives w_k . z / (|w_k| |z|), 0 for zero features.
 * errors: DYN_EINVAL z is zero or not finite.   since: 0.1
 */
DYN_API dyn_status dyn_condensation_alignment(const dyn_condensation *c, const double *z, double *ratio,
                                              double *cosines);

/**
 * Orientation of features of two components (weight, bias): atan2(bias, weight) in [-pi, pi).
 *
 * shape:  angles [neurons]; a zero feature gets 0.   units: radian.
 * errors: DYN_ESHAPE components is not 2.   since: 0.1
 */
DYN_API dyn_status dyn_condensation_orientation(const dyn_condensation *c, double *angles);

/**
 * Histogram of the orientation, weighted by amplitude, over bins of equal width on [-pi, pi).
 *
 * shape:  mass [bins], sums to 1; bins = 0 means 64. top_mass (or NULL) receives the sum of the `top` largest ones.
 * errors: DYN_ESHAPE components is not 2; DYN_EINVAL bins or top is negative, or the whole amplitude is 0.   since: 0.1
 */
DYN_API dyn_status dyn_condensation_histogram(const dyn_condensation *c, int64_t bins, int64_t top, double *mass,
                                              double *top_mass);

/**
 * The direction z = (1/n) sum_i y_i x_i along which neurons gather first from a small start, for an odd activation.
 *
 * shape:  x [samples][inputs], y [samples], z [inputs], or [inputs + 1] with bias = 1, where x is followed by a 1.
 * errors: DYN_EINVAL (sizes, a number that is not finite).   since: 0.1
 */
DYN_API dyn_status dyn_condensation_data_direction(dyn_ctx *ctx, int64_t samples, int64_t inputs, const double *x,
                                                   const double *y, int32_t bias, double *z);

/* ---- change over training and over width ---- */

/**
 * Relative distance |w - w0| / |w0|.
 *
 * shape:  w, w0 [n].   errors: DYN_EINVAL (n < 1, w0 is zero, a number that is not finite).   since: 0.1
 */
DYN_API dyn_status dyn_condensation_distance(dyn_ctx *ctx, int64_t n, const double *w, const double *w0,
                                             double *distance);

/**
 * Slope of the least-squares line of ln y on ln m: below 0 the linear regime, above 0 the condensed one.
 *
 * shape:  m, y [n], positive; standard_error (or NULL) is that of the slope, 0 for n = 2.
 * errors: DYN_EINVAL (n < 2, a number that is not positive, all m equal).   since: 0.1
 */
DYN_API dyn_status dyn_condensation_slope(dyn_ctx *ctx, int64_t n, const double *m, const double *y, double *slope,
                                          double *standard_error);

#ifdef __cplusplus
}
#endif
#endif
