/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Elimination without pivoting, which positive definite matrices do not need. */
#include "linalg/eliminate.h"

int dyn__eliminate(int64_t n, double *G, double *r, double least)
{
    for (int64_t k = 0; k < n; k++) {
        if (!(G[k * n + k] > least))
            return 0;
        for (int64_t i = k + 1; i < n; i++) {
            const double f = G[i * n + k] / G[k * n + k];

            for (int64_t j = k; j < n; j++)
                G[i * n + j] -= f * G[k * n + j];
            r[i] -= f * r[k];
        }
    }
    for (int64_t i = n - 1; i >= 0; i--) {
        for (int64_t j = i + 1; j < n; j++)
            r[i] -= G[i * n + j] * r[j];
        r[i] /= G[i * n + i];
    }
    return 1;
}
