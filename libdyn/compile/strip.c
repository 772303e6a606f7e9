/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Strips: where a layer is so wide that a few rows of it fill the first-level cache, instructions that work column by
 * column run strip by strip of columns, one after the other on each strip. The instructions of a cluster are put in an
 * order that brings such instructions together; what is made and used up within one group of them needs a buffer of
 * one strip only. */
#include <string.h>
#include "compile/compile.h"

/* Bytes of a row of a strip at most, with and without matrix products, and of a row that is worth strips, to stay
 * in the first caches. */
enum { PRODUCT_BYTES = 256, OTHER_BYTES = 1024, WIDE_BYTES = 2048 };

/* ---- columns ---- */

int64_t dyn__columns_of(const dyn__compiler *k, const dyn__instr *q)
{
    const int term = k->node[q->node].role == DYN__TERM;

    if (q->kernel < 0)
        return q->per_row ? 0 : term && dyn__cuts_rows(&q->whole) ? q->whole.m : q->whole.n;
    if (q->ndim != 2 || q->zero || q->partial)
        return 0;
    if (dyn__is_row_sum(q->kernel))
        return q->dim[1];
    return q->arg[0].stride[1] == 1 && (term || dyn__is_elementwise(q)) ? q->dim[1] : 0;
}

static int64_t wide_enough(const dyn__compiler *k, int64_t columns)
{
    return columns * k->plan->esize >= k->wide ? columns : 0;
}

int64_t dyn__column_stride(const dyn__compiler *k, const dyn__instr *q, int a)
{
    const dyn__gemm *g = &q->whole;

    if (q->kernel >= 0)
        return q->arg[a].stride[1];
    if (k->node[q->node].role == DYN__TERM && dyn__cuts_rows(&q->whole))
        return a == 0 ? g->ldc : a == 2 ? 0 : g->trans_a ? 1 : g->lda;
    return a == 0 ? 1 : a == 1 ? 0 : g->trans_b ? g->ldb : 1;
}

/* Argument a reads of node x, column by column, just the columns of the strip. */
static int by_column(const dyn__compiler *k, const dyn__instr *q, int a)
{
    return dyn__column_stride(k, q, a) == 1 && q->arg[a].offset == 0
        && k->node[q->arg[a].node].C == dyn__columns_of(k, q);
}

/* ---- order ---- */

enum { ELSEWHERE, INSIDE, BEHIND };     /* where a node is computed, seen from the group that is being collected */

typedef struct collection {
    dyn__compiler *k;
    dyn__step *step;
    dyn__instr *group, *behind;         /* the group, and what stands behind it */
    int32_t in_group, in_behind, done;
    int64_t columns;
} collection;

static uint8_t *where_of(const collection *g, dyn_node x) { return &g->k->of_node[x].where; }

static int joins(const collection *g, const dyn__instr *q, int64_t columns)
{
    if (columns == 0 || (g->in_group && columns != g->columns))
        return 0;
    for (int a = 1; a < q->nargs; a++) {
        const int where = *where_of(g, q->arg[a].node);
        if (!dyn__is_result(q, a) && (where == BEHIND || (where == INSIDE && !by_column(g->k, q, a))))
            return 0;
    }
    return 1;
}

static int64_t strip_width(const collection *g)
{
    int64_t width = OTHER_BYTES / g->k->plan->esize, strips;

    for (int32_t i = 0; i < g->in_group; i++)
        if (g->group[i].kernel < 0)
            width = PRODUCT_BYTES / g->k->plan->esize;
    strips = dyn__divide_up(g->columns, width);
    return (dyn__divide_up(g->columns, strips) + 15) & ~(int64_t)15;
}

/* A product by itself is worth strips only if these are shared out. */
static int is_worth_strips(const collection *g)
{
    return g->in_group > 1 || (g->in_group == 1 && g->group[0].kernel < 0 && g->k->wide == DYN__SHARED_BYTES);
}

/* Write down the group, then what stands behind it. */
static void close_group(collection *g)
{
    const int32_t end = g->done + g->in_group;
    const int strips = is_worth_strips(g);

    for (int32_t i = 0; i < g->in_group; i++) {
        dyn__instr *q = &g->step->instr[g->done + i];
        *q = g->group[i];
        *where_of(g, q->node) = ELSEWHERE;
        if (!strips)
            continue;
        q->columns = g->columns;
        q->strip = strip_width(g);
        q->end = end;
        for (int a = 0; a < q->nargs; a++)
            q->arg[a].column = dyn__column_stride(g->k, q, a);
    }
    memcpy(&g->step->instr[end], g->behind, (size_t)g->in_behind * sizeof *g->behind);
    for (int32_t i = 0; i < g->in_behind; i++)
        *where_of(g, g->behind[i].node) = ELSEWHERE;
    g->done = end + g->in_behind;
    g->in_group = g->in_behind = 0;
}

