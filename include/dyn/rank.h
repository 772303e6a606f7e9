/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Model rank: how many directions of parameter space change the function, the dimension of the span of df/dtheta_i. It
 * is the rank of the Jacobian of the outputs at enough inputs, and at given inputs the empirical rank; where the two
 * agree a global minimum is linearly stable, which is when so many samples are enough to recover a function
 * (arXiv 2211.11623, 2307.08921). A numerical rank is a judgement: it comes with the singular values, the tolerance and
 * the gap at the cut. */
#ifndef DYN_RANK_H
#define DYN_RANK_H

#include <dyn/model.h>
#include <dyn/operator.h>

#ifdef __cplusplus
extern "C" {
#endif

/** Where the singular values s_1 >= s_2 >= ... are cut. */
enum dyn_rank_rule {
    DYN_RANK_TOLERANCE = 0, /* s_k > tolerance * s_1: for parameters that are exact by construction */
    DYN_RANK_GAP = 1        /* the largest ratio s_k / s_(k+1): for trained parameters. Values below eps * s_1, which is
                               rounding, count as eps * s_1. No ratio of 10 or more: all */
};

typedef struct dyn_rank_options {
    uint32_t struct_size;   /* sizeof(dyn_rank_options); set by DYN_RANK_OPTIONS_INIT */
    int32_t rule;           /* enum dyn_rank_rule that dyn_rank_value follows; both are computed */
    double tolerance;       /* relative to s_1; 0 = chosen: 10 eps sqrt(rows or columns, the larger), dyn_rank_operator
                               1e-10; in (0, 1) */
    int64_t probes;         /* dyn_rank_model: random inputs; 0 = chosen: max(2p, p + 32). dyn_rank_operator: vectors that test
                               what is left; 0 = chosen: 10 */
    double probe_std;       /* dyn_rank_model: their standard deviation. Take 4 for one-dimensional inputs */
    uint64_t seed;          /* dyn_rank_model: of the inputs; dyn_rank_operator: of the random vectors */
    int64_t memory_limit;   /* dyn_rank_model, dyn_rank_at: bytes, met by tiles of samples; dyn_rank_operator: by fewer
                               directions; 0 = none */
} dyn_rank_options;
#define DYN_RANK_OPTIONS_INIT { DYN_SIZE_OF(dyn_rank_options), DYN_RANK_TOLERANCE, 0.0, 0, 1.0, 0, 0 }

/** A rank with its evidence. Immutable; free with dyn_rank_free. thread: may be read from any. */
typedef struct dyn_rank dyn_rank;

/**
 * Rank of a Jacobian. Columns are first scaled to length 1, and those that are exactly zero dropped, as parameters
 * have no common unit. The singular values come from dyn_dense_svd_values. Where, with what these may be off, a cut could
 * fall elsewhere, they are taken again from the route that keeps small ones accurate (dyn_dense_svd_values_accurate), if
 * there are at most 1024 of them.
 *
 * shape:  jacobian [rows][columns], a column per parameter.   opt may be NULL.   owner: *out is the caller's.
 * errors: DYN_EINVAL (sizes, options, a number that is not finite), DYN_EFULL, DYN_ENOMEM, DYN_EABI_*.   since: 0.1
 */
DYN_API dyn_status dyn_rank_matrix(dyn_ctx *ctx, int64_t rows, int64_t columns, const double *jacobian,
                                   const dyn_rank_options *opt, dyn_rank **out);

/**
 * Empirical rank of a model at theta, in float64: of the Jacobian of all outputs at given inputs. Columns of rounding alone,
 * as that of the bias of a transformer's keys, count as zero: those below 1e-9 of the largest that change by an eighth and more
 * when theta moves by a few units of its last place.
 *
 * shape:  theta [p], x [samples][input size], whole numbers for a model that takes indices. Memory: dyn_rank_memory.
 * Under a limit only the triangle of the Jacobian is kept, for twice the arithmetic at tiles of p rows and more for
 * smaller ones.
 * errors: as dyn_rank_matrix; DYN_EINVAL theta or x is not finite, or NULL, or no index where the model takes indices;
 *         DYN_EFULL memory_limit is too small for one sample.   since: 0.1
 */
DYN_API dyn_status dyn_rank_at(dyn_model *model, const double *theta, int64_t samples, const double *x,
                               const dyn_rank_options *opt, dyn_rank **out);

/**
 * Model rank at theta: the same at normal random inputs, numerous enough to see every direction. At parameters that
 * express a target function it bounds the model rank of that function from above, and is equal to it where they do so
 * with as few neurons as possible, all others being zero.
 *
 * shape:  theta [p].   errors: as dyn_rank_at; DYN_EDTYPE the model takes indices.   since: 0.1
 */
DYN_API dyn_status dyn_rank_model(dyn_model *model, const double *theta, const dyn_rank_options *opt, dyn_rank **out);

/**
 * Rank of a map by products alone, for one too large to write out (dyn_objective_jacobian_map): k orthonormal directions Q of
 * its range, until |A - Q Q^T A| is within the tolerance, by k + probes products and k of the adjoint, in k (rows + columns)
 * numbers. Its singular values s are those of Q^T A, and those of A lie in [s, s + dyn_rank_remainder]; columns are not scaled.
 * A rank by tolerance is sure where no s is that near to the cut.
 *
 * return: DYN_NOT_CONVERGED: no more directions fit in memory_limit; the rank is at least that of the values found.
 * errors: as dyn_rank_matrix for its options; those of the products; DYN_EFULL not one direction fits.   since: 0.1
 */
DYN_API dyn_status dyn_rank_operator(dyn_operator *A, const dyn_rank_options *opt, dyn_rank **out);

/**
 * What the directions of dyn_rank_operator leave of the map, |A - Q Q^T A|, at most, in units of A, but for *chance (or NULL)
 * over its random vectors. Both 0 where all singular values were computed. since: 0.1
 */
DYN_API double dyn_rank_remainder(const dyn_rank *r, double *chance);

/**
 * Bytes that dyn_rank_at takes for so many samples, or dyn_rank_model for samples = 0, beside those of its plans of half a
 * MiB: about, and if the options have a limit below, the least limit that can be met. Negative: an error. since: 0.1
 */
DYN_API int64_t dyn_rank_memory(const dyn_model *model, int64_t samples, const dyn_rank_options *opt);

/** Free; NULL is allowed. since: 0.1 */
DYN_API void dyn_rank_free(dyn_rank *r);

/** The rank by the rule of the options; 0 for NULL, as all numbers here. since: 0.1 */
DYN_API int64_t dyn_rank_value(const dyn_rank *r);
/** The rank by the tolerance; *gap (or NULL) = s_rank / s_(rank+1) there, infinite if nothing is left. since: 0.1 */
DYN_API int64_t dyn_rank_by_tolerance(const dyn_rank *r, double *gap);
/** The rank by the largest gap; *gap (or NULL) = that gap. since: 0.1 */
DYN_API int64_t dyn_rank_by_gap(const dyn_rank *r, double *gap);
/** Singular values of the scaled matrix, descending [count]. Borrowed; NULL if all columns are 0. since: 0.1 */
DYN_API const double *dyn_rank_singular_values(const dyn_rank *r, int64_t *count);
/** 1 if they come from the accurate route, since a cut was not clear from the fast one; else 0. since: 0.1 */
DYN_API int32_t dyn_rank_accurate(const dyn_rank *r);
/** The relative tolerance used. since: 0.1 */
DYN_API double dyn_rank_tolerance(const dyn_rank *r);
/** Rows of the Jacobian. since: 0.1 */
DYN_API int64_t dyn_rank_rows(const dyn_rank *r);
/** Columns of the Jacobian, zero ones included. since: 0.1 */
DYN_API int64_t dyn_rank_columns(const dyn_rank *r);
/** Columns that were zero, or of a model rounding alone: parameters without any effect. since: 0.1 */
DYN_API int64_t dyn_rank_zero_columns(const dyn_rank *r);

#ifdef __cplusplus
}
#endif
#endif
