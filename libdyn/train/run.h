/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Inside of a training run. The files of this folder each own one part of it: batch.c what a step is evaluated on,
 * history.c, series.c and average.c what is kept, measure.c the observers, loop.c the steps, stop.h how an observer breaks off,
 * save.c and load.c the checkpoint, run.c the rest. */
#ifndef DYN__RUN_H
#define DYN__RUN_H

#include <pthread.h>
#include <dyn/train.h>
#include "optim/lbfgs.h"
#include "optim/optim.h"
#include "objective/objective.h"
#include "train/stop.h"

/* The first columns; those of the terms and of the validation follow, as the run has them. */
enum dyn__column { DYN__COL_STEP, DYN__COL_LOSS, DYN__COL_NORM, DYN__COL_RATE, DYN__COL_FIRST_TERM };

typedef struct dyn__history_column {
    char name[64];
    double *values;
    int64_t cap;
} dyn__history_column;

typedef struct dyn__history {
    int64_t rows;
    int32_t columns;
    dyn__history_column *column;
    double *row;                /* [columns] the next one */
} dyn__history;

/* The best theta so far by the loss of the validation set, and for how many looks it has been the best. */
typedef struct dyn__best {
    void *theta;                /* NULL = not kept */
    double loss, now, accuracy; /* now, accuracy: of this step, NaN = not looked at */
    int64_t step, stale;        /* step -1 = none yet */
} dyn__best;

enum { DYN__SERIES_NAME = 64 };

typedef struct dyn__series {
    char name[DYN__SERIES_NAME];
    int64_t rows, columns, steps_cap, values_cap;
    int64_t *steps;
    double *values;
} dyn__series;

/* A vector of a measurement; before: what it was when the step it was kept at began. */
typedef struct dyn__kept_vector {
    char name[DYN__SERIES_NAME];
    int64_t count, before_count, step;
    double *values, *before;
} dyn__kept_vector;

typedef struct dyn__observer {
    dyn_observer_fn fn;
    void *user;
    dyn_schedule when;          /* when.steps is our own, sorted */
    int64_t *steps;
    int64_t due;                /* the next step its rules name, INT64_MAX for none */
    int64_t measured;           /* the last step it has measured; -1 = none */
    int64_t spent_ns, calls, passed_over;
    int owed;                   /* it has broken off a measurement, which comes first */
} dyn__observer;

/* A run by L-BFGS. */
typedef struct dyn__descending {
    dyn__descent on;
    dyn__pairs pairs;
    double *room;
    void *theta, *gradient;     /* of a point, in the element type */
    double taken;               /* length of the step that led here, in units of its direction; NaN = none */
} dyn__descending;

/* What several runs that train at once have in common. */
typedef struct dyn__team {
    pthread_mutex_t callbacks;  /* one at a time in the caller's code and on the objective */
    _Atomic int stop;
} dyn__team;

struct dyn_run {
    dyn_ctx *ctx;
    dyn_objective *objective;
    dyn_optimizer *optimizer;
    dyn_run_options opt;        /* complete */
    int32_t dtype;
    int64_t size;
    size_t bytes;               /* of a vector in the element type */

    void *theta, *gradient;     /* of the element type */
    void *next;                 /* theta after an observed step, room for the moments behind; NULL without observers */
    void *uphill;               /* SAM: the point where a step takes its gradient, that, and a state that nobody reads */
    dyn__descending *descending;        /* NULL for other optimisers */
    double *wide;               /* [2, size] theta and gradient for callbacks, NULL where the element is a double */
    double loss;
    int64_t known;              /* the step at which loss, gradient and the state after it are known, or where a search
                                 * stands; -1 = at none */
    int64_t step;               /* steps taken */
    int64_t seen;               /* steps before this one are in history and measurements */
    int64_t recorded;           /* steps before this one are in the history: seen, or one more: see unfinished */
    int32_t reason;

    dyn__evaluator *own, *evaluator;    /* the same, unless the run belongs to a team, which lends it one */
    dyn__team *team;
    int64_t batch;              /* samples of a step; 0 = all */
    void *share;                /* gradient of one batch of several; NULL = a step has one */
    void *between;              /* state between two batches of a step, likewise */
    double *terms;              /* [terms] of the step */
    dyn__batch_names names;     /* of a stream */
    void *state, *next_state;   /* of the model, before and after the step; NULL = it has none */

    char *note;                 /* the caller's text for the checkpoint, or NULL */

    dyn__history history;
    dyn__best best;
    double *average[2];         /* by enum dyn_average: [size], NULL = not kept */
    dyn_objective *validated;   /* counted; NULL = none */
    dyn__series *series;
    int64_t series_count, series_cap;
    dyn__kept_vector *kept;
    int64_t kept_count, kept_cap;
    dyn__observer *observers;
    int64_t observer_count, observer_cap;
    int64_t due;                /* the next step that any observer's rules name */

    int64_t first, last, end;   /* of the present training: its steps are first .. last - 1; the run ends at `end` */
    int64_t shown_ns;           /* when progress was called last */
    int64_t began_ns, spent_ns; /* the present training; all before it */
    int busy;                   /* in dyn_run_train */
    int unfinished;             /* an observer has broken off: the step is not taken, its measurements go on later */
    _Atomic int stop;
};

