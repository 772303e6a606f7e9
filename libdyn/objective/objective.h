/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Objectives for the rooms above. An evaluator is what a training loop holds: loss and gradient of the step's samples, in
 * the objective's own element type, with the plans and buffers of one run. */
#ifndef DYN__OBJECTIVE_H
#define DYN__OBJECTIVE_H

#include "base/base.h"
#include <dyn/objective.h>

typedef struct dyn__evaluator dyn__evaluator;

dyn_ctx *dyn__objective_ctx(const dyn_objective *o);
int32_t dyn__objective_dtype(const dyn_objective *o);
/* 1: it calls functions of the caller's, which are not asked to be safe in several threads. */
int dyn__objective_calls_out(const dyn_objective *o);
/* 1: on the same samples it has the same value at the same theta again: nothing of it is the caller's to change, and no
 * data have been exchanged. */
int dyn__objective_stays(const dyn_objective *o);
/* 1: in training it draws random numbers; known once an evaluator for training was made. */
int dyn__objective_draws(const dyn_objective *o);
/* Numbers in all state tensors; their initial values. */
int64_t dyn__objective_state_size(const dyn_objective *o);
/* Bytes that an evaluation may take, INT64_MAX = as many as it likes: a part of the numeric class. */
int64_t dyn__objective_memory_limit(const dyn_objective *o);
void dyn__objective_state(const dyn_objective *o, double *state);
/* What measurements on the objective take as state and random numbers, until it is set again. */
void dyn__objective_set_state(dyn_objective *o, const void *native, uint64_t seed, int64_t step);

/* Fills rows [o->data] of batch number `step` where they are not NULL. */
typedef dyn_status (*dyn__fill_fn)(void *user, dyn_objective *o, uint64_t seed, int64_t step, void *const *rows);

/* How the samples are shared out to the steps. */
typedef struct dyn__feeding {
    dyn__fill_fn fill;          /* batches of as many samples as there are, from outside; NULL = of the objective's data */
    void *fill_user;
    int64_t batch;              /* samples of a step; 0 = all */
    int32_t drop_last;          /* leave out the last batch of an epoch if it is not full */
    int32_t threads;            /* 1 = the calling thread only (replicas), 0 = the pool */
} dyn__feeding;

/* The data with samples, as a stream sees them: lists [count] in one allocation, rows to be filled in. */
typedef struct dyn__batch_names {
    int32_t count;
    int64_t *size;
    const char **name;
    void **rows;
    int32_t *dtype, *number;    /* number: among all data */
} dyn__batch_names;
dyn_status dyn__batch_names_open(dyn_objective *o, dyn__batch_names *out);
void dyn__batch_names_close(dyn_objective *o, dyn__batch_names *names);

dyn_status dyn__evaluator_create(dyn_objective *o, const dyn__feeding *f, dyn__evaluator **out);
void dyn__evaluator_free(dyn__evaluator *e);
/* What a step reads and writes: numbers of the objective's element type. next: the state after the step. */
typedef struct dyn__step_io {
    uint64_t seed;              /* of the order of samples, and of what is drawn */
    int64_t step;
    const void *theta, *state;
    void *gradient, *next;
    double loss;                /* out */
} dyn__step_io;
/* Loss and gradient on the samples of this step. Allocates nothing; touches nothing shared, so many evaluators of one
 * objective run in parallel threads. */
dyn_status dyn__evaluator_step(dyn__evaluator *e, dyn__step_io *io);
/* Values of the terms at the last step, in their order. */
const double *dyn__evaluator_terms(const dyn__evaluator *e);

#endif
