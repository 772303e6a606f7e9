/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Sizes of caches as the C library gives them (an extension: 0 or -1 where it does not know). */
#include "base/caches.h"

#include <unistd.h>

static int64_t asked(int name)
{
    const long bytes = sysconf(name);

    return bytes > 0 ? bytes : 0;
}

void dyn__cache_bytes(int64_t *first, int64_t *second)
{
    *first = *second = 0;
#ifdef _SC_LEVEL1_DCACHE_SIZE
    *first = asked(_SC_LEVEL1_DCACHE_SIZE);
    *second = asked(_SC_LEVEL2_CACHE_SIZE);
#else
    (void)asked;
#endif
}
