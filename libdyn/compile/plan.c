/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Compilation from end to end, and the plan's public face. */
#include <string.h>
#include "compile/backend.h"

/* ---- leaves ---- */

/* Inputs in the order of the original nodes; constants into one array. */
static dyn_status place_leaves(dyn__compiler *k, dyn_graph *original, const dyn_node *map, const uint8_t *is_cut)
{
    dyn_plan *p = k->plan;

    p->input = dyn__alloc(k->ctx, (size_t)original->count + 1, sizeof *p->input);
    if (!p->input)
        return DYN_ENOMEM;
    for (dyn_node x = 0; x < original->count; x++) {
        if (map[x] < 0 || dyn__array_of(original, x) || (dyn__at(original, x)->op != DYN__OP_input && !is_cut[x]))
            continue;
        dyn__binding *b = &p->input[p->inputs];
        b->node = x;
        b->size = dyn__shape_size(&dyn__at(original, x)->shape);
        b->dtype = dyn__at(original, x)->dtype;
        b->name = dyn__strdup(k->ctx, dyn__name_of(original, x));
        if (!b->name)
            return DYN_ENOMEM;
        k->node[map[x]].place = (dyn__place){DYN__BASE_BOUND + p->inputs, 0};
        DYN__TRY(dyn__names_add(k->ctx, &p->by_name, b->name, p->inputs++));
    }
    return DYN_OK;
}

static dyn__place put_constants(dyn_plan *p, int64_t size, const double *values)
{
    const dyn__place place = {DYN__BASE_CONSTANT, p->constants};

    for (int64_t i = 0; i < size; i++)
        if (p->dtype == DYN_F32)
            ((float *)p->constant)[p->constants++] = (float)values[i];
        else
            ((double *)p->constant)[p->constants++] = values[i];
    return place;
}

/* Elements of a constant array that the plan reads; 0 for other nodes. */
static int64_t array_size(const dyn_graph *original, const dyn_node *map, dyn_node x)
{
    return map[x] >= 0 && dyn__array_of(original, x) ? dyn__shape_size(&dyn__at(original, x)->shape) : 0;
}

static dyn_status place_constants(dyn__compiler *k, const dyn_graph *original, const dyn_node *map)
{
    int64_t room = (int64_t)k->count + 1;
    double c;

    for (dyn_node x = 0; x < original->count; x++)
        room += array_size(original, map, x);
    k->plan->constant = dyn__alloc(k->ctx, (size_t)room, (size_t)k->plan->esize);
    if (!k->plan->constant)
        return DYN_ENOMEM;
    for (dyn_node x = 0; x < k->count; x++)
        if (dyn__is_constant(k->g, x, &c))
            k->node[x].place = put_constants(k->plan, 1, &c);
    for (dyn_node x = 0; x < original->count; x++)
        if (array_size(original, map, x))
            k->node[map[x]].place = put_constants(k->plan, array_size(original, map, x), dyn__array_of(original, x));
    return DYN_OK;
}

/* ---- compilation ---- */

static dyn_status check_limit(const dyn__compiler *k)
{
    int64_t bytes = dyn_plan_bytes(k->plan);

    if (k->arena_limit > 0 && bytes > k->arena_limit)
        return DYN__FAIL(k->ctx, DYN_EFULL, "the plan needs %lld bytes, the limit is %lld", (long long)bytes,
                         (long long)k->arena_limit);
    return DYN_OK;
}

static dyn_plan *new_plan(dyn_graph *g, int32_t outputs, int threads)
{
    dyn_plan *p = dyn__alloc(g->ctx, 1, sizeof *p);

    if (!p)
        return NULL;
    dyn__ref_init(&p->ref);
    p->ctx = g->ctx;
    p->backend = dyn__backend_of(g->ctx);
    p->dtype = g->dtype;
    p->esize = g->dtype == DYN_F32 ? 4 : 8;
    p->threads = threads;
    p->workers = threads == 1 ? 1 : dyn__workers(g->ctx);
    p->outputs = outputs;
    p->table = g->dtype == DYN_F32 ? &dyn__kernels_of(g->ctx)->f32 : &dyn__kernels_of(g->ctx)->f64;
    dyn__ctx_ref(g->ctx);
    return p;
}

