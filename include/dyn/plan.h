/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Plans and executors: a graph compiled once and run many times. A plan is immutable and may be shared by threads; an
 * executor holds the memory of one evaluation, all allocated when it is made, and is used by one thread at a time. */
#ifndef DYN_PLAN_H
#define DYN_PLAN_H

#include <dyn/graph.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct dyn_plan dyn_plan;
typedef struct dyn_exec dyn_exec;

typedef struct dyn_plan_options {
    uint32_t struct_size;   /* sizeof(dyn_plan_options); set by DYN_PLAN_OPTIONS_INIT */
    int32_t threads;        /* 0 = the context's pool where the work is worth it; 1 = the calling thread only */
    int64_t arena_limit;    /* bytes an executor may take, at least 1. A plan that needs more: DYN_EFULL */
    int32_t unfused;        /* 1: every node on its own, nothing shares memory; for tests and debugging */
    uint32_t reserved;      /* must be 0 */
} dyn_plan_options;
#define DYN_PLAN_OPTIONS_INIT { DYN_SIZE_OF(dyn_plan_options), 0, INT64_MAX, 0, 0 }

/**
 * Compile the outputs of a graph: drop dead nodes, fuse, place every buffer, choose kernels. The graph may be freed
 * afterwards. opt may be NULL. *out is owned by the caller. The bits of the results do not depend on the number of
 * threads.
 * errors: DYN_EINVAL, DYN_ENOMEM, DYN_EFULL (arena_limit, with the bytes needed), DYN_EABI_*. since: 0.1
 */
DYN_API dyn_status dyn_plan_compile(dyn_graph *g, int32_t count, const dyn_node *outputs,
                                    const dyn_plan_options *opt, dyn_plan **out);
/** One more reference; returns p. Any thread. since: 0.1 */
DYN_API dyn_plan *dyn_plan_ref(dyn_plan *p);
/** NULL is allowed. Any thread. since: 0.1 */
DYN_API void dyn_plan_unref(dyn_plan *p);
/** Bytes each executor of this plan allocates, without the headers of its 4 blocks (see dyn_ctx_bytes). since: 0.1 */
DYN_API int64_t dyn_plan_bytes(const dyn_plan *p);
/** Number of inputs and parameters the plan reads. since: 0.1 */
DYN_API int32_t dyn_plan_inputs(const dyn_plan *p);
/** Name of input i, borrowed from the plan; NULL when i is out of range. since: 0.1 */
DYN_API const char *dyn_plan_input_name(const dyn_plan *p, int32_t i);
/** Numbers in input i; *dtype (NULL allowed) is their type, enum dyn_dtype. 0 when i is out of range. since: 0.1 */
DYN_API int64_t dyn_plan_input_size(const dyn_plan *p, int32_t i, int32_t *dtype);
/** Numbers in output i, which are of the graph's type; 0 when i is out of range. since: 0.1 */
DYN_API int64_t dyn_plan_output_size(const dyn_plan *p, int32_t i);
/** The steps of the plan as text, like dyn_graph_print. since: 0.1 */
DYN_API int64_t dyn_plan_print(const dyn_plan *p, char *buffer, int64_t size);

/**
 * Steps of the plan, which run one after the other: clusters of nodes, and nodes that move elements. A plan that is unfused
 * has a step for every node. 0 where another backend runs it. since: 0.1
 */
DYN_API int32_t dyn_plan_steps(const dyn_plan *p);
/**
 * Number of instructions of step i; its kind as text (NULL, or of so many bytes with the final zero, cut to that), and the
 * bytes of memory that it reads and writes, outside of buffers that stay in the cache, each once (NULL or one number).
 * errors: a negative status; DYN_ENOTSUP another backend. since: 0.1
 */
DYN_API int32_t dyn_plan_step(const dyn_plan *p, int32_t i, char *text, int64_t room, int64_t *bytes);

/** An executor of the plan; *out is owned by the caller. errors: DYN_EINVAL, DYN_ENOMEM. since: 0.1 */
DYN_API dyn_status dyn_exec_create(dyn_plan *p, dyn_exec **out);
/** NULL is allowed. since: 0.1 */
DYN_API void dyn_exec_free(dyn_exec *e);
/**
 * Read input `name` from data, so many numbers of type dtype (enum dyn_dtype), at every following run. The array stays the
 * caller's and is not copied. errors: DYN_EINVAL the plan reads no input of that name; DYN_EDTYPE, DYN_ESHAPE it is not
 * of that type and size. since: 0.1
 */
DYN_API dyn_status dyn_exec_bind(dyn_exec *e, const char *name, int32_t dtype, int64_t size, const void *data);
/**
 * Write output i of the plan to data at every following run; no overlap with inputs or other outputs. errors: DYN_EINVAL;
 * DYN_EDTYPE, DYN_ESHAPE it is not of that type and size. since: 0.1
 */
DYN_API dyn_status dyn_exec_bind_output(dyn_exec *e, int32_t i, int32_t dtype, int64_t size, void *data);
/** Run the plan. Allocates nothing. errors: DYN_ESTATE (an input or output is not bound). since: 0.1 */
DYN_API dyn_status dyn_exec_run(dyn_exec *e);

/**
 * Run the plan and then time its steps, so many times: seconds [dyn_plan_steps], the least of each. All must be bound.
 * errors: DYN_EINVAL; DYN_ESTATE; DYN_ENOTSUP another backend. since: 0.1
 */
DYN_API dyn_status dyn_exec_profile(dyn_exec *e, int32_t repeats, double *seconds);

#ifdef __cplusplus
}
#endif
#endif
