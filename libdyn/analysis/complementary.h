/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Semidefinite complementarity: X >= 0, R = A + B[X] >= 0, <X, R> = 0, for small symmetric matrices. */
#ifndef DYN__COMPLEMENTARY_H
#define DYN__COMPLEMENTARY_H

#include "base/base.h"

/* X [k][k] from A [k][k] and the positive semidefinite B [k k][k k], which maps symmetric matrices to such. X minimises
 * <X, B X> / 2 + <A, X>: accelerated projected gradients from the X that is given. room [2 (k k)^2 + 8 k k + k].
 * DYN_ENOMEM. */
dyn_status dyn__complementary(dyn_ctx *ctx, int64_t k, const double *A, const double *B, double *X, double *room);
/* Numbers of its room. */
int64_t dyn__complementary_room(int64_t k);

#endif
