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

static void fill(const dyn_optimizer *o, double value, void *x)
{
    for (int64_t i = 0; i < o->size; i++)
        if (o->dtype == DYN_F32)
            ((float *)x)[i] = (float)value;
        else
            ((double *)x)[i] = value;
}

static dyn_status allocate(dyn_optimizer *o)
{
    for (int i = 0; i < DYN__MOMENTS; i++)
        if (o->rule.moments >> i & 1 && !(o->moment[i] = dyn__alloc(o->ctx, (size_t)o->size, o->width)))
            return DYN_ENOMEM;
    if (o->opt.kind == DYN_OPTIMIZER_ADAGRAD && o->opt.accumulator > 0)
        fill(o, o->opt.accumulator, o->moment[1]);
    o->partial = dyn__alloc(o->ctx, (size_t)dyn__chunks(o->size), sizeof *o->partial);
    o->finite = dyn__alloc(o->ctx, (size_t)dyn__chunks(o->size), sizeof *o->finite);
    if (!o->partial || !o->finite)
        return DYN_ENOMEM;
    if (o->opt.kind == DYN_OPTIMIZER_RULE)
        return dyn__own_create(o);
    return o->opt.kind == DYN_OPTIMIZER_MUON ? dyn__muon_create(o) : DYN_OK;
}

static dyn_status copy_spans(dyn_optimizer *o, int64_t spans, const dyn__span *span)
{
    if (spans == 0)
        return DYN_OK;
    o->span = dyn__alloc(o->ctx, (size_t)spans, sizeof *span);
    if (!o->span)
        return DYN_ENOMEM;
    memcpy(o->span, span, (size_t)spans * sizeof *span);
    o->spans = spans;
    return DYN_OK;
}

dyn_status dyn__optimizer_create(dyn_ctx *ctx, int64_t size, int32_t dtype, const dyn_optimizer_options *opt,
                                 int64_t spans, const dyn__span *span, dyn_optimizer **out)
{
    dyn_optimizer_options full;
    dyn_optimizer *o;
    dyn_status s;

    DYN__TRY(dyn__optimizer_options(ctx, opt, &full));
    DYN__TRY(check_size(ctx, size, dtype));
    o = dyn__alloc(ctx, 1, sizeof *o);
    if (!o)
        return DYN_ENOMEM;
    dyn__ctx_ref(ctx);
    o->ctx = ctx;
    o->opt = full;
    o->rule = dyn__optimizer_rule(&full);
    o->kernels = dtype == DYN_F32 ? &dyn__kernels_of(ctx)->f32 : &dyn__kernels_of(ctx)->f64;
    o->dtype = dtype;
    o->width = dyn__dtype_size(dtype);
    o->size = size;
    s = copy_spans(o, spans, span);
    if (s == DYN_OK)
        s = allocate(o);
    if (s == DYN_OK)
        *out = o;
    else
        dyn_optimizer_free(o);
    return s;
}

dyn_status dyn_optimizer_create(dyn_ctx *ctx, int64_t size, int32_t dtype, const dyn_optimizer_options *opt,
                                dyn_optimizer **out)
{
    dyn_optimizer_options full;

    if (out)
        *out = NULL;
    if (!ctx)
        return DYN_EINVAL;
    DYN__ENTER(ctx);
    DYN__NEED(ctx, out);
    DYN__TRY(dyn__optimizer_options(ctx, opt, &full));
    if (full.kind == DYN_OPTIMIZER_LBFGS)
        return DYN__FAIL(ctx, DYN_ENOTSUP, "LBFGS looks at losses: it needs a run, or dyn_objective_minimise");
    if (full.groups_count)
        return DYN__FAIL(ctx, DYN_ENOTSUP, "groups of tensors need a run, which knows their names");
    return dyn__optimizer_create(ctx, size, dtype, opt, 0, NULL, out);
}

void dyn_optimizer_free(dyn_optimizer *o)
{
    dyn_ctx *ctx;

    if (!o)
        return;
    ctx = o->ctx;
    for (int i = 0; i < DYN__MOMENTS; i++)
        dyn__free(ctx, o->moment[i]);
    dyn__muon_free(o);
    dyn__own_free(o);
    dyn__free(ctx, o->span);
    dyn__free(ctx, o->partial);
    dyn__free(ctx, o->finite);
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
    if (which < 1 || which > DYN__MOMENTS)
        return DYN__FAIL(o->ctx, DYN_EINVAL, "which is %d, not 1, 2 or 3", which);
    moment = o->moment[which - 1];
    if (!moment)
        return DYN__FAIL(o->ctx, DYN_ENOTSUP, "%s keeps no moment %d", o->rule.name, which);
    dyn__to_double(o->dtype, o->size, moment, out);
    return DYN_OK;
}
