/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Nanoseconds by instruction set: flop, element, function, near, middle, far byte.
 * Written by dyn-machine (tests/bench). */
{DYN_ISA_AVX512, 0.009, 0.1, 0.2, 0.01, 0.01, 0.05},
{DYN_ISA_AVX2, 0.009, 0.1, 0.3, 0.01, 0.01, 0.05},
{DYN_ISA_VECTOR, 0.03, 0.1, 1, 0.01, 0.01, 0.05},
{DYN_ISA_REFERENCE, 0.04, 0.2, 8, 0.01, 0.01, 0.05},
