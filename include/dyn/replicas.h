/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Many trainings at once: runs of one objective, each with its own theta, seed, optimiser, end and history, one run
 * per thread at a time. Every replica gives the same bits as a dyn_run of its own would on one thread, whatever the
 * number of threads and of replicas beside it; one that fails or becomes non-finite touches no other. */
#ifndef DYN_REPLICAS_H
#define DYN_REPLICAS_H

#include <dyn/train.h>

#ifdef __cplusplus
extern "C" {
#endif

/** A set of replicas. It keeps its objective alive. thread: as for the context, apart from dyn_replicas_stop. */
typedef struct dyn_replicas dyn_replicas;

/** What the replicas are. Lists have one entry for all replicas or one for each. */
typedef struct dyn_replicas_options {
    uint32_t struct_size;           /* sizeof(dyn_replicas_options); set by DYN_REPLICAS_OPTIONS_INIT */
    uint32_t reserved;              /* must be 0 */
    int64_t count;                  /* replicas, at least 1 */
    int64_t optimizer_count;        /* 0 (default options), 1 or count */
    const dyn_optimizer_options *optimizers;    /* [optimizer_count], of equal struct_size */
    int64_t run_count;              /* 0 (default options), 1 or count */
    const dyn_run_options *runs;    /* [run_count], of equal struct_size; equal batch, drop_last; no progress */
    int64_t init_count;             /* 0, 1 or count */
    const dyn_init_options *inits;  /* [init_count], of equal struct_size: theta of replica i is drawn by
                                       dyn_model_initialise; one for all gives replica i the seed inits->seed + i.
                                       Needs a model; not together with theta */
    const double *theta;            /* [count, p] initial parameters; NULL with inits. Copied */
    dyn_progress_fn progress;       /* NULL = none. Called in the calling thread, a few times a second */
    void *progress_user;
} dyn_replicas_options;
#define DYN_REPLICAS_OPTIONS_INIT { DYN_SIZE_OF(dyn_replicas_options), 0, 0, 0, NULL, 0, NULL, 0, NULL, NULL, \
                                    NULL, NULL }

/**
 * Make replicas at step 0.
 *
 * owner:  *out is owned by the caller, NULL on error.
 * errors: DYN_EINVAL a count, or an option with the number of its replica; DYN_ENOTSUP inits without a model; those of
 *         dyn_run_create and dyn_model_initialise.
 * since:  0.1
 */
DYN_API dyn_status dyn_replicas_create(dyn_objective *objective, const dyn_replicas_options *opt, dyn_replicas **out);

/** NULL is allowed. since: 0.1 */
DYN_API void dyn_replicas_free(dyn_replicas *replicas);

/**
 * Train every replica for so many steps more, at most to its own end; steps = 0: to its end. What a replica met
 * is told by dyn_run_reason of its run. A non-finite replica is no error of the whole.
 *
 * status: DYN_STOPPED the caller stopped it; train again to go on.
 * errors: DYN_EINVAL steps < 0, or 0 where a replica has no end; DYN_ENOMEM; DYN_EUSER and others: what the first
 *         replica with DYN_RUN_FAILED got, after all others were trained.
 * since:  0.1
 */
DYN_API dyn_status dyn_replicas_train(dyn_replicas *replicas, int64_t steps);

/**
 * Ask the training in progress, or else the next one, to stop. Any thread; a signal handler too. NULL is allowed.
 * since: 0.1
 */
DYN_API void dyn_replicas_stop(dyn_replicas *replicas);

/** Number of replicas; 0 for NULL. since: 0.1 */
DYN_API int64_t dyn_replicas_count(const dyn_replicas *replicas);

/**
 * The run of replica i: for dyn_run_theta, _history, _series, _reason, _save, _observe and so on; only dyn_run_train is
 * refused. Its observers are called from worker threads, one at a time for all replicas. Borrowed, lives as long as
 * replicas; NULL out of range. since: 0.1
 */
DYN_API dyn_run *dyn_replicas_run(dyn_replicas *replicas, int64_t i);

/**
 * theta of all replicas, and the loss each evaluated last (NaN before any step).
 * shape: theta [count, p], loss [count]; either may be NULL. errors: DYN_EINVAL. since: 0.1
 */
DYN_API dyn_status dyn_replicas_results(const dyn_replicas *replicas, double *theta, double *loss);

#ifdef __cplusplus
}
#endif
#endif
