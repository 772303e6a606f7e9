/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Which intermediate results of a cluster share a buffer: intervals of a row, in elements, given out in the order of
 * the instructions and taken back behind the last reader. */
#include <string.h>
#include "compile/compile.h"

typedef struct interval { int64_t offset, size; int32_t last; } interval;
typedef struct row_space { interval *used; int32_t count; int64_t top, line; } row_space;

/* First gap of this size between the intervals in use, which are kept in order of offset. Rows of a line or more begin
 * on one. */
static int64_t take(row_space *r, int64_t size, int32_t last)
{
    const int64_t align = size < r->line ? 1 : r->line;
    int64_t offset = 0;
    int32_t i = 0;

    while (i < r->count && r->used[i].offset - offset < size) {
        offset = (r->used[i].offset + r->used[i].size + align - 1) / align * align;
        i++;
    }
    memmove(&r->used[i + 1], &r->used[i], (size_t)(r->count - i) * sizeof *r->used);
    r->used[i] = (interval){offset, size, last};
    r->count++;
    if (offset + size > r->top)
        r->top = offset + size;
    return offset;
}

static void release(row_space *r, int32_t now)
{
    int32_t kept = 0;
    for (int32_t i = 0; i < r->count; i++)
        if (r->used[i].last > now)
            r->used[kept++] = r->used[i];
    r->count = kept;
}

/* Every argument that reads x does so element by element with the result. */
static int read_in_place(const dyn__instr *q, dyn_node x)
{
    for (int a = 1; a < q->nargs; a++)
        if (q->arg[a].node == x
            && (q->arg[a].offset || memcmp(q->arg[a].stride, q->arg[0].stride,
                                           (size_t)q->ndim * sizeof q->arg[0].stride[0])))
            return 0;
    return 1;
}

/* An input of the same strides that is read here for the last time hands its buffer to the result. */
static interval *inherited(const dyn__compiler *k, int32_t s, const dyn__instr *q, row_space *r, const int32_t *last,
                           int32_t now)
{
    if (q->kernel < 0 || (q->kernel >= DYN__K_ROW_SUM && !dyn__is_summed(q->kernel)))
        return NULL;
    for (int a = 1; a < q->nargs; a++) {
        dyn_node x = q->arg[a].node;
        if (!dyn__in_tile(k, s, x) || last[x] != now || k->node[x].pitch != k->node[q->node].pitch
            || !read_in_place(q, x))
            continue;
        for (int32_t i = 0; i < r->count; i++)
            if (r->used[i].offset == k->node[x].slot)
                return &r->used[i];
    }
    return NULL;
}

/* A buffer of its own for every result of the group at instruction i that is wider than a strip: these last while the
 * group goes from strip to strip. */
static void assign_wide(dyn__compiler *k, int32_t s, row_space *r, const int32_t *last, int32_t i)
{
    const dyn__instr *instr = k->plan->step[s].instr;

    if (!instr[i].strip || (i > 0 && instr[i - 1].end == instr[i].end))
        return;
    for (int32_t j = i; j < instr[i].end; j++) {
        dyn__cnode *c = &k->node[instr[j].node];
        if (dyn__in_tile(k, s, instr[j].node) && c->pitch != instr[j].strip)
            c->slot = take(r, c->pitch, last[instr[j].node]);
    }
}

static void assign_buffers(dyn__compiler *k, int32_t s, row_space *r, const int32_t *last)
{
    const dyn__step *step = &k->plan->step[s];

    for (int32_t i = 0; i < step->instrs; i++) {
        const dyn__instr *q = &step->instr[i];
        assign_wide(k, s, r, last, i);
        if (dyn__in_tile(k, s, q->node) && k->node[q->node].slot < 0) {
            interval *from = inherited(k, s, q, r, last, i);
            if (from)
                from->last = last[q->node];
            k->node[q->node].slot = from ? from->offset : take(r, k->node[q->node].pitch, last[q->node]);
        }
        release(r, i);
    }
}

/* The last instruction that reads x; what a group of strips reads, other than a strip, it reads to its end. */
static void find_last_use(dyn__compiler *k, const dyn__step *step)
{
    for (int32_t i = 0; i < step->instrs; i++)
        for (int a = 0; a < step->instr[i].nargs; a++) {
            const dyn__instr *q = &step->instr[i];
            k->last_use[q->arg[a].node] = q->strip && k->node[q->arg[a].node].pitch != q->strip ? q->end - 1 : i;
        }
}

dyn_status dyn__plan_buffers(dyn__compiler *k, int32_t s, int64_t *row_elements)
{
    const dyn__step *step = &k->plan->step[s];
    row_space r = {dyn__alloc(k->ctx, (size_t)step->instrs + 1, sizeof(interval)), 0, 0, dyn__line(k)};

    if (!r.used)
        return DYN_ENOMEM;
    find_last_use(k, step);
    assign_buffers(k, s, &r, k->last_use);
    *row_elements = r.top;
    dyn__free(k->ctx, r.used);
    return DYN_OK;
}
