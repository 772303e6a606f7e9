/* SPDX-License-Identifier: BSD-3-Clause
 *
 * A sweep: making it, freeing it, looking at it. */
#include "base/shelf.h"
#include "sweep/sweep.h"

#include <math.h>
#include <string.h>

/* ---- creation ---- */

static dyn_status check_parameter(dyn_ctx *ctx, const char *const *names, int64_t p)
{
    DYN__TRY(dyn__check_name(ctx, "a parameter", names[p]));
    if (dyn__is_column(names[p]))
        return DYN__FAIL(ctx, DYN_EINVAL, "%s is a column that every table of a sweep has, and no name for a parameter",
                         names[p]);
    for (int64_t q = 0; q < p; q++)
        if (strcmp(names[q], names[p]) == 0)
            return DYN__FAIL(ctx, DYN_EINVAL, "parameters %lld and %lld are both called %s", (long long)q, (long long)p,
                             names[p]);
    return DYN_OK;
}

static dyn_status check_options(dyn_ctx *ctx, const dyn_sweep_options *o)
{
    if (o->count < 1 || o->parameters < 1 || o->count > INT64_MAX / 64 / o->parameters)
        return DYN__FAIL(ctx, DYN_EINVAL, "count is %lld, parameters %lld", (long long)o->count,
                         (long long)o->parameters);
    DYN__NEED(ctx, o->names);
    DYN__NEED(ctx, o->values);
    DYN__NEED(ctx, o->make);
    if (!(o->checkpoint_every >= 0) || (o->checkpoint_every > 0 && !o->store))
        return DYN__FAIL(ctx, DYN_EINVAL, "checkpoint_every is %g, the store, beside which they lie, %s",
                         o->checkpoint_every, o->store ? "given" : "NULL");
    DYN__TRY(dyn__check_flag(ctx, "retry", o->retry));
    DYN__TRY(dyn__check_flag(ctx, "any_numerics", o->any_numerics));
    for (int64_t p = 0; p < o->parameters; p++)
        DYN__TRY(check_parameter(ctx, o->names, p));
    return dyn__check_reserved(ctx, o->reserved);
}

static dyn_status copy(dyn_sweep *w)
{
    const size_t parameters = (size_t)w->opt.parameters, count = (size_t)w->opt.count;

    w->names = dyn__alloc(w->ctx, parameters, DYN__NAME);
    w->values = dyn__alloc(w->ctx, parameters * count, sizeof *w->values);
    w->members = dyn__alloc(w->ctx, count, sizeof *w->members);
    w->kept = dyn__alloc(w->ctx, w->opt.store ? count : 1, sizeof *w->kept);
    if (!w->names || !w->values || !w->members || !w->kept)
        return DYN_ENOMEM;
    for (size_t p = 0; p < parameters; p++)
        memcpy(w->names + p * DYN__NAME, w->opt.names[p], strlen(w->opt.names[p]));
    memcpy(w->values, w->opt.values, parameters * count * sizeof *w->values);
    for (size_t i = 0; i < count; i++)
        w->members[i].loss = NAN;
    w->opt.names = NULL;
    w->opt.values = NULL;
    if (!w->opt.store)
        return DYN_OK;
    w->path = dyn__strdup(w->ctx, w->opt.store);
    w->opt.store = w->path;
    return w->path ? DYN_OK : DYN_ENOMEM;
}

/* A store of other definitions is refused: by a finished member, made again and compared. */
static dyn_status compare(dyn_sweep *w, int64_t i)
{
    uint64_t found = 0;
    dyn_ctx *ctx = NULL;
    dyn_run *run = NULL;
    dyn_status s = dyn__sweep_context(w, &ctx);

    if (s == DYN_OK)
        s = dyn__member_make(w, ctx, i, &run);
    if (s == DYN_OK)
        s = dyn_run_fingerprint(run, &found);
    if (s < 0 && ctx)
        s = DYN__FAIL(w->ctx, s, "member %lld: %s", (long long)i, dyn_ctx_message(ctx));
    dyn_run_free(run);
    dyn_ctx_free(ctx);
    if (s == DYN_OK && found != w->members[i].fingerprint)
        return DYN__FAIL(w->ctx, DYN_EINVAL, "%s is the store of another sweep: its member %lld has the fingerprint "
                         "%016llx, here it is %016llx", w->path, (long long)i,
                         (unsigned long long)w->members[i].fingerprint, (unsigned long long)found);
    return s;
}

