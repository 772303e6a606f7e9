/* SPDX-License-Identifier: BSD-3-Clause
 *
 * What a step is evaluated on: all samples, or the mini-batch that its number and the seed give. Nothing has to be kept
 * between steps but the model's state, so a resumed run finds its place from the step alone. */
#include "train/run.h"

dyn_status dyn__run_batch(dyn_objective *objective, const dyn_run_options *opt, int64_t *batch)
{
    const int64_t samples = dyn_objective_samples(objective);

    *batch = 0;
    if (opt->batch < INT64_MAX && samples == 0)
        return DYN__FAIL(dyn__objective_ctx(objective), DYN_ENOTSUP,
                         "batch is %lld, but the objective has no samples", (long long)opt->batch);
    if (opt->batch < samples)
        *batch = opt->batch;
    return DYN_OK;
}

dyn_status dyn__run_evaluator(dyn_objective *objective, const dyn_run_options *opt, int threads, dyn__evaluator **out)
{
    dyn__feeding f = {.drop_last = opt->drop_last, .threads = threads};

    DYN__TRY(dyn__run_batch(objective, opt, &f.batch));
    return dyn__evaluator_create(objective, &f, out);
}

dyn_status dyn__run_gradient(dyn_run *r, const void *theta, void *gradient, void *next, double *loss)
{
    dyn__step_io io = {.seed = r->opt.seed, .step = r->step, .theta = theta, .state = r->state,
                       .gradient = gradient, .next = next};
    const int guarded = r->team && dyn__objective_calls_out(r->objective);

    if (guarded)
        dyn__run_lock(r);
    dyn_status s = dyn__evaluator_step(r->evaluator, &io);
    if (guarded)
        pthread_mutex_unlock(&r->team->callbacks);
    dyn__optimizer_mask(r->optimizer, gradient);
    *loss = io.loss;
    return s;
}

dyn_status dyn__run_evaluate(dyn_run *r)
{
    if (r->descending)
        return dyn__descend_evaluate(r);
    return dyn__run_gradient(r, r->theta, r->gradient, r->next_state, &r->loss);
}
