/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Plans under a memory limit: what may be allocated (budget), and an evaluation in equal chunks of samples and a
 * shorter last one (parts), whose results add up. */
#ifndef DYN__OBJECTIVE_PARTS_H
#define DYN__OBJECTIVE_PARTS_H

#include "objective/impl.h"

/* What one object has allocated of the objective's memory limit. To give back, copy the budget before and restore. */
typedef struct dyn__budget { dyn_ctx *ctx; int64_t limit, used; } dyn__budget;      /* bytes; limit 0 = none */

dyn__budget dyn__budget_of(const dyn_objective *o);
/* DYN_EFULL if the bytes are more than is left; what begins the message. */
dyn_status dyn__budget_take(dyn__budget *b, const char *what, int64_t bytes);
dyn_status dyn__budget_alloc(dyn__budget *b, const char *what, int64_t count, int32_t size, void **out);
/* A plan with its executor. */
dyn_status dyn__budget_exec(dyn__budget *b, dyn_graph *g, int32_t count, const dyn_node *outputs,
                            const dyn__compile_options *opt, dyn_exec **out);

typedef struct dyn__part {
    int64_t samples;            /* 0 = no such part */
    dyn__loss_graph graph;
    dyn_exec *exec;
    dyn__slots slots;
    const void *theta;          /* an evaluator's: bound now */
    void *gradient;
    void *out;                  /* memory of the part's results, or NULL */
    int32_t input;              /* number of an input that its user binds, or -1 */
} dyn__part;

typedef struct dyn__parts {
    int64_t total;              /* samples in all; 0 = not made */
    dyn__part whole, tail;
} dyn__parts;

/* Makes p->exec for p->samples samples and finds p->slots; binds theta and results. */
typedef dyn_status (*dyn__part_fn)(void *user, dyn__part *p, dyn__budget *b);
/* Chunks of `chunk` samples, or DYN_EFULL. */
dyn_status dyn__parts_try(dyn_objective *o, int64_t total, int64_t chunk, dyn__part_fn make, void *user,
                          dyn__budget *b, dyn__parts *out);
/* Chunks of `chunk` samples, or of half as many until the plans fit. */
dyn_status dyn__parts_make(dyn_objective *o, int64_t total, int64_t chunk, dyn__part_fn make, void *user,
                           dyn__budget *b, dyn__parts *out);
void dyn__parts_free(dyn_objective *o, dyn__parts *p);
/* The part that evaluates the samples from `first` on; first is a multiple of whole.samples. */
dyn__part *dyn__part_at(dyn__parts *p, int64_t first);
void dyn__part_run(const dyn_objective *o, dyn__part *p, const dyn__inputs *in);

#endif
