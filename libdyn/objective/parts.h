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
/* An executor of a plan; of outputs of a graph. */
dyn_status dyn__budget_run(dyn__budget *b, dyn_plan *plan, dyn_exec **out);
dyn_status dyn__budget_exec(dyn__budget *b, dyn_graph *g, int32_t count, const dyn_node *outputs,
                            const dyn__compile_options *opt, dyn_exec **out);

/* step_plan.c. Loss and gradient of some samples of a step, written and compiled: the same for all evaluators of the
 * objective that ask for the same. It does not change; any thread may give its reference back. */
typedef struct dyn__step_plan {
    dyn__ref ref;
    int64_t samples, total;     /* the loss counts the samples with the weights of so many */
    int32_t threads;
    dyn__loss_graph graph;
    dyn_plan *plan;             /* outputs: loss, terms if several, gradient, states */
} dyn__step_plan;

/* Made, or the one that the objective keeps; out is counted. */
dyn_status dyn__step_plan_get(const dyn__evaluator *e, int64_t samples, int64_t total, dyn__step_plan **out);
/* It turned out to fit: the objective keeps it for training evaluators to come, the oldest makes room. */
void dyn__step_plan_keep(const dyn__evaluator *e, dyn__step_plan *s);
void dyn__step_plan_unref(dyn_objective *o, dyn__step_plan *s);
/* Number of the output that is the gradient by the first tensor. */
int32_t dyn__first_gradient(const dyn_objective *o);

typedef struct dyn__part {
    int64_t samples;            /* 0 = no such part */
    dyn__step_plan *step;       /* counted: `graph` is its graph; NULL = the part owns it */
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
