/* SPDX-License-Identifier: BSD-3-Clause
 *
 * One number for the definition of a run and where it stands, so that results of one are not taken for those of another. */
#include "train/checkpoint.h"

#include "objective/describe.h"

/* The texts of losses, groups of parameters and rules of the caller's own. */
static dyn_status describe(const dyn_run *r, dyn__buffer *t)
{
    DYN__TRY(dyn__objective_describe(r->objective, t));
    if (r->validated)
        DYN__TRY(dyn__objective_describe(r->validated, t));
    return dyn__rule_describe(r, t);
}

/* Where the run ends, and what it keeps: not part of the trajectory, but of the result. */
static uint64_t add_ends(const dyn_run *r, uint64_t hash)
{
    const int64_t counts[] = { r->opt.steps, r->opt.record_every, r->opt.accuracy_every, r->opt.validate_every,
                               r->opt.patience, r->opt.keep_best, (int64_t)r->opt.seed, r->opt.mean_from, r->step };
    const double limits[] = { r->opt.stop_loss, r->opt.stop_accuracy, r->opt.ema, r->opt.gradient_tolerance };

    return dyn__checksum(dyn__checksum(hash, counts, sizeof counts), limits, sizeof limits);
}

dyn_status dyn_run_fingerprint(const dyn_run *run, uint64_t *out)
{
    dyn__buffer text = { 0 };
    int64_t traits[DYN__TRAITS];
    uint64_t hash = DYN__CHECKSUM_START;
    dyn_status s;

    if (!run)
        return DYN_EINVAL;
    DYN__ENTER(run->ctx);
    DYN__NEED(run->ctx, out);
    text.ctx = run->ctx;
    s = describe(run, &text);
    if (s == DYN_OK) {
        dyn__traits_of(run, traits);
        hash = dyn__checksum(dyn__checksum(hash, text.at, (size_t)text.length), traits, sizeof traits);
        *out = dyn__checksum(add_ends(run, hash), run->theta, run->bytes);
    }
    dyn__free(run->ctx, text.at);
    return s;
}
