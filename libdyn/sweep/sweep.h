/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Inside of a sweep. sweep.c makes it, point.c names its points, member.c trains one member, train.c all of them,
 * outcome.c puts what became of one into one piece, columns.c keeps the numbers, store.c the file. */
#ifndef DYN__SWEEP_H
#define DYN__SWEEP_H

#include <pthread.h>
#include <stdatomic.h>
#include <dyn/sweep.h>
#include "base/base.h"

enum { DYN__NAME = 64, DYN__HOST = 64, DYN__POINT_NUMBER = 32 };

/* What is kept of a member in any case. */
typedef struct dyn__member {
    int32_t status, reason;     /* enum dyn_member_status, enum dyn_run_reason */
    int64_t step;
    double loss, seconds;
    uint64_t fingerprint;
    int64_t number;             /* in the store */
    char *message;              /* NULL = none */
} dyn__member;

typedef struct dyn__number {
    char name[DYN__NAME];
    double value;
} dyn__number;

/* An array of a run, where it lies. */
typedef struct dyn__piece {
    char name[DYN__NAME + 16];
    int32_t dtype, rank;
    int64_t shape[2];
    const void *data;
} dyn__piece;

/* What became of a member: with its message, numbers and arrays, which belong to the run or to packed bytes. */
typedef struct dyn__outcome {
    dyn_ctx *ctx;
    int64_t index;
    dyn__member member;
    char host[DYN__HOST];
    dyn__number *numbers;
    int64_t number_count, number_room;
    dyn__piece *pieces;
    int64_t piece_count, piece_room;
} dyn__outcome;

typedef struct dyn__sweep_column {
    char name[DYN__NAME];
    double *values;             /* [count], NaN where there is none */
} dyn__sweep_column;

typedef struct dyn__store dyn__store;

struct dyn_sweep {
    dyn_ctx *ctx;
    dyn_sweep_options opt;      /* complete; its lists are our own copies */
    char *names;                /* [parameters, DYN__NAME] */
    double *values;             /* [count, parameters] */
    char *path;
    dyn__member *members;       /* [count] */
    dyn__sweep_column *columns;
    int64_t column_count, column_room;
    dyn__store *store;          /* NULL = none */
    int64_t *kept;              /* [count] members in the store's transaction in progress */
    int64_t kept_count;
    double kept_since;          /* dyn__seconds() of the first */
    char *packed;               /* of dyn_sweep_member */
    char *lock_path;            /* of the right to train the store; NULL = we have it not */
    int lock_file;

    pthread_mutex_t lock;       /* of all below and above while members train, and of the caller's `ended` */
    pthread_cond_t wake;        /* a worker has ended, or a member */
    int lock_ready;
    dyn__outcome *ending;       /* the one whose `ended` runs */
    int64_t next, finished;     /* of the present training */
    int working, training;
    int alone;                  /* the calling thread works */
    dyn_status failed;          /* of the store */
    _Atomic int stop;
};

/* point.c */
const char *dyn__sweep_name(const dyn_sweep *w, int64_t parameter);
/* Is it a column that every table of a sweep has? */
int dyn__is_column(const char *name);
dyn_status dyn__check_name(dyn_ctx *ctx, const char *what, const char *name);
/* A number as JSON has it, whatever the locale: shortest, or as text where it is not finite. */
void dyn__json_number(double x, char text[DYN__POINT_NUMBER]);
/* Point i as a JSON object; free it. NULL = out of memory. */
char *dyn__point_text(const dyn_sweep *w, int64_t i);

/* outcome.c */
dyn_status dyn__outcome_number(dyn__outcome *o, const char *name, double value);
/* The run's numbers and arrays. They stay where they are, so the run must live as long. */
dyn_status dyn__outcome_of(dyn__outcome *o, const dyn_run *run);
void dyn__outcome_clear(dyn__outcome *o);
dyn_status dyn__outcome_pack(const dyn__outcome *o, char **bytes, int64_t *size);
dyn_status dyn__outcome_unpack(dyn_ctx *ctx, const char *bytes, int64_t size, dyn__outcome *o);
const char *dyn__reason_text(int32_t reason);
int32_t dyn__reason_of(const char *text);
const char *dyn__member_status_text(int32_t status);
int32_t dyn__member_status_of(const char *text);

/* columns.c */
dyn_status dyn__columns_keep(dyn_sweep *w, int64_t i, const char *name, double value);
void dyn__columns_free(dyn_sweep *w);

/* member.c. A context for one thread, which ends its work where the sweep is told to stop. */
dyn_status dyn__sweep_context(dyn_sweep *w, dyn_ctx **out);
/* Train member i in it; what became of it is in *o. *run: to be freed after *o. DYN_STOPPED where it was stopped. */
dyn_status dyn__member_train(dyn_sweep *w, dyn_ctx *ctx, int64_t i, dyn__outcome *o, dyn_run **run);
/* Its run at step 0. */
dyn_status dyn__member_make(dyn_sweep *w, dyn_ctx *ctx, int64_t i, dyn_run **run);
/* Let the caller look at the run; under the lock, as the next. */
dyn_status dyn__member_look(dyn_sweep *w, dyn__outcome *o, dyn_run *run);

/* keep.c. Keep what became of a member, in memory and in the store's transaction; both under the lock. */
dyn_status dyn__member_keep(dyn_sweep *w, dyn__outcome *o);
/* End the transaction, unless it is new and more may come: not at_once. */
dyn_status dyn__members_settle(dyn_sweep *w, int at_once);

/* Is it to be trained? How many are? */
int dyn__member_is_due(const dyn_sweep *w, int64_t i);
int64_t dyn__members_due(const dyn_sweep *w);
double dyn__seconds(void);

/* checkpoint.c. Its folder; a member to its end from its checkpoint, if there is one; away with it. */
dyn_status dyn__checkpoint_folder(dyn_sweep *w);
dyn_status dyn__checkpoint_train(dyn_sweep *w, int64_t i, dyn_run *run);
void dyn__checkpoint_remove(dyn_sweep *w, int64_t i);

/* lock.c. Have the right to train the store, where there is one; give it back. */
dyn_status dyn__store_lock(dyn_sweep *w);
void dyn__store_unlock(dyn_sweep *w);

/* store.c, or store_none.c where there is no SQLite. Opens or makes the file, enters the members, takes in what is
 * finished there. */
dyn_status dyn__store_open(dyn_sweep *w);
/* Put a member into the transaction in progress, which it begins; where it fails all that is in it is undone. */
dyn_status dyn__store_put(dyn_sweep *w, const dyn__outcome *o);
dyn_status dyn__store_commit(dyn_sweep *w);
/* Put all into the one file, which can then be copied; what cannot be put there stays in the log beside it. */
void dyn__store_settle(dyn_sweep *w);
void dyn__store_close(dyn_sweep *w);

#endif
