/* SPDX-License-Identifier: BSD-3-Clause
 *
 * An objective as text, line by line: the nodes of its loss, its data with checksums. Equal texts mean equal losses, as
 * far as the library can know: functions of the caller's have but a name for what they are. */
#ifndef DYN__OBJECTIVE_DESCRIBE_H
#define DYN__OBJECTIVE_DESCRIBE_H

#include "base/buffer.h"
#include "graph/graph.h"
#include <dyn/objective.h>

/* Fowler, Noll and Vo's hash over words of 8 bytes, the last one filled up with zeros; goes on from `hash`. */
#define DYN__CHECKSUM_START 14695981039346656037u
uint64_t dyn__checksum(uint64_t hash, const void *data, size_t bytes);

/* A blank and a number with a decimal point, whatever the host's locale has for one. */
dyn_status dyn__text_number(dyn__buffer *t, double x);
/* The nodes that these outputs need, line by line. */
dyn_status dyn__text_graph(dyn__buffer *t, const dyn_graph *g, int32_t count, const dyn_node *outputs);
dyn_status dyn__objective_describe(dyn_objective *o, dyn__buffer *t);
/* For kinds: the text of a function on the graph. */
dyn_status dyn__graph_describe(dyn_objective *o, dyn__buffer *t);

#endif
