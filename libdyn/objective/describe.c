/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The text of an objective. A loss is judged by the graph that it writes, whatever function of whatever language wrote
 * it: nodes with all that decides what they compute, then the arrays that it reads, by checksum. */
#include "objective/describe.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include "data/data.h"
#include "objective/impl.h"

dyn_status dyn__text_number(dyn__buffer *t, double x)
{
    char digits[40], *to = digits;

    snprintf(digits, sizeof digits, "%.17g", x);
    for (const char *from = digits; *from; from++)
        if (strchr("0123456789+-einfa", *from))
            *to++ = *from;
        else if (to == digits || to[-1] != '.')     /* a point of one byte or more */
            *to++ = '.';
    *to = 0;
    return dyn__buffer_print(t, " %s", digits);
}

uint64_t dyn__checksum(uint64_t h, const void *data, size_t bytes)
{
    const char *p = data;

    for (size_t i = 0; i < bytes; i += 8) {
        uint64_t word = 0;
        memcpy(&word, p + i, bytes - i < 8 ? bytes - i : 8);
        h = (h ^ word) * 1099511628211u;
        h ^= h >> 32;
    }
    return h;
}

/* ---- nodes ---- */

static dyn_status put_attributes(dyn__buffer *t, const dyn__node *n)
{
    int last = DYN_MAX_RANK - 1;

    while (last >= 0 && n->attr.i[last] == 0)
        last--;
    for (int i = 0; i <= last; i++)
        DYN__TRY(dyn__buffer_print(t, " %" PRId64, n->attr.i[i]));
    if (n->attr.n)
        DYN__TRY(dyn__buffer_print(t, " n=%" PRId64, n->attr.n));
    return n->attr.f != 0 ? dyn__text_number(t, n->attr.f) : DYN_OK;
}

static dyn_status put_node(dyn__buffer *t, const dyn_graph *g, dyn_node x)
{
    const dyn__node *n = dyn__at(g, x);
    const double *values = dyn__array_of(g, x);
    char shape[128];

    DYN__TRY(dyn__buffer_print(t, "%%%d = %s %s%s", (int)x, dyn__op_of(n)->name, dyn__name_of(g, x),
                           dyn__shape_text(&n->shape, shape)));
    DYN__TRY(put_attributes(t, n));
    for (int i = 0; i < n->nin; i++)
        DYN__TRY(dyn__buffer_print(t, " %%%d", (int)n->in[i]));
    if (values)
        DYN__TRY(dyn__buffer_print(t, " %016" PRIx64, dyn__checksum(DYN__CHECKSUM_START, values,
                                                                (size_t)dyn__shape_size(&n->shape) * sizeof *values)));
    return dyn__buffer_print(t, "\n");
}

dyn_status dyn__text_graph(dyn__buffer *t, const dyn_graph *g, int32_t count, const dyn_node *outputs)
{
    uint8_t *need = dyn__alloc(t->ctx, (size_t)g->count + 1, 1);
    dyn_status s = need ? DYN_OK : DYN_ENOMEM;

    if (need)
        dyn__mark_needed(g, count, outputs, need);
    for (dyn_node x = 0; s == DYN_OK && x < g->count; x++)
        if (need[x])
            s = put_node(t, g, x);
    dyn__free(t->ctx, need);
    return s;
}

/* ---- data ---- */

static dyn_status put_datum(dyn__buffer *t, const dyn__datum *d)
{
    const dyn_array *a = d->array;
    dyn__shape shape = {.rank = dyn_array_rank(a)};
    char text[128];

    for (int32_t i = 0; i < shape.rank && i < DYN_MAX_RANK; i++)
        shape.dim[i] = dyn_array_shape(a)[i];
    return dyn__buffer_print(t, "data %s%s %016" PRIx64 "\n", d->name, dyn__shape_text(&shape, text),
                         dyn__checksum(DYN__CHECKSUM_START, dyn_array_data(a), (size_t)(dyn_array_size(a) * d->esize)));
}

dyn_status dyn__graph_describe(dyn_objective *o, dyn__buffer *t)
{
    dyn__loss_graph l;

    DYN__TRY(dyn__loss_graph_make(o, o->n, o->n, 1, &l));
    dyn_status s = dyn__text_graph(t, l.g, 1, &l.loss);
    dyn__loss_graph_free(o, &l);
    for (int32_t i = 0; s == DYN_OK && i < o->data; i++)
        s = put_datum(t, &o->datum[i]);
    return s;
}

dyn_status dyn__objective_describe(dyn_objective *o, dyn__buffer *t)
{
    return o->kind->describe(o, t);
}
