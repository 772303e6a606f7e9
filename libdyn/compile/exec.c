/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The executor: what is bound, memory of the backend for it where that is another, and a run. */
#include <stdio.h>
#include "base/dtype.h"
#include "compile/backend.h"
#include "compile/shared.h"

static const dyn__backend *const backends[] = { &dyn__cpu_backend, &dyn__reference_backend };

const dyn__backend *dyn__backend_of(const dyn_ctx *ctx) { return backends[dyn__backend_number(ctx)]; }

static int64_t size_of(const dyn_plan *p, int32_t i)
{
    return i < p->inputs ? p->input[i].size : p->output_size[i - p->inputs];
}

static int32_t dtype_of(const dyn_plan *p, int32_t i) { return i < p->inputs ? p->input[i].dtype : p->dtype; }

static void copy_inputs(const dyn_exec *e)
{
    const dyn_plan *p = e->plan;

    for (int32_t i = 0; i < p->inputs; i++)
        p->backend->copy_in(e, e->memory[i], e->base[DYN__BASE_BOUND + i], size_of(p, i), dtype_of(p, i));
}

static void copy_outputs(const dyn_exec *e)
{
    const dyn_plan *p = e->plan;

    for (int32_t i = p->inputs; i < p->inputs + p->outputs; i++)
        p->backend->copy_out(e, e->base[DYN__BASE_BOUND + i], e->memory[i], size_of(p, i), dtype_of(p, i));
}

void dyn__exec_go(dyn_exec *e)
{
    if (e->memory)
        copy_inputs(e);
    e->plan->backend->run(e);
    if (e->memory && !dyn__interrupted(e->ctx))
        copy_outputs(e);
}

/* ---- public ---- */

/* Memory of the backend for all that is bound. */
static dyn_status allocate(dyn_exec *e)
{
    const dyn_plan *p = e->plan;

    if (!p->backend->allocate)
        return DYN_OK;
    e->memory = dyn__alloc(e->ctx, (size_t)(p->inputs + p->outputs) + 1, sizeof *e->memory);
    for (int32_t i = 0; e->memory && i < p->inputs + p->outputs; i++)
        if (!(e->memory[i] = p->backend->allocate(e, size_of(p, i), dtype_of(p, i))))
            return DYN_ENOMEM;
    return e->memory ? DYN_OK : DYN_ENOMEM;
}

static size_t slots(const dyn_plan *p) { return (size_t)(DYN__BASE_BOUND + p->inputs + p->outputs); }

int64_t dyn__exec_bytes(const dyn_plan *p) { return (int64_t)(sizeof(dyn_exec) + slots(p) * sizeof(char *)); }

static dyn_status make_memory(dyn_exec *e)
{
    e->base = dyn__alloc(e->ctx, slots(e->plan), sizeof *e->base);
    if (!e->base)
        return DYN_ENOMEM;
    DYN__TRY(allocate(e));
    return e->plan->backend->prepare(e);
}

dyn_status dyn__exec_create(dyn_ctx *ctx, dyn_plan *p, dyn_exec **out)
{
    dyn_exec *e = dyn__alloc(ctx, 1, sizeof *e);

    if (!e)
        return DYN_ENOMEM;
    dyn__ctx_ref(ctx);
    e->ctx = ctx;
    e->plan = dyn_plan_ref(p);
    const dyn_status s = make_memory(e);
    if (s != DYN_OK) {
        dyn_exec_free(e);
        return s;
    }
    *out = e;
    return DYN_OK;
}

dyn_status dyn_exec_create(dyn_plan *p, dyn_exec **out)
{
    if (out)
        *out = NULL;
    if (!p)
        return DYN_EINVAL;
    DYN__ENTER(p->ctx);
    DYN__NEED(p->ctx, out);
    return dyn__exec_create(p->ctx, p, out);
}

void dyn_exec_free(dyn_exec *e)
{
    if (!e)
        return;
    dyn_plan *p = e->plan;
    dyn_ctx *ctx = e->ctx;
    p->backend->release(e);
    for (int32_t i = 0; e->memory && i < p->inputs + p->outputs; i++)
        if (e->memory[i])
            p->backend->give_back(e, e->memory[i]);
    dyn__free(e->ctx, e->memory);
    dyn__free(e->ctx, e->base);
    dyn__free(ctx, e);
    dyn_plan_unref(p);
    dyn__ctx_unref(ctx);
}

const dyn_plan *dyn__exec_plan(const dyn_exec *e) { return e->plan; }

void dyn__exec_set_input(dyn_exec *e, int32_t i, const void *data)
{
    if (i >= 0)
        memcpy(&e->base[DYN__BASE_BOUND + i], &data, sizeof data);  /* inputs are never written */
}

void dyn__exec_set_output(dyn_exec *e, int32_t i, void *data) { e->base[DYN__BASE_BOUND + e->plan->inputs + i] = data; }

/* The array that is bound has the tensor's type and size. */
static dyn_status check_array(dyn_ctx *ctx, const char *what, int32_t dtype, int64_t size, int32_t asked_dtype,
                              int64_t asked)
{
    if (dtype != asked_dtype)
        return DYN__FAIL(ctx, DYN_EDTYPE, "%s is given as %s, expected %s", what, dyn__dtype_name(dtype),
                         dyn__dtype_name(asked_dtype));
    if (size != asked)
        return DYN__FAIL(ctx, DYN_ESHAPE, "%s is given as %lld numbers, expected %lld", what, (long long)size,
                         (long long)asked);
    return DYN_OK;
}

dyn_status dyn_exec_bind(dyn_exec *e, const char *name, int32_t dtype, int64_t size, const void *data)
{
    if (!e)
        return DYN_EINVAL;
    DYN__ENTER(e->ctx);
    DYN__NEED(e->ctx, name);
    DYN__NEED(e->ctx, data);
    const int32_t i = dyn__names_find(&e->plan->by_name, name);
    if (i < 0)
        return DYN__FAIL(e->ctx, DYN_EINVAL, "the plan reads no input \"%s\"", name);
    DYN__TRY(check_array(e->ctx, name, dtype, size, e->plan->input[i].dtype, e->plan->input[i].size));
    dyn__exec_set_input(e, i, data);
    return DYN_OK;
}

dyn_status dyn_exec_bind_output(dyn_exec *e, int32_t i, int32_t dtype, int64_t size, void *data)
{
    char name[32];

    if (!e)
        return DYN_EINVAL;
    DYN__ENTER(e->ctx);
    if (i < 0 || i >= e->plan->outputs || !data)
        return DYN__FAIL(e->ctx, DYN_EINVAL, "output %d of %d, data %s", (int)i, (int)e->plan->outputs,
                         data ? "given" : "NULL");
    snprintf(name, sizeof name, "output %d", (int)i);
    DYN__TRY(check_array(e->ctx, name, dtype, size, e->plan->dtype, e->plan->output_size[i]));
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
