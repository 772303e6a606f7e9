/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The generated table of option structs and enumerators. The kind of a field is d (double), i (int32_t), l (int64_t),
 * u (unsigned) or p (pointer). */
#ifndef LAYOUT_H
#define LAYOUT_H

#include <stddef.h>
#include <stdint.h>
#include <dyn/dyn.h>

struct field { const char *name; char kind; size_t offset, size; };
/* `first` is the size in the first release that had the struct, or today's. */
struct layout { const char *name; size_t size, first; const void *init; size_t count; const struct field *fields; };
struct enumerator { const char *name; int32_t value; };

#include "layout_table.inc"

enum { LAYOUTS = sizeof layouts / sizeof layouts[0], ENUMERATORS = sizeof enumerators / sizeof enumerators[0] };

#endif
