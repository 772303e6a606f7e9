/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The numeric class of a context: what decides the bits of its results, beside sizes, seeds and limits. */
#ifndef DYN__NUMERICS_H
#define DYN__NUMERICS_H

#include "base/base.h"

enum { DYN__NUMERICS = 512 };

/* As one line, "key: value; key: value". */
void dyn__numerics_of(const dyn_ctx *ctx, char room[DYN__NUMERICS]);

#endif
