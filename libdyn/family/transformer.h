/* SPDX-License-Identifier: BSD-3-Clause
 *
 * What the files of the decoder transformers share. */
#ifndef DYN__TRANSFORMER_H
#define DYN__TRANSFORMER_H

#include <dyn/transformer.h>
#include "family/family.h"

/* Their names in PyTorch; user: dyn_transformer_options, completed. */
dyn_status dyn__transformer_theirs(const void *user, dyn_exchange_part *p);

#endif