static dyn_status open_store(dyn_sweep *w)
{
    DYN__TRY(dyn__store_open(w));
    for (int64_t i = 0; i < w->opt.count; i++)
        if (w->members[i].status == DYN_MEMBER_DONE && w->members[i].fingerprint)
            return compare(w, i);
    return DYN_OK;
}

static dyn_status fill(dyn_sweep *w)
{
    if (pthread_mutex_init(&w->lock, NULL) != 0)
        return DYN__FAIL(w->ctx, DYN_ENOMEM, "out of memory: no lock");
    if (pthread_cond_init(&w->wake, NULL) != 0) {
        pthread_mutex_destroy(&w->lock);
        return DYN__FAIL(w->ctx, DYN_ENOMEM, "out of memory: no condition");
    }
    w->lock_ready = 1;
    DYN__TRY(copy(w));
    return w->path ? open_store(w) : DYN_OK;
}

dyn_status dyn_sweep_create(dyn_ctx *ctx, const dyn_sweep_options *opt, dyn_sweep **out)
{
    dyn_sweep_options o = DYN_SWEEP_OPTIONS_INIT;
    dyn_sweep *w;
    dyn_status s;

    if (out)
        *out = NULL;
    if (!ctx)
        return DYN_EINVAL;
    DYN__ENTER(ctx);
    DYN__NEED(ctx, opt);
    DYN__NEED(ctx, out);
    DYN__TRY(dyn__options(ctx, "dyn_sweep_options", opt, &o, sizeof o, sizeof o));
    DYN__TRY(check_options(ctx, &o));
    w = dyn__alloc(ctx, 1, sizeof *w);
    if (!w)
        return DYN_ENOMEM;
    dyn__ctx_ref(ctx);
    w->ctx = ctx;
    w->opt = o;
    s = fill(w);
    if (s == DYN_OK)
        *out = w;
    else
        dyn_sweep_free(w);
    return s;
}

void dyn_sweep_free(dyn_sweep *w)
{
    dyn_ctx *ctx;

    if (!w)
        return;
    ctx = w->ctx;
    dyn__shelf_empty(ctx);
    dyn__store_close(w);
    dyn__store_unlock(w);
    dyn__columns_free(w);
    for (int64_t i = 0; w->members && i < w->opt.count; i++)
        dyn__free(ctx, w->members[i].message);
    if (w->lock_ready) {
        pthread_cond_destroy(&w->wake);
        pthread_mutex_destroy(&w->lock);
    }
    dyn__free(ctx, w->packed);
    dyn__free(ctx, w->kept);
    dyn__free(ctx, w->members);
    dyn__free(ctx, w->values);
    dyn__free(ctx, w->names);
    dyn__free(ctx, w->path);
    dyn__free(ctx, w);
    dyn__ctx_unref(ctx);
}

dyn_status dyn_sweep_share_plans(dyn_ctx *ctx, dyn_ctx *keeper)
{
    if (!ctx)
        return DYN_EINVAL;
    DYN__ENTER(ctx);
    DYN__NEED(ctx, keeper);
    if (ctx == keeper || dyn__shares(ctx))
        return DYN__FAIL(ctx, DYN_EINVAL, ctx == keeper ? "a context keeps plans for others only"
                                                        : "the context shares plans already");
    return dyn__ctx_share(ctx, keeper);
}

/* ---- looking ---- */

int64_t dyn_sweep_count(const dyn_sweep *sweep) { return sweep ? sweep->opt.count : 0; }

int32_t dyn_sweep_status(const dyn_sweep *sweep, int64_t i)
{
    return sweep && i >= 0 && i < sweep->opt.count ? sweep->members[i].status : DYN_MEMBER_WAITING;
}

const char *dyn_sweep_message(const dyn_sweep *sweep, int64_t i)
{
    return sweep && i >= 0 && i < sweep->opt.count && sweep->members[i].message ? sweep->members[i].message : "";
}
