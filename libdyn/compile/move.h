/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Steps that only move elements, for the primitives that make them. Each is a list of strided copies and additions
 * (dyn__step_copy), or of a kind of its own. */
#ifndef DYN__MOVE_H
#define DYN__MOVE_H

#include "compile/select.h"

extern const dyn__step_kind dyn__step_copy;

/* So many instructions for the step, copies into y with one operand; NULL: out of memory. */
dyn__instr *dyn__new_instrs(dyn__compiler *k, dyn__step *step, int32_t count, dyn_node y);
/* Copy operand x of y to the elements of y from `start` on, or to all. */
void dyn__set_copy(const dyn__compiler *k, dyn__instr *q, dyn_node y, dyn_node x, const int64_t *start);
/* Clear the whole result y. */
void dyn__set_clear(const dyn__compiler *k, dyn__instr *q, dyn_node y);
/* One instruction that names y and all its operands, for a kind of step that has numbers of its own: room for these, of
 * so many bytes, which the plan frees. NULL: out of memory. */
void *dyn__own_step(dyn__compiler *k, dyn__step *step, dyn_node y, const dyn__step_kind *kind, size_t bytes);

/* parts.c. What is set into y in parts: in the cluster of an operand, if the parts differ along axes behind those of
 * its rows, else a step of its own; the instructions there. */
void dyn__assign_parts(dyn__compiler *k, dyn_node y);
dyn_status dyn__select_parts(dyn__compiler *k, dyn__step *step, int64_t *capacity, dyn_node y);

#endif
