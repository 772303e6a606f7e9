/* SPDX-License-Identifier: BSD-3-Clause
 *
 * One number for the definition of a run and where it stands, so that results of one are not taken for those of another. */
#include "train/checkpoint.h"

#include "objective/describe.h"

static dyn_status add_objective(dyn_objective *o, dyn_ctx *ctx, uint64_t *hash)
{
    dyn__text t = { .ctx = ctx };
    const dyn_status s = dyn__objective_describe(o, &t);

    if (s == DYN_OK)
        *hash = dyn__checksum(*hash, t.at, (size_t)t.length);
    dyn__free(ctx, t.at);
    return s;
}

/* Groups of parameters, and a rule of the caller's own by the graph it wrote. */
static dyn_status add_rule(const dyn_run *r, uint64_t *hash)
{
    dyn__text t = { .ctx = r->ctx };
    const dyn_status s = dyn__rule_describe(r, &t);

    if (s == DYN_OK)
        *hash = dyn__checksum(*hash, t.at, (size_t)t.length);
    dyn__free(r->ctx, t.at);
    return s;
}

/* Where the run ends, and what it keeps: not part of the trajectory, but of the result. */
static uint64_t add_ends(const dyn_run *r, uint64_t hash)
{
    const int64_t counts[] = { r->opt.steps, r->opt.record_every, r->opt.accuracy_every, r->opt.validate_every,
                               r->opt.patience, r->opt.keep_best, (int64_t)r->opt.seed, r->step };
    const double limits[] = { r->opt.stop_loss, r->opt.stop_accuracy };

    return dyn__checksum(dyn__checksum(hash, counts, sizeof counts), limits, sizeof limits);
}

dyn_status dyn_run_fingerprint(const dyn_run *run, uint64_t *out)
{
    int64_t traits[DYN__TRAITS];
    uint64_t hash = DYN__CHECKSUM_START;

    if (!run)
        return DYN_EINVAL;
    DYN__ENTER(run->ctx);
    DYN__NEED(run->ctx, out);
    DYN__TRY(add_objective(run->objective, run->ctx, &hash));
    if (run->validated)
        DYN__TRY(add_objective(run->validated, run->ctx, &hash));
    DYN__TRY(add_rule(run, &hash));
    dyn__traits_of(run, traits);
    hash = dyn__checksum(hash, traits, sizeof traits);
    *out = dyn__checksum(add_ends(run, hash), run->theta, run->bytes);
    return DYN_OK;
}