/* run.c. theta may be NULL: zeros. team NULL: a run with its own evaluators. */
dyn_status dyn__run_create(dyn_objective *objective, const dyn_optimizer_options *optimizer,
                           const dyn_run_options *opt, const double *theta, dyn__team *team, dyn_run **out);
/* Room for theta and gradient in double, for callbacks. */
dyn_status dyn__run_widen(dyn_run *r);

/* groups.c. The run's optimiser, its groups found among the tensors. */
dyn_status dyn__run_optimizer(dyn_run *r, const dyn_optimizer_options *given);

/* keep.c. Vector i as a checkpoint is to hold it; NULL and 0 where there was none before an unfinished step. */
const double *dyn__kept_at(const dyn_run *r, int64_t i, int64_t *count);
void dyn__kept_free(dyn_run *r);

/* batch.c. Batch size that the options mean for this objective, 0 for all samples. */
dyn_status dyn__run_batch(dyn_objective *objective, const dyn_run_options *opt, int64_t *batch);
/* threads: 1 = the calling thread only, 0 = the pool. Runs of one objective and batch size that train one after another
 * may share an evaluator. r: NULL, or the run that a stream belongs to. */
dyn_status dyn__run_evaluator(dyn_objective *objective, const dyn_run_options *opt, int threads, dyn_run *r,
                              dyn__evaluator **out);
/* Room for a step of several batches; refuses streams that cannot be. */
dyn_status dyn__run_feed_open(dyn_run *r);
/* Loss and gradient at theta for the present step. */
dyn_status dyn__run_evaluate(dyn_run *r);
/* The same at another theta; next: room for the state after the step. */
dyn_status dyn__run_gradient(dyn_run *r, const void *theta, void *gradient, void *next, double *loss);

/* descend.c: of runs by L-BFGS, otherwise there is nothing to open. Loss and gradient at theta; the next point, or the
 * reason to end; that point as theta; where the pairs of a checkpoint stand. */
dyn_status dyn__descend_open(dyn_run *r);
void dyn__descend_free(dyn_run *r);
dyn_status dyn__descend_evaluate(dyn_run *r);
dyn_status dyn__descend_seek(dyn_run *r);
void dyn__descend_take(dyn_run *r, void *theta);
dyn_status dyn__descend_restore(dyn_run *r, const int64_t place[2]);

/* step.c. Move theta (r->theta or a copy) by the optimiser; norm: of the gradient, where clipping asks for it. */
dyn_status dyn__run_move(dyn_run *r, void *theta, double norm);

/* loop.c. The step that `steps` more lead to, or the run's own end for 0. */
int64_t dyn__run_end(const dyn_run *r, int64_t steps);
/* Train up to step `last`; `end` is where the run ends if its options do not say so. */
dyn_status dyn__run_advance(dyn_run *r, int64_t last, int64_t end);
int64_t dyn__now_ns(void);

/* history.c. The columns that this run has. */
dyn_status dyn__history_open(dyn_run *r);
dyn_status dyn__history_reserve(dyn_ctx *ctx, dyn__history *h, int64_t rows);
/* Takes h->row in; room for it has been reserved. */
void dyn__history_push(dyn__history *h);
void dyn__history_free(dyn_ctx *ctx, dyn__history *h);
/* The column of that name, or -1. */
int32_t dyn__history_find(const dyn__history *h, const char *name);

/* validate.c */
dyn_status dyn__validation_open(dyn_run *r);
/* Looks at the validation set if it is due; may set the reason to end. */
dyn_status dyn__validate(dyn_run *r, int final);

/* average.c. Room for the averages; theta of the present step taken in. */
dyn_status dyn__average_open(dyn_run *r);
void dyn__average_take(dyn_run *r);
const char *dyn__average_name(int which);

/* series.c */
dyn_status dyn__series_push(dyn_run *r, const char *name, int64_t step, int64_t columns, const double *values);
/* The series of that name, made if there is none, with room for so many rows more. */
dyn_status dyn__series_open(dyn_run *r, const char *name, int64_t columns, int64_t rows, dyn__series **out);
void dyn__series_free(dyn_run *r);

/* schedule.c. The smallest step >= from that a rule names, INT64_MAX for none; at_end is not looked at. */
int64_t dyn__schedule_next(const dyn_schedule *when, int64_t from);

/* measure.c */
int dyn__measure_due(const dyn_run *r, int final);
/* The next step from here on at which any observer is due. */
void dyn__measure_find_due(dyn_run *r, int64_t from);
/* Take the step with all observers that are due. The final step is taken for them alone: it is undone afterwards. */
dyn_status dyn__measure(dyn_run *r, double norm, int final);
dyn_status dyn__measure_accuracy(dyn_run *r, double *accuracy);
/* A vector of the element type in double: itself, or a copy in room. */
const double *dyn__run_doubles(dyn_run *r, const void *vector, double *room);
/* Of a run in a team: the caller's functions and the objective are used by one at a time. */
void dyn__run_lock(dyn_run *r);
void dyn__run_unlock(dyn_run *r);
void dyn__observers_free(dyn_run *r);

#endif
