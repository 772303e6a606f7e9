/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The kernels of one instruction set and one element type. Compiled once for each pair, with the compiler's flags to
 * match and given DYN__SIMD_AVX512, DYN__SIMD_AVX2 or DYN__SIMD_VECTOR, DYN__SIMD_F32 (1 or 0) and DYN__FILL, the name
 * to export. */
#include <math.h>
#include <string.h>
#include "kernel/tables.h"
#if defined DYN__SIMD_AVX512
#include "kernel/simd_avx512.h"
#elif defined DYN__SIMD_AVX2
#include "kernel/simd_avx2.h"
#else
#include "kernel/simd_vector.h"
#endif
#include "kernel/maths.inc"
#include "kernel/map.inc"
#include "kernel/summed.inc"
#include "kernel/reduce.inc"
#include "kernel/move.inc"
#include "kernel/draw.inc"
#ifdef TAIL_ROWS
#include "kernel/tail.inc"
#endif
#include "kernel/gemm.inc"

#define F(name) name
#define LOAD(p) v_load(p)
#define STORE(p, x) v_store((p), (x))
#define ROOT_OF(x) v_sqrt(x)
#define SIGN_OF(x) v_sign(x)
#define ABS_OF(x) v_abs(x)
#define MOST_OF(x, y) v_max((x), (y))
#define LEAST_OF(x, y) v_min((x), (y))
#define SPLAT(x) v_set((T)(x))
#include "kernel/update.inc"

void DYN__FILL(dyn__kernel_table *t)
{
#define SET(name) t->tile[DYN__K_##name] = name;
    SET(COPY) SET(NEG) SET(SQRT) SET(POWI) SET(ADD) SET(SUB) SET(MUL) SET(DIV) SET(MAX) SET(GT) SET(GE) SET(EQ)
    SET(MUL_1MSQ) SET(MUL2_1MSQ) SET(SELECT) SET(FMA) SET(FNMA) SET(FMS) SET(ADD_MUL)
    SET(EXP) SET(EXPM1) SET(TANH) SET(TANH_ADD) SET(TANH_FMA)
#if defined SLEEF || defined PIECES
    SET(ERF)
#endif
#ifdef SLEEF
    SET(LOG) SET(LOG1P) SET(SIN) SET(COS) SET(POW)
#endif
#define DYN__K(name, n, f) SET(name)
    DYN__REDUCTION_LIST(DYN__K) DYN__SUMMED_LIST(DYN__K)
#undef DYN__K
#define DYN__K(name) t->update[DYN__U_##name] = name;
    DYN__UPDATE_LIST(DYN__K)
#undef DYN__K
    t->gather = gather;
    t->scatter_add = scatter_add;
    t->transpose = transpose;
    t->uniform = uniform;
    t->gemm = gemm;
#ifdef TAIL_ROWS
    t->gemm_tail = gemm_tail;
    t->vector = W;
#endif
}
