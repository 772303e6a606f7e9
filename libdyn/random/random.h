/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Random numbers as a function of (seed, stream, step, site, index): Philox 4x32-10. Nothing is stored, so threads, chunks
 * and replicas cannot move them. */
#ifndef DYN__RANDOM_H
#define DYN__RANDOM_H

#include "base/base.h"

typedef struct dyn__key {
    uint64_t seed;
    uint32_t stream;    /* what for: enum dyn__stream */
    uint32_t step;      /* training step or epoch */
    uint32_t site;      /* which tensor or node */
} dyn__key;

enum dyn__stream { DYN__STREAM_INIT = 1, DYN__STREAM_ORDER = 2, DYN__STREAM_DATA = 3, DYN__STREAM_LANCZOS = 4, DYN__STREAM_PROBE = 5,
                   DYN__STREAM_NODE = 6, DYN__STREAM_USER = 7 };

/* out[i] = draw number first+i of the key: splitting a range changes nothing. Uniform in [0, 1), normal of mean 0 and variance 1;
 * the float32 value is the float64 value rounded? no: its own draw; documented in docs/numerics.md. No libm call. */
void dyn__uniform_f64(dyn__key k, int64_t first, int64_t n, double *out);
void dyn__uniform_f32(dyn__key k, int64_t first, int64_t n, float *out);
void dyn__normal_f64(dyn__key k, int64_t first, int64_t n, double *out);
void dyn__normal_f32(dyn__key k, int64_t first, int64_t n, float *out);
/* A uniformly random permutation of 0 .. n-1. */
void dyn__permutation(dyn__key k, int64_t n, int64_t *out);

#endif
