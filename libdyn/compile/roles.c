/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Roles and stages. A stage is the earliest step a node can be in: that of an operand read row by row in the same
 * rows, one more than that of an operand that must be whole. Nodes of one stage and the same rows (V, R) are one
 * cluster: all they need of each other they need row by row. */
#include <string.h>
#include "compile/form.h"
#include "compile/move.h"

/* ---- which nodes carry the outer axis ---- */

int dyn__carries_outer(const dyn__compiler *k, dyn_node x)
{
    const dyn__node *n = dyn__at(k->g, x);

    if (k->V == 0 || n->shape.rank < 2 || n->shape.dim[0] != k->V)
        return 0;
    for (int i = 0; i < n->nin; i++)
        if (k->batched[n->in[i]])
            return 1;
    return 0;
}

/* ---- roles ---- */

void dyn__assign_rows(dyn__compiler *k, dyn_node x, const dyn__shape *s, int most)
{
    dyn__cnode *c = &k->node[x];
    const int outer = dyn__carries_outer(k, x);

    c->role = DYN__ROW;
    dyn__set_rows(c, s, outer, s->rank == outer ? 0 : dyn__axes_for(k, x, s, outer, most - outer));
    c->C = dyn__shape_size(dyn__shape_of(k, x)) / (c->V * c->R);
}

static void assign_role(dyn__compiler *k, dyn_node x, const int32_t *readers)
{
    const dyn__node *n = dyn__at(k->g, x);
    const dyn__form *form = dyn__form_of(n);
    dyn__cnode *c = &k->node[x];

    dyn__view_through(k->g, x, &k->node[n->in[0]].view, &c->view);
    k->batched[x] |= (uint8_t)dyn__carries_outer(k, x);
    c->role = form->role;
    if (form->assign)
        form->assign(k, x, readers);
    else if (form->role == DYN__ROW)
        dyn__assign_rows(k, x, &n->shape, n->shape.rank);
}

/* ---- stages ---- */

/* Is operand x of node y used row by row? Its axis of rows: the one that counts rows in y's own iteration. */
int dyn__aligned(const dyn__compiler *k, dyn_node y, dyn_node x)
{
    const dyn__cnode *c = &k->node[y], *base = &k->node[k->node[x].view.base];
    const dyn__view *v = &k->node[x].view;
    const dyn__shape *s = &dyn__at(k->g, x)->shape;
    int64_t stride;

    if (base->role != DYN__ROW || !dyn__same_rows(c, base))
        return 0;
    if (s->rank == 0)
        return c->R == 1 && !c->outer;
    const int axes = dyn__row_axes(s, c->outer, c->R);
    if (axes == 0 || !dyn__row_stride(v, s, c->outer, axes, &stride))
        return 0;
    if (c->outer && (s->dim[0] != c->V || v->stride[0] != c->R * base->C))
        return 0;
    return (c->R == 1 || stride == base->C) && v->offset < base->C;
}

static int reads_by_row(const dyn__compiler *k, dyn_node y, int i)
{
    const dyn__node *n = dyn__at(k->g, y);
    const dyn__form *form = dyn__form_of(n);

    return !(form->reads_whole && form->reads_whole(k, y, i)) && dyn__aligned(k, y, n->in[i])
        && !k->node[y].begins;
}

static int in_cluster(const dyn__cnode *c) { return c->role == DYN__ROW || c->role == DYN__TERM; }

/* The stage at which y could read x. */
static int32_t behind(const dyn__compiler *k, dyn_node y, dyn_node x)
{
    const dyn__cnode *base = &k->node[k->node[x].view.base];

    return base->role == DYN__LEAF ? 0 : base->stage + !(!k->unfused && dyn__aligned(k, y, x));
}

/* The earliest stage that y can have. Clusters begin at stage 1, so that what is only moved, such as the transpose of a
 * parameter, is ready before all of them. */
static int32_t earliest(const dyn__compiler *k, dyn_node y)
{
    const dyn__node *n = dyn__at(k->g, y);
    const dyn__cnode *c = &k->node[y];
    int32_t earliest = in_cluster(c);

    for (int i = 0; i < n->nin; i++) {
        const dyn__cnode *base = &k->node[k->node[n->in[i]].view.base];
        int32_t stage = base->role == DYN__LEAF ? 0
                      : !k->unfused && in_cluster(c) && reads_by_row(k, y, i) ? base->stage
                      : base->stage + 1;
        if (stage > earliest)
            earliest = stage;
    }
    if (k->late && k->late[y] && behind(k, y, k->late[y] - 1) > earliest)
        earliest = behind(k, y, k->late[y] - 1);
    return earliest;
}

