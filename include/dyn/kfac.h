/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Fisher matrices, and their Kronecker-factored approximation layer by layer (K-FAC, arXiv 1503.05671; for convolutions
 * 1602.01407, for layers of several positions 2311.00636; EKFAC, 1806.03884).
 *
 * A layer is a weight W [in, out] with its bias b [out], which multiplies one row (a, 1) or several for every sample: a
 * dense layer, also along a sequence, or a convolution without groups. Its block of the curvature, in the order of (W;
 * b) by rows, is approximated by A x B: A [in + 1, in + 1] of what comes in, B [out, out] of the gradients by what goes
 * out. */
#ifndef DYN_KFAC_H
#define DYN_KFAC_H

#include <dyn/objective.h>

#ifdef __cplusplus
extern "C" {
#endif

/** Which gradients by the outputs go back through the layers. */
enum dyn_kfac_columns {
    DYN_KFAC_EXACT = 0,     /* a root of the loss's Hessian in the outputs, column by column: the Gauss-Newton matrix */
    DYN_KFAC_SAMPLED = 1,   /* of targets drawn from the model: the same in expectation, for many outputs */
    DYN_KFAC_EMPIRICAL = 2  /* of the targets at hand: the empirical Fisher matrix */
};

/** What is added to what before it is inverted; lambda is the damping. */
enum dyn_kfac_damping {
    DYN_KFAC_DAMP_EXACT = 0,    /* lambda to the product A x B */
    DYN_KFAC_DAMP_PI = 1,       /* pi sqrt(lambda) to A, sqrt(lambda) / pi to B, pi^2 = (tr A / size) / (tr B / size) */
    DYN_KFAC_DAMP_SQRT = 2,     /* the same with pi = 1 */
    DYN_KFAC_DAMP_FACTORS = 3   /* lambda to both */
};

typedef struct dyn_kfac_options {
    uint32_t struct_size;   /* sizeof(dyn_kfac_options); set by DYN_KFAC_OPTIONS_INIT */
    int32_t columns;        /* enum dyn_kfac_columns */
    int32_t draws;          /* DYN_KFAC_SAMPLED: so many targets for every sample, >= 1; default 1 */
    int32_t reduce;         /* 1: positions are averaged in A and summed in B, as where the network averages them; 0: each counts */
    int32_t eigenvalues;    /* 1: EKFAC: the eigenvalues of A x B replaced by the diagonal of the block in their basis */
    uint32_t reserved;      /* must be 0 */
    uint64_t seed;          /* of the draws */
} dyn_kfac_options;
#define DYN_KFAC_OPTIONS_INIT { DYN_SIZE_OF(dyn_kfac_options), DYN_KFAC_EXACT, 1, 0, 0, 0, 0 }

/** Factors of all layers. Immutable; free with dyn_kfac_free. */
typedef struct dyn_kfac dyn_kfac;

/**
 * Factors at theta: means over samples (sums where the objective sums). Exact for the last dense layer under the mean
 * squared error. l2 is no part of them. Takes a backward pass for every column: the outputs of a sample, the draws, or
 * one.
 * shape:  theta [p]. opt may be NULL.
 * errors: DYN_EINVAL; DYN_ENOTSUP a loss other than mean squared error and the (binary) cross-entropies, weights of
 * samples, a
 *         model without such layers; DYN_ENOMEM; DYN_STOPPED. since: 0.1
 */
DYN_API dyn_status dyn_kfac_create(dyn_objective *o, const double *theta, const dyn_kfac_options *opt, dyn_kfac **out);
/** Free; NULL is allowed. since: 0.1 */
DYN_API void dyn_kfac_free(dyn_kfac *k);
/** Number of layers; 0 for NULL. since: 0.1 */
DYN_API int32_t dyn_kfac_layers(const dyn_kfac *k);
/**
 * Layer i: numbers of its tensors (dyn_objective_tensor), bias -1 without one; sizes of its factors. Any may be NULL.
 * errors: DYN_EINVAL. since: 0.1
 */
DYN_API dyn_status dyn_kfac_layer(const dyn_kfac *k, int32_t i, int32_t *weight, int32_t *bias, int64_t *size_a,
                                  int64_t *size_b);
/** Factor A [size_a][size_a] or B [size_b][size_b] of layer i, borrowed; NULL out of range. since: 0.1 */
DYN_API const double *dyn_kfac_a(const dyn_kfac *k, int32_t i);
DYN_API const double *dyn_kfac_b(const dyn_kfac *k, int32_t i);
/** Eigenvalues [size_a][size_b] of layer i's block in the basis of the factors'; of EKFAC where asked for. since: 0.1 */
DYN_API const double *dyn_kfac_eigenvalues(const dyn_kfac *k, int32_t i);

/**
 * The approximation as an operator of size p; 0 on what belongs to no layer. Or the inverse of it with damping lambda >
 * 0, which is 1 / lambda there; for EKFAC the damping is exact. k may be freed.
 * errors: DYN_EINVAL, DYN_ENOMEM. since: 0.1
 */
DYN_API dyn_status dyn_kfac_operator(const dyn_kfac *k, dyn_operator **out);
DYN_API dyn_status dyn_kfac_inverse(const dyn_kfac *k, double lambda, int32_t damping, dyn_operator **out);

/**
 * The empirical Fisher matrix (1/n) sum_i g_i g_i^T of the gradients g_i of samples at theta, as an operator of size p;
 * centred 1: their covariance, less the mean's square. Holds the gradients [n, p]. It is n times as large where the
 * objective sums. (The true Fisher matrix of a loss that is a log likelihood in its natural parameters, as squared
 * errors and cross-entropies, is dyn_objective_ggn.)
 * errors: DYN_EINVAL; DYN_ENOTSUP the loss joins samples; DYN_ENOMEM. since: 0.1
 */
DYN_API dyn_status dyn_objective_empirical_fisher(dyn_objective *o, const double *theta, int32_t centred, dyn_operator **out);

#ifdef __cplusplus
}
#endif
#endif
