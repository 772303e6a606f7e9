/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Where a plan runs: all that happens behind a lowered graph. What lies above, graphs, derivatives, objectives, binds
 * names to memory of the host and asks for a run; a backend compiles, allocates, copies and runs. cpu is the compiler
 * of this room; reference evaluates the graph node by node, by the primitives' definitions (graph/evaluate.h). */
#ifndef DYN__BACKEND_H
#define DYN__BACKEND_H

#include "compile/exec.h"

typedef struct dyn__backend {
    const char *name;
    /* k->g is lowered; k->node[x].place of a leaf is BOUND + i for input i, or among the plan's constants. */
    dyn_status (*compile)(dyn__compiler *k);
    void (*forget)(dyn_plan *p);                            /* what compile hung on the plan */
    int64_t (*bytes)(const dyn_plan *p, int64_t workers);   /* that an executor takes, in all */
    dyn_status (*prepare)(dyn_exec *e);                     /* the memory of an executor, all of it */
    void (*release)(dyn_exec *e);
    void (*run)(const dyn_exec *e);
    int64_t (*print)(const dyn_plan *p, char *buffer, int64_t size);
    /* Memory of its own for a bound tensor of so many elements, and copies between this and the host's. allocate NULL:
     * it works where the host's tensors lie. */
    void *(*allocate)(dyn_exec *e, int64_t size, int32_t dtype);
    void (*give_back)(dyn_exec *e, void *p);
    void (*copy_in)(const dyn_exec *e, void *to, const void *from, int64_t size, int32_t dtype);
    void (*copy_out)(const dyn_exec *e, void *to, const void *from, int64_t size, int32_t dtype);
} dyn__backend;

/* exec.c: bytes of an executor beside those that its backend asks for. */
int64_t dyn__exec_bytes(const dyn_plan *p);
extern const dyn__backend dyn__cpu_backend, dyn__reference_backend;
const dyn__backend *dyn__backend_of(const dyn_ctx *ctx);

#endif
