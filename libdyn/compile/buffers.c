/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Which intermediate results of a cluster share a buffer: intervals of a row, in elements, given out in the order of
 * the instructions and taken back behind the last reader. */
#include <string.h>
#include "compile/compile.h"
#include "compile/gaps.h"

/* last: k->last_use; -1 for a result that has handed its buffer on. Of what is kept in memory, chunks that run ahead must
 * not overwrite what others have not read: it is given back behind products that waited for all of them. */
typedef struct sharing {
    dyn__compiler *k;
    int32_t s;
    const dyn__instr *instr;
    int32_t *last;
    dyn__gaps gaps, kept;
    dyn_node read;          /* what is kept and nobody will read, through of_node.first; -1 = none */
} sharing;

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

/* An input of the same strides that is read at instruction i for the last time hands its buffer to the result. */
static int inherit(sharing *h, int32_t i)
{
    const dyn__instr *q = &h->instr[i];
    dyn__cnode *node = h->k->node;

    if (q->kernel < 0 || q->partial || !dyn__is_elementwise(q))
        return 0;
    for (int a = 1; a < q->nargs; a++) {
        const dyn_node x = q->arg[a].node;
        if (!dyn__in_tile(h->k, h->s, x) || h->last[x] != i || node[x].pitch != node[q->node].pitch
            || node[x].kept || node[q->node].kept || !read_in_place(q, x))
            continue;
        node[q->node].slot = node[x].slot;
        h->last[x] = -1;
        return 1;
    }
    return 0;
}

static int needs_buffer(const sharing *h, int32_t i)
{
    const dyn_node x = h->instr[i].node;

    return dyn__in_tile(h->k, h->s, x) && h->k->node[x].slot < 0;
}

static dyn_status take(sharing *h, int32_t i)
{
    dyn__cnode *c = &h->k->node[h->instr[i].node];

    return dyn__gaps_take(c->kept ? &h->kept : &h->gaps, c->pitch, &c->slot);
}

/* A buffer of its own for every result of the group from instruction i on that is wider than a strip: these last while
 * the group goes from strip to strip. */
static dyn_status take_wide(sharing *h, int32_t i)
{
    for (int32_t j = i; h->instr[i].strip && j < h->instr[i].end; j++)
        if (needs_buffer(h, j) && h->k->node[h->instr[j].node].pitch != h->instr[j].strip)
            DYN__TRY(take(h, j));
    return DYN_OK;
}

/* Buffers that instruction j uses and nobody behind instruction i. */
static void give_back(sharing *h, int32_t j, int32_t i)
{
    for (int a = 0; a < h->instr[j].nargs; a++) {
        const dyn_node x = h->instr[j].arg[a].node;
        if (!dyn__in_tile(h->k, h->s, x) || h->last[x] != i)
            continue;
        h->last[x] = -1;
        if (h->k->node[x].kept) {
            h->k->of_node[x].first = h->read;
            h->read = x;
        } else {
            dyn__gaps_give(&h->gaps, h->k->node[x].slot, h->k->node[x].pitch);
        }
    }
}

static void give_back_kept(sharing *h)
{
    for (; h->read >= 0; h->read = h->k->of_node[h->read].first)
        dyn__gaps_give(&h->kept, h->k->node[h->read].slot, h->k->node[h->read].pitch);
}

static dyn_status assign_buffers(sharing *h, int32_t instrs)
{
    int32_t begin = 0;      /* of the group */

    for (int32_t i = 0; i < instrs; i++) {
        if (i > 0 && h->instr[i - 1].end != h->instr[i].end)
            begin = i;
        if (i == begin)
            DYN__TRY(take_wide(h, i));
        if (needs_buffer(h, i) && !inherit(h, i))
            DYN__TRY(take(h, i));
        for (int32_t j = i + 1 == h->instr[i].end ? begin : i; j <= i; j++)
            give_back(h, j, i);
        if (h->instr[i].deferred && (i + 1 == instrs || !h->instr[i + 1].deferred))
            give_back_kept(h);
    }
    return DYN_OK;
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

dyn_status dyn__plan_buffers(dyn__compiler *k, int32_t s, int64_t *row_elements, int64_t *kept_elements)
{
    const dyn__step *step = &k->plan->step[s];
    const dyn__gaps none = {.ctx = k->ctx, .line = dyn__line(k)};
    sharing h = {k, s, step->instr, k->last_use, none, none, -1};

    find_last_use(k, step);
    const dyn_status status = assign_buffers(&h, step->instrs);
    *row_elements = h.gaps.top;
    *kept_elements = h.kept.top;
    dyn__free(k->ctx, h.kept.gap);
    dyn__free(k->ctx, h.gaps.gap);
    return status;
}
