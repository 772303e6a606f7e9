/* SPDX-License-Identifier: BSD-3-Clause
 *
 * A graph as text, one node a line, or in the DOT language for pictures. Writes into the caller's buffer and counts
 * what it would have written, as snprintf does. */
#include <stdarg.h>
#include <stdio.h>
#include "graph/graph.h"

typedef struct sink { char *text; int64_t size, length; } sink;

static void put(sink *s, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void put(sink *s, const char *format, ...)
{
    int64_t room = s->length < s->size ? s->size - s->length : 0;
    va_list list;

    va_start(list, format);
    s->length += vsnprintf(room ? s->text + s->length : NULL, (size_t)room, format, list);
    va_end(list);
}

static void put_label(sink *s, const dyn_graph *g, dyn_node i)
{
    const dyn__op *op = dyn__op_of(dyn__at(g, i));
    char shape[128];

    put(s, "%s", op->name);
    if (op->print) {
        const int64_t room = s->length < s->size ? s->size - s->length : 0;
        s->length += op->print(g, i, room ? s->text + s->length : NULL, (size_t)room);
    }
    put(s, " %s", dyn__shape_text(&dyn__at(g, i)->shape, shape));
}

static void put_text(sink *s, const dyn_graph *g, dyn_node i)
{
    put(s, "%%%d = ", (int)i);
    put_label(s, g, i);
    for (int k = 0; k < dyn__at(g, i)->nin; k++)
        put(s, k ? ", %%%d" : " of %%%d", (int)dyn__at(g, i)->in[k]);
    put(s, "\n");
}

static void put_dot(sink *s, const dyn_graph *g, dyn_node i)
{
    put(s, "  n%d [label=\"", (int)i);
    put_label(s, g, i);
    put(s, "\"];\n");
    for (int k = 0; k < dyn__at(g, i)->nin; k++)
        put(s, "  n%d -> n%d;\n", (int)dyn__at(g, i)->in[k], (int)i);
}

int64_t dyn_graph_print(const dyn_graph *g, int32_t dot, int32_t count, const dyn_node *outputs, char *buffer,
                        int64_t size)
{
    sink s = {buffer, size, 0};
    uint8_t *need;

    if (!g)
        return DYN_EINVAL;
    DYN__ENTER(g->ctx);
    if (count < 0 || (count && !outputs) || size < 0 || (size && !buffer))
        return DYN__FAIL(g->ctx, DYN_EINVAL, "%d outputs, a buffer of %lld bytes", (int)count, (long long)size);
    for (int32_t i = 0; i < count; i++)
        if (outputs[i] < 0 || outputs[i] >= g->count)
            return DYN__FAIL(g->ctx, DYN_EINVAL, "node %d: the graph has %d", (int)outputs[i], (int)g->count);
    need = dyn__alloc(g->ctx, (size_t)g->count + 1, 1);
    if (!need)
        return DYN_ENOMEM;
    dyn__mark_needed(g, count, outputs, need);
    put(&s, "%s", dot ? "digraph {\n" : "");
    for (dyn_node i = 0; i < g->count; i++)
        if (need[i])
            (dot ? put_dot : put_text)(&s, g, i);
    put(&s, "%s", dot ? "}\n" : "");
    dyn__free(g->ctx, need);
    return s.length;
}
