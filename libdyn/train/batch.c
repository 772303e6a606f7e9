/* SPDX-License-Identifier: BSD-3-Clause
 *
 * What a step is evaluated on: all samples, or the mini-batch that its number and the seed give. Nothing has to be kept
 * between steps, so a resumed run finds its place from the step alone. */
#include "train/run.h"

dyn_status dyn__feed_batch(dyn_objective *objective, const dyn_run_options *opt, int64_t *batch)
{
    const int64_t samples = dyn_objective_samples(objective);
    dyn_ctx *ctx = dyn__objective_ctx(objective);

    *batch = 0;
    if (opt->batch > 0 && samples == 0)
        return DYN__FAIL(ctx, DYN_ENOTSUP, "batch is %lld, but the objective has no samples", (long long)opt->batch);
    if (opt->batch < samples)
        *batch = opt->batch;
    return DYN_OK;
}

dyn_status dyn__feed_open(dyn_objective *objective, const dyn_run_options *opt, int threads, dyn__feed *f)
{
    int64_t rest;

    *f = (dyn__feed){ .samples = dyn_objective_samples(objective) };
    DYN__TRY(dyn__feed_batch(objective, opt, &f->batch));
    f->per_epoch = dyn_data_batches(f->samples, f->batch, opt->drop_last);
    DYN__TRY(dyn__evaluator_create(objective, f->batch, threads, &f->main));
    rest = f->batch && !opt->drop_last ? f->samples % f->batch : 0;
    return rest ? dyn__evaluator_create(objective, rest, threads, &f->ragged) : DYN_OK;
}

void dyn__feed_close(dyn__feed *f)
{
    dyn__evaluator_free(f->main);
    dyn__evaluator_free(f->ragged);
    *f = (dyn__feed){ 0 };
}

static dyn_status shuffle(dyn_run *r, int64_t epoch)
{
    r->epoch = -1;
    DYN__TRY(dyn_data_order(r->ctx, r->opt.seed, epoch, r->feed->samples, r->order));
    r->epoch = epoch;
    return DYN_OK;
}

/* The caller's functions are not asked to be safe in several threads. */
static dyn_status evaluate_whole(dyn_run *r)
{
    const int guarded = r->team && !dyn_objective_model(r->objective);
    dyn_status s;

    if (guarded)
        pthread_mutex_lock(&r->team->callbacks);
    s = dyn__evaluator_gradient(r->feed->main, r->theta, NULL, r->gradient, &r->loss);
    if (guarded)
        pthread_mutex_unlock(&r->team->callbacks);
    return s;
}

dyn_status dyn__run_evaluate(dyn_run *r)
{
    const dyn__feed *f = r->feed;
    int64_t epoch, at;

    if (f->batch == 0)
        return evaluate_whole(r);
    epoch = r->step / f->per_epoch;
    at = r->step - epoch * f->per_epoch;
    if (epoch != r->epoch)
        DYN__TRY(shuffle(r, epoch));
    return dyn__evaluator_gradient(f->ragged && at + 1 == f->per_epoch ? f->ragged : f->main, r->theta,
                                   r->order + at * f->batch, r->gradient, &r->loss);
}