static dyn_status compile_lowered(dyn__compiler *k, dyn_graph *g, const dyn_node *map, const uint8_t *is_cut,
                                  const dyn_node *outputs, const dyn__compile_options *opt)
{
    k->count = k->g->count;
    k->node = dyn__alloc(k->ctx, (size_t)k->count + 1, sizeof *k->node);
    k->batched = dyn__alloc(k->ctx, (size_t)k->count + 1, 1);
    k->output = dyn__alloc(k->ctx, (size_t)k->outputs + 1, sizeof *k->output);
    k->plan->output_size = dyn__alloc(k->ctx, (size_t)k->outputs + 1, sizeof *k->plan->output_size);
    k->last_use = dyn__alloc(k->ctx, (size_t)k->count + 1, sizeof *k->last_use);
    k->of_node = dyn__alloc(k->ctx, (size_t)k->count + 1, sizeof *k->of_node);
    if (!k->node || !k->batched || !k->output || !k->last_use || !k->of_node || !k->plan->output_size)
        return DYN_ENOMEM;
    for (int32_t j = 0; j < k->outputs; j++) {
        k->output[j] = map[outputs[j]];
        k->plan->output_size[j] = dyn__shape_size(dyn__shape_of(k, k->output[j]));
    }
    for (int32_t i = 0; i < opt->outer_inputs; i++)
        if (map[opt->outer_input[i]] >= 0)
            k->batched[map[opt->outer_input[i]]] = 1;
    DYN__TRY(place_leaves(k, g, map, is_cut));
    DYN__TRY(place_constants(k, g, map));
    DYN__TRY(k->plan->backend->compile(k));
    return check_limit(k);
}

dyn_status dyn__compile(dyn_graph *g, int32_t count, const dyn_node *outputs, const dyn__compile_options *opt,
                        dyn_plan **out)
{
    dyn__compiler k = {.ctx = g->ctx, .outputs = count, .V = opt->outer, .unfused = opt->unfused,
                      .arena_limit = opt->arena_limit, .machine = dyn__machine_of(dyn__kernels_of(g->ctx))};
    dyn_node *map = dyn__alloc(g->ctx, (size_t)g->count + 1, sizeof *map);
    uint8_t *is_cut = dyn__alloc(g->ctx, (size_t)g->count + 1, 1);
    dyn_status s = map && is_cut ? DYN_OK : DYN_ENOMEM;

    *out = NULL;
    for (int32_t i = 0; s == DYN_OK && i < opt->cuts; i++)
        is_cut[opt->cut[i]] = 1;
    if (s == DYN_OK)
        s = dyn__lower(g, count, outputs, is_cut, map, &k.g, &k.late);
    if (s == DYN_OK && !(k.plan = new_plan(g, count, opt->threads)))
        s = DYN_ENOMEM;
    if (s == DYN_OK)
        s = compile_lowered(&k, g, map, is_cut, outputs, opt);
    if (s == DYN_OK)
        *out = k.plan;
    else
        dyn_plan_unref(k.plan);
    dyn__free(g->ctx, k.load);
    dyn__free(g->ctx, k.of_node);
    dyn__free(g->ctx, k.last_use);
    dyn__free(g->ctx, k.output);
    dyn__free(g->ctx, k.batched);
    dyn__free(g->ctx, k.late);
    dyn__free(g->ctx, k.node);
    dyn__free(g->ctx, is_cut);
    dyn__free(g->ctx, map);
    dyn_graph_free(k.g);
    return s;
}

/* ---- public ---- */

