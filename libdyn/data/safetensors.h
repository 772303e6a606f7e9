/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The element types of safetensors. */
#ifndef DYN__SAFETENSORS_H
#define DYN__SAFETENSORS_H

#include <dyn/safetensors.h>
#include "data/data.h"

/* kind: of dyn__packing; 'h' float16, 'b' bfloat16, '?' boolean; 0: not read. */
typedef struct dyn__st_type { const char *name; char kind; int size; } dyn__st_type;
/* NULL for a name that is not of the format. */
const dyn__st_type *dyn__st_type_of(const char *name);
/* The name for an element type of ours. */
const char *dyn__st_name_of(int32_t dtype);
/* Memory ran out in jansson, which says no word. */
dyn_status dyn__st_no_memory(dyn_ctx *ctx);

#endif
