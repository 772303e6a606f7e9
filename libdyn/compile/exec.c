/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The executor: base pointers, then step after step. Nothing is allocated in a run. */
#include "compile/exec.h"

void dyn__exec_go(dyn_exec *e)
{
    for (int32_t s = 0; s < e->plan->steps && !dyn__interrupted(e->ctx); s++)
        e->plan->step[s].kind->run(e, &e->plan->step[s]);
}

/* ---- public ---- */

enum { SLACK = 64 };            /* bytes behind arena and tiles */

static size_t slots(const dyn_plan *p) { return (size_t)(DYN__BASE_BOUND + p->inputs + p->outputs); }

int64_t dyn__plan_bytes_of_one_thread(const dyn_plan *p)
{
    return (int64_t)(sizeof(dyn_exec) + slots(p) * sizeof(char *)) + p->arena + p->scratch + 2 * SLACK;
}

int64_t dyn_plan_bytes(const dyn_plan *p)
{
    return p ? dyn__plan_bytes_of_one_thread(p) + (p->workers - 1) * p->scratch : 0;
}

dyn_status dyn_exec_create(dyn_plan *p, dyn_exec **out)
{
    dyn_exec *e;

    if (out)
        *out = NULL;
    if (!p)
        return DYN_EINVAL;
    DYN__ENTER(p->ctx);
    DYN__NEED(p->ctx, out);
    e = dyn__alloc(p->ctx, 1, sizeof *e);
    if (!e)
        return DYN_ENOMEM;
    e->ctx = p->ctx;
    e->plan = dyn_plan_ref(p);
    e->base = dyn__alloc(p->ctx, slots(p), sizeof *e->base);
    e->arena = dyn__alloc(p->ctx, (size_t)p->arena + SLACK, 1);
    e->scratch = dyn__alloc(p->ctx, (size_t)(p->workers * p->scratch) + SLACK, 1);
    if (!e->base || !e->arena || !e->scratch) {
        dyn_exec_free(e);
        return DYN_ENOMEM;
    }
    e->base[DYN__BASE_ARENA] = e->arena;
    e->base[DYN__BASE_CONSTANT] = p->constant;
    *out = e;
    return DYN_OK;
}

void dyn_exec_free(dyn_exec *e)
{
    if (!e)
        return;
    dyn__free(e->ctx, e->scratch);
    dyn__free(e->ctx, e->arena);
    dyn__free(e->ctx, e->base);
    dyn_plan *p = e->plan;
    dyn__free(e->ctx, e);
    dyn_plan_unref(p);
}

const dyn_plan *dyn__exec_plan(const dyn_exec *e) { return e->plan; }

void dyn__exec_set_input(dyn_exec *e, int32_t i, const void *data)
{
    if (i >= 0)
        memcpy(&e->base[DYN__BASE_BOUND + i], &data, sizeof data);  /* inputs are never written */
}

void dyn__exec_set_output(dyn_exec *e, int32_t i, void *data) { e->base[DYN__BASE_BOUND + e->plan->inputs + i] = data; }

dyn_status dyn_exec_bind(dyn_exec *e, const char *name, const void *data)
{
    if (!e)
        return DYN_EINVAL;
    DYN__ENTER(e->ctx);
    DYN__NEED(e->ctx, name);
    DYN__NEED(e->ctx, data);
    const int32_t i = dyn__names_find(&e->plan->by_name, name);
    if (i < 0)
        return DYN__FAIL(e->ctx, DYN_EINVAL, "the plan reads no input \"%s\"", name);
    dyn__exec_set_input(e, i, data);
    return DYN_OK;
}

dyn_status dyn_exec_bind_output(dyn_exec *e, int32_t i, void *data)
{
    if (!e)
        return DYN_EINVAL;
    DYN__ENTER(e->ctx);
    if (i < 0 || i >= e->plan->outputs || !data)
        return DYN__FAIL(e->ctx, DYN_EINVAL, "output %d of %d, data %s", (int)i, (int)e->plan->outputs,
                         data ? "given" : "NULL");
    dyn__exec_set_output(e, i, data);
    return DYN_OK;
}

dyn_status dyn_exec_run(dyn_exec *e)
{
    if (!e)
        return DYN_EINVAL;
    DYN__ENTER(e->ctx);
    for (int32_t i = 0; i < e->plan->inputs + e->plan->outputs; i++)
        if (!e->base[DYN__BASE_BOUND + i])
            return i < e->plan->inputs ? DYN__FAIL(e->ctx, DYN_ESTATE, "input %s is not bound", e->plan->input[i].name)
                                       : DYN__FAIL(e->ctx, DYN_ESTATE, "output %d of %d is not bound",
                                                   (int)(i - e->plan->inputs), (int)e->plan->outputs);
    dyn__exec_go(e);
    return dyn__check_interrupt(e->ctx);
}
