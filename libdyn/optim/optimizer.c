/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Optimisers: making them, freeing them and looking at them. */
#include "optim/optim.h"

#include <math.h>
#include <string.h>
#include "data/data.h"
#include "optim/chunk.h"

static dyn_status check_size(dyn_ctx *ctx, int64_t size, int32_t dtype)
{
    if (size < 1)
        return DYN__FAIL(ctx, DYN_EINVAL, "size is %lld", (long long)size);
    if (dtype != DYN_F64 && dtype != DYN_F32)
        return DYN__FAIL(ctx, DYN_EDTYPE, "element type is %s (%d), not float64 or float32", dyn__dtype_name(dtype),
                         dtype);
    return DYN_OK;
}

static dyn_status allocate(dyn_optimizer *o)
{
    if (o->rule->has_m && !(o->m = dyn__alloc(o->ctx, (size_t)o->size, o->width)))
        return DYN_ENOMEM;
    if (o->rule->has_v && !(o->v = dyn__alloc(o->ctx, (size_t)o->size, o->width)))
        return DYN_ENOMEM;
    o->partial = dyn__alloc(o->ctx, (size_t)dyn__chunks(o->size), sizeof *o->partial);
    return o->partial ? DYN_OK : DYN_ENOMEM;
}

dyn_status dyn_optimizer_create(dyn_ctx *ctx, int64_t size, int32_t dtype, const dyn_optimizer_options *opt,
                                dyn_optimizer **out)
{
    dyn_optimizer_options full;
    dyn_optimizer *o;
    dyn_status s;

    if (out)
        *out = NULL;
    if (!ctx)
        return DYN_EINVAL;
    DYN__ENTER(ctx);
    DYN__NEED(ctx, out);
    DYN__TRY(dyn__optimizer_options(ctx, opt, &full));
    DYN__TRY(check_size(ctx, size, dtype));
    o = dyn__alloc(ctx, 1, sizeof *o);
    if (!o)
        return DYN_ENOMEM;
    dyn__ctx_ref(ctx);
    o->ctx = ctx;
    o->opt = full;
    o->rule = dyn__optimizer_rule(full.kind);
    o->kernels = dtype == DYN_F32 ? &dyn__kernels_of(ctx)->f32 : &dyn__kernels_of(ctx)->f64;
    o->dtype = dtype;
    o->width = dyn__dtype_size(dtype);
    o->size = size;
    s = allocate(o);
    if (s == DYN_OK)
        *out = o;
    else
        dyn_optimizer_free(o);
    return s;
}

void dyn_optimizer_free(dyn_optimizer *o)
{
    dyn_ctx *ctx;

    if (!o)
        return;
    ctx = o->ctx;
    dyn__free(ctx, o->m);
    dyn__free(ctx, o->v);
    dyn__free(ctx, o->partial);
    dyn__free(ctx, o);
    dyn__ctx_unref(ctx);
}

int64_t dyn_optimizer_steps(const dyn_optimizer *o) { return o ? o->steps : 0; }

dyn_status dyn_optimizer_moment(const dyn_optimizer *o, int32_t which, double *out)
{
    const void *moment;

    if (!o)
        return DYN_EINVAL;
    DYN__ENTER(o->ctx);
    DYN__NEED(o->ctx, out);
    if (which != 1 && which != 2)
        return DYN__FAIL(o->ctx, DYN_EINVAL, "which is %d, not 1 or 2", which);
    moment = which == 1 ? o->m : o->v;
    if (!moment)
        return DYN__FAIL(o->ctx, DYN_ENOTSUP, "%s keeps no moment %d", o->rule->name, which);
    dyn__to_double(o->dtype, o->size, moment, out);
    return DYN_OK;
}
