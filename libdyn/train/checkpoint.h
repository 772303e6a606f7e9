/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The checkpoint of a run, an .npz with the members
 *     state                   int64 [4]       enum dyn__state
 *     options.<name>          int64 [1]       what decides the trajectory, see traits.c; reals as bits. Absent = default
 *     objective               uint8 [n]       the loss as text, see describe.h. Absent = not known
 *     rule                    uint8 [n]       groups of parameters; the graph of a rule of the caller's own. Absent = neither
 *     numerics                uint8 [n]       the numeric class, see base/numerics.h. Absent = not known
 *     memory_limit            int64 [1]       of the objective, a part of the class, too. Absent = none
 *     note                    uint8 [n]       the caller's, see dyn_run_set_note. Absent = none
 *     model_state             float [n]       of models that have a state
 *     theta, m, v, w          float [p]       m, v, w where the optimiser has them; in the objective's element type
 *     model_state             float [q]       where a model has states
 *     ema, mean               float64 [p]     averages of theta that are kept
 *     lbfgs, lbfgs.s, lbfgs.y int64 [2], float64 [memory p]       LBFGS: how many pairs, where the next goes; the pairs
 *     lbfgs.step              float64 [1]     length of the step that led here
 *     best, best.theta        float64 [3], float [p]      of a validation: loss, step, looks since; parameters if kept
 *     history.<column>        float64 [rows]
 *     series.<name>.steps     int64 [rows]
 *     series.<name>.values    float64 [rows, columns] */
#ifndef DYN__CHECKPOINT_H
#define DYN__CHECKPOINT_H

#include "objective/describe.h"
#include "train/run.h"

enum dyn__state { DYN__STATE_VERSION, DYN__STATE_STEP, DYN__STATE_SEEN, DYN__STATE_REASON, DYN__STATE_COUNT };
enum { DYN__CHECKPOINT_VERSION = 2, DYN__TRAITS = 47, DYN__MEMBER_NAME = DYN__SERIES_NAME + 16 };

#define DYN__OPTIONS_PREFIX "options."
#define DYN__SERIES_PREFIX "series."
#define DYN__KEPT_PREFIX "kept."
#define DYN__SERIES_STEPS ".steps"
#define DYN__SERIES_VALUES ".values"

/* What decides the trajectory of a run, as numbers of 64 bits. */
void dyn__traits_of(const dyn_run *r, int64_t bits[DYN__TRAITS]);
const char *dyn__trait_name(int i);
/* Those of a file that names none of the options. */
void dyn__traits_default(const dyn_run *r, int64_t bits[DYN__TRAITS]);
/* DYN_EINVAL with name and values when the file's differ from the run's. */
dyn_status dyn__traits_compare(const dyn_run *r, const int64_t *file);

/* load.c: the state of a checkpoint into a run that has just been made, which keeps its observers. Of a run that this fails
 * for nothing but freeing makes sense. */
dyn_status dyn__run_restore(dyn_run *r, const char *path);

/* groups.c */
dyn_status dyn__groups_describe(const dyn_run *r, dyn__buffer *t);
/* The groups of the run's optimiser, and its rule where it is the caller's own; nothing else. */
dyn_status dyn__rule_describe(const dyn_run *r, dyn__buffer *t);

#endif
