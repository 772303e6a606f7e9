/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Reading the reference numbers that make_golden.py wrote, and comparing with them. */
#ifndef GOLDEN_H
#define GOLDEN_H

#include <stdlib.h>
#include <dyn/data.h>
#include "tests/test.h"

/* The array tests/golden/data/<name><number>.npy; number 0 = none. The caller drops the reference; a missing
 * file ends the program, since nothing could be tested then. */
static inline dyn_array *golden_read(dyn_ctx *ctx, const char *name, int number)
{
    const char *root = getenv("DYN_TEST_SOURCE");
    char path[1024], digits[16] = "";
    dyn_array *a = NULL;

    if (number)
        snprintf(digits, sizeof digits, "%d", number);
    snprintf(path, sizeof path, "%s/tests/golden/data/%s%s.npy", root ? root : ".", name, digits);
    if (dyn_array_read(ctx, path, NULL, &a) != DYN_OK) {
        printf("not ok - %s\n0 passed, 1 failed\n", dyn_ctx_message(ctx));
        exit(1);
    }
    return a;
}

/* Largest |a - b| over the largest |b|; NaN if there is one. */
static inline double golden_error(int64_t n, const double *a, const double *b)
{
    double worst = 0, scale = 0;

    for (int64_t i = 0; i < n; i++) {
        const double d = fabs(a[i] - b[i]);
        if (isnan(d))
            return d;
        worst = fmax(worst, d);
        scale = fmax(scale, fabs(b[i]));
    }
    return scale > 0 ? worst / scale : worst;
}

#endif
