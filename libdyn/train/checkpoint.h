/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The checkpoint of a run, an .npz with the members
 *     state                   int64 [4]       enum dyn__state
 *     options                 int64 [n]       what decides the trajectory, see options of dyn__traits; reals as bits
 *     theta, m, v             float [p]       m and v where the optimiser has them; in the objective's element type
 *     model_state             float [q]       where a model has states
 *     best, best.theta        float64 [3], float [p]      of a validation: loss, step, looks since; parameters if kept
 *     history.<column>        float64 [rows]
 *     series.<name>.steps     int64 [rows]
 *     series.<name>.values    float64 [rows, columns] */
#ifndef DYN__CHECKPOINT_H
#define DYN__CHECKPOINT_H

#include "train/run.h"

enum dyn__state { DYN__STATE_VERSION, DYN__STATE_STEP, DYN__STATE_SEEN, DYN__STATE_REASON, DYN__STATE_COUNT };
enum { DYN__CHECKPOINT_VERSION = 1, DYN__TRAITS = 25, DYN__MEMBER_NAME = DYN__SERIES_NAME + 16 };

#define DYN__SERIES_PREFIX "series."
#define DYN__SERIES_STEPS ".steps"
#define DYN__SERIES_VALUES ".values"

/* What decides the trajectory of a run, as numbers of 64 bits. */
void dyn__traits_of(const dyn_run *r, int64_t bits[DYN__TRAITS]);
/* DYN_EINVAL with name and values when the file's differ from the run's. */
dyn_status dyn__traits_compare(const dyn_run *r, const int64_t *file);

#endif
