/* SPDX-License-Identifier: BSD-3-Clause
 *
 * An objective as text, line by line: the nodes of its loss, its data with checksums. Equal texts mean equal losses, as
 * far as the library can know: functions of the caller's have but a name for what they are. */
#ifndef DYN__OBJECTIVE_DESCRIBE_H
#define DYN__OBJECTIVE_DESCRIBE_H

#include "graph/graph.h"
#include <dyn/objective.h>

/* A text that grows; free `at` with dyn__free. */
typedef struct dyn__text {
    dyn_ctx *ctx;
    char *at;
    int64_t length, room;       /* without and with the NUL behind it */
} dyn__text;

/* Fowler, Noll and Vo's hash over words of 8 bytes, the last one filled up with zeros; goes on from `hash`. */
#define DYN__CHECKSUM_START 14695981039346656037u
uint64_t dyn__checksum(uint64_t hash, const void *data, size_t bytes);

dyn_status dyn__text_put(dyn__text *t, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* A blank and a number with a decimal point, whatever the host's locale has for one. */
dyn_status dyn__text_number(dyn__text *t, double x);
/* The nodes that these outputs need, line by line. */
dyn_status dyn__text_graph(dyn__text *t, const dyn_graph *g, int32_t count, const dyn_node *outputs);
dyn_status dyn__objective_describe(dyn_objective *o, dyn__text *t);
/* For kinds: the text of a function on the graph. */
dyn_status dyn__graph_describe(dyn_objective *o, dyn__text *t);

#endif
