/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The machine: caches of this one, costs by instruction set from the table that tests/bench/machine.c writes. */
#include "kernel/machine.h"

#include "base/caches.h"
#include "kernel/kernel.h"

static const struct { int isa; double flop, element, function, near, middle, far; } costs[] = {
#include "kernel/machine_table.h"
};

static int64_t class_of(int64_t bytes, int64_t least, int64_t most)
{
    int64_t size = least;

    while (2 * size <= bytes && 2 * size <= most)
        size *= 2;
    return size;
}

int64_t dyn__first_class(int64_t bytes) { return class_of(bytes > 0 ? bytes : 32 << 10, 16 << 10, 64 << 10); }

int64_t dyn__second_class(int64_t bytes) { return class_of(bytes > 0 ? bytes : 1 << 20, 256 << 10, 4 << 20); }

void dyn__cache_classes(int64_t *first, int64_t *second)
{
    dyn__cache_bytes(first, second);
    *first = dyn__first_class(*first);
    *second = dyn__second_class(*second);
}

dyn__machine dyn__machine_of(const dyn__kernels *k)
{
    size_t i = 0;

    while (i + 1 < sizeof costs / sizeof *costs && costs[i].isa != k->isa)
        i++;
    return (dyn__machine){k->first_cache, k->second_cache, costs[i].flop, costs[i].element,
                          costs[i].function, costs[i].near, costs[i].middle, costs[i].far};
}