static void collect(collection *g, const dyn__instr *q)
{
    const int64_t columns = wide_enough(g->k, dyn__columns_of(g->k, q));

    if (columns && !joins(g, q, columns))
        close_group(g);
    if (columns) {
        g->columns = columns;
        *where_of(g, q->node) = INSIDE;
        g->group[g->in_group++] = *q;
    } else {
        *where_of(g, q->node) = BEHIND;
        g->behind[g->in_behind++] = *q;
    }
}

/* ---- buffers ---- */

/* narrow[x]: the end of the only group that knows x; 0 if there are others. */
static void find_narrow(const dyn__compiler *k, int32_t s, int32_t *narrow)
{
    const dyn__step *step = &k->plan->step[s];

    for (int32_t i = 0; i < step->instrs; i++)
        for (int a = 0; a < step->instr[i].nargs; a++)
            narrow[step->instr[i].arg[a].node] = 0;
    for (int32_t i = 0; i < step->instrs; i++)
        narrow[step->instr[i].node] = step->instr[i].strip && dyn__in_tile(k, s, step->instr[i].node)
                                    ? step->instr[i].end : 0;
    for (int32_t i = 0; i < step->instrs; i++)
        for (int a = 0; a < step->instr[i].nargs; a++)
            if (narrow[step->instr[i].arg[a].node] != step->instr[i].end)
                narrow[step->instr[i].arg[a].node] = 0;
}

/* Argument a lies in a buffer of one strip. */
static void make_narrow(dyn__instr *q, int a)
{
    q->arg[a].column = 0;
    q->arg[a].stride[0] = q->strip;
    if (q->kernel < 0)
        *(a == 0 ? &q->whole.ldc : a == 1 ? &q->whole.lda : &q->whole.ldb) = q->strip;
}

static void narrow_buffers(dyn__compiler *k, int32_t s, int32_t *narrow)
{
    dyn__step *step = &k->plan->step[s];

    find_narrow(k, s, narrow);
    for (int32_t i = 0; i < step->instrs; i++) {
        dyn__instr *q = &step->instr[i];
        for (int a = 0; q->strip && a < q->nargs; a++)
            if (narrow[q->arg[a].node])
                make_narrow(q, a);
        if (q->strip && narrow[q->node])
            k->node[q->node].pitch = q->strip;
    }
}

/* ---- the pass ---- */

static int has_wide(const dyn__compiler *k, const dyn__step *step)
{
    for (int32_t i = 0; i < step->instrs; i++)
        if (wide_enough(k, dyn__columns_of(k, &step->instr[i])))
            return 1;
    return 0;
}

static void collect_all(collection *g)
{
    const int32_t instrs = g->step->instrs;
    const dyn__instr *all = g->behind + instrs;

    memcpy(g->behind + instrs, g->step->instr, (size_t)instrs * sizeof *all);
    for (int32_t i = 0; i < instrs; i++)
        collect(g, &all[i]);
    close_group(g);
}

static dyn_status make_groups(dyn__compiler *k, dyn__step *step)
{
    const size_t n = (size_t)step->instrs;
    collection g = {.k = k, .step = step, .group = dyn__alloc(k->ctx, 3 * n + 1, sizeof *g.group)};

    if (!g.group)
        return DYN_ENOMEM;
    g.behind = g.group + n;
    for (size_t i = 0; i < n; i++)
        for (int a = 0; a < step->instr[i].nargs; a++)
            *where_of(&g, step->instr[i].arg[a].node) = ELSEWHERE;
    collect_all(&g);
    dyn__free(k->ctx, g.group);
    return DYN_OK;
}

dyn_status dyn__strip(dyn__compiler *k, int32_t s)
{
    dyn__step *step = &k->plan->step[s];
    int wide;

    k->wide = dyn__may_share_columns(k, s) ? DYN__SHARED_BYTES : WIDE_BYTES;
    wide = !k->unfused && has_wide(k, step);
    if (wide)
        DYN__TRY(make_groups(k, step));
    for (int32_t i = 0; i < step->instrs; i++)
        if (!step->instr[i].strip)
            step->instr[i].end = i + 1;
    if (wide)
        narrow_buffers(k, s, k->last_use);
    return DYN_OK;
}
