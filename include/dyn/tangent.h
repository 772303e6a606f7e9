/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The empirical tangent kernel of a model at theta, K = J J^T over samples and outputs (arXiv 1806.07572), and what is
 * read off a kernel: its alignment with another, as one drifts during training or fits its targets, and the predictions
 * of the model linearised at theta. Parameters are unscaled. K times 2/n has the nonzero eigenvalues of the
 * Gauss-Newton matrix of the mean squared error. */
#ifndef DYN_TANGENT_H
#define DYN_TANGENT_H

#include <math.h>
#include <dyn/data.h>
#include <dyn/model.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct dyn_tangent_options {
    uint32_t struct_size;   /* sizeof(dyn_tangent_options); set by DYN_TANGENT_OPTIONS_INIT */
    int32_t traced;         /* 1: the sum over outputs c of K(i c, j c), one row for a sample; not divided by their number */
    /* bytes of rows of the Jacobian held at once. Below those of all samples they are made tile by tile, those of one
     * side
       again for every tile of the other */
    int64_t memory_limit;
} dyn_tangent_options;
#define DYN_TANGENT_OPTIONS_INIT { DYN_SIZE_OF(dyn_tangent_options), 0, INT64_C(1) << 29 }

/**
 * Tangent kernel of samples x with samples z; z NULL: with x itself, and then symmetric to the bit.
 *
 * shape:  theta [p]; x [n, input shape], z [m, input shape], numbers or DYN_I64 indices, as the model has it; kernel
 *         [n r][m r], r = 1 if traced, else the c outputs of a sample, so that row i c + k is output k of sample i.
 *         All in float64. opt may be NULL.
 * errors: DYN_EINVAL, DYN_ESHAPE, DYN_ENONFINITE; DYN_EFULL memory_limit is too small for one sample; DYN_ENOMEM;
 * DYN_STOPPED.
 *         The kernel is then undefined.   since: 0.1
 */
DYN_API dyn_status dyn_tangent_kernel(dyn_model *model, const double *theta, dyn_array *x, dyn_array *z,
                                      const dyn_tangent_options *opt, double *kernel);

/**
 * Alignment <A, B> / (|A| |B|) in the Frobenius product of symmetric matrices a, b [n][n], in [-1, 1], and in [0, 1]
 * for positive semidefinite ones (Cristianini et al. 2001). centred 1: of H A H and H B H, H = I - 1 1^T / n (centred
 * kernel alignment; Cortes et al. 2012). With B = y y^T it is that of a kernel with targets; 1 - alignment is the
 * distance of two kernels (arXiv 2010.15110). A matrix of zeros, after centring, has none: NaN.
 * errors: DYN_EINVAL. since: 0.1
 */
DYN_API dyn_status dyn_kernel_alignment(dyn_ctx *ctx, int64_t n, const double *a, const double *b, int32_t centred,
                                        double *alignment);

typedef struct dyn_kernel_fit_options {
    uint32_t struct_size;   /* sizeof(dyn_kernel_fit_options); set by DYN_KERNEL_FIT_OPTIONS_INIT */
    uint32_t reserved;      /* must be 0 */
    double ridge;           /* mu >= 0: the coefficients are (K + mu I)^{-1} r */
    /* at least 0: those after gradient flow for this time from 0 on |r - K a|^2 / 2, [(1 - exp(-w t)) / w] r in the
     * basis of
       K's eigenvectors w; infinity: K^{-1} r. On the mean squared error of n samples time s is t = 2 s / n. Not with a ridge */
    double time;
    double tolerance;       /* eigenvalues of K below tolerance times the largest count as 0, and add nothing to K^{-1} r */
} dyn_kernel_fit_options;
#define DYN_KERNEL_FIT_OPTIONS_INIT { DYN_SIZE_OF(dyn_kernel_fit_options), 0, 0.0, HUGE_VAL, 1e-12 }

/**
 * Coefficients of kernel regression, a = g(K) r: predictions are K(x, X) a. With K the tangent kernel at theta and r =
 * y - f the residuals, f(x) + K(x, X) a is the prediction of the model linearised at theta, trained to time t or to the
 * end.
 *
 * shape:  K [n][n] symmetric, positive semidefinite; r, a [n][columns] (a may be r). opt may be NULL. *left_out (or
 * NULL): how
 *         many eigenvalues were taken for 0.
 * errors: DYN_EINVAL, DYN_ENONFINITE, DYN_ENOMEM, DYN_STOPPED.   since: 0.1
 */
DYN_API dyn_status dyn_kernel_fit(dyn_ctx *ctx, int64_t n, const double *kernel, int64_t columns, const double *r,
                                  const dyn_kernel_fit_options *opt, double *a, int64_t *left_out);

#ifdef __cplusplus
}
#endif
#endif
