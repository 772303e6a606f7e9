/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The memory limit of an objective as a budget: whoever evaluates takes its buffers, kept values and plans from one
 * budget, so that all of them together stay below the limit. It counts the tile buffers of one thread, whatever their
 * number: the chunks, and so the bits of the results, follow from the sizes and the limit alone. */
#include "compile/shared.h"
#include "objective/parts.h"

dyn__budget dyn__budget_of(const dyn_objective *o)
{
    return (dyn__budget){.ctx = o->ctx, .limit = o->opt.memory_limit};
}

dyn_status dyn__budget_take(dyn__budget *b, const char *what, int64_t bytes)
{
    if (bytes > b->limit - b->used)
        return DYN__FAIL(b->ctx, DYN_EFULL, "%s: %lld bytes, the limit is %lld, of which %lld are taken", what,
                         (long long)bytes, (long long)b->limit, (long long)b->used);
    b->used += bytes;
    return DYN_OK;
}

dyn_status dyn__budget_alloc(dyn__budget *b, const char *what, int64_t count, int32_t size, void **out)
{
    DYN__TRY(dyn__budget_take(b, what, count * size));
    *out = dyn__alloc(b->ctx, (size_t)count, (size_t)size);
    return *out ? DYN_OK : DYN_ENOMEM;
}

dyn_status dyn__budget_run(dyn__budget *b, dyn_plan *plan, dyn_exec **out)
{
    DYN__TRY(dyn__budget_take(b, "the plan", dyn__plan_bytes_of_one_thread(plan)));
    return dyn__exec_create(b->ctx, plan, out);
}

dyn_status dyn__budget_exec(dyn__budget *b, dyn_graph *g, int32_t count, const dyn_node *outputs,
                            const dyn__compile_options *opt, dyn_exec **out)
{
    dyn_plan *plan = NULL;

    DYN__TRY(dyn__compile_shared(g, count, outputs, opt, &plan));
    const dyn_status s = dyn__budget_run(b, plan, out);
    dyn_plan_unref(plan);
    return s;
}
