/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Sweeps: many trainings as one experiment, and the store that keeps what became of them, a file of SQLite. */
#ifndef DYN_SWEEP_H
#define DYN_SWEEP_H

#include <dyn/train.h>

#ifdef __cplusplus
extern "C" {
#endif

/**
 * The tables of a store as SQL, with comments that say what they hold: to make one, or to read about it. It is there
 * whether or not the library was built with SQLite. Static. thread: any. since: 0.1
 */
DYN_API const char *dyn_store_schema(void);

#ifdef __cplusplus
}
#endif
#endif
