/* SPDX-License-Identifier: BSD-3-Clause
 *
 * A problem to differentiate: a node y as a function of some inputs x, all leaves filled with numbers, and an oracle
 * that evaluates whatever the transforms add to the graph. The checks return a relative error; what could not be built
 * or evaluated gives NaN, which is no small error. Checks add nodes and may be repeated on their own results. */
#ifndef PROBLEM_H
#define PROBLEM_H

#include "tests/diff/interpret.h"

enum { MAX_X = 4 };

typedef struct problem {
    dyn_graph *g;
    interpreter values;
    int made;           /* inputs made so far, for names and random numbers */
} problem;

/* y as a function of x[0 .. n-1]. */
typedef struct function {
    dyn_node y;
    int32_t n;
    dyn_node x[MAX_X];
} function;

void problem_new(problem *p, dyn_ctx *ctx, int32_t dtype);
void problem_free(problem *p);

/* Case k of a primitive's sample, with operands that are all different, in (0.2, 1.8), so that nothing sits on a kink;
 * a condition gets zeros and ones, indices are valid. f->x are the operands that have a derivative. Returns 0 past the
 * last case. */
int problem_sample(problem *p, const dyn__op *op, int k, function *f);
/* A new input of this shape, filled with random numbers in (low, high). */
dyn_node problem_input(problem *p, const dyn__shape *shape, double low, double high);
/* One new input like y, or like each x, in (-1, 1). */
dyn_node problem_cotangent(problem *p, const function *f);
void problem_directions(problem *p, const function *f, dyn_node *v);
/* sum_i <a_i, b_i> as a node, and its number. */
dyn_node problem_inner(problem *p, int32_t n, const dyn_node *a, const dyn_node *b);
double problem_number(problem *p, dyn_node scalar);
/* Largest difference of the elements of a and b, relative to the largest of b or to 1. */
double problem_distance(problem *p, dyn_node a, dyn_node b);

/* dy is claimed to be the derivative of f along v: compare with a four-point difference. */
double tangent_error(problem *p, const function *f, const dyn_node *v, dyn_node dy);
/* dy is claimed to be J v, and dx to be J^T ct: <ct, J v> against <J^T ct, v>. */
double adjoint_error(problem *p, const function *f, const dyn_node *v, dyn_node dy, dyn_node ct, const dyn_node *dx);
/* out is claimed to be f with a leading axis of this size, w standing for those x where mask has a bit: compare with a
 * loop. */
double batch_error(problem *p, const function *f, uint32_t mask, int64_t size, const dyn_node *w, dyn_node out);

#endif