/* The load of the cluster that a node of these rows is in at this stage. */
static dyn__load *load_of(const dyn__compiler *k, const dyn__cnode *c, int32_t stage, dyn_node x)
{
    const uint64_t key = (((uint64_t)c->R * 31 + (uint64_t)c->V) * 2 + (uint64_t)c->outer) * 65599 + (uint64_t)stage;
    uint64_t i = key * 0x9e3779b97f4a7c15u >> 32;
    dyn__load *l;

    for (;; i++) {
        l = &k->load[i & k->load_mask];
        if (l->stage == 0)
            *l = (dyn__load){.stage = stage, .node = x};
        if (l->stage == stage && dyn__same_rows(c, &k->node[l->node]))
            return l;
    }
}

static void assign_stage(dyn__compiler *k, dyn_node y)
{
    const dyn__node *n = dyn__at(k->g, y);
    const dyn__form *form = dyn__form_of(n);
    dyn__cnode *c = &k->node[y];

    if (c->role == DYN__TERM && c->sums > 0) {
        c->stage = k->node[n->in[0]].stage;     /* with its operands: they work into its place */
        return;
    }
    c->stage = earliest(k, y);
    if (!in_cluster(c) || k->unfused)
        return;
    if (form->begins && form->begins(k, y, load_of(k, c, c->stage, y))) {
        c->begins = 1;
        c->stage = earliest(k, y);
    }
    if (form->loads)
        form->loads(k, y, load_of(k, c, c->stage, y));
}

/* The latest stage x may have for its reader y. */
static int32_t latest_for(const dyn__compiler *k, dyn_node x, dyn_node y)
{
    const dyn__node *n = dyn__at(k->g, y);
    int32_t latest = INT32_MAX;

    for (int i = 0; i < n->nin; i++)
        if (k->node[n->in[i]].view.base == x) {
            int by_row = k->node[x].role == DYN__ROW && in_cluster(&k->node[y]) && reads_by_row(k, y, i);
            int32_t stage = k->node[y].stage - !by_row;
            latest = stage < latest ? stage : latest;
        }
    return latest;
}

/* Nothing of its own stage would have to be stored if x came later: what it reads there serves x alone and may come
 * later too. */
static int may_wait(const dyn__compiler *k, dyn_node x, const int32_t *readers, const uint8_t *waits)
{
    const dyn__node *n = dyn__at(k->g, x);

    for (int i = 0; i < n->nin; i++) {
        dyn_node b = k->node[n->in[i]].view.base;
        if (k->node[b].role != DYN__LEAF && k->node[b].stage == k->node[x].stage && ((readers[b] > 1 && !k->node[b].wish) || !waits[b]))
            return 0;
    }
    return k->node[x].role == DYN__ROW;
}

static void mark_waiting(const dyn__compiler *k, const uint8_t *need, int32_t *readers, uint8_t *waits)
{
    for (dyn_node y = 0; y < k->count; y++)
        for (int i = 0; need[y] && k->node[y].role != DYN__VIEW && i < dyn__at(k->g, y)->nin; i++)
            readers[k->node[dyn__at(k->g, y)->in[i]].view.base]++;
    for (dyn_node x = 0; x < k->count; x++)
        waits[x] = need[x] && may_wait(k, x, readers, waits);
}

/* Of which a row is little beside one of x. */
static int is_small_beside(const dyn__compiler *k, dyn_node b, dyn_node x)
{
    return 8 * k->node[b].C * k->node[b].R * k->node[b].V <= k->node[x].C * k->node[x].R * k->node[x].V;
}

/* What x reads in its own stage is stored anyway, for readers of a later one, or is little. */
static int reads_what_is_kept(const dyn__compiler *k, dyn_node x, const uint8_t *waits, const uint8_t *kept)
{
    const dyn__node *n = dyn__at(k->g, x);

    if (k->node[x].role != DYN__ROW || !dyn__has_elements(n))
        return 0;
    for (int i = 0; i < n->nin; i++) {
        const dyn_node b = k->node[n->in[i]].view.base;
        if (k->node[b].role != DYN__LEAF && k->node[b].stage == k->node[x].stage && (waits[b] || !kept[b])
            && !is_small_beside(k, b, x))
            return 0;
    }
    return 1;
}

