/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Systems of a few equations. */
#ifndef DYN__ELIMINATE_H
#define DYN__ELIMINATE_H

#include <stdint.h>

/* Solve G x = r, G [n][n] positive definite, which is overwritten; r becomes x. 0 where a pivot is not above `least`. */
int dyn__eliminate(int64_t n, double *G, double *r, double least);

#endif
