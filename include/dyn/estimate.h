/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Estimates from random probes of a symmetric operator: trace, diagonal, norm, spectral density and sums over it. Each comes with its standard
 * error over the probes. Probes are numbered draws of the seed: more of them extend the same sample. */
#ifndef DYN_ESTIMATE_H
#define DYN_ESTIMATE_H

#include <dyn/operator.h>

#ifdef __cplusplus
extern "C" {
#endif

/** How a trace is estimated. */
enum dyn_trace_method {
    DYN_TRACE_HUTCHPP = 0,      /* exact on a random subspace from a third of the products, sampled on the rest */
    DYN_TRACE_HUTCHINSON = 1,   /* mean of z^T A z over random signs z */
    DYN_TRACE_XTRACE = 2        /* Hutch++ with every vector once as the sample, the others as the subspace */
};

typedef struct dyn_trace_options {
    uint32_t struct_size;   /* sizeof(dyn_trace_options); set by DYN_TRACE_OPTIONS_INIT */
    int32_t method;         /* enum dyn_trace_method */
    int64_t products;       /* products to spend; at least 2; 6 for Hutch++, 4 for XTrace */
    uint64_t seed;
} dyn_trace_options;
#define DYN_TRACE_OPTIONS_INIT { DYN_SIZE_OF(dyn_trace_options), DYN_TRACE_HUTCHPP, 60, 0 }

/**
 * Estimate the trace, without bias.
 *
 * opt may be NULL. standard_error may be NULL. With products >= size the diagonal is read off with size products: the
 * trace is exact, its error 0. Else the error is that of the mean of the samples, and where they all agree, which may
 * be chance, what their number and the size of the products allow.
 * errors: DYN_EINVAL, DYN_EABI_*, DYN_ENOMEM, and those of the products.   since: 0.1
 */
DYN_API dyn_status dyn_operator_trace(dyn_operator *A, const dyn_trace_options *opt, double *trace,
                                      double *standard_error);

/**
 * Estimate the diagonal: the mean of z * (A z), elementwise, over probes vectors z of random signs.
 *
 * shape:  diagonal [size], standard_error [size] or NULL.   probes >= 2.
 * errors: as dyn_operator_trace.   since: 0.1
 */
DYN_API dyn_status dyn_operator_diagonal(dyn_operator *A, int64_t probes, uint64_t seed, double *diagonal,
                                         double *standard_error);

/**
 * Spectral density by stochastic Lanczos quadrature: each probe gives nodes (near eigenvalues) and weights, which
 * sum to 1 over one probe. The mean over probes of sum_i weight_i f(node_i) estimates trace f(A) / size, for any
 * smooth f.
 *
 * shape:  nodes [probes][steps], weights [probes][steps]; nodes ascend within a probe. steps in [1, size]; probes *
 *         steps products. Where a Krylov space is exhausted early the remaining nodes have weight 0.
 * errors: as dyn_operator_trace.   since: 0.1
 */
DYN_API dyn_status dyn_operator_density(dyn_operator *A, int64_t probes, int64_t steps, uint64_t seed, double *nodes,
                                        double *weights);

/**
 * The density as a curve: each node broadened to a Gaussian of standard deviation width, mean and standard error
 * over the probes at each place of the grid. Integrates to 1.
 *
 * shape:  nodes, weights [probes][steps] as dyn_operator_density gives them; grid [count]; density [count];
 *         standard_error [count] or NULL (0 for one probe).
 * units:  width and grid as eigenvalues, density their inverse.
 * errors: DYN_EINVAL.   since: 0.1
 */
DYN_API dyn_status dyn_density_curve(dyn_ctx *ctx, int64_t probes, int64_t steps, const double *nodes,
                                     const double *weights,
                                     double width, int64_t count, const double *grid, double *density,
                                     double *standard_error);

/** A function of an eigenvalue. */
typedef double (*dyn_spectral_fn)(void *user, double value);

/**
 * tr f(A), the sum of f over all eigenvalues, from nodes and weights of dyn_operator_density: size times the mean over
 * probes of sum_i weight_i f(node_i). Exact, for each probe's vector, where f is a polynomial of degree below 2 steps.
 *
 * shape:  nodes, weights [probes][steps]; size: rows of A.   *standard_error (or NULL): over the probes.
 *         f NULL: the nodes themselves are summed, which gives the trace, or any sum where they are values of f.
 * errors: DYN_EINVAL; DYN_ENONFINITE f is not finite on a node.   since: 0.1
 */
DYN_API dyn_status dyn_density_sum(dyn_ctx *ctx, int64_t probes, int64_t steps, const double *nodes,
                                   const double *weights, int64_t size, dyn_spectral_fn f, void *user, double *sum,
                                   double *standard_error);

/**
 * The effective dimension in this way: sum of h / (h + damping) over the eigenvalues h, negative ones counting as 0.
 *
 * errors: DYN_EINVAL (damping is not positive), as dyn_density_sum.   since: 0.1
 */
DYN_API dyn_status dyn_density_effective_dimension(dyn_ctx *ctx, int64_t probes, int64_t steps, const double *nodes,
                                                   const double *weights, int64_t size, double damping, double *dimension,
                                                   double *standard_error);

/**
 * Share of the eigenvalues below -tolerance in this way, in [0, 1]. A cluster of eigenvalues at the bound falls to either side,
 * which no standard error shows: take a tolerance above the size of the bulk at 0.
 *
 * errors: DYN_EINVAL (tolerance is not finite), as dyn_density_sum.   since: 0.1
 */
DYN_API dyn_status dyn_density_negative_share(dyn_ctx *ctx, int64_t probes, int64_t steps, const double *nodes,
                                              const double *weights, double tolerance, double *share,
                                              double *standard_error);

/**
 * Frobenius norm of an operator of any shape: the root of the mean of |A z|^2 over vectors z of random signs, probes products.
 *
 * probes >= 2.   standard_error may be NULL.   errors: DYN_EINVAL, DYN_ENOMEM, those of the products.   since: 0.1
 */
DYN_API dyn_status dyn_operator_frobenius(dyn_operator *A, int64_t probes, uint64_t seed, double *norm,
                                          double *standard_error);

/**
 * Stable rank |A|_F^2 / |A|_2^2 of a symmetric operator: the Frobenius norm in this way, over the eigenvalue of largest
 * magnitude, found to tolerance as dyn_eigen_solve does. The standard error holds both; the rank of a zero operator is 0.
 *
 * return: DYN_NOT_CONVERGED as dyn_eigen_solve: the rank may then be too large.   errors: of both.   since: 0.1
 */
DYN_API dyn_status dyn_operator_stable_rank(dyn_operator *A, int64_t probes, double tolerance, uint64_t seed, double *rank,
                                            double *standard_error);

/**
 * log det (A + shift) of a positive definite matrix, in this way.
 *
 * errors: as dyn_operator_density; DYN_EINVAL a node is not above -shift: the matrix is not positive definite. since: 0.1
 */
DYN_API dyn_status dyn_operator_log_determinant(dyn_operator *A, double shift, int64_t probes, int64_t steps,
                                                uint64_t seed, double *value, double *standard_error);

#ifdef __cplusplus
}
#endif
#endif
