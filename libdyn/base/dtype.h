/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Element types (enum dyn_dtype): their sizes and names. */
#ifndef DYN__DTYPE_H
#define DYN__DTYPE_H

#include "base/base.h"

/* 0 for a number that is no dyn_dtype. */
size_t dyn__dtype_size(int32_t dtype);
const char *dyn__dtype_name(int32_t dtype);

#endif
