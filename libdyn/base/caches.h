/* SPDX-License-Identifier: BSD-3-Clause
 *
 * What the system tells of the processor's caches. */
#ifndef DYN__CACHES_H
#define DYN__CACHES_H

#include <stdint.h>

/* Bytes of the first-level data cache and the second-level cache of a core; 0 where the system does not say. */
void dyn__cache_bytes(int64_t *first, int64_t *second);

#endif
