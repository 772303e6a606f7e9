/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Shared by the files that select instructions. */
#ifndef DYN__SELECT_H
#define DYN__SELECT_H

#include "compile/form.h"

/* space.c. Drop dimensions of size 1 (not the rows) and merge neighbours where every operand's strides allow. */
void dyn__canonical(dyn__instr *q);
/* The same, then in the form elementwise kernels take: columns next to each other, or a last dimension of size 1. */
void dyn__elementwise_space(dyn__instr *q);
/* Every input steps by 0 or 1 along the last dimension. */
int dyn__columns_readable(const dyn__instr *q);
/* Operand x with the strides of its own shape, outer axis left out, so many axes behind it as one: the rows. */
dyn__operand_ref dyn__ref_of(const dyn__compiler *k, dyn_node x, int outer, int row_axes);
/* The space of shape s without the outer axis, rows as one dimension. */
void dyn__space_of(dyn__instr *q, const dyn__shape *s, int outer, int row_axes);
/* select.c. x is the result of this primitive, in the cluster of y, and read by y alone: the instruction of y can
 * compute it, and does from absorb on. */
int dyn__absorbable(const dyn__compiler *k, dyn_node y, dyn_node x, int op);
void dyn__absorb(dyn__compiler *k, dyn_node x);
/* Operand x, of the shape over which y iterates. */
dyn__operand_ref dyn__over_rows(const dyn__compiler *k, dyn_node y, dyn_node x);
/* A kernel with y as its result and n operands over the elements of y. */
void dyn__set_args(const dyn__compiler *k, dyn__instr *q, dyn_node y, int kernel, int n, const dyn_node *in);
/* x = a b elementwise, or of columns and rows: absorbed, a and b arguments 1 and 2 over the elements of y; else 0. */
int dyn__absorb_factors(dyn__compiler *k, dyn__instr *q, dyn_node y, dyn_node x);
/* a b + c, c - a b, a b - c of the sum or difference x, over the elements of y; else 0. */
int dyn__multiply_add(dyn__compiler *k, dyn__instr *q, dyn_node y, dyn_node x);
/* y is a sum of products, or of sums over rows, which are worked out in its place one after the other. */
int dyn__is_sum_of_parts(const dyn__compiler *k, dyn_node y);
/* column_sums.c */
dyn_status dyn__fuse_column_sums(dyn__compiler *k, dyn__step *step);
/* product.c. outer_factors: x = a b^T with one column each: both as operands over the elements of x, or 0. */
int dyn__outer_factors(const dyn__compiler *k, dyn_node x, dyn__operand_ref *a, dyn__operand_ref *b);
/* The product y, written to the place of node `into` of the same shape. */
dyn_status dyn__select_product(dyn__compiler *k, dyn__instr *q, dyn_node y, dyn_node into);
/* A product for which there is no simpler kernel, of rows of a tile at once or of one matrix after the other. */
int dyn__is_large_product(const dyn__compiler *k, dyn_node y);
/* A product of one matrix after the other. */
int dyn__is_by_matrix(const dyn__compiler *k, dyn_node y);

#endif
