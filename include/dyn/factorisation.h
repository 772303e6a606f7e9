/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Models that are products of their parameters: matrices and tensors of which entries are observed (arXiv 2211.11623,
 * 2405.13721), diagonal linear networks (arXiv 2307.08921), polynomials. */
#ifndef DYN_FACTORISATION_H
#define DYN_FACTORISATION_H

#include <dyn/model.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct dyn_factorisation_options {
    uint32_t struct_size;       /* sizeof(dyn_factorisation_options); set by DYN_FACTORISATION_OPTIONS_INIT */
    int32_t factors;            /* default 2 */
    const int64_t *widths;      /* [factors + 1] rows, inner widths.., columns */
} dyn_factorisation_options;
#define DYN_FACTORISATION_OPTIONS_INIT { DYN_SIZE_OF(dyn_factorisation_options), 2, NULL }

/**
 * An entry of W1 W2 .. WL. Its input is "entry" [n] (DYN_I64): entry (i, j) is i * columns + j; its output is [n, 1].
 * Parameters: "W<l>" [widths[l-1], widths[l]]. errors: DYN_EINVAL, DYN_ENOMEM, DYN_EABI_*. since: 0.1
 */
DYN_API dyn_status dyn_model_factorisation(dyn_ctx *ctx, const dyn_factorisation_options *opt, dyn_model **out);

typedef struct dyn_tensor_options {
    uint32_t struct_size;       /* sizeof(dyn_tensor_options); set by DYN_TENSOR_OPTIONS_INIT */
    int32_t order;              /* axes of the tensor, 2 to 6; default 3 */
    const int64_t *sizes;       /* [order] */
    int64_t rank;               /* terms of the sum; default 1 */
} dyn_tensor_options;
#define DYN_TENSOR_OPTIONS_INIT { DYN_SIZE_OF(dyn_tensor_options), 3, NULL, 1 }

/**
 * An entry of the tensor sum_r A1[i1, r] A2[i2, r] ... Its input is "entry" [n] (DYN_I64), the row-major number of the
 * entry; its output is [n, 1]. Parameters: "A<k>" [sizes[k-1], rank]. errors: DYN_EINVAL, DYN_ENOMEM, DYN_EABI_*.
 * since: 0.1
 */
DYN_API dyn_status dyn_model_tensor_factorisation(dyn_ctx *ctx, const dyn_tensor_options *opt, dyn_model **out);

typedef struct dyn_diagonal_options {
    uint32_t struct_size;       /* sizeof(dyn_diagonal_options); set by DYN_DIAGONAL_OPTIONS_INIT */
    int32_t depth;              /* L; default 2 */
    int64_t inputs;             /* d; default 1 */
    int32_t difference;         /* 1: sum_j (a_j^L - b_j^L) x_j, both signs with shared factors; 0 (default) */
    uint32_t reserved;          /* must be 0 */
} dyn_diagonal_options;
#define DYN_DIAGONAL_OPTIONS_INIT { DYN_SIZE_OF(dyn_diagonal_options), 2, 1, 0, 0 }

/**
 * A diagonal linear network, f = sum_j a1_j a2_j .. aL_j x_j: x [n, d], f [n, 1]. Parameters: "a1", "a2", .. [1, d], or
 * "a", "b" [1, d] of the difference of powers. errors: DYN_EINVAL, DYN_ENOMEM, DYN_EABI_*. since: 0.1
 */
DYN_API dyn_status dyn_model_diagonal(dyn_ctx *ctx, const dyn_diagonal_options *opt, dyn_model **out);

typedef struct dyn_polynomial_options {
    uint32_t struct_size;       /* sizeof(dyn_polynomial_options); set by DYN_POLYNOMIAL_OPTIONS_INIT */
    int32_t degree;             /* 1 to 64; default 1, a linear model */
    int64_t inputs;             /* d; default 1 */
    int64_t outputs;            /* default 1 */
    int32_t bias;               /* default 1: the constant term */
    uint32_t reserved;          /* must be 0 */
} dyn_polynomial_options;
#define DYN_POLYNOMIAL_OPTIONS_INIT { DYN_SIZE_OF(dyn_polynomial_options), 1, 1, 1, 1, 0 }

/**
 * f = b + sum_k x^k W_k with elementwise powers, linear in its parameters: x [n, d], f [n, outputs]. Parameters: "W1",
 * "W2", .. [d, outputs], "b" [outputs]. errors: DYN_EINVAL, DYN_ENOMEM, DYN_EABI_*. since: 0.1
 */
DYN_API dyn_status dyn_model_polynomial(dyn_ctx *ctx, const dyn_polynomial_options *opt, dyn_model **out);

#ifdef __cplusplus
}
#endif
#endif
