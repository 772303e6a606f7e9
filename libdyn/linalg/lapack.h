/* SPDX-License-Identifier: BSD-3-Clause
 *
 * What is used of LAPACK: three routines on vectors, which call no BLAS, so that neither its threads nor its memory nor
 * its rounding come in. Fortran's names and 32-bit integers; arguments by reference. */
#ifndef DYN__LINALG_LAPACK_H
#define DYN__LINALG_LAPACK_H

#include <stdint.h>

/* Eigenvalues, ascending in d, of the tridiagonal matrix with diagonal d [n], beside it e [n - 1]. */
void dsterf_(const int32_t *n, double *d, double *e, int32_t *info);

/* Eigenvalues, descending in the first n, of the matrix whose qd array q_1, e_1, q_2 ... begins z [4 n]. */
void dlasq2_(const int32_t *n, double *z, int32_t *info);

/* Root i (from 1) of 1 + rho sum z_j^2 / (d_j - x), d ascending, z of length 1; delta [n] = d_j - root, each to full
 * accuracy. For n = 2 delta is the eigenvector of diag(d) + rho z z^T instead. */
void dlaed4_(const int32_t *n, const int32_t *i, const double *d, const double *z, double *delta, const double *rho,
             double *root, int32_t *info);

#endif
