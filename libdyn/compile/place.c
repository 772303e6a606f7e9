/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The memory plan: every stored value gets an offset in one arena, shared with values whose steps do not overlap;
 * outputs lie where the caller wants them. Then every operand of every instruction learns its place. */
#include <stdlib.h>
#include "compile/form.h"
#include "compile/gaps.h"

enum { LINE = 64 };     /* bytes */

typedef struct placing {
    dyn__compiler *k;
    dyn__gaps arena;        /* in bytes */
    dyn_node *ends;         /* by step: the first value that no later step reads, */
    dyn_node *next;         /* by value: the next such value; plus 1, 0 = none */
    int32_t *output;        /* by node: the first output that it is, plus 1 */
} placing;

static int64_t aligned(int64_t bytes) { return (bytes + LINE - 1) & ~(int64_t)(LINE - 1); }

/* ---- values ---- */

static int64_t element_bytes(const dyn__compiler *k, dyn_node x)
{
    return dyn__at(k->g, x)->dtype == DYN_F32 ? 4 : 8;
}

static int64_t value_bytes(const dyn__compiler *k, dyn_node x)
{
    return aligned(dyn__shape_size(&dyn__at(k->g, x)->shape) * element_bytes(k, x));
}

/* Does an operand of n but the first read what the first does? */
static int reads_again(const dyn__compiler *k, const dyn__node *n)
{
    for (int i = 1; i < n->nin; i++)
        if (k->node[n->in[i]].view.base == k->node[n->in[0]].view.base)
            return 1;
    return 0;
}

/* The node whose memory x takes over: what it is set into, which nobody reads later; -1 if there is none. */
static dyn_node taken_over(const dyn__compiler *k, dyn_node x)
{
    const dyn__node *n = dyn__at(k->g, x);

    if (k->unfused || k->node[x].role != DYN__MOVE || !dyn__form_of(n)->in_place)
        return -1;
    const dyn__view *v = &k->node[n->in[0]].view;
    const dyn__cnode *from = &k->node[v->base];
    return from->place.base == DYN__BASE_ARENA && from->last == k->node[x].step && v->offset == 0
        && dyn__shape_size(&dyn__at(k->g, v->base)->shape) == dyn__shape_size(&n->shape)
        && dyn__view_dense(v, &n->shape) && !reads_again(k, n) ? v->base : -1;
}

static dyn_status place_value(placing *m, dyn_node x)
{
    dyn__compiler *k = m->k;
    dyn__cnode *c = &k->node[x];
    int64_t offset;

    if (m->output[x]) {
        c->place = (dyn__place){DYN__BASE_BOUND + k->plan->inputs + m->output[x] - 1, 0};
        return DYN_OK;
    }
    const dyn_node from = taken_over(k, x);
    if (from >= 0) {
        c->place = k->node[from].place;
        k->node[from].handed_on = 1;
    } else {
        DYN__TRY(dyn__gaps_take(&m->arena, value_bytes(k, x), &offset));
        c->place = (dyn__place){DYN__BASE_ARENA, offset / element_bytes(k, x)};
    }
    if (!k->unfused && c->last != INT32_MAX) {
        const int32_t last = c->last > c->step ? c->last : c->step;
        m->next[x] = m->ends[last];
        m->ends[last] = x + 1;
    }
    return DYN_OK;
}

static int by_result(const void *left, const void *right)
{
    const dyn__place a = ((const dyn__sum *)left)->result, b = ((const dyn__sum *)right)->result;
    const int order = (a.base > b.base) - (a.base < b.base);

    return order ? order : (a.offset > b.offset) - (a.offset < b.offset);
}

/* In the order of the results. Gradients are then added up in the order of the parameters, as the update goes. */
static void order_sums(const dyn__compiler *k, dyn__step *step)
{
    if (step->sums)
        qsort(step->sum, (size_t)step->sums, sizeof *step->sum, by_result);
    for (int32_t i = 0; i < step->sums; i++) {
        step->sum[i].start = step->summed;
        k->node[step->sum[i].node].sum = i + 1;
        step->summed += step->sum[i].deferred ? 0 : step->sum[i].size;
    }
}

static int has_parts(const dyn__step *step, const dyn__sum *a) { return step->chunks > 1 && !a->deferred; }

static int64_t sum_bytes(const placing *m, const dyn__step *step, const dyn__sum *a)
{
    return aligned(a->size * step->V * step->chunks * m->k->plan->esize);
}

static dyn_status place_sums(placing *m, dyn__step *step)
{
    int64_t offset;

    for (int32_t i = 0; i < step->sums; i++) {
        dyn__sum *a = &step->sum[i];
        a->place = a->result = m->k->node[a->node].place;
        if (!has_parts(step, a))
            continue;
        DYN__TRY(dyn__gaps_take(&m->arena, sum_bytes(m, step, a), &offset));
        a->place = (dyn__place){DYN__BASE_ARENA, offset / m->k->plan->esize};
    }
    order_sums(m->k, step);
    return DYN_OK;
}

static dyn_status place_between(placing *m, dyn__step *step)
{
    int64_t offset;

    if (!step->between)
        return DYN_OK;
    DYN__TRY(dyn__gaps_take(&m->arena, aligned(step->between * m->k->plan->esize), &offset));
    step->between_place = (dyn__place){DYN__BASE_ARENA, offset / m->k->plan->esize};
    return DYN_OK;
}

