/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The losses that have names: the build function of a model on x and y, and the data it needs. */
#ifndef DYN__LOSSES_H
#define DYN__LOSSES_H

#include "objective/impl.h"

/* The options that concern losses. */
dyn_status dyn__loss_check(dyn_ctx *ctx, const dyn_objective_options *opt);
/* x, y and the weights as data of the objective, of which the model is the only member. */
dyn_status dyn__loss_inputs(dyn_objective *o, dyn_model *model, dyn_array *x, dyn_array *y);
/* What the caller gives in the place of datum i, in the form of dyn__loss_inputs; *out has a reference. */
dyn_status dyn__loss_new_data(dyn_objective *o, int32_t i, dyn_array *given, dyn_array **out);
/* What the loss of a sample, a sum over outputs and positions, is multiplied by. */
double dyn__loss_factor(const dyn_objective *o);
/* Whether it is of the softmax of a position's outputs. */
int dyn__loss_is_softmax(const dyn_objective *o);
/* Outputs of a position. */
int64_t dyn__loss_classes(const dyn_objective *o);
/* The targets of a batch from outside, [n, row of the targets], which must be in the loss's range. */
dyn_status dyn__loss_check_rows(dyn_objective *o, const void *rows);
/* user is the objective. */
dyn_node dyn__loss_build(void *user, dyn_build *b);

/* create.c. The caller's options over the defaults, checked but for what losses need. */
dyn_status dyn__objective_options(dyn_ctx *ctx, const dyn_objective_options *given, dyn_objective_options *opt);
dyn_status dyn__objective_add_datum(dyn_objective *o, const char *name, dyn_array *a, int shared);
dyn_status dyn__objective_ready(dyn_objective *o);

#endif
