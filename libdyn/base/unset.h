/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Memory that comes as it is: for large blocks that are written before they are read. Otherwise as dyn__alloc. */
#ifndef DYN__BASE_UNSET_H
#define DYN__BASE_UNSET_H

#include "base/base.h"

void *dyn__alloc_unset(dyn_ctx *ctx, size_t count, size_t size);

#endif