/* Behind step s: its chunks' sums, what passed between its groups of strips, and the values that it is the last to
 * read. */
static void give_back(placing *m, int32_t s)
{
    const dyn__compiler *k = m->k;
    const dyn__step *step = &k->plan->step[s];

    for (int32_t i = 0; i < step->sums; i++)
        if (has_parts(step, &step->sum[i]))
            dyn__gaps_give(&m->arena, step->sum[i].place.offset * k->plan->esize, sum_bytes(m, step, &step->sum[i]));
    if (step->between)
        dyn__gaps_give(&m->arena, step->between_place.offset * k->plan->esize,
                       aligned(step->between * k->plan->esize));
    for (dyn_node x = m->ends[s] - 1; x >= 0; x = m->next[x] - 1)
        if (!k->node[x].handed_on)
            dyn__gaps_give(&m->arena, k->node[x].place.offset * element_bytes(k, x), value_bytes(k, x));
}

static dyn_status place_step(placing *m, int32_t s)
{
    dyn__compiler *k = m->k;

    for (dyn_node x = dyn__step_end(k, s); x >= 0; x = k->node[x].before)
        if (k->node[x].stored && !k->node[x].absorbed)
            DYN__TRY(place_value(m, x));
    DYN__TRY(place_sums(m, &k->plan->step[s]));
    DYN__TRY(place_between(m, &k->plan->step[s]));
    give_back(m, s);
    return DYN_OK;
}

static dyn_status place_steps(placing *m)
{
    const dyn__compiler *k = m->k;

    for (int32_t j = k->outputs - 1; j >= 0; j--)
        m->output[k->output[j]] = j + 1;
    for (int32_t s = 0; s < k->plan->steps; s++)
        DYN__TRY(place_step(m, s));
    return DYN_OK;
}

/* ---- operands ---- */

/* An intermediate result: in a tile, or all rows of it if it is kept, or if columns are shared out and it is not just of
 * one strip. */
static void resolve_intermediate(const dyn__step *step, const dyn__cnode *c, dyn__operand_ref *r)
{
    const int whole = c->kept || (step->ranges && c->pitch >= c->C);

    r->set = 0;
    r->row = whole ? c->pitch : 0;
    if (whole)
        r->place = (dyn__place){DYN__BASE_ARENA, step->between_place.offset + c->slot * step->R + r->offset};
    else
        r->place = (dyn__place){DYN__BASE_TILE, c->slot * step->tile + r->offset};
}

static void resolve(const dyn__compiler *k, int32_t s, dyn__operand_ref *r, int is_output)
{
    const dyn__cnode *c = &k->node[r->node];
    const dyn__step *step = &k->plan->step[s];
    const dyn__sum *a = is_output ? dyn__sum_of(k, step, r->node) : NULL;

    if (a) {
        r->place = a->place;
        r->set = step->chunks * a->size;
        r->chunk = has_parts(step, a) ? a->size : 0;
        r->row = 0;
    } else if (c->step == s && c->slot >= 0) {
        resolve_intermediate(step, c, r);
    } else {
        r->place = (dyn__place){c->place.base, c->place.offset + r->offset};
        r->set = r->view_set;
        r->row = r->view_row;
    }
}

/* A sum within rows over strips that are shared out: every range has its own part, and argument 3 is the whole. */
static void part_row_sums(dyn__step *step)
{
    int64_t at = step->between_place.offset + step->between;

    for (int32_t i = 0; step->ranges && i < step->instrs; i++) {
        dyn__instr *q = &step->instr[i];
        if (!dyn__is_part_of_row_sum(q))
            continue;
        at -= step->ranges * step->R;
        q->arg[3] = q->arg[0];
        q->arg[0] = (dyn__operand_ref){.place = {DYN__BASE_ARENA, at}, .chunk = step->R, .row = 1, .stride = {1}};
    }
}

static void resolve_step(dyn__compiler *k, int32_t s)
{
    dyn__step *step = &k->plan->step[s];

    for (int32_t i = 0; i < step->instrs; i++)
        for (int a = 0; a < step->instr[i].nargs; a++)
            if (step->instr[i].arg[a].node >= 0)    /* final copies know where they go */
                resolve(k, s, &step->instr[i].arg[a], dyn__is_result(&step->instr[i], a));
    part_row_sums(step);
}

dyn_status dyn__place_values(dyn__compiler *k)
{
    const size_t nodes = (size_t)k->count + 1;
    placing m = {k, {.ctx = k->ctx, .line = LINE}, dyn__alloc(k->ctx, (size_t)k->plan->steps + 1, sizeof *m.ends),
                 dyn__alloc(k->ctx, nodes, sizeof *m.next), dyn__alloc(k->ctx, nodes, sizeof *m.output)};
    const dyn_status status = m.ends && m.next && m.output ? place_steps(&m) : DYN_ENOMEM;

    for (int32_t s = 0; status == DYN_OK && s < k->plan->steps; s++) {
        resolve_step(k, s);
        if (k->plan->step[s].scratch > k->plan->scratch)
            k->plan->scratch = k->plan->step[s].scratch;
    }
    k->plan->arena = m.arena.top;
    dyn__free(k->ctx, m.output);
    dyn__free(k->ctx, m.next);
    dyn__free(k->ctx, m.ends);
    dyn__free(k->ctx, m.arena.gap);
    return status;
}
