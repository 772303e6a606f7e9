/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Compile outputs of a problem's graph, run the plan, compare with the oracle. */
#ifndef COMPILED_H
#define COMPILED_H

#include <dyn/plan.h>
#include "tests/diff/problem.h"

/* Largest difference of any output element from the oracle's, relative to the largest element of that output or to 1;
 * NaN and a message in the context on failure. */
double compiled_error(problem *p, int32_t count, const dyn_node *outputs, const dyn_plan_options *opt);

#endif
