/* SPDX-License-Identifier: BSD-3-Clause
 *
 * What the compiler knows of the machine, beside the kernel table: caches, and what arithmetic and bytes cost. Plans,
 * and with them the order of sums, depend on nothing else of it: the instruction set and the class of the caches. */
#ifndef DYN__MACHINE_H
#define DYN__MACHINE_H

#include <stdint.h>

typedef struct dyn__machine {
    /* Bytes of the caches of a core, as classes: the power of two below what the system says, within 16 KiB and 64 KiB,
     * 256 KiB and 4 MiB; 32 KiB and 1 MiB where it says nothing. */
    int64_t first, second;
    /* Nanoseconds on one core, of float32: a flop of a product, an element of a sum, one of a transcendental function;
     * a byte that stays in the second-level cache, one of some times as many, and one of memory. Only ratios matter. */
    double flop, element, function, near, middle, far;
} dyn__machine;

struct dyn__kernels;
dyn__machine dyn__machine_of(const struct dyn__kernels *k);
/* The classes of such sizes. */
int64_t dyn__first_class(int64_t bytes);
int64_t dyn__second_class(int64_t bytes);
/* Those of this machine. */
void dyn__cache_classes(int64_t *first, int64_t *second);

#endif
