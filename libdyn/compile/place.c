/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The memory plan: every stored value gets an offset in one arena, shared with values whose steps do not overlap;
 * outputs lie where the caller wants them. Then every operand of every instruction learns its place. */
#include <stdlib.h>
#include <string.h>
#include "compile/compile.h"

typedef struct block { int64_t offset, size; int32_t last; } block;
typedef struct arena { dyn_ctx *ctx; block *used; int64_t capacity; int32_t count; int64_t top; } arena;

static int64_t aligned(int64_t bytes) { return (bytes + 63) & ~(int64_t)63; }

static void drop_before(arena *m, int32_t step)
{
    int32_t kept = 0;
    for (int32_t i = 0; i < m->count; i++)
        if (m->used[i].last >= step)
            m->used[kept++] = m->used[i];
    m->count = kept;
}

static dyn_status take(arena *m, int64_t size, int32_t last, int64_t *offset_out)
{
    int64_t offset = 0;
    int32_t i = 0;

    DYN__TRY(dyn__grow(m->ctx, (void **)&m->used, &m->capacity, (int64_t)m->count + 1, sizeof *m->used));
    size = aligned(size);
    for (; i < m->count && m->used[i].offset - offset < size; i++)
        offset = m->used[i].offset + m->used[i].size;
    memmove(&m->used[i + 1], &m->used[i], (size_t)(m->count - i) * sizeof *m->used);
    m->used[i] = (block){offset, size, last};
    m->count++;
    if (offset + size > m->top)
        m->top = offset + size;
    *offset_out = offset;
    return DYN_OK;
}

/* ---- values ---- */

static int64_t element_bytes(const dyn__compiler *k, dyn_node x)
{
    return dyn__at(k->g, x)->dtype == DYN_F32 ? 4 : 8;
}

/* The output that is this node itself, if any: the first. */
static int32_t output_of(const dyn__compiler *k, dyn_node x)
{
    for (int32_t j = 0; j < k->outputs; j++)
        if (k->output[j] == x)
            return j;
    return -1;
}

static dyn_status place_value(dyn__compiler *k, arena *m, dyn_node x)
{
    dyn__cnode *c = &k->node[x];
    int32_t j = output_of(k, x);
    int64_t offset;

    if (j >= 0) {
        c->place = (dyn__place){DYN__BASE_BOUND + k->plan->inputs + j, 0};
        return DYN_OK;
    }
    DYN__TRY(take(m, dyn__shape_size(&dyn__at(k->g, x)->shape) * element_bytes(k, x),
                  k->unfused ? INT32_MAX : c->last, &offset));
    c->place = (dyn__place){DYN__BASE_ARENA, offset / element_bytes(k, x)};
    return DYN_OK;
}

static int by_result(const void *left, const void *right)
{
    const dyn__place a = ((const dyn__sum *)left)->result, b = ((const dyn__sum *)right)->result;
    const int order = (a.base > b.base) - (a.base < b.base);

    return order ? order : (a.offset > b.offset) - (a.offset < b.offset);
}

/* In the order of the results. Gradients are then added up in the order of the parameters, as the update goes. */
static void order_sums(dyn__step *step)
{
    if (step->sums)
        qsort(step->sum, (size_t)step->sums, sizeof *step->sum, by_result);
    for (int32_t i = 0; i < step->sums; i++) {
        step->sum[i].start = step->summed;
        step->summed += step->sum[i].size;
    }
}

static dyn_status place_sums(dyn__compiler *k, arena *m, int32_t s)
{
    dyn__step *step = &k->plan->step[s];
    int64_t offset;

    for (int32_t i = 0; i < step->sums; i++) {
        dyn__sum *a = &step->sum[i];
        a->place = a->result = k->node[a->node].place;
        if (step->chunks == 1)
            continue;
        DYN__TRY(take(m, a->size * step->V * step->chunks * k->plan->esize, s, &offset));
        a->place = (dyn__place){DYN__BASE_ARENA, offset / k->plan->esize};
    }
    order_sums(step);
    return DYN_OK;
}

static dyn_status place_step(dyn__compiler *k, arena *m, int32_t s)
{
    drop_before(m, s);
    for (dyn_node x = dyn__step_end(k, s); x >= 0; x = k->node[x].before)
        if (k->node[x].stored && !k->node[x].absorbed)
            DYN__TRY(place_value(k, m, x));
    return place_sums(k, m, s);
}

/* ---- operands ---- */

static void resolve(const dyn__compiler *k, int32_t s, dyn__operand_ref *r, int is_output)
{
    const dyn__cnode *c = &k->node[r->node];
    const dyn__step *step = &k->plan->step[s];
    const dyn__sum *a = is_output ? dyn__sum_of(step, r->node) : NULL;

    if (a) {
        r->place = a->place;
        r->set = step->chunks * a->size;
        r->chunk = step->chunks > 1 ? a->size : 0;
        r->row = 0;
    } else if (c->step == s && c->slot >= 0) {
        r->place = (dyn__place){DYN__BASE_TILE, c->slot * step->tile + r->offset};
        r->set = r->row = 0;
    } else {
        r->place = (dyn__place){c->place.base, c->place.offset + r->offset};
        r->set = r->view_set;
        r->row = r->view_row;
    }
}

static void resolve_step(dyn__compiler *k, int32_t s)
{
    dyn__step *step = &k->plan->step[s];

    for (int32_t i = 0; i < step->instrs; i++)
        for (int a = 0; a < step->instr[i].nargs; a++)
            if (step->instr[i].arg[a].node >= 0)    /* final copies know where they go */
                resolve(k, s, &step->instr[i].arg[a], dyn__is_result(&step->instr[i], a));
}

dyn_status dyn__place_values(dyn__compiler *k)
{
    arena m = {.ctx = k->ctx};
    dyn_status status = DYN_OK;

    for (int32_t s = 0; status == DYN_OK && s < k->plan->steps; s++)
        status = place_step(k, &m, s);
    for (int32_t s = 0; status == DYN_OK && s < k->plan->steps; s++) {
        resolve_step(k, s);
        if (k->plan->step[s].scratch > k->plan->scratch)
            k->plan->scratch = k->plan->step[s].scratch;
    }
    k->plan->arena = m.top;
    dyn__free(k->ctx, m.used);
    return status;
}
