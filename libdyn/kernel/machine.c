/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The machine: caches of this one, costs by instruction set from the table that tests/bench/machine.c writes. */
#include "kernel/machine.h"

#include "base/caches.h"
#include <dyn/context.h>

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

dyn__machine dyn__machine_of(int isa)
{
    int64_t first, second;
    size_t i = 0;

    dyn__cache_bytes(&first, &second);
    while (i + 1 < sizeof costs / sizeof *costs && costs[i].isa != isa)
        i++;
    return (dyn__machine){dyn__first_class(first), dyn__second_class(second), costs[i].flop, costs[i].element,
                          costs[i].function, costs[i].near, costs[i].middle, costs[i].far};
}
