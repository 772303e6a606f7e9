/* SPDX-License-Identifier: BSD-3-Clause
 *
 * What tensors are called, and how they lie, in PyTorch's equal module: a family says so tensor by tensor. */
#ifndef DYN__THEIRS_H
#define DYN__THEIRS_H

#include <dyn/exchange.h>
#include "model/model.h"

/* Change p, which has the name and the layout of ours, to theirs. */
typedef dyn_status (*dyn__theirs_fn)(const void *user, dyn_exchange_part *p);

/* Gives a model that was made its names; s and out are what its creation gave. */
dyn_status dyn__model_called(dyn_status s, dyn_model **out, dyn__theirs_fn theirs);

/* "layer2.Wq" apart: the text before the first digit and that number; what follows. 0: there is no number. */
int dyn__numbered(const char *name, const char *before, const char **after);

/* [in, out] as [out, in]; kernels [k.., in, out] as [out, in, k..]. */
void dyn__part_turned(dyn_exchange_part *p);
void dyn__part_kernel(dyn_exchange_part *p);

/* Sets the name by a format. */
void dyn__part_name(dyn_exchange_part *p, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
