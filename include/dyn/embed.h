/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The embedding principle: parameters of a narrow perceptron as parameters of a wider one, or of a deeper one, that
 * computes the same and is critical where the narrow one is (arXiv 2105.14573, 2111.15527, 2205.13283). */
#ifndef DYN_EMBED_H
#define DYN_EMBED_H

#include <dyn/model.h>

#ifdef __cplusplus
extern "C" {
#endif

/**
 * Embed theta [p] of a narrow perceptron in a wide one of the same depth, activations and biases: out [p of the wide one].
 * Outputs are the same for every input; for every loss the gradient vanishes where the narrow one's does.
 *
 * map:    for the neurons of all hidden layers of the wide network, layer after layer, the neuron of the narrow layer that
 *         each stands for, from 0; -1 = none. Each narrow neuron has one at least.
 * share:  likewise, each neuron's part of what the one it stands for gives, any numbers that sum to 1 for each narrow
 *         neuron; of those that stand for none not read. NULL = equal parts.
 * spread: 0: splitting and null neurons (copies of the weights in, parts of the weights out; zeros). Above 0: the general
 *         compatible embedding, with a random part of this standard deviation as free as the conditions let it be.
 * errors: DYN_EINVAL no perceptron, an antisymmetric one or one with skip connections; other activations or biases; map,
 *         share, spread; null neurons whose output no bias takes away; DYN_ESHAPE; DYN_ENOMEM.
 * thread-safety: theta, map and share are read. since: 0.1
 */
DYN_API dyn_status dyn_embed_width(const dyn_model *narrow, const double *theta, const dyn_model *wide, const int64_t *map,
                                   const double *share, double spread, uint64_t seed, double *out);

/**
 * Embed theta [p] of a shallow perceptron in one with one hidden layer more: out [p of the deep one]. The extra layer,
 * `layer` of the deep network counted from 1, is affine on the samples x [n, inputs], so that outputs on them are the same
 * and a gradient that vanishes stays so. It is at least as wide as the layer before it or the one behind it.
 *
 * epsilon: above 0. ReLU, leaky ReLU, ELU: samples stay clear of the bend by this part of the largest; exact. Identity:
 *          unused; exact. Others with a slope at 0: weights of this size, so that the error is of order epsilon^2 (tanh,
 *          erf, sin, sigmoid) or epsilon.
 * seed:    of the orthonormal weights of the extra layer.
 * errors:  as dyn_embed_width; DYN_EINVAL an activation that is affine nowhere, layers without biases. since: 0.1
 */
DYN_API dyn_status dyn_embed_depth(const dyn_model *shallow, const double *theta, const dyn_model *deep, int32_t layer,
                                   int64_t n, const double *x, double epsilon, uint64_t seed, double *out);

#ifdef __cplusplus
}
#endif
#endif
