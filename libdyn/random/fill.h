/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Draws in bulk. Blocks of Philox 4x32-10, from the Random123 headers, are made side by side: a round waits for the one
 * before, a neighbour's does not. Included where the compiler's flags are those of an instruction set as well as where
 * they are not; the bits are the same. */
#ifndef DYN__FILL_H
#define DYN__FILL_H

#include "random/random.h"

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wconversion"
#pragma GCC diagnostic ignored "-Wundef"
#pragma GCC diagnostic ignored "-Wshadow"
#pragma GCC diagnostic ignored "-Wunused-function"
#include <Random123/philox.h>
#pragma GCC diagnostic pop

/* Blocks first .. first + n - 1 of the key. */
static inline __attribute__((always_inline)) void dyn__random_blocks(dyn__key k, uint64_t first, int n, uint32_t (*word)[4])
{
    const philox4x32_key_t key = { { (uint32_t)k.seed, (uint32_t)(k.seed >> 32) } };

    for (int i = 0; i < n; i++) {
        const uint64_t number = first + (uint64_t)i;
        const philox4x32_ctr_t counter = {
            { (uint32_t)number, k.site, k.step, k.stream | (uint32_t)(number >> 32) << 8 }
        };
        const philox4x32_ctr_t r = philox4x32_R(10, counter, key);

        for (int j = 0; j < 4; j++)
            word[i][j] = r.v[j];
    }
}

static inline uint64_t dyn__take_f64(const uint32_t *word, int64_t i)
{
    return (uint64_t)word[2 * i + 1] << 32 | word[2 * i];
}

static inline uint32_t dyn__take_f32(const uint32_t *word, int64_t i)
{
    return word[i];
}

static inline double dyn__unit_f64(uint64_t drawn)
{
    return (double)(drawn >> 11) * 0x1p-53;
}

static inline float dyn__unit_f32(uint32_t drawn)
{
    return (float)(drawn >> 8) * 0x1p-24f;
}

/* Blocks that are made at once, 64 words; fewer than MANY are made one by one: 16 of them side by side take as long as
 * five (Zen 4, gcc 12, no flags). */
enum { DYN__BLOCKS = 16, DYN__MANY_BLOCKS = 5 };

/* A function that fills out with `convert` of the bits of draws first .. first + n - 1; a block holds `per` of them. */
#define DYN__FILL_DRAWS(name, type, per, take, convert)                                             \
    name(dyn__key k, int64_t first, int64_t n, type *out)                                           \
    {                                                                                               \
        uint32_t word[DYN__BLOCKS][4];                                                              \
                                                                                                    \
        while (n > 0) {                                                                             \
            const int64_t skip = first % (per), needed = (skip + n + (per) - 1) / (per);            \
            const int64_t blocks = needed < DYN__MANY_BLOCKS ? 1 : DYN__BLOCKS;                     \
            const int64_t most = blocks * (per) - skip, here = n < most ? n : most;                 \
                                                                                                    \
            if (blocks == 1)                                                                        \
                dyn__random_block(k, (uint64_t)(first / (per)), word[0]);                           \
            else                                                                                    \
                dyn__random_blocks(k, (uint64_t)(first / (per)), DYN__BLOCKS, word);                \
            for (int64_t i = 0; i < here; i++)                                                      \
                out[i] = convert(take(word[0], skip + i));                                          \
            first += here, n -= here, out += here;                                                  \
        }                                                                                           \
    }

#endif
