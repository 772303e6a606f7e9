/* SPDX-License-Identifier: BSD-3-Clause
 *
 * What a step is evaluated on: all samples, the mini-batch that its number and the seed give, or a batch of a stream; or
 * the mean over several of them. Nothing has to be kept between steps but the model's state, so a resumed run finds its
 * place from the step alone. */
#include "train/run.h"

#include <string.h>
#include "data/data.h"
#include "kernel/kernel.h"

dyn_status dyn__run_batch(dyn_objective *objective, const dyn_run_options *opt, int64_t *batch)
{
    const int64_t samples = dyn_objective_samples(objective);

    *batch = 0;
    if (opt->batch < INT64_MAX && samples == 0)
        return DYN__FAIL(dyn__objective_ctx(objective), DYN_ENOTSUP,
                         "batch is %lld, but the objective has no samples", (long long)opt->batch);
    if (opt->batch < INT64_MAX && opt->feed)
        return DYN__FAIL(dyn__objective_ctx(objective), DYN_EINVAL, "batch is %lld: a stream gives batches of %lld samples, "
                         "as the objective has them", (long long)opt->batch, (long long)samples);
    if (opt->batch < samples)
        *batch = opt->batch;
    return DYN_OK;
}

/* ---- streams ---- */

static dyn_status call_feed(void *user, dyn_objective *o, uint64_t seed, int64_t step, void *const *rows)
{
    const dyn_run *r = user;
    const dyn__batch_names *n = &r->names;
    dyn_batch_view view = {
        .struct_size = sizeof view, .data = n->count, .step = step, .seed = seed, .samples = dyn_objective_samples(o),
        .name = n->name, .dtype = n->dtype, .size = n->size, .rows = n->rows,
    };

    for (int32_t i = 0; i < n->count; i++)
        n->rows[i] = rows[n->number[i]];
    return dyn__callback_status(r->ctx, "the stream", r->opt.feed(r->opt.feed_user, &view));
}

dyn_status dyn__run_evaluator(dyn_objective *objective, const dyn_run_options *opt, int threads, dyn_run *r,
                              dyn__evaluator **out)
{
    dyn__feeding f = { .drop_last = opt->drop_last, .threads = threads };

    if (opt->feed && !r)
        return DYN__FAIL(dyn__objective_ctx(objective), DYN_ENOTSUP, "a stream needs a run of its own, not replicas");
    if (opt->feed)
        f.fill = call_feed, f.fill_user = r;
    DYN__TRY(dyn__run_batch(objective, opt, &f.batch));
    return dyn__evaluator_create(objective, &f, out);
}

dyn_status dyn__run_feed_open(dyn_run *r)
{
    const int32_t terms = dyn_objective_terms(r->objective);
    const size_t states = (size_t)dyn__objective_state_size(r->objective);

    r->terms = dyn__alloc(r->ctx, (size_t)terms + 1, sizeof *r->terms);
    if (!r->terms)
        return DYN_ENOMEM;
    if (r->opt.feed)
        DYN__TRY(dyn__batch_names_open(r->objective, &r->names));
    if (r->opt.accumulate == 1)
        return DYN_OK;
    r->share = dyn__alloc(r->ctx, 1, r->bytes);
    r->between = dyn__alloc(r->ctx, states + 1, dyn__dtype_size(r->dtype));
    return r->share && r->between ? DYN_OK : DYN_ENOMEM;
}

/* ---- one batch, or several ---- */

static dyn_status evaluate(dyn_run *r, dyn__step_io *io)
{
    const int guarded = r->team && dyn__objective_calls_out(r->objective);

    if (guarded)
        dyn__run_lock(r);
    const dyn_status s = dyn__evaluator_step(r->evaluator, io);
    if (guarded)
        pthread_mutex_unlock(&r->team->callbacks);
    return s;
}

static void take_terms(dyn_run *r, int first)
{
    const double *terms = dyn__evaluator_terms(r->evaluator);

    for (int32_t i = 0; i < dyn_objective_terms(r->objective); i++)
        r->terms[i] = (first ? 0 : r->terms[i]) + terms[i] / (double)r->opt.accumulate;
}

/* gradient = (first ? 0 : gradient) + share / accumulate */
static void add_share(const dyn_run *r, int first, void *gradient)
{
    const double by = 1 / (double)r->opt.accumulate;
    float single = (float)by;
    void *factor = r->dtype == DYN_F32 ? (void *)&single : (void *)(uintptr_t)&by;
    const dyn__arg args[4] = { { gradient, 0, 1 }, { r->share, 0, 1 }, { factor, 0, 0 }, { gradient, 0, 1 } };
    const dyn__kernels *k = dyn__kernels_of(r->ctx);

    if (first)
        memset(gradient, 0, r->bytes);
    (r->dtype == DYN_F32 ? &k->f32 : &k->f64)->tile[DYN__K_FMA](1, r->size, args, 0);
}

/* The state goes through all batches; the last leaves it in next. */
static dyn_status accumulate(dyn_run *r, const void *theta, void *gradient, void *next, double *loss)
{
    const int64_t count = r->opt.accumulate;
    const void *state = r->state;

    *loss = 0;
    for (int64_t i = 0; i < count; i++) {
        void *after = (count - i) % 2 ? next : r->between;
        dyn__step_io io = { .seed = r->opt.seed, .step = r->step * count + i, .theta = theta, .state = state,
                            .gradient = r->share, .next = after };

        DYN__TRY(evaluate(r, &io));
        *loss += io.loss / (double)count;
        take_terms(r, i == 0);
        add_share(r, i == 0, gradient);
        state = after;
    }
    return DYN_OK;
}

static dyn_status one_batch(dyn_run *r, const void *theta, void *gradient, void *next, double *loss)
{
    dyn__step_io io = { .seed = r->opt.seed, .step = r->step, .theta = theta, .state = r->state, .gradient = gradient,
                        .next = next };
    const dyn_status s = evaluate(r, &io);

    *loss = io.loss;
    take_terms(r, 1);
    return s;
}

dyn_status dyn__run_gradient(dyn_run *r, const void *theta, void *gradient, void *next, double *loss)
{
    const dyn_status s = r->opt.accumulate > 1 ? accumulate(r, theta, gradient, next, loss)
                                               : one_batch(r, theta, gradient, next, loss);

    dyn__optimizer_mask(r->optimizer, gradient);
    return s;
}

/* Where a run ended it was evaluated: training that goes on there begins with that. */
dyn_status dyn__run_evaluate(dyn_run *r)
{
    if (r->descending)
        return dyn__descend_evaluate(r);
    if (r->known == r->step)
        return DYN_OK;
    r->known = -1;
    DYN__TRY(dyn__run_gradient(r, r->theta, r->gradient, r->next_state, &r->loss));
    r->known = r->step;
    return DYN_OK;
}
