/* SPDX-License-Identifier: BSD-3-Clause
 *
 * What is computed again instead of stored. A product q k^T of long matrices, as the scores of attention, has many more
 * elements than its operands, and so has what is made of it element by element: these nodes are called wide. What they
 * are contracted to is narrow again. Where a wide node is read together with what depends on its contraction, as in a
 * backward pass, it would have to be stored from the forward pass on; it is made anew for that reader from narrow nodes,
 * which are stored. */
#ifndef DYN__REMAKE_H
#define DYN__REMAKE_H

#include "compile/form.h"

/* Marks the wide nodes among those that are needed; wide, need: a byte for every node of g. Returns how many there are. */
int32_t dyn__mark_wide(const dyn_graph *g, const uint8_t *need, uint8_t *wide);

/* One more making of node `node`: `made` in the lowered graph, for readers of this level. */
typedef struct dyn__copy { dyn_node node, made; int32_t level, next; } dyn__copy;

typedef struct dyn__remake {
    const dyn_graph *g;
    uint8_t *wide;
    int32_t *level;             /* of a node: contractions of wide nodes behind it, one after the other, at most */
    int32_t *first;             /* of a node: its makings, plus 1; a list */
    dyn__copy *copy;
    int64_t copies, capacity;
    int32_t count;              /* wide nodes; 0: nothing is made again */
} dyn__remake;

dyn_status dyn__remake_find(dyn__remake *a, const dyn_graph *g, const uint8_t *need, const uint8_t *is_cut);
void dyn__remake_free(dyn__remake *a);
/* Operand i of node y in the lowered graph: map's image of it, or it made again. */
dyn_node dyn__remake_operand(dyn__remake *a, dyn__lowering *l, dyn_node y, int i, const dyn_node *map);

#endif
