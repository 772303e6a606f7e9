/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Random probes and the mean of what they give. */
#ifndef DYN__LINALG_PROBE_H
#define DYN__LINALG_PROBE_H

#include "linalg/operator.h"

#define DYN__PROBE_BLOCK 8      /* probes multiplied at once; does not change results */

/* x [count][n]: random signs of probes first, first + 1, ...; site tells independent samples apart. */
void dyn__probe_signs(uint64_t seed, uint32_t site, int64_t first, int64_t count, int64_t n, double *x);

/* Running mean and sum of squared deviations (Welford), these in units of a power of two near the first number that
 * is not 0, so that they neither overflow nor vanish. */
typedef struct dyn__mean {
    int64_t count;
    double mean, squares, unit;
} dyn__mean;
void dyn__mean_add(dyn__mean *m, double x);
/* Standard error of the mean; 0 for fewer than two samples. */
double dyn__mean_error(const dyn__mean *m);

/* XTrace of the m test vectors omega [m][size], 2 m products. resphere: they are uniform on a sphere, and what is
 * sampled is put on one. */
dyn_status dyn__xtrace(dyn_operator *A, int64_t m, const double *omega, int resphere, double *trace, double *error);

#endif
