/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Replicas: making them from lists of options, freeing them and looking at them. */
#include "train/replicas.h"

#include <string.h>
#include "optim/chunk.h"

/* ---- creation ---- */

/* Entry i of a list of option structs, which has none, one for all or one for each. */
static const void *entry(int64_t count, const void *list, int64_t i)
{
    uint32_t size;

    if (count == 0)
        return NULL;
    memcpy(&size, list, sizeof size);
    return (const char *)list + (count == 1 ? 0 : (size_t)i * size);
}

static dyn_status check_list(dyn_ctx *ctx, const char *name, int64_t replicas, int64_t count, const void *list)
{
    uint32_t first, other;

    if ((count != 0 && count != 1 && count != replicas) || (count && !list))
        return DYN__FAIL(ctx, DYN_EINVAL, "%s: count is %lld for %lld replicas, the list is %s", name,
                         (long long)count, (long long)replicas, list ? "given" : "NULL");
    for (int64_t i = 0; i < count; i++) {
        memcpy(&first, list, sizeof first);
        memcpy(&other, entry(count, list, i), sizeof other);
        if (first != other || first < sizeof first)
            return DYN__FAIL(ctx, DYN_EABI_SIZE, "%s: struct_size of entry %lld is %u, of entry 0 %u", name,
                             (long long)i, other, first);
    }
    return DYN_OK;
}

static dyn_status check_options(dyn_objective *objective, const dyn_replicas_options *o)
{
    dyn_ctx *ctx = dyn__objective_ctx(objective);

    if (o->count < 1 || o->reserved)
        return DYN__FAIL(ctx, DYN_EINVAL, "count is %lld, reserved %u", (long long)o->count, o->reserved);
    DYN__TRY(check_list(ctx, "optimizers", o->count, o->optimizer_count, o->optimizers));
    DYN__TRY(check_list(ctx, "runs", o->count, o->run_count, o->runs));
    DYN__TRY(check_list(ctx, "inits", o->count, o->init_count, o->inits));
    if (!o->theta == !o->init_count)
        return DYN__FAIL(ctx, DYN_EINVAL, "theta is %s with %lld inits: one of the two is needed",
                         o->theta ? "given" : "NULL", (long long)o->init_count);
    if (o->init_count && !dyn_objective_model(objective))
        return DYN__FAIL(ctx, DYN_ENOTSUP, "inits need a model, the objective has none");
    return DYN_OK;
}

static dyn_status draw(dyn_replicas *t, const dyn_replicas_options *o, int64_t i, double *theta)
{
    dyn_init_options init = DYN_INIT_OPTIONS_INIT;

    DYN__TRY(dyn__options(t->ctx, "dyn_init_options", entry(o->init_count, o->inits, i), &init, sizeof init,
                          sizeof init));
    if (o->init_count == 1)
        init.seed += (uint64_t)i;
    return dyn_model_initialise(dyn_objective_model(t->objective), &init, theta);
}

/* All replicas share the evaluators of the first. */
static dyn_status check_alike(dyn_replicas *t, const dyn_run *run)
{
    const dyn_run_options *a = &run->opt, *b = &t->runs[0]->opt;

    if (a->progress)
        return DYN__FAIL(t->ctx, DYN_EINVAL, "progress belongs into dyn_replicas_options");
    if (a->batch != b->batch || a->drop_last != b->drop_last)
        return DYN__FAIL(t->ctx, DYN_EINVAL, "batch %lld, drop_last %d differ from replica 0's %lld, %d",
                         (long long)a->batch, a->drop_last, (long long)b->batch, b->drop_last);
    return DYN_OK;
}

static dyn_status make_run(dyn_replicas *t, const dyn_replicas_options *o, int64_t i, double *room)
{
    const double *theta = room;

    if (o->theta)
        theta = o->theta + i * dyn_objective_size(t->objective);
    else
        DYN__TRY(draw(t, o, i, room));
    DYN__TRY(dyn__run_create(t->objective, entry(o->optimizer_count, o->optimizers, i),
                             entry(o->run_count, o->runs, i), theta, &t->team, &t->runs[i]));
    return check_alike(t, t->runs[i]);
}

/* Put the replica's number into the message, behind the function's name. */
static dyn_status name_replica(dyn_replicas *t, int64_t i, dyn_status s)
{
    const char *text = dyn_ctx_message(t->ctx), *after = strstr(text, ": ");

    return DYN__FAIL(t->ctx, s, "replica %lld: %s", (long long)i, after ? after + 2 : text);
}

