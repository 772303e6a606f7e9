/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Plans for a context that may share them with others (base/shelf.h). */
#ifndef DYN__COMPILE_SHARED_H
#define DYN__COMPILE_SHARED_H

#include "compile/compile.h"

/* dyn__compile, or the equal plan of a context that g's shares with. */
dyn_status dyn__compile_shared(dyn_graph *g, int32_t count, const dyn_node *outputs, const dyn__compile_options *opt,
                               dyn_plan **out);
/* An executor in a context, which need not be the plan's. */
dyn_status dyn__exec_create(dyn_ctx *ctx, dyn_plan *p, dyn_exec **out);

#endif
