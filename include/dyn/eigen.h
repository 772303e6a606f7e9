/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Eigenpairs of one end of the spectrum of a symmetric operator, by thick-restart Lanczos with full
 * reorthogonalisation. Each pair comes with its true residual |A v - value v| and a converged flag, and the whole
 * with a bound on the probability that a pair was missed.
 *
 * Why a bound: a Krylov space contains one vector per distinct eigenvalue, and from an unlucky or a warm start
 * perhaps not even that, so small residuals do not prove that the right pairs were found. After convergence the
 * solver therefore searches the orthogonal complement of its pairs from a new random vector. If that search meets a
 * value beyond the pairs held (the second copy of a repeated eigenvalue, for example) the iteration goes on with it;
 * otherwise the growth of the Lanczos polynomial bounds the chance that a value was hidden from the random vector. */
#ifndef DYN_EIGEN_H
#define DYN_EIGEN_H

#include <dyn/operator.h>

#ifdef __cplusplus
extern "C" {
#endif

/** Which eigenvalues. The end is algebraic unless magnitude is asked for. */
enum dyn_eigen_which {
    DYN_LARGEST_ALGEBRAIC = 0,  /* values come descending */
    DYN_SMALLEST_ALGEBRAIC = 1, /* values come ascending */
    DYN_LARGEST_MAGNITUDE = 2,  /* |values| come descending */
    DYN_BOTH_ENDS = 3           /* count of each end; values come descending */
};

/** What the tolerance of a residual is relative to. */
enum dyn_tolerance {
    DYN_TOLERANCE_LARGEST = 0,  /* the largest |value| seen */
    DYN_TOLERANCE_EACH = 1,     /* the |value| of each pair; at least 16 roundings of the largest, which is all that can be told */
    DYN_TOLERANCE_ABSOLUTE = 2  /* nothing: it is in units of A */
};

/** Is the cluster of the last pair asked for (with DYN_BOTH_ENDS of each end) among the pairs as a whole? */
enum dyn_last_cluster {
    DYN_CLUSTER_UNKNOWN = 0,    /* that was not looked at: no search, or none that decides it */
    DYN_CLUSTER_WHOLE = 1,      /* no other value is within the tolerance of the last: sure from the dense route, else with a
                                   chance of error of at most 1e-3 over the search vectors */
    DYN_CLUSTER_CUT = 2         /* another value was seen there: the vectors returned are some of its eigenspace */
};

typedef struct dyn_eigen_options {
    uint32_t struct_size;       /* sizeof(dyn_eigen_options); set by DYN_EIGEN_OPTIONS_INIT */
    int32_t which;              /* enum dyn_eigen_which */
    int64_t count;              /* pairs, of each end with DYN_BOTH_ENDS */
    int64_t max_products;       /* 0 = chosen: 1000 + 50 per pair; at least 2 * (pairs + widest block) */
    int64_t subspace;           /* vectors held; 0 = chosen: 2 per pair + 8 widest blocks, at least 60; 8 * size bytes each */
    int64_t block;              /* vectors multiplied at once */
    int64_t start_count;        /* vectors in start, of which the sum is where the first Krylov space begins */
    double tolerance;           /* of a residual, as tolerance_of says; in [1e-14, 0.1], absolute: positive */
    uint64_t seed;              /* of the start and search vectors */
    uint32_t unchecked;         /* 1 = no search for missed pairs, and where couplings of the recurrence agree no products
                                   for residuals: fewer in all, the bound stays 1 */
    int32_t tolerance_of;       /* enum dyn_tolerance */
    const double *start;        /* [start_count][size]: vectors near those wanted; NULL = random */
    dyn_progress_fn progress;   /* called after every block of products; NULL = none */
    void *progress_user;
} dyn_eigen_options;
#define DYN_EIGEN_OPTIONS_INIT \
    { DYN_SIZE_OF(dyn_eigen_options), DYN_LARGEST_ALGEBRAIC, 1, 0, 0, 1, 0, 1e-6, 0, 0, 0, NULL, NULL, NULL }

/** Eigenpairs found. Immutable; free with dyn_eigen_free. thread: may be read from any. */
typedef struct dyn_eigen dyn_eigen;

/**
 * Find eigenpairs of a symmetric operator.
 *
 * Of an operator in float32 (curvature of an objective with dtype DYN_F32, and what is derived from it) the basis is kept
 * in float32 too, in half the memory; orthogonality, eigenvalues and residuals are computed in float64 of that operator.
 *
 * Sizes up to 64, and counts above a quarter of the size, are solved by forming the matrix with size products. opt
 * may be NULL. *out is owned by the caller; NULL after an error.
 *
 * return: DYN_OK: all residuals are within tolerance and the search for missed pairs ended (or was switched off).
 *         DYN_NOT_CONVERGED: the product limit came first, a true residual is above tolerance, or all are within it but
 *         the chance of a missed pair is not bounded (dyn_eigen_miss_bound above 1e-4), since a search would have cost
 *         more than max_products allows or, without one, than twice what the pairs did; the best pairs are there, with
 *         their residuals. DYN_STOPPED: progress asked for it; what had been found is there, perhaps no
 *         pair at all, with residuals estimated instead of computed.
 * errors: DYN_EINVAL, DYN_EABI_*, DYN_ENOMEM; DYN_EUSER, DYN_ENONFINITE and others from the operator's products.
 * since:  0.1
 */
DYN_API dyn_status dyn_eigen_solve(dyn_operator *A, const dyn_eigen_options *opt, dyn_eigen **out);

/**
 * Bytes that dyn_eigen_solve will take at most, beside the operator and what it does in a product; its result is in them.
 * errors: as dyn_eigen_solve's of the options. since: 0.1
 */
DYN_API dyn_status dyn_eigen_bytes(dyn_operator *A, const dyn_eigen_options *opt, int64_t *bytes);

/** Free; NULL is allowed. since: 0.1 */
DYN_API void dyn_eigen_free(dyn_eigen *e);

/** Pairs held: as many as asked for, fewer only after DYN_STOPPED. since: 0.1 */
DYN_API int64_t dyn_eigen_count(const dyn_eigen *e);

/** Length of a vector. since: 0.1 */
DYN_API int64_t dyn_eigen_size(const dyn_eigen *e);

/** Eigenvalues [count], in the order given by which. Borrowed, as all arrays here. since: 0.1 */
DYN_API const double *dyn_eigen_values(const dyn_eigen *e);

/** Eigenvectors [count][size], orthonormal. since: 0.1 */
DYN_API const double *dyn_eigen_vectors(const dyn_eigen *e);

/**
 * Residuals |A v - value v| [count], in units of A: from a product of each vector, or those of the recurrence plus the
 * error of the products, which a product of the sum of the vectors shows. since: 0.1
 */
DYN_API const double *dyn_eigen_residuals(const dyn_eigen *e);

/** Flags [count]: 1 where the residual is within dyn_eigen_tolerances. since: 0.1 */
DYN_API const int32_t *dyn_eigen_converged(const dyn_eigen *e);

/** 1 if every pair asked for has converged, 0 otherwise (also for NULL). since: 0.1 */
DYN_API int32_t dyn_eigen_all_converged(const dyn_eigen *e);

/** Products used, those of the residuals and of the search included. since: 0.1 */
DYN_API int64_t dyn_eigen_products(const dyn_eigen *e);

/** The largest residual allowed of the pairs, in units of A; that of all with DYN_TOLERANCE_LARGEST. since: 0.1 */
DYN_API double dyn_eigen_tolerance(const dyn_eigen *e);

/** The residuals allowed [count], in units of A. since: 0.1 */
DYN_API const double *dyn_eigen_tolerances(const dyn_eigen *e);

/**
 * Clusters [count], numbered from 0 in the order of the pairs: values that their residuals (and rounding) do not tell apart,
 * which may be one multiple eigenvalue. There is an eigenvalue within its residual of each value: two belong together if
 * these intervals meet, or are joined by others that do. Of a cluster the space is known rather than its vectors. since: 0.1
 */
DYN_API const int64_t *dyn_eigen_clusters(const dyn_eigen *e);

/** Multiplicities found [count]: pairs in the cluster of each. since: 0.1 */
DYN_API const int64_t *dyn_eigen_multiplicities(const dyn_eigen *e);

/** enum dyn_last_cluster: were all copies of the last value asked for? DYN_CLUSTER_UNKNOWN for NULL. since: 0.1 */
DYN_API int32_t dyn_eigen_last_cluster(const dyn_eigen *e);

/**
 * Outliers among the pairs of one end: the cut is the gap between successive values that is largest against the largest one
 * behind it, of which there are a quarter of the pairs at least. Where that is below ratio, nothing stands apart.
 *
 * *outliers: values before the cut, or 0; *edge: the first value behind it, the edge of the bulk; *gap: the gap there; *found:
 * it over the largest gap behind it. Any output may be NULL.
 * errors: DYN_EINVAL (fewer than 4 pairs, or of both ends; ratio is not positive).   since: 0.1
 */
DYN_API dyn_status dyn_eigen_outliers(const dyn_eigen *e, double ratio, int64_t *outliers, double *edge, double *gap,
                                      double *found);

/**
 * Largest estimated error of the product of a vector, in units of A, where products are differences of gradients (see
 * dyn_operator_product_errors); it is in the residuals already. 0: the products are exact. since: 0.1
 */
DYN_API double dyn_eigen_product_error(const dyn_eigen *e);

/**
 * What rounds the products of an operator in float32, in units of A: |A v - 3 A (v / 3)| of a vector found. No residual can
 * be told below it, whatever the tolerance. 0: the products are in float64, or the matrix was written out. since: 0.1
 */
DYN_API double dyn_eigen_floor(const dyn_eigen *e);

/**
 * Bound on the probability, over the random search vectors, that an eigenvalue beyond the returned ones (by more than
 * the tolerance) was missed. 0 from the dense route, which also decides where a search cannot and the size is at most
 * 512 or what a search might cost; at most 1e-4 after a full search; 1 if there was none. since: 0.1
 */
DYN_API double dyn_eigen_miss_bound(const dyn_eigen *e);

#ifdef __cplusplus
}
#endif
#endif