static dyn_status make_runs(dyn_replicas *t, const dyn_replicas_options *o)
{
    double *room = dyn__alloc(t->ctx, (size_t)dyn_objective_size(t->objective), sizeof *room);
    dyn_status s = room ? DYN_OK : DYN_ENOMEM;

    for (int64_t i = 0; i < t->count && s == DYN_OK; i++) {
        s = make_run(t, o, i, room);
        if (s != DYN_OK)
            s = name_replica(t, i, s);
    }
    dyn__free(t->ctx, room);
    return s;
}

static dyn_status make_loans(dyn_replicas *t)
{
    t->loans = dyn__alloc(t->ctx, (size_t)t->lent, sizeof *t->loans);
    if (!t->loans)
        return DYN_ENOMEM;
    for (int64_t i = 0; i < t->lent; i++)
        DYN__TRY(dyn__run_evaluator(t->objective, &t->runs[0]->opt, 1, NULL, &t->loans[i].evaluator));
    for (int64_t i = 0; i < t->count; i++)
        t->runs[i]->evaluator = t->loans[0].evaluator;
    return DYN_OK;
}

static dyn_status fill(dyn_replicas *t, const dyn_replicas_options *o)
{
    const int64_t workers = dyn__workers(t->ctx);

    t->progress = o->progress;
    t->progress_user = o->progress_user;
    if (pthread_mutex_init(&t->team.callbacks, NULL) != 0)
        return DYN__FAIL(t->ctx, DYN_ENOMEM, "out of memory: no lock");
    t->team_ready = 1;
    t->runs = dyn__alloc(t->ctx, (size_t)o->count, sizeof *t->runs);
    t->first = dyn__alloc(t->ctx, (size_t)o->count, sizeof *t->first);
    t->last = dyn__alloc(t->ctx, (size_t)o->count, sizeof *t->last);
    t->status = dyn__alloc(t->ctx, (size_t)o->count, sizeof *t->status);
    t->done = dyn__alloc(t->ctx, (size_t)o->count, sizeof *t->done);
    if (!t->runs || !t->first || !t->last || !t->status || !t->done)
        return DYN_ENOMEM;
    t->count = o->count;
    t->lent = workers < o->count ? workers : o->count;
    DYN__TRY(make_runs(t, o));
    return make_loans(t);
}

dyn_status dyn_replicas_create(dyn_objective *objective, const dyn_replicas_options *opt, dyn_replicas **out)
{
    dyn_ctx *ctx = objective ? dyn__objective_ctx(objective) : NULL;
    dyn_replicas_options o = DYN_REPLICAS_OPTIONS_INIT;
    dyn_replicas *t;
    dyn_status s;

    if (out)
        *out = NULL;
    if (!objective)
        return DYN_EINVAL;
    DYN__ENTER(ctx);
    DYN__NEED(ctx, out);
    DYN__TRY(dyn__options(ctx, "dyn_replicas_options", opt, &o, sizeof o, sizeof o));
    DYN__TRY(check_options(objective, &o));
    t = dyn__alloc(ctx, 1, sizeof *t);
    if (!t)
        return DYN_ENOMEM;
    dyn__ctx_ref(ctx);
    t->ctx = ctx;
    t->objective = dyn_objective_ref(objective);
    s = fill(t, &o);
    if (s == DYN_OK)
        *out = t;
    else
        dyn_replicas_free(t);
    return s;
}

void dyn_replicas_free(dyn_replicas *t)
{
    dyn_ctx *ctx;

    if (!t)
        return;
    ctx = t->ctx;
    for (int64_t i = 0; i < t->count; i++)
        dyn_run_free(t->runs[i]);
    for (int64_t i = 0; t->loans && i < t->lent; i++)
        dyn__evaluator_free(t->loans[i].evaluator);
    if (t->team_ready)
        pthread_mutex_destroy(&t->team.callbacks);
    dyn__free(ctx, t->loans);
    dyn__free(ctx, t->done);
    dyn__free(ctx, t->status);
    dyn__free(ctx, t->last);
    dyn__free(ctx, t->first);
    dyn__free(ctx, t->runs);
    dyn_objective_unref(t->objective);
    dyn__free(ctx, t);
    dyn__ctx_unref(ctx);
}

/* ---- looking ---- */

int64_t dyn_replicas_count(const dyn_replicas *replicas) { return replicas ? replicas->count : 0; }

dyn_run *dyn_replicas_run(dyn_replicas *replicas, int64_t i)
{
    return replicas && i >= 0 && i < replicas->count ? replicas->runs[i] : NULL;
}

dyn_status dyn_replicas_results(const dyn_replicas *replicas, double *theta, double *loss)
{
    if (!replicas)
        return DYN_EINVAL;
    for (int64_t i = 0; i < replicas->count; i++) {
        const dyn_run *r = replicas->runs[i];

        if (theta)
            dyn__to_double(r->dtype, r->size, r->theta, theta + i * r->size);
        if (loss)
            loss[i] = r->loss;
    }
    return DYN_OK;
}
