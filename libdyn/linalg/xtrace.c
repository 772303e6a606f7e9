/* SPDX-License-Identifier: BSD-3-Clause
 *
 * XTrace (Epperly, Tropp, Webber 2023): Hutch++ of m test vectors w_k, each once as the sample and the others as the
 * sketch, t_k = tr Q_k^T A Q_k + w_k^T P_k A P_k w_k with P_k = 1 - Q_k Q_k^T, all from 2 m products. With A W = Q R and
 * s_k row k of R^-1, made 1 long, Q_k Q_k^T is Q (1 - s_k s_k^T) Q^T. Vectors on a sphere are put back on one after
 * P_k, which takes away the variance of their length. */
#include <float.h>
#include <math.h>
#include <string.h>
#include "linalg/basis.h"
#include "linalg/probe.h"

typedef struct cross {
    dyn_operator *A;
    int64_t m, n;
    const double *omega;        /* [m][n] */
    double *Y, *Q, *Z;          /* [m][n] A W, its basis, A Q */
    double *S, *H, *W, *T;      /* [m][m] s_k as rows; Q^T A Q; row k: Q^T w_k; row k: Z^T w_k */
} cross;

/* Rows of S from R, R_ij = q_i y_j: the inverse by back substitution, of which rows are needed. */
static void invert(cross *c)
{
    int64_t m = c->m;
    double *R = c->T;           /* until T is needed */

    for (int64_t i = 0; i < m; i++)
        dyn__basis_coefficients(c->A->ctx, m, c->n, c->Y, c->Q + i * c->n, R + i * m);
    for (int64_t i = m - 1; i >= 0; i--)
        for (int64_t j = 0; j < m; j++) {
            double sum = i == j;

            for (int64_t k = i + 1; k <= j; k++)
                sum -= R[i * m + k] * c->S[k * m + j];
            c->S[i * m + j] = j < i ? 0.0 : sum / R[i * m + i];
        }
    for (int64_t i = 0; i < m; i++)
        dyn__basis_divide(m, dyn__norm(c->A->ctx, m, c->S + i * m), c->S + i * m);
}

static void small_products(cross *c)
{
    dyn_ctx *ctx = c->A->ctx;

    for (int64_t k = 0; k < c->m; k++) {
        dyn__basis_coefficients(ctx, c->m, c->n, c->Q, c->Z + k * c->n, c->H + k * c->m);
        dyn__basis_coefficients(ctx, c->m, c->n, c->Q, c->omega + k * c->n, c->W + k * c->m);
        dyn__basis_coefficients(ctx, c->m, c->n, c->Z, c->omega + k * c->n, c->T + k * c->m);
    }
}

/* x^T H y */
static double form(const cross *c, const double *x, const double *y)
{
    double sum = 0.0;

    for (int64_t i = 0; i < c->m; i++)
        for (int64_t j = 0; j < c->m; j++)
            sum += x[i] * c->H[i * c->m + j] * y[j];
    return sum;
}

/* t_k; a [m] is scratch: the part of w_k in the span of Q_k. */
static double leave_out(const cross *c, int64_t k, int resphere, double *a)
{
    const double *s = c->S + k * c->m, *w = c->W + k * c->m, *z = c->T + k * c->m, *omega = c->omega + k * c->n;
    double along = 0.0, inside = 0.0, linear = 0.0, trace = -form(c, s, s), sample, length;

    for (int64_t i = 0; i < c->m; i++)
        along += s[i] * w[i];
    for (int64_t i = 0; i < c->m; i++) {
        a[i] = w[i] - along * s[i];
        inside += a[i] * a[i];
        linear += a[i] * z[i];
        trace += c->H[i * c->m + i];
    }
    sample = dyn__basis_dot(c->A->ctx, c->n, omega, c->Y + k * c->n) - 2.0 * linear + form(c, a, a);
    length = dyn__basis_dot(c->A->ctx, c->n, omega, omega) - inside;
    if (resphere)
        sample = length > 0.0 ? sample * (double)(c->n - c->m + 1) / length : 0.0;
    return trace + sample;
}

static dyn_status estimate(cross *c, int resphere, double *a, double *trace, double *error)
{
    int64_t kept;
    dyn__mean mean = { 0 };

    DYN__TRY(dyn__operator_apply(c->A, c->m, c->omega, c->Y));
    memcpy(c->Q, c->Y, (size_t)(c->m * c->n) * sizeof *c->Q);
    DYN__TRY(dyn__basis_orthonormalise(c->A->ctx, c->m, c->n, c->Q, &kept));
    if (kept > 0)
        DYN__TRY(dyn__operator_apply(c->A, kept, c->Q, c->Z));
    *trace = *error = 0.0;
    if (kept < c->m) {          /* the sketch holds the range of A: nothing is left to sample */
        for (int64_t i = 0; i < kept; i++) {
            double h = dyn__basis_dot(c->A->ctx, c->n, c->Q + i * c->n, c->Z + i * c->n);

            *trace += h;
            *error += DBL_EPSILON * sqrt((double)c->n) * fabs(h);
        }
        return DYN_OK;
    }
    invert(c);
    small_products(c);
    for (int64_t k = 0; k < c->m; k++)
        dyn__mean_add(&mean, leave_out(c, k, resphere, a));
    *trace = mean.mean;
    *error = dyn__mean_error(&mean);
    return DYN_OK;
}

dyn_status dyn__xtrace(dyn_operator *A, int64_t m, const double *omega, int resphere, double *trace, double *error)
{
    cross c = { .A = A, .m = m, .n = A->size, .omega = omega };
    double *big = dyn__alloc(A->ctx, (size_t)(3 * m), (size_t)A->size * sizeof *big);
    double *small = dyn__alloc(A->ctx, (size_t)(4 * m + 1), (size_t)m * sizeof *small);
    dyn_status s = DYN_ENOMEM;

    if (big && small) {
        c.Y = big;
        c.Q = c.Y + m * c.n;
        c.Z = c.Q + m * c.n;
        c.S = small;
        c.H = c.S + m * m;
        c.W = c.H + m * m;
        c.T = c.W + m * m;
        s = estimate(&c, resphere, c.T + m * m, trace, error);
    }
    dyn__free(A->ctx, small);
    dyn__free(A->ctx, big);
    return s;
}