dyn_status dyn_plan_compile(dyn_graph *g, int32_t count, const dyn_node *outputs, const dyn_plan_options *given,
                            dyn_plan **out)
{
    dyn_plan_options opt = DYN_PLAN_OPTIONS_INIT;
    dyn__compile_options c = {0};

    if (out)
        *out = NULL;
    if (!g)
        return DYN_EINVAL;
    DYN__ENTER(g->ctx);
    DYN__NEED(g->ctx, out);
    DYN__TRY(dyn__options(g->ctx, "dyn_plan_options", given, &opt, sizeof opt, sizeof opt));
    DYN__TRY(dyn__check_flag(g->ctx, "unfused", opt.unfused));
    DYN__TRY(dyn__check_reserved(g->ctx, opt.reserved));
    if (count < 1 || !outputs || opt.threads < 0 || opt.arena_limit < 1)
        return DYN__FAIL(g->ctx, DYN_EINVAL, "%d outputs, %d threads, arena_limit %lld", (int)count, (int)opt.threads,
                         (long long)opt.arena_limit);
    for (int32_t j = 0; j < count; j++) {
        DYN__TRY(outputs[j]);
        if (outputs[j] >= g->count || dyn__at(g, outputs[j])->dtype != g->dtype)
            return DYN__FAIL(g->ctx, DYN_EINVAL,
                             "output %d is node %d, not a tensor of numbers in this graph of %d nodes", (int)j,
                             (int)outputs[j], (int)g->count);
    }
    c.threads = opt.threads;
    c.unfused = opt.unfused;
    c.arena_limit = opt.arena_limit < INT64_MAX ? opt.arena_limit : 0;
    return dyn__compile(g, count, outputs, &c, out);
}

dyn_plan *dyn_plan_ref(dyn_plan *p)
{
    if (p)
        dyn__ref_take(&p->ref);
    return p;
}

void dyn_plan_unref(dyn_plan *p)
{
    dyn_ctx *ctx;

    if (!p || !dyn__ref_drop(&p->ref))
        return;
    ctx = p->ctx;
    p->backend->forget(p);
    dyn__names_free(ctx, &p->by_name);
    for (int32_t i = 0; i < p->inputs; i++)
        dyn__free(ctx, p->input[i].name);
    dyn__free(ctx, p->input);
    dyn__free(ctx, p->output_size);
    dyn__free(ctx, p->constant);
    dyn__free(ctx, p);
    dyn__ctx_unref(ctx);
}

int32_t dyn_plan_inputs(const dyn_plan *p) { return p ? p->inputs : 0; }

int64_t dyn_plan_input_size(const dyn_plan *p, int32_t i, int32_t *dtype)
{
    if (!p || i < 0 || i >= p->inputs)
        return 0;
    if (dtype)
        *dtype = p->input[i].dtype;
    return p->input[i].size;
}

int64_t dyn_plan_output_size(const dyn_plan *p, int32_t i)
{
    return p && i >= 0 && i < p->outputs ? p->output_size[i] : 0;
}

const char *dyn_plan_input_name(const dyn_plan *p, int32_t i)
{
    return p && i >= 0 && i < p->inputs ? p->input[i].name : NULL;
}

int32_t dyn__plan_find(const dyn_plan *p, dyn_node original)
{
    int32_t first = 0, behind = p->inputs;

    while (first < behind) {
        const int32_t middle = first + (behind - first) / 2;
        if (p->input[middle].node < original)
            first = middle + 1;
        else
            behind = middle;
    }
    return first < p->inputs && p->input[first].node == original ? first : -1;
}

int64_t dyn__plan_bytes_of_one_thread(const dyn_plan *p) { return p->backend->bytes(p, 1); }

int64_t dyn_plan_bytes(const dyn_plan *p) { return p ? p->backend->bytes(p, p->workers) : 0; }

int64_t dyn_plan_print(const dyn_plan *p, char *buffer, int64_t size)
{
    if (!p)
        return DYN_EINVAL;
    if (size < 0 || (size && !buffer)) {
        DYN__ENTER(p->ctx);     /* only here: a plan may be read while its context works elsewhere */
        return DYN__FAIL(p->ctx, DYN_EINVAL, "%s of %lld bytes", buffer ? "a buffer" : "no buffer", (long long)size);
    }
    return p->backend->print(p, buffer, size);
}
