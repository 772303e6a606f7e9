/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Copies to memory that is not read again before it has left the caches. */
#ifndef DYN__FAR_H
#define DYN__FAR_H

#include <stdint.h>

/* Bytes of a whole result from which its parts are worth it. */
enum { DYN__FAR_BYTES = 8 << 20 };

/* Whole cache lines go past the caches, which else are read first. What is written is seen by other threads after
 * dyn__far_done. */
void dyn__far_copy(int64_t n, double *to, const double *from);
void dyn__far_done(void);

#endif
