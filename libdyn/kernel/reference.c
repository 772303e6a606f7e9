/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The reference table: every kernel in plain C for both element types. It defines what a kernel means, has the
 * functions that other tables lack, and is what they are tested against. Multiply-add kernels use fma only where the
 * hardware has it; elsewhere they round twice. */
#include <math.h>
#include <string.h>
#include "kernel/tables.h"

#define T double
#define F(name) name##_f64
#define M(fn) fn
#include "kernel/reference.inc"
#undef T
#undef F
#undef M

#define T float
#define F(name) name##_f32
#define M(fn) fn##f
#include "kernel/reference.inc"

void dyn__reference_tables(dyn__kernel_table *f64, dyn__kernel_table *f32)
{
    fill_f64(f64);
    fill_f32(f32);
}
