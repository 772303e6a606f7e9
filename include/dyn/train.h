/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Training runs: an objective, an optimiser, a history, and measurements on a schedule. Step t = 0, 1, 2, ... goes
 *     1. loss and gradient g_t at theta_t (on the step's mini-batch, if there are any);
 *     2. stop rules: a run that has reached its end stops here, with theta_t;
 *     3. the history takes a row (t, loss, |g_t|, rate);
 *     4. the optimiser's moments take g_t in; observers that are due see theta_t, g_t and the optimiser as it is for
 *        the step about to be taken (v_t contains g_t), so that a preconditioned sharpness refers to this step;
 *     5. theta_{t+1}.
 * A measurement cannot change the trajectory. A run that is saved and loaded, or trained in several calls, gives the
 * same bits as one that never stopped, for any number of threads. */
#ifndef DYN_TRAIN_H
#define DYN_TRAIN_H

#include <math.h>
#include <dyn/objective.h>
#include <dyn/optim.h>

#ifdef __cplusplus
extern "C" {
#endif

/**
 * A run. It keeps its objective alive. thread: as for the context, apart from dyn_run_stop. It must not be freed,
 * trained, saved or given observers from inside its own callbacks.
 */
typedef struct dyn_run dyn_run;

/** Why a run is where it is. Values never change. */
enum dyn_run_reason {
    DYN_RUN_READY = 0,      /* new, or the steps asked for were taken: it can go on */
    DYN_RUN_STEPS = 1,      /* options' steps reached */
    DYN_RUN_LOSS = 2,       /* stop_loss reached */
    DYN_RUN_ACCURACY = 3,   /* stop_accuracy reached */
    DYN_RUN_STOPPED = 4,    /* dyn_run_stop, a progress function or an observer asked for it: it can go on */
    DYN_RUN_NONFINITE = 5,  /* loss or gradient at theta is not finite: the run is over */
    DYN_RUN_FAILED = 6,     /* an error, which dyn_run_train returned: it can be tried again */
    DYN_RUN_PATIENCE = 7,   /* the validation has not improved for `patience` looks */
    DYN_RUN_GRADIENT = 8,   /* gradient_tolerance reached */
    DYN_RUN_STALLED = 9     /* LBFGS: no step lowers the loss: the limit of rounding, or a wrong gradient */
};

/** A batch to be filled in, at a step. */
typedef struct dyn_batch_view {
    uint32_t struct_size;       /* sizeof(dyn_batch_view) as the library has it */
    int32_t data;               /* how many data have samples */
    int64_t step;               /* with accumulate the number of the batch: accumulate times the step, and what follows */
    uint64_t seed;              /* of the run's options */
    int64_t samples;            /* of each of the data */
    const char *const *name;    /* [data] */
    const int32_t *dtype;       /* [data] DYN_F64 or DYN_F32, as the objective has it, or DYN_I64 for indices */
    const int64_t *size;        /* [data] numbers of one sample */
    void *const *rows;          /* [data] to be filled: [samples, size] of that type */
} dyn_batch_view;
/**
 * Fills a batch; the same numbers for the same step, so that a run that is stopped and loaded goes on in mid-stream. 0 =
 * filled, else the training ends with DYN_EUSER.
 */
typedef int32_t (*dyn_feed_fn)(void *user, const dyn_batch_view *batch);

/** Options of a run; the INIT macro holds the defaults. */
typedef struct dyn_run_options {
    uint32_t struct_size;       /* sizeof(dyn_run_options); set by DYN_RUN_OPTIONS_INIT */
    int32_t drop_last;          /* 1: leave out the last batch of an epoch if it is not full */
    int64_t steps;              /* the run ends at this step; INT64_MAX = no end of its own */
    int64_t batch;              /* samples per mini-batch, at least 1; as many as there are or more = full batch */
    uint64_t seed;              /* order of mini-batches: dyn_data_order(seed, epoch) */
    int64_t record_every;       /* steps between rows of the history, at least 1. The last step is always recorded */
    double stop_loss;           /* end where the loss (of the batch) is this or less; -INFINITY = none */
    double stop_accuracy;       /* end where dyn_objective_accuracy is this or more, in [0, 1]; INFINITY = none */
    int64_t accuracy_every;     /* steps between looks at the accuracy, kept as series "accuracy"; at least 1 */
    int64_t progress_every;     /* steps between calls of progress; 0 = by the clock, about twenty calls a second */
    dyn_progress_fn progress;   /* NULL = none. fraction is of the present dyn_run_train */
    void *progress_user;
    /* The same models on other data, whose loss (and accuracy, where its targets are known) is looked at every
     * validate_every steps and at the end: columns "validation_loss" and "validation_accuracy" of the history, NaN where
     * it was not. Referenced; NULL = none */
    dyn_objective *validation;
    int64_t validate_every;     /* at least 1 */
    int64_t patience;           /* end after so many looks without a smaller loss; 0, which is none = never */
    int32_t keep_best;          /* 1: keep the parameters of the smallest validation loss, see dyn_run_best; so does patience */
    int32_t any_numerics;       /* 1: go on with a checkpoint of another numeric class (docs/numerics.md), by other bits */
    /* Averages of theta_0, theta_1, ..., see dyn_run_average */
    double ema;                 /* e_0 = theta_0, e_t = ema e_(t-1) + (1 - ema) theta_t; in [0, 1); 0 = none */
    int64_t mean_from;          /* the mean of theta_t of the steps t from here on, at least 0; INT64_MAX = none */
    double gradient_tolerance;  /* end where the norm of the gradient is this or less; -INFINITY = none */
    int64_t accumulate;         /* batches whose gradients' mean makes a step, at least 1 */
    /* Batches from a stream: every batch has as many samples as the objective's data, which measurements then take; batch
     * says nothing. Not for replicas and sums of objectives. NULL = none */
    dyn_feed_fn feed;
    void *feed_user;
} dyn_run_options;
#define DYN_RUN_OPTIONS_INIT \
    { DYN_SIZE_OF(dyn_run_options), 0, INT64_MAX, INT64_MAX, 0, 1, -HUGE_VAL, HUGE_VAL, 100, 0, \
      NULL, NULL, NULL, 100, 0, 0, 0, 0.0, INT64_MAX, -HUGE_VAL, 1, NULL, NULL }

/**
 * Make a run at step 0.
 *
 * shape:  theta [p], copied (rounded for a float32 objective).
 * default: optimizer and opt may be NULL.   owner: *out is owned by the caller, NULL on error.
 * errors: DYN_EINVAL an option out of range, with its value; DYN_ENOTSUP mini-batches of an objective without samples;
 *         DYN_ENONFINITE theta, with the index; DYN_ENOMEM; DYN_EABI_*.
 * since:  0.1
 */
DYN_API dyn_status dyn_run_create(dyn_objective *objective, const dyn_optimizer_options *optimizer,
                                  const dyn_run_options *opt, const double *theta, dyn_run **out);

/** NULL is allowed. since: 0.1 */
DYN_API void dyn_run_free(dyn_run *run);

/** As many steps as the options allow. */
#define DYN_TO_END INT64_MAX

/**
 * Train for so many steps more, at most to the end the options give; DYN_TO_END goes to that end. Returning DYN_OK, the
 * run has done so or has met a stop rule: see dyn_run_reason. Where the run ends, loss and gradient are evaluated once
 * more, for the history's last row and the observers at the end. Without an end in the options each call ends so, and the
 * next begins with what was evaluated there: that many steps cost the same in one call or in many (a stream, functions of the
 * caller's and data exchanged by dyn_objective_set_data are evaluated again).
 *
 * status: DYN_STOPPED the caller stopped it, after a whole step or in an observer of the library's that takes long:
 *         this measurement is then made when it trains again, and every bit is as if it had not been stopped. (One that
 *         was due because the run ended is made where it ends then.)
 * errors: DYN_EINVAL steps < 0, or DYN_TO_END without an end; DYN_ESTATE from inside a callback, or a run of dyn_replicas;
 *         DYN_ENONFINITE loss or gradient is not finite: theta is where this was found, the history ends before;
 *         DYN_EUSER or another status from the objective or an observer (its step is completed, though);
 *         DYN_ENOMEM. History and state stay valid after every error.
 * since:  0.1
 */
DYN_API dyn_status dyn_run_train(dyn_run *run, int64_t steps);

/**
 * Ask the training in progress to stop before its next step, or in a measurement of sharpness; without one nothing
 * happens. Any thread; a signal handler too. NULL is allowed. since: 0.1
 */
DYN_API void dyn_run_stop(dyn_run *run);

/** Steps taken; in an observer the step it observes. 0 for NULL. since: 0.1 */
DYN_API int64_t dyn_run_step(const dyn_run *run);

/** enum dyn_run_reason; DYN_RUN_READY for NULL. since: 0.1 */
DYN_API int32_t dyn_run_reason(const dyn_run *run);

/** Copy theta [p]; in an observer the theta it observes. errors: DYN_EINVAL. since: 0.1 */
DYN_API dyn_status dyn_run_theta(const dyn_run *run, double *theta);
/** Copy the states of all models, one after the other, in their order; nothing where there are none. since: 0.1 */
DYN_API dyn_status dyn_run_states(const dyn_run *run, double *states);

/**
 * Go on from another theta [p], copied (rounded for a float32 objective): the next step is evaluated there. Moments, step,
 * history and what was kept of the parameters before stay; a run that had ended for what it saw there may go on.
 * errors: DYN_EINVAL; DYN_ESTATE from inside a callback, or with a measurement broken off; DYN_ENONFINITE, with the index.
 * since: 0.1
 */
DYN_API dyn_status dyn_run_set_theta(dyn_run *run, const double *theta);
/** The same with size = p numbers of type dtype, that of the objective. errors: also DYN_EDTYPE, DYN_ESHAPE. since: 0.1 */
DYN_API dyn_status dyn_run_set_parameters(dyn_run *run, int32_t dtype, int64_t size, const void *theta);

/** theta [p] in the objective's element type (enum dyn_dtype in *dtype unless NULL). Borrowed: lives as long as run and
 * changes with training. NULL for NULL. since: 0.1 */
DYN_API const void *dyn_run_parameters(const dyn_run *run, int32_t *dtype);

/** The optimiser with its moments, borrowed; NULL for NULL. since: 0.1 */
DYN_API const dyn_optimizer *dyn_run_optimizer(const dyn_run *run);

/** The objective, borrowed; NULL for NULL. since: 0.1 */
DYN_API dyn_objective *dyn_run_objective(const dyn_run *run);

/**
 * The parameters [p] of the smallest validation loss so far, the loss, and the step; each may be NULL. They are part of the
 * checkpoint. errors: DYN_ESTATE nothing is kept. since: 0.1
 */
DYN_API dyn_status dyn_run_best(const dyn_run *run, double *theta, double *loss, int64_t *step);

/** Which average of the parameters. Values never change. */
enum dyn_average {
    DYN_AVERAGE_EMA = 0,        /* exponential: options' ema */
    DYN_AVERAGE_MEAN = 1        /* of the steps from options' mean_from on */
};

/**
 * An average of theta [p] over the steps so far, with that of the present step; in an observer up to the step it observes.
 * It is kept in double and part of the checkpoint; it changes no step.
 * errors: DYN_EINVAL; DYN_ESTATE it is not kept, or its first step has not come. since: 0.1
 */
DYN_API dyn_status dyn_run_average(const dyn_run *run, int32_t which, double *theta);

/** Number of the history's columns; name of column i, borrowed, NULL out of range. since: 0.1 */
DYN_API int32_t dyn_run_columns(const dyn_run *run);
DYN_API const char *dyn_run_column_name(const dyn_run *run, int32_t i);

/**
 * A column of the history: "step", "loss", "gradient_norm" (before clipping), "rate" (of LBFGS the
 * length of the step that led to the row, in units of its direction; NaN at the start); of an objective of several terms
 * their names ("term.loss" for one called "loss"); with a validation "validation_loss" and "validation_accuracy".
 * *rows (NULL allowed) is the number of rows. Borrowed: valid until the run trains again or is freed; NULL for an
 * unknown name. since: 0.1
 */
DYN_API const double *dyn_run_history(const dyn_run *run, const char *column, int64_t *rows);

/**
 * A number for what the run is and where it stands: the loss (its graph, and checksums of the data), the optimiser,
 * batches, end and stop rules, the validation, step, theta. Equal runs have equal numbers, on any machine and for any
 * number of threads; a change of one of these changes it. Observers are not in it, nor, of functions of the caller's,
 * more than their kind.
 *
 * errors: DYN_EINVAL; DYN_ENOMEM. since: 0.1
 */
DYN_API dyn_status dyn_run_fingerprint(const dyn_run *run, uint64_t *out);

/* ---- measurements ---- */

/** When to measure: at every step that any of the rules names; all zero: at none. */
typedef struct dyn_schedule {
    uint32_t struct_size;   /* sizeof(dyn_schedule); set by DYN_SCHEDULE_INIT */
    int32_t per_decade;     /* steps 10^(j / per_decade), rounded, j = 0, 1, 2, ...; 0 = none */
    int32_t at_start;       /* 1: step 0 */
    int32_t at_end;         /* 1: where the run ends, see dyn_run_train; not where it is stopped by the caller */
    int64_t every;          /* steps 0, every, 2 every, ...; 0 = none */
    int64_t count;          /* length of steps */
    const int64_t *steps;   /* [count], in any order, copied; NULL with count = 0 */
    double rest;            /* the run's time without the observer is to be so many times that in it, 9 for a tenth of all:
                               steps before are passed over, but not its first one nor the run's end. Which steps are
                               measured then depends on the clock, the run does not. 0 = all are measured */
} dyn_schedule;
#define DYN_SCHEDULE_INIT { DYN_SIZE_OF(dyn_schedule), 0, 0, 0, 0, 0, NULL, 0.0 }

/** A run as an observer sees it; valid during the call. */
typedef struct dyn_run_view {
    uint32_t struct_size;       /* sizeof(dyn_run_view) as the library has it */
    int32_t ending;             /* 1: the run ends here */
    dyn_run *run;
    int64_t step;
    int64_t size;               /* p */
    double loss;                /* at theta, of the step's samples; so is the gradient */
    double rate;                /* of the step about to be taken */
    const double *theta;        /* [size] */
    const double *gradient;     /* [size] */
} dyn_run_view;

/**
 * Measures the run at a step. It may call analyses and operators on the run's objective, and dyn_run_record. Return 0 to go on, DYN_STOPPED to stop the training after
 * this step, or an error (negative) which dyn_run_train then returns; its message is that of the last call that failed
 * in the observer, else it names the observer, by its place from 0 on, and the step. Any other number ends the training
 * with DYN_EUSER and is named.
 */
typedef int32_t (*dyn_observer_fn)(void *user, const dyn_run_view *at);

/**
 * Add an observer; observers of a step are called in the order they were added. when may be NULL (every step).
 * errors: DYN_EINVAL; DYN_ESTATE from inside a callback; DYN_ENOMEM; DYN_EABI_*. since: 0.1
 */
DYN_API dyn_status dyn_run_observe(dyn_run *run, dyn_observer_fn fn, void *user, const dyn_schedule *when);

/** Number of observers; 0 for NULL. since: 0.1 */
DYN_API int64_t dyn_run_observers(const dyn_run *run);

/** Seconds spent in dyn_run_train so far, by the clock, in this process; 0 for NULL. since: 0.1 */
DYN_API double dyn_run_seconds(const dyn_run *run);

/**
 * What observer i, by its place from 0 on, has cost in this process: seconds, times it measured, times that it was passed
 * over. Any output may be NULL. errors: DYN_EINVAL no such observer. since: 0.1
 */
DYN_API dyn_status dyn_run_observer_cost(const dyn_run *run, int64_t i, double *seconds, int64_t *measured,
                                         int64_t *passed_over);

/**
 * Append a row to a series of results, at the present step. The first row makes the series and fixes its columns.
 *
 * shape:  values [count], count >= 1.
 * name:   1 to 63 letters, digits, or any of "_-. "; not a column of the history.
 * errors: DYN_EINVAL; DYN_ESHAPE the series has another number of columns; DYN_ENOMEM.   since: 0.1
 */
DYN_API dyn_status dyn_run_record(dyn_run *run, const char *name, int64_t count, const double *values);

/** Number of series; 0 for NULL. since: 0.1 */
DYN_API int64_t dyn_run_series_count(const dyn_run *run);

/** Name of series i, in the order they were made; NULL out of range. Borrowed from the run. since: 0.1 */
DYN_API const char *dyn_run_series_name(const dyn_run *run, int64_t i);

/**
 * A series: steps_out [rows] and values_out [rows, columns], borrowed, valid until something is recorded. Any output
 * may be NULL. errors: DYN_EINVAL no such series. since: 0.1
 */
DYN_API dyn_status dyn_run_series(const dyn_run *run, const char *name, int64_t *rows_out, int64_t *columns_out,
                                  const int64_t **steps_out, const double **values_out);

/**
 * Keep a vector that a measurement goes on from, under a name of 1 to 63 characters without a slash; it takes the place of
 * the one before, is part of a checkpoint and comes back with it. It changes nothing of the run.
 *
 * shape:  values [count], count >= 1, copied.   errors: DYN_EINVAL, DYN_ENOMEM.   since: 0.1
 */
DYN_API dyn_status dyn_run_keep(dyn_run *run, const char *name, int64_t count, const double *values);

/** What was kept last: *values_out borrowed until the next one is kept; 0 and NULL for nothing. since: 0.1 */
DYN_API dyn_status dyn_run_kept(const dyn_run *run, const char *name, int64_t *count_out, const double **values_out);

/* ---- files ---- */

/**
 * A text of the caller's that goes into checkpoints and comes back with them: how to make the objective again, say.
 * Copied; NULL takes it away. errors: DYN_ENOMEM. since: 0.1
 */
DYN_API dyn_status dyn_run_set_note(dyn_run *run, const char *text);

/** The note, of the run or of the checkpoint that it comes from; NULL without one. Borrowed. since: 0.1 */
DYN_API const char *dyn_run_note(const dyn_run *run);

/**
 * Write a checkpoint: an .npz of theta, moments, step, history, series, the options that decide the trajectory, the
 * loss as text (its graph, and checksums of the data), the numeric class and the note. The
 * file is replaced whole or not at all. errors: DYN_ESTATE from inside a callback; DYN_EIO; DYN_ENOMEM; DYN_ENOTSUP
 * built without libzip. since: 0.1
 */
DYN_API dyn_status dyn_run_save(const dyn_run *run, const char *path);

/**
 * A run from a checkpoint, which goes on as if it had never stopped. Give the same objective and options as before:
 * those that decide the trajectory are compared (the loss, node by node; the data; all of the optimiser; batch, drop_last,
 * seed); the end, stop rules,
 * record_every and progress may differ. Observers are to be added again.
 *
 * errors: DYN_EINVAL an option or the loss differs, with both values; DYN_ESTATE it was written in another numeric class
 *         (docs/numerics.md) or with another memory_limit, with both, unless any_numerics; DYN_EFORMAT, DYN_EVERSION, DYN_EIO the file; as
 *         dyn_run_create.   owner: *out is owned by the caller, NULL on error.   since: 0.1
 */
DYN_API dyn_status dyn_run_load(dyn_objective *objective, const dyn_optimizer_options *optimizer,
                                const dyn_run_options *opt, const char *path, dyn_run **out);

/**
 * The numeric class in which a checkpoint was written, for the numerics of dyn_ctx_options: a context of that class
 * goes on with its bits. text [room] gets it, ended by a NUL; 512 bytes are enough.
 *
 * errors: DYN_EINVAL too little room, with what is needed; DYN_EFORMAT no checkpoint; DYN_EIO; DYN_ENOTSUP built
 *         without libzip.   since: 0.1
 */
DYN_API dyn_status dyn_checkpoint_numerics(dyn_ctx *ctx, const char *path, int64_t room, char *text);

/**
 * Write history and series as one CSV table with a header: a row for every step at which anything was recorded, nan
 * where something was not; a series of several columns has columns name.0, name.1, ... Recorded twice at a step, the
 * last counts. errors: DYN_EIO, DYN_ENOMEM. since: 0.1
 */
DYN_API dyn_status dyn_run_write_csv(const dyn_run *run, const char *path);

#ifdef __cplusplus
}
#endif
#endif
