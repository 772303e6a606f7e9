/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Contexts for work that goes on beside other work of a context. */
#ifndef DYN__CHILD_H
#define DYN__CHILD_H

#include "base/base.h"

/* A context of one thread with the memory, log and instruction set of another; ended where `interrupt` says so. Those of
 * one context share plans, which it keeps. */
dyn_status dyn__ctx_child(dyn_ctx *ctx, dyn_interrupt_fn interrupt, void *user, dyn_ctx **out);

#endif
