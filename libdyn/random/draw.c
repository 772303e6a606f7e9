/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Uniform and normal draws. A float64 draw takes 64 bits, a float32 draw 32, in the order of the blocks. A normal draw
 * is a sign bit and the quantile of the other bits read as a number in (0, 1/2): symmetric, and as fine in the tails as
 * in the middle. Only exact operations, +, *, / and sqrt are used, so the bits are the same everywhere. */
#include "random/random.h"

static double uniform_f64(uint64_t bits)
{
    return (double)(bits >> 11) * 0x1p-53;
}

static float uniform_f32(uint32_t bits)
{
    return (float)(bits >> 8) * 0x1p-24f;
}

static double normal_f64(uint64_t bits)
{
    double z = dyn__normal_quantile(((double)(bits >> 1) + 0.5) * 0x1p-64);

    return bits & 1 ? -z : z;
}

static float normal_f32(uint32_t bits)
{
    double z = dyn__normal_quantile(((double)(bits >> 1) + 0.5) * 0x1p-32);

    return (float)(bits & 1 ? -z : z);
}

static uint64_t take_f64(const uint32_t word[4], int64_t i)
{
    return (uint64_t)word[2 * i + 1] << 32 | word[2 * i];
}

static uint32_t take_f32(const uint32_t word[4], int64_t i)
{
    return word[i];
}

/* Fill out with `convert` of the bits of draws first .. first + n - 1, of which a block holds `per`. */
#define FILL(name, type, per, take, convert)                                  \
    void name(dyn__key k, int64_t first, int64_t n, type *out)                \
    {                                                                         \
        int64_t i = 0;                                                        \
                                                                              \
        while (i < n) {                                                       \
            uint32_t word[4];                                                 \
                                                                              \
            dyn__random_block(k, (uint64_t)((first + i) / per), word);        \
            for (int64_t j = (first + i) % per; j < per && i < n; j++, i++)   \
                out[i] = convert(take(word, j));                              \
        }                                                                     \
    }

FILL(dyn__uniform_f64, double, 2, take_f64, uniform_f64)
FILL(dyn__uniform_f32, float, 4, take_f32, uniform_f32)
FILL(dyn__normal_f64, double, 2, take_f64, normal_f64)
FILL(dyn__normal_f32, float, 4, take_f32, normal_f32)