/* A node waits for its first reader where nothing has to be stored in its place: then its own result need not be
 * stored between the two. kept: what is stored for readers of a later stage. */
static void postpone(dyn__compiler *k, const uint8_t *need, int32_t *latest, uint8_t *waits, uint8_t *kept)
{
    mark_waiting(k, need, latest, waits);       /* latest counts readers for a moment */
    for (dyn_node x = 0; x < k->count; x++)
        latest[x] = INT32_MAX;
    for (int32_t j = 0; j < k->outputs; j++)
        latest[k->node[k->output[j]].view.base] = 0;
    for (dyn_node y = k->count - 1; y >= 0; y--) {
        dyn__cnode *c = &k->node[y];
        if (!need[y] || c->role == DYN__VIEW || c->role == DYN__LEAF)
            continue;
        if (latest[y] != INT32_MAX && latest[y] > c->stage && (waits[y] || reads_what_is_kept(k, y, waits, kept)))
            c->stage = latest[y];
        for (int i = 0; i < dyn__at(k->g, y)->nin; i++) {
            dyn_node x = k->node[dyn__at(k->g, y)->in[i]].view.base;
            int32_t stage = latest_for(k, x, y);
            latest[x] = stage < latest[x] ? stage : latest[x];
            kept[x] |= c->stage > k->node[x].stage;
        }
    }
}

/* ---- steps ---- */

/* A hash table of the last step of every kind of rows: numbers of steps, plus 1. */
typedef struct step_table { int32_t *step; uint64_t mask; } step_table;

static int32_t *last_step(const dyn__compiler *k, const step_table *t, const dyn__cnode *c)
{
    const uint64_t key = ((uint64_t)c->R * 31 + (uint64_t)c->V) * 2 + (uint64_t)c->outer;
    uint64_t i = key * 0x9e3779b97f4a7c15u >> 32;

    while (t->step[i & t->mask] && !dyn__same_rows(c, &k->node[k->plan->step[t->step[i & t->mask] - 1].node]))
        i++;
    return &t->step[i & t->mask];
}

static int32_t step_for(dyn__compiler *k, const step_table *t, dyn_node x, int32_t first)
{
    const dyn__cnode *c = &k->node[x];
    int32_t *last = c->role == DYN__MOVE ? NULL : last_step(k, t, c);

    if (last && *last > first)
        return *last - 1;
    dyn__step *step = dyn__new_step(k, last ? &dyn__step_tiles : &dyn__step_copy, x);
    if (!step)
        return DYN_ENOMEM;
    if (last)
        *last = k->plan->steps;
    return k->plan->steps - 1;
}

static int computes(const dyn__cnode *c) { return c->role == DYN__ROW || c->role == DYN__TERM || c->role == DYN__MOVE; }

static dyn_status add_to_step(dyn__compiler *k, const step_table *t, dyn_node x, int32_t first)
{
    DYN__TRY(k->node[x].step = step_for(k, t, x, first));
    dyn__cnode *head = &k->node[k->plan->step[k->node[x].step].node];
    k->node[x].before = head == &k->node[x] ? -1 : head->end;
    head->end = x;
    return DYN_OK;
}

dyn_node dyn__step_end(const dyn__compiler *k, int32_t s)
{
    const dyn__cnode *head = &k->node[k->plan->step[s].node];
    return head->step == s ? head->end : -1;
}

/* Nodes to compute, by stage and then by number; `begin` has room for a counter of every stage. */
static int32_t sort_by_stage(const dyn__compiler *k, const uint8_t *need, int32_t *begin, dyn_node *order)
{
    int32_t total = 0;

    for (dyn_node x = 0; x < k->count; x++)
        if (need[x] && computes(&k->node[x]))
            begin[k->node[x].stage + 1]++;
    for (int32_t stage = 0; stage <= k->count; stage++)
        begin[stage + 1] += begin[stage];
    for (dyn_node x = 0; x < k->count; x++)
        if (need[x] && computes(&k->node[x])) {
            order[begin[k->node[x].stage]++] = x;
            total++;
        }
    return total;
}

static dyn_status fill_steps(dyn__compiler *k, const step_table *t, int32_t total, const dyn_node *order)
{
    int32_t first = 0;      /* of the stage */

    for (int32_t i = 0; i < total; i++) {
        if (k->unfused || (i > 0 && k->node[order[i]].stage != k->node[order[i - 1]].stage))
            first = k->plan->steps;
        DYN__TRY(add_to_step(k, t, order[i], first));
    }
    return DYN_OK;
}

