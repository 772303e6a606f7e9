/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Between the files of this room: who fills the tables, and the providers of matrix products. */
#ifndef DYN__KERNEL_TABLES_H
#define DYN__KERNEL_TABLES_H

#include "kernel/kernel.h"

/* Are the variants for x86 part of this build? */
#ifdef __x86_64__
#define DYN__HAVE_AVX 1
#else
#define DYN__HAVE_AVX 0
#endif

void dyn__reference_tables(dyn__kernel_table *f64, dyn__kernel_table *f32);

/* Each overwrites the slots it does better. Compiled for its instruction set only: call after checking the CPU. */
void dyn__vector_f64(dyn__kernel_table *t);
void dyn__vector_f32(dyn__kernel_table *t);
void dyn__avx2_f64(dyn__kernel_table *t);
void dyn__avx2_f32(dyn__kernel_table *t);
void dyn__avx512_f64(dyn__kernel_table *t);
void dyn__avx512_f32(dyn__kernel_table *t);

/* BLIS: which it is and whether it serves (blas, blas_arch, have_blis, large_by_blis); asked for products it begins
 * itself. */
void dyn__blis_find(dyn__kernels *k);
int dyn__blis_plan(const dyn__kernels *k, dyn__gemm *g);

/* Blocks of the plain product: 1 unless the product has too few rows or columns for it. */
int dyn__blocked_plan(const dyn__kernels *k, dyn__gemm *g);

/* LIBXSMM: 1 if it generated code for this product (run and code are then set), else 0. */
int dyn__xsmm_plan(const dyn__kernels *k, dyn__gemm *g);

#endif
