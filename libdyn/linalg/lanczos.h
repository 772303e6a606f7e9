/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Block Lanczos with thick restart. The state is a Krylov decomposition
 *
 *     A V_j^T = V_j^T T + Q^T R,      V_j: the j rows done, Q: the next `width` rows, all orthonormal,
 *
 * T is computed in full (each product is projected on the whole basis anyway), so a restart, a random vector thrown in,
 * or a change of width need no special case. */
#ifndef DYN__LINALG_LANCZOS_H
#define DYN__LINALG_LANCZOS_H

#include "linalg/operator.h"

typedef struct dyn__lanczos {
    dyn_operator *A;
    int64_t n;              /* length of a vector */
    int64_t capacity;       /* most rows done */
    int64_t max_width;
    int64_t j;              /* rows done: V[0 .. j) */
    int64_t width;          /* next block: V[j .. j + width); 0: an invariant subspace is complete */
    int64_t products;
    /* The rows, [capacity + max_width][n]. Of an operator in float32 they are kept in float32, in F, and V is room for
     * [2 max_width] of them as doubles. */
    double *V;
    float *F;               /* NULL: the rows are in V */
    double *scratch;        /* of narrow.h */
    double *T;              /* [capacity][capacity], symmetric */
    double *R;              /* [capacity][max_width]: row i of V with each row of the next block */
    double *h;              /* [DYN__BASIS_ROOM][capacity + max_width], scratch */
    double *theta;          /* [capacity] Ritz values of the j rows, ascending; set by dyn__lanczos_ritz */
    double *Y;              /* [j][j] row i: coefficients of Ritz vector i */
    double scale;           /* largest |theta| seen: a lower bound of the norm of A */
    uint64_t seed;
    uint32_t draws;         /* random vectors drawn */
    /* Each coupling of two rows is seen twice, from the product of either: the same for an exact symmetric operator. */
    double defect;          /* sum of the squared differences */
    int64_t compared;       /* how many */
    /* The first products are stirred: a random vector, so many times the norm of what they leave, is added to that. It is
     * where further copies of an eigenvalue begin, of which one vector's products see none but by rounding. */
    double stir;            /* 0 = not */
    double stirred;         /* what that adds to residuals at most */
} dyn__lanczos;

/* Take memory. dyn__lanczos_free also cleans up after a failure. narrow 1: rows in float32 where the operator is. */
dyn_status dyn__lanczos_init(dyn__lanczos *l, dyn_operator *A, int64_t capacity, int64_t max_width, uint64_t seed,
                             int narrow);
/* Bytes that it takes. */
int64_t dyn__lanczos_bytes(const dyn_operator *A, int64_t capacity, int64_t max_width, int narrow);
void dyn__lanczos_free(dyn__lanczos *l);

/* Rows first .. first + count as doubles; row r from doubles. */
void dyn__lanczos_rows(const dyn__lanczos *l, int64_t first, int64_t count, double *to);
void dyn__lanczos_put(dyn__lanczos *l, int64_t r, const double *x);

/* Add `count` random rows, orthogonal to all others, to the next block; fewer when no direction is left. */
void dyn__lanczos_draw(dyn__lanczos *l, int64_t count);

/* Multiply the next block, orthogonalise the result, twice, against the basis. Needs j + width <= capacity, width >
 * 0. */
dyn_status dyn__lanczos_expand(dyn__lanczos *l);

/* Forget the done rows [from, to), which breaks the decomposition: couplings with them are lost. */
void dyn__lanczos_drop(dyn__lanczos *l, int64_t from, int64_t to);

/* Ritz values and vectors of the rows done. */
dyn_status dyn__lanczos_ritz(dyn__lanczos *l);

/* Norm of the residual of Ritz pair i, from the coupling R. Exact up to rounding and the error of the products. */
double dyn__lanczos_residual(const dyn__lanczos *l, int64_t i);

/* What the products add to such a residual: the defect itself, which is all of it where A is linear; what noise of that
 * size is in all n directions; and the rounding of the projections. */
double dyn__lanczos_error(const dyn__lanczos *l);

/* Keep only the Ritz vectors pick[0 .. keep), in this order, and the next block. */
dyn_status dyn__lanczos_restart(dyn__lanczos *l, int64_t keep, const int64_t *pick);

#endif