static dyn_status make_steps(dyn__compiler *k, const uint8_t *need)
{
    step_table t = {NULL, 1};
    while (t.mask < 2 * (uint64_t)k->count)
        t.mask *= 2;
    t.step = dyn__alloc(k->ctx, t.mask--, sizeof *t.step);
    dyn_node *order = dyn__alloc(k->ctx, (size_t)k->count + 1, sizeof *order);
    int32_t *begin = dyn__alloc(k->ctx, (size_t)k->count + 2, sizeof *begin);
    const dyn_status s = t.step && order && begin ? fill_steps(k, &t, sort_by_stage(k, need, begin, order), order)
                                                  : DYN_ENOMEM;

    dyn__free(k->ctx, begin);
    dyn__free(k->ctx, order);
    dyn__free(k->ctx, t.step);
    return s;
}

/* What is read from another step, or whole, needs memory; so does every finished sum. */
static void mark_stored(dyn__compiler *k, dyn_node y)
{
    const dyn__node *n = dyn__at(k->g, y);

    for (int i = 0; i < n->nin; i++) {
        dyn__cnode *base = &k->node[k->node[n->in[i]].view.base];
        base->uses++;
        if (base->step != k->node[y].step || k->node[y].role == DYN__MOVE)
            base->stored = 1;
        if (k->node[y].step > base->last)
            base->last = k->node[y].step;
    }
    if (k->node[y].role == DYN__TERM || k->node[y].role == DYN__MOVE)
        k->node[y].stored = 1;
}

static void count_readers(const dyn__compiler *k, const uint8_t *need, int32_t *readers)
{
    for (dyn_node y = 0; y < k->count; y++)
        for (int i = 0; need[y] && i < dyn__at(k->g, y)->nin; i++)
            readers[dyn__at(k->g, y)->in[i]]++;
    for (int32_t j = 0; j < k->outputs; j++)
        readers[k->output[j]] += 2;     /* the caller, from outside */
}

static dyn_status make_loads(dyn__compiler *k)
{
    uint64_t size = 2;

    while (size < 2 * (uint64_t)k->count)
        size *= 2;
    k->load_mask = size - 1;
    k->load = dyn__alloc(k->ctx, size, sizeof *k->load);
    return k->load ? DYN_OK : DYN_ENOMEM;
}

/* Rows given out once, to know what readers have. */
static void find_wishes(dyn__compiler *k, uint8_t *need, const int32_t *readers)
{
    for (dyn_node x = 0; x < k->count; x++)
        assign_role(k, x, readers);
    dyn__find_wishes(k, need, need + k->count);
}

dyn_status dyn__assign_roles(dyn__compiler *k)
{
    DYN__TRY(make_loads(k));
    uint8_t *need = dyn__alloc(k->ctx, 3 * (size_t)k->count + 1, 1);
    int32_t *latest = dyn__alloc(k->ctx, (size_t)k->count + 1, sizeof *latest);
    dyn_status s = need && latest ? DYN_OK : DYN_ENOMEM;

    if (s < 0) {
        dyn__free(k->ctx, latest);
        dyn__free(k->ctx, need);
        return s;
    }
    dyn__mark_needed(k->g, k->outputs, k->output, need);
    count_readers(k, need, latest);
    if (!k->unfused)
        find_wishes(k, need, latest);
    for (dyn_node x = 0; x < k->count; x++) {
        k->node[x].step = k->node[x].last = -1;
        k->node[x].slot = -1;
        assign_role(k, x, latest);
        assign_stage(k, x);
    }
    memset(latest, 0, (size_t)k->count * sizeof *latest);
    if (!k->unfused)
        postpone(k, need, latest, need + k->count, need + 2 * k->count);
    s = make_steps(k, need);
    for (int32_t j = 0; s == DYN_OK && j < k->outputs; j++) {
        dyn__cnode *base = &k->node[k->node[k->output[j]].view.base];
        base->stored = 1;
        base->uses++;
        base->last = INT32_MAX;
    }
    for (dyn_node x = 0; s == DYN_OK && x < k->count; x++)
        if (need[x] && computes(&k->node[x]))
            mark_stored(k, x);
    if (s == DYN_OK)
        s = dyn__order_nodes(k);
    dyn__set_pitches(k, need);
    dyn__free(k->ctx, latest);
    dyn__free(k->ctx, need);
    return s;
}
