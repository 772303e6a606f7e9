/* SPDX-License-Identifier: BSD-3-Clause
 *
 * For observers that take long: they ask now and then whether the run is to stop, and break off. The run then stops at
 * that step, and calls them, and those behind them, again when it goes on. */
#ifndef DYN__TRAIN_STOP_H
#define DYN__TRAIN_STOP_H

#include <dyn/train.h>

int dyn__run_wants_stop(const dyn_run *run);
/* What an observer returns that has broken off and kept nothing. */
dyn_status dyn__run_break_off(dyn_run *run);

#endif
