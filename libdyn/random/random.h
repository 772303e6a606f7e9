/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Random numbers as a function of (seed, stream, step, site, index): Philox 4x32-10. Nothing is stored, so threads,
 * chunks and replicas cannot move them. */
#ifndef DYN__RANDOM_H
#define DYN__RANDOM_H

#include "base/base.h"

typedef struct dyn__key {
    uint64_t seed;
    uint32_t stream;    /* what for: enum dyn__stream, below 256 */
    uint32_t step;      /* training step or epoch */
    uint32_t site;      /* which tensor or node */
} dyn__key;

enum dyn__stream {
    DYN__STREAM_INIT = 1,
    DYN__STREAM_ORDER = 2,
    DYN__STREAM_DATA = 3,
    DYN__STREAM_LANCZOS = 4,
    DYN__STREAM_PROBE = 5,
    DYN__STREAM_NODE = 6,
    DYN__STREAM_USER = 7
};

/* Indices of draws are below this. */
#define DYN__DRAWS ((int64_t)1 << 56)

/* Block number `block` of the key: four independent words of 32 random bits. The layout is fixed for ever:
 *     key     = { seed low, seed high }
 *     counter = { block low, site, step, stream | block high << 8 }. */
void dyn__random_block(dyn__key k, uint64_t block, uint32_t word[4]);

/* out[i] = draw number first + i of the key: splitting a range changes nothing. Uniform in [0, 1) on the grid of
 * 2^-53 (float32: 2^-24); normal of mean 0 and variance 1, never further out than 9.2 (float32: 6.4). A float32 draw
 * is a number of its own, made from half the bits, not the float64 draw rounded. No function of the C library is
 * called. */
void dyn__uniform_f64(dyn__key k, int64_t first, int64_t n, double *out);
void dyn__uniform_f32(dyn__key k, int64_t first, int64_t n, float *out);
void dyn__normal_f64(dyn__key k, int64_t first, int64_t n, double *out);
void dyn__normal_f32(dyn__key k, int64_t first, int64_t n, float *out);

/* A uniformly random permutation of 0 .. n-1, the same for every machine. */
void dyn__permutation(dyn__key k, int64_t n, int64_t *out);

/* The normal deviate below which a share p of all lie, for 0 < p <= 1/2; relative error about 1e-15. */
double dyn__normal_quantile(double p);

#endif
