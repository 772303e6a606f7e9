/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The defaults of option structs for languages that cannot use the INIT macros. One rule holds for all options: the
 * macro writes the real defaults, and a field means what it says, 0 is 0. A few counts have no default that is known
 * before the problem is; there 0, which could not be one, lets the library choose, and the field's comment says how. */
#ifndef DYN_DEFAULTS_H
#define DYN_DEFAULTS_H

#include <dyn/context.h>

#ifdef __cplusplus
extern "C" {
#endif

/**
 * Write what the INIT macro of an option struct gives.
 *
 * name:   of the struct, "dyn_run_options" for example.
 * size:   bytes of the caller's struct: as many are written, and struct_size says so.
 * errors: DYN_EINVAL no such struct, or an argument is NULL; DYN_EABI_SIZE size is below 4 or not a multiple of 4;
 *         DYN_EABI_NEW size is above that of this library's struct. Without a message, as there is no context.
 * thread: any.   since: 0.1
 */
DYN_API dyn_status dyn_options_init(const char *name, void *options, uint32_t size);

#ifdef __cplusplus
}
#endif
#endif
