/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Semidefinite complementarity problems of a few rows by accelerated projected gradients with restarts (Beck and
 * Teboulle 2009, O'Donoghue and Candes 2015). The step is 1 / the largest eigenvalue of B; the projection drops
 * negative eigenvalues. */
#include "analysis/complementary.h"

#include <math.h>
#include <string.h>
#include "kernel/kernel.h"
#include "linalg/dense.h"

enum { ITERATIONS = 20000 };

int64_t dyn__complementary_room(int64_t k) { return 2 * k * k * k * k + 8 * k * k + k; }

/* X to the nearest positive semidefinite matrix. room [k k + k] */
static dyn_status project(dyn_ctx *ctx, int64_t k, double *X, double *room)
{
    double *u = room, *w = room + k * k;

    for (int64_t i = 0; i < k * k; i++)
        u[i] = (X[i] + X[i % k * k + i / k]) / 2;
    DYN__TRY(dyn__eigh(ctx, k, u, w, 1));
    memset(X, 0, (size_t)(k * k) * sizeof *X);
    for (int64_t r = 0; r < k; r++)
        for (int64_t i = 0; w[r] > 0.0 && i < k * k; i++)
            X[i] += w[r] * u[r * k + i / k] * u[r * k + i % k];
    return DYN_OK;
}

static double largest_eigenvalue(dyn_ctx *ctx, int64_t n, const double *B, double *room, dyn_status *s)
{
    memcpy(room, B, (size_t)(n * n) * sizeof *B);
    *s = dyn__eigh(ctx, n, room, room + n * n, 0);
    return room[n * n + n - 1];
}

dyn_status dyn__complementary(dyn_ctx *ctx, int64_t k, const double *A, const double *B, double *X, double *room)
{
    const int64_t n = k * k;
    double *Y = room, *next = Y + n, *slope = next + n, *scratch = slope + n, t = 1.0;
    dyn_status s;
    const double top = largest_eigenvalue(ctx, n, B, scratch, &s), step = top > 0.0 ? 1.0 / top : 0.0;

    if (s < 0 || step == 0.0) {
        memset(X, 0, (size_t)n * sizeof *X);
        return s;
    }
    DYN__TRY(project(ctx, k, X, scratch));
    memcpy(Y, X, (size_t)n * sizeof *Y);
    for (int round = 0; round < ITERATIONS; round++) {
        double moved = 0.0, uphill = 0.0;
        for (int64_t i = 0; i < n; i++) {
            slope[i] = A[i] + dyn__inner(n, B + i * n, Y);
            next[i] = Y[i] - step * slope[i];
        }
        DYN__TRY(project(ctx, k, next, scratch));
        const double later = (1.0 + sqrt(1.0 + 4.0 * t * t)) / 2.0;
        for (int64_t i = 0; i < n; i++) {
            moved += (next[i] - X[i]) * (next[i] - X[i]);
            uphill += (Y[i] - next[i]) * (next[i] - X[i]);
        }
        const double pull = uphill > 0.0 ? 0.0 : (t - 1.0) / later;
        for (int64_t i = 0; i < n; i++)
            Y[i] = next[i] + pull * (next[i] - X[i]);
        t = uphill > 0.0 ? 1.0 : later;
        memcpy(X, next, (size_t)n * sizeof *X);
        if (moved <= 1e-30 * dyn__inner(n, X, X))
            break;
    }
    return DYN_OK;
}
