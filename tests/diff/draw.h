/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Random choices that depend on a seed and the number of a case alone. */
#ifndef DRAW_H
#define DRAW_H

#include "random/random.h"

typedef struct drawing { uint64_t seed; uint32_t number, draws; } drawing;

/* One of 0 .. limit - 1. */
static inline int64_t draw_from(drawing *d, int64_t limit)
{
    double u;

    dyn__uniform_f64((dyn__key){d->seed, DYN__STREAM_USER, d->number, d->draws++}, 0, 1, &u);
    return (int64_t)(u * (double)limit);
}

#endif
