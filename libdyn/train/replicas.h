/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Inside of replicas: runs that train at once, a task each for the context's threads. Evaluators are lent to the
 * tasks, as many as tasks can be under way. */
#ifndef DYN__REPLICAS_H
#define DYN__REPLICAS_H

#include <dyn/replicas.h>
#include "train/run.h"

typedef struct dyn__loan {
    dyn__evaluator *evaluator;
    _Atomic int taken;
} dyn__loan;

struct dyn_replicas {
    dyn_ctx *ctx;
    dyn_objective *objective;
    dyn_progress_fn progress;
    void *progress_user;
    int64_t count, lent;
    dyn_run **runs;             /* [count] */
    dyn__loan *loans;           /* [lent] */
    dyn__team team;
    int team_ready;

    int64_t round;              /* of the present training: steps per round */
    int64_t *first, *last;      /* [count] range of steps of each replica */
    dyn_status *status;         /* [count] what it got */
    uint8_t *done;              /* [count] it does not go on */
};

#endif
