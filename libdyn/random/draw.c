/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Uniform and normal draws. A float64 draw takes 64 bits, a float32 draw 32, in the order of the blocks. A normal draw
 * is a sign bit and the quantile of the other bits read as a number in (0, 1/2): symmetric, and as fine in the tails as
 * in the middle. Only exact operations, +, *, / and sqrt are used, so the bits are the same everywhere. */
#include "random/fill.h"

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

void DYN__FILL_DRAWS(dyn__uniform_f64, double, 2, dyn__take_f64, dyn__unit_f64)
void DYN__FILL_DRAWS(dyn__uniform_f32, float, 4, dyn__take_f32, dyn__unit_f32)
void DYN__FILL_DRAWS(dyn__normal_f64, double, 2, dyn__take_f64, normal_f64)
void DYN__FILL_DRAWS(dyn__normal_f32, float, 4, dyn__take_f32, normal_f32)
