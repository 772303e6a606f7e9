/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Plans that contexts share. A graph is canonical, equal nodes being one and operands before results, so that build
 * functions which do the same write the same bytes: these, with what is asked of the compiler, define a plan. A plan
 * does not change once it is made; executors of any context run it. */
#include <string.h>
#include "base/shelf.h"
#include "compile/shared.h"

static void take(void *plan) { dyn_plan_ref(plan); }
static void drop(void *plan) { dyn_plan_unref(plan); }
static const dyn__counted how = { take, drop };

static dyn_status add_asked(const dyn_graph *g, int32_t count, const dyn_node *outputs,
                            const dyn__compile_options *opt, dyn__buffer *k)
{
    const int64_t numbers[] = { dyn__workers(g->ctx), opt->threads, opt->unfused, opt->arena_limit, opt->outer,
                                opt->outer_inputs, opt->cuts, count, g->dtype, g->count, g->names, g->arrays };
    const char *numerics = dyn_ctx_numerics(g->ctx);

    DYN__TRY(dyn__buffer_add(k, numerics, strlen(numerics) + 1));
    DYN__TRY(dyn__buffer_add(k, numbers, sizeof numbers));
    DYN__TRY(dyn__buffer_add(k, outputs, (size_t)count * sizeof *outputs));
    DYN__TRY(dyn__buffer_add(k, opt->outer_input, (size_t)opt->outer_inputs * sizeof(dyn_node)));
    return dyn__buffer_add(k, opt->cut, (size_t)opt->cuts * sizeof(dyn_node));
}

static dyn_status add_names(const dyn_graph *g, dyn__buffer *k)
{
    for (int64_t i = 0; i < g->names; i++) {
        DYN__TRY(dyn__buffer_add(k, &g->name[i].node, sizeof g->name[i].node));
        DYN__TRY(dyn__buffer_add(k, g->name[i].text, strlen(g->name[i].text) + 1));
    }
    return DYN_OK;
}

/* Constant arrays that are read; a node of equal numbers, which nobody reads, has none. */
static dyn_status add_arrays(const dyn_graph *g, int32_t count, const dyn_node *outputs, dyn__buffer *k)
{
    uint8_t *need = dyn__alloc(g->ctx, (size_t)g->count + 1, 1);
    dyn_status s = need ? DYN_OK : DYN_ENOMEM;

    if (need)
        dyn__mark_needed(g, count, outputs, need);
    for (dyn_node x = 0; s == DYN_OK && x < g->count; x++)
        if (need[x] && dyn__array_of(g, x))
            s = dyn__buffer_add(k, dyn__array_of(g, x),
                             (size_t)dyn__shape_size(&dyn__at(g, x)->shape) * sizeof(double));
    dyn__free(g->ctx, need);
    return s;
}

static dyn_status find_or_make(dyn_graph *g, int32_t count, const dyn_node *outputs, const dyn__compile_options *opt,
                               dyn__buffer *k, dyn_plan **out)
{
    DYN__TRY(add_asked(g, count, outputs, opt, k));
    DYN__TRY(dyn__buffer_add(k, g->node, (size_t)g->count * sizeof *g->node));
    DYN__TRY(add_names(g, k));
    if (g->arrays)
        DYN__TRY(add_arrays(g, count, outputs, k));
    *out = dyn__shelf_find(g->ctx, k);
    if (*out)
        return DYN_OK;
    DYN__TRY(dyn__compile(g, count, outputs, opt, out));
    return dyn__shelf_put(g->ctx, k, *out, &how);
}

dyn_status dyn__compile_shared(dyn_graph *g, int32_t count, const dyn_node *outputs, const dyn__compile_options *opt,
                               dyn_plan **out)
{
    dyn__buffer k = { .ctx = g->ctx };
    dyn_status s;

    if (!dyn__shares(g->ctx))
        return dyn__compile(g, count, outputs, opt, out);
    *out = NULL;
    s = find_or_make(g, count, outputs, opt, &k, out);
    dyn__free(g->ctx, k.at);
    if (s < 0) {
        dyn_plan_unref(*out);
        *out = NULL;
    }
    return s;
}
