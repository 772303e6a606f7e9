/* SPDX-License-Identifier: BSD-3-Clause
 *
 * What a primitive computes, by its definition: plain loops over doubles, the rule `evaluate` of its file. Nothing is
 * shared with the compiler and the kernels, which are tested against it; the reference backend runs it. */
#ifndef DYN__EVALUATE_H
#define DYN__EVALUATE_H

#include <math.h>
#include <string.h>
#include "graph/graph.h"

/* A node, the elements of its operands, row-major, and where its own go; of a float32 graph the caller rounds these. */
typedef struct dyn__frame {
    const dyn__node *n;
    const double *in[DYN__MAX_IN];
    const int64_t *index[DYN__MAX_IN];      /* instead, of an operand of indices */
    const dyn__shape *shape[DYN__MAX_IN];   /* of the operands */
    double *out;
    int64_t size;
    int single;                             /* float32 */
} dyn__frame;

static inline void dyn__coordinates(const dyn__shape *s, int64_t flat, int64_t at[DYN_MAX_RANK])
{
    for (int i = s->rank - 1; i >= 0; i--) {
        at[i] = flat % s->dim[i];
        flat /= s->dim[i];
    }
}

static inline int64_t dyn__flat(const dyn__shape *s, const int64_t at[DYN_MAX_RANK])
{
    int64_t flat = 0;

    for (int i = 0; i < s->rank; i++)
        flat = flat * s->dim[i] + at[i];
    return flat;
}

/* The rule of an elementwise primitive: a formula of the elements a, b, c of its operands. */
#define DYN__EVALUATE(formula)                                                               \
    static void evaluate(const dyn__frame *f)                                                \
    {                                                                                        \
        for (int64_t i = 0; i < f->size; i++) {                                              \
            const double a = f->in[0][i];                                                    \
            const double b = f->n->nin > 1 ? f->in[1][i] : 0, c = f->n->nin > 2 ? f->in[2][i] : 0; \
            (void)a, (void)b, (void)c;                                                       \
            f->out[i] = (formula);                                                           \
        }                                                                                    \
    }

#endif
