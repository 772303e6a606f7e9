/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Operators of known spectrum for the linear algebra tests: a diagonal matrix and a dense one, each given by
 * callback, with faults to order. */
#ifndef LINALG_FIXTURE_H
#define LINALG_FIXTURE_H

#include <math.h>
#include <stdlib.h>
#include <dyn/dyn.h>
#include "../test.h"

typedef struct fixture {
    int64_t n;
    const double *a;        /* diagonal [n], or matrix [n][n] */
    int64_t calls;          /* of the callback, so far */
    int64_t fail_at;        /* this call (from 1) returns 7; 0 = never */
    int64_t nan_at;         /* this call writes a NaN; 0 = never */
} fixture;

static inline int32_t fixture_fault(fixture *f, double *y)
{
    f->calls++;
    if (f->calls == f->nan_at)
        y[0] = (double)NAN;
    return f->calls == f->fail_at ? 7 : 0;
}

static inline int32_t apply_diagonal(void *user, int64_t count, const double *x, double *y)
{
    fixture *f = user;

    for (int64_t r = 0; r < count; r++)
        for (int64_t i = 0; i < f->n; i++)
            y[r * f->n + i] = f->a[i] * x[r * f->n + i];
    return fixture_fault(f, y);
}

static inline int32_t apply_matrix(void *user, int64_t count, const double *x, double *y)
{
    fixture *f = user;

    for (int64_t r = 0; r < count; r++)
        for (int64_t i = 0; i < f->n; i++) {
            y[r * f->n + i] = 0.0;
            for (int64_t j = 0; j < f->n; j++)
                y[r * f->n + i] += f->a[i * f->n + j] * x[r * f->n + j];
        }
    return fixture_fault(f, y);
}

/* Numbers in [0, 1) without the library. */
static inline double uniform(uint64_t *state)
{
    *state = *state * 6364136223846793005u + 1442695040888963407u;
    return (double)(*state >> 11) / 9007199254740992.0;
}

#endif
