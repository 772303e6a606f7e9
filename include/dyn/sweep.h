/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Sweeps: many trainings as one experiment, on all threads of the context, and the store that keeps what became of
 * them, a file of SQLite. A member is a run of whatever the caller makes of its parameters. Its bits depend neither on
 * the others nor on how many run at once, in which order or on which machine; one that fails or becomes non-finite
 * touches no other. */
#ifndef DYN_SWEEP_H
#define DYN_SWEEP_H

#include <dyn/train.h>

#ifdef __cplusplus
extern "C" {
#endif

/** A sweep. thread: as for the context, apart from dyn_sweep_stop. */
typedef struct dyn_sweep dyn_sweep;

/** What became of a member. Values never change. */
enum dyn_member_status {
    DYN_MEMBER_WAITING = 0,     /* not trained yet, or not to its end */
    DYN_MEMBER_DONE = 1,
    DYN_MEMBER_NONFINITE = 2,   /* loss or gradient became non-finite: what came before is kept */
    DYN_MEMBER_FAILED = 3       /* dyn_sweep_message says why */
};

/**
 * Make the run of a member, at step 0 and with an end. ctx is one of the sweep's own, with one thread: model, data and
 * objective are to be made with it, and may be given back once the run has them. parameters: those of the member.
 * Called on several threads at once. Returns DYN_OK, or an error: the member has failed, with the context's message.
 */
typedef dyn_status (*dyn_sweep_make_fn)(void *user, dyn_ctx *ctx, int64_t member, const double *parameters,
                                        dyn_run **out);

/**
 * Look at the run of a member where it has ended, and keep numbers by dyn_sweep_result. Called on worker threads, one
 * at a time. Anything but 0 makes the member one that failed. The run goes afterwards.
 */
typedef int32_t (*dyn_sweep_ended_fn)(void *user, dyn_sweep *sweep, int64_t member, dyn_run *run);

/** What a sweep is. Lists are copied. */
typedef struct dyn_sweep_options {
    uint32_t struct_size;       /* sizeof(dyn_sweep_options); set by DYN_SWEEP_OPTIONS_INIT */
    int32_t retry;              /* 1: members that failed are trained again */
    int32_t any_numerics;       /* 1: go on with a store begun with another instruction set or other libraries */
    uint32_t reserved;          /* must be 0 */
    int64_t count;              /* members, at least 1 */
    int64_t parameters;         /* of each, at least 1 */
    /* [parameters] 1 to 63 letters, digits, or any of "_-. "; not "loss", "step", "seconds", "status" or "message", which
     * every table has */
    const char *const *names;
    const double *values;       /* [count, parameters], see dyn_sweep_grid; with a store no point twice */
    dyn_sweep_make_fn make;
    void *make_user;
    dyn_sweep_ended_fn ended;   /* NULL = nobody looks */
    void *ended_user;
    const char *store;          /* path of the file of SQLite; NULL = nothing is kept on disk */
    dyn_progress_fn progress;   /* NULL = none. Called on the calling thread, about twenty times a second */
    void *progress_user;
    /* Seconds between checkpoints of every member in training, in a folder beside the store: it goes on from there after
     * the sweep was stopped or killed; one is made where it is stopped, too. 0 = none: those of before stay as they are */
    double checkpoint_every;
} dyn_sweep_options;
#define DYN_SWEEP_OPTIONS_INIT \
    { DYN_SIZE_OF(dyn_sweep_options), 0, 0, 0, 0, 0, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, 0.0 }

/**
 * The points of a grid: the product of lists, the last one fastest.
 *
 * shape:  lists[p] has counts[p] values; values [*count, parameters], NULL to ask for *count alone.
 * errors: DYN_EINVAL, without a message, as there is no context.   thread: any.   since: 0.1
 */
DYN_API dyn_status dyn_sweep_grid(int64_t parameters, const int64_t *counts, const double *const *lists, double *values,
                                  int64_t *count);

/**
 * Make a sweep. With a store it takes in what is finished there, and points that are new are added to it; a store of
 * another definition is refused: a finished member is made again, and its dyn_run_fingerprint compared.
 *
 * owner:  *out is owned by the caller, NULL on error.
 * errors: DYN_EINVAL an option, or a store of another sweep; DYN_ESTATE a store begun with other numerics; DYN_EIO,
 *         DYN_EVERSION the store; DYN_ENOTSUP a store without SQLite at build time; DYN_ENOMEM; DYN_EABI_*.
 * since:  0.1
 */
DYN_API dyn_status dyn_sweep_create(dyn_ctx *ctx, const dyn_sweep_options *opt, dyn_sweep **out);

/** NULL is allowed. since: 0.1 */
DYN_API void dyn_sweep_free(dyn_sweep *sweep);

/**
 * Train all members that are not finished, one per thread of the context. A finished member is in the store within .3 s,
 * and before this returns, whatever happens to the process next.
 *
 * status: DYN_STOPPED the caller stopped it: members in training are given up, or left with a checkpoint; train again
 *         to go on.
 * errors: DYN_ENOMEM; DYN_EIO the store; DYN_ESTATE from inside a callback, or another process trains the store, which one
 *         does at a time. A member that fails is no error.
 * since:  0.1
 */
DYN_API dyn_status dyn_sweep_train(dyn_sweep *sweep);

/**
 * What it will take to train all members that are not finished, from up to eight of them, evenly over the points,
 * trained for a few steps, a twentieth of a second each. Observers and stop rules are as they are in these steps.
 *
 * *members: how many; *bytes: memory of the largest that was looked at; *seconds: of a member, mean; *total: seconds in
 * all, on the threads of the context. Each may be NULL. A member that cannot be made costs nothing, unless none can.
 * errors: DYN_EINVAL a run without an end; DYN_ESTATE from inside a callback; what make gives, if it gives no run;
 *         DYN_ENOMEM.   since: 0.1
 */
DYN_API dyn_status dyn_sweep_cost(dyn_sweep *sweep, int64_t *members, int64_t *bytes, double *seconds, double *total);

/** Ask the training in progress to stop. Any thread; a signal handler too. NULL is allowed. since: 0.1 */
DYN_API void dyn_sweep_stop(dyn_sweep *sweep);

/** A number of the member whose `ended` runs, by name. errors: DYN_EINVAL the name, or a parameter or column has it;
 * DYN_ESTATE elsewhere; DYN_ENOMEM. since: 0.1 */
DYN_API dyn_status dyn_sweep_result(dyn_sweep *sweep, const char *name, double value);

/** Number of members; 0 for NULL. since: 0.1 */
DYN_API int64_t dyn_sweep_count(const dyn_sweep *sweep);

/** What became of member i: enum dyn_member_status. since: 0.1 */
DYN_API int32_t dyn_sweep_status(const dyn_sweep *sweep, int64_t i);

/** Why member i failed, or where it became non-finite; "" else. Borrowed, until the sweep trains. since: 0.1 */
DYN_API const char *dyn_sweep_message(const dyn_sweep *sweep, int64_t i);

/**
 * A number of all members: "loss" (the last), "step", "seconds", a parameter, the last of other columns of the history
 * and of series of single numbers, or what dyn_sweep_result gave. NaN where there is none.
 * shape: values [count]. errors: DYN_EINVAL no such column. since: 0.1
 */
DYN_API dyn_status dyn_sweep_column(const dyn_sweep *sweep, const char *name, double *values);

/**
 * For other engines than threads (see libdyn-mpi): train member i on the calling thread, and give what became of it as
 * bytes that dyn_sweep_keep takes in another process of the same library and kind of machine. `ended` is called.
 *
 * *packed is borrowed, until the next call. errors: DYN_EINVAL; DYN_ENOMEM; what `ended` gives. DYN_STOPPED the caller
 * stopped it. since: 0.1
 */
DYN_API dyn_status dyn_sweep_member(dyn_sweep *sweep, int64_t i, const void **packed, int64_t *size);

/** Keep what dyn_sweep_member gave, as if it had been trained here. Of several for one member the first counts.
 * errors: DYN_EFORMAT; DYN_EINVAL another sweep's; DYN_ESTATE another process trains the store; DYN_EIO; DYN_ENOMEM.
 * since: 0.1 */
DYN_API dyn_status dyn_sweep_keep(dyn_sweep *sweep, const void *packed, int64_t size);

/**
 * For other engines, too: let ctx share the plans that are compiled in it with all contexts of the same keeper, as
 * members of a sweep do: equal losses on data of equal shapes are compiled once and run in all of them at once. Right
 * after ctx was made, once. The keeper holds the last 64 plans until it is freed.
 *
 * errors: DYN_EINVAL NULL, the same, or ctx shares already; DYN_ENOMEM.
 * thread: any as to the keeper; ctx as ever.   since: 0.1
 */
DYN_API dyn_status dyn_sweep_share_plans(dyn_ctx *ctx, dyn_ctx *keeper);

/**
 * The tables of a store as SQL, with comments that say what they hold: to make one, or to read about it. It is there
 * whether or not the library was built with SQLite. Static. thread: any. since: 0.1
 */
DYN_API const char *dyn_store_schema(void);

#ifdef __cplusplus
}
#endif
#endif
