/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Values of nodes by the definitions of their primitives. */
#include "tests/diff/interpret.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include "graph/evaluate.h"

void interpret_new(interpreter *p, const dyn_graph *g)
{
    *p = (interpreter){.g = g};
}

static void forget(interpreter *p, int32_t x)
{
    free(p->value[x]);
    p->value[x] = NULL;
}

void interpret_free(interpreter *p)
{
    for (int32_t x = 0; x < p->capacity; x++)
        forget(p, x);
    free(p->value);
    free(p->given);
    *p = (interpreter){0};
}

static void make_room(interpreter *p)
{
    const int32_t count = p->g->count;

    if (count <= p->capacity)
        return;
    p->value = realloc(p->value, (size_t)count * sizeof *p->value);
    p->given = realloc(p->given, (size_t)count);
    for (int32_t x = p->capacity; x < count; x++) {
        p->value[x] = NULL;
        p->given[x] = 0;
    }
    p->capacity = count;
}

/* A block of at least one element, so that a NULL means out of memory, which no test survives. */
static double *block(int64_t size)
{
    double *p = malloc((size_t)(size + !size) * sizeof *p);

    if (!p)
        abort();
    return p;
}

void interpret_set(interpreter *p, dyn_node x, const double *data)
{
    const int64_t size = dyn__shape_size(&dyn__at(p->g, x)->shape);

    make_room(p);
    forget(p, x);
    p->value[x] = block(size);
    memcpy(p->value[x], data, (size_t)size * sizeof *data);
    p->given[x] = 1;
}

/* A value of indices, as these. */
static int64_t *indices(int64_t size, const double *value)
{
    int64_t *index = malloc((size_t)(size + !size) * sizeof *index);

    if (!index)
        abort();
    for (int64_t i = 0; i < size; i++)
        index[i] = (int64_t)value[i];
    return index;
}

/* What it computes; of a leaf that the caller did not set, no number. */
static void work_out(const dyn__node *n, dyn__frame *f)
{
    if (dyn__op_of(n)->evaluate)
        dyn__op_of(n)->evaluate(f);
    for (int64_t i = 0; !dyn__op_of(n)->evaluate && i < f->size; i++)
        f->out[i] = (double)NAN;
}

static void evaluate(interpreter *p, int32_t x)
{
    const dyn__node *n = dyn__at(p->g, x);
    dyn__frame f = {.n = n, .size = dyn__shape_size(&n->shape), .single = p->g->dtype == DYN_F32};
    int64_t *index[DYN__MAX_IN] = {NULL};

    for (int k = 0; k < n->nin; k++) {
        f.in[k] = p->value[n->in[k]];
        f.shape[k] = &dyn__at(p->g, n->in[k])->shape;
        if (dyn__at(p->g, n->in[k])->dtype == DYN_I64 && n->dtype != DYN_I64)
            f.index[k] = index[k] = indices(dyn__shape_size(f.shape[k]), f.in[k]);
    }
    f.out = p->value[x] = block(f.size);
    work_out(n, &f);
    for (int k = 0; k < DYN__MAX_IN; k++)
        free(index[k]);
    for (int64_t i = 0; p->g->dtype == DYN_F32 && i < f.size; i++)
        f.out[i] = (double)(float)f.out[i];
}

int interpret_run(interpreter *p, int32_t count, const dyn_node *outputs)
{
    uint8_t *need = malloc((size_t)p->g->count);
    int unset = 0;

    if (!need)
        abort();
    make_room(p);
    for (int32_t x = 0; x < p->g->count; x++)
        if (!p->given[x])
            forget(p, x);
    dyn__mark_needed(p->g, count, outputs, need);
    for (int32_t x = 0; x < p->g->count; x++)
        if (need[x] && !p->given[x]) {
            unset += dyn__at(p->g, x)->op == DYN__OP_input;
            evaluate(p, x);
        }
    free(need);
    return unset;
}

const double *interpret_value(interpreter *p, dyn_node x)
{
    interpret_run(p, 1, &x);
    return p->value[x];
}
