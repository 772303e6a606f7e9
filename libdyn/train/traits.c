/* SPDX-License-Identifier: BSD-3-Clause
 *
 * What decides the trajectory of a run, by name, in a form that can be stored and compared: a run must not go on from a
 * checkpoint under other rules. A file from before an option was made lacks it: the run then had its default. */
#include "train/checkpoint.h"

#include <stdio.h>
#include <string.h>

typedef struct traits {
    dyn_optimizer_options optimizer;
    int64_t size, samples, batch, drop_last, seed, dtype, mean_from, accumulate, streamed;
    double ema;
} traits;

enum kind { WORD, LONG, REAL };

static const struct { const char *name; enum kind kind; size_t offset; } fields[DYN__TRAITS] = {
#define FIELD(kind, path) { #path, kind, offsetof(traits, path) }
    FIELD(LONG, size), FIELD(LONG, dtype), FIELD(LONG, samples), FIELD(LONG, batch), FIELD(LONG, drop_last),
    FIELD(LONG, seed), FIELD(WORD, optimizer.kind), FIELD(REAL, optimizer.rate), FIELD(REAL, optimizer.beta1),
    FIELD(REAL, optimizer.beta2), FIELD(REAL, optimizer.eps), FIELD(REAL, optimizer.weight_decay),
    FIELD(REAL, optimizer.clip_norm), FIELD(WORD, optimizer.eps_inside), FIELD(WORD, optimizer.no_bias_correction),
    FIELD(WORD, optimizer.ema), FIELD(WORD, optimizer.init_from_gradient), FIELD(WORD, optimizer.schedule),
    FIELD(LONG, optimizer.warmup), FIELD(LONG, optimizer.period),
    FIELD(LONG, optimizer.tick_steps), FIELD(REAL, optimizer.warmup_start), FIELD(REAL, optimizer.factor),
    FIELD(REAL, optimizer.floor), FIELD(REAL, optimizer.power), FIELD(REAL, optimizer.peak),
    FIELD(LONG, optimizer.period_factor), FIELD(REAL, optimizer.momentum), FIELD(REAL, optimizer.momentum_decay),
    FIELD(REAL, optimizer.accumulator), FIELD(REAL, optimizer.gamma), FIELD(REAL, optimizer.sam_rho),
    FIELD(REAL, optimizer.adam_rate), FIELD(WORD, optimizer.amsgrad), FIELD(WORD, optimizer.centered),
    FIELD(WORD, optimizer.sam_adaptive), FIELD(WORD, optimizer.nesterov), FIELD(WORD, optimizer.match_rms),
    FIELD(WORD, optimizer.iterations), FIELD(LONG, optimizer.matrices_count), FIELD(LONG, optimizer.curvature_every),
    FIELD(WORD, optimizer.moments), FIELD(LONG, optimizer.memory),
    FIELD(REAL, ema), FIELD(LONG, mean_from), FIELD(LONG, accumulate), FIELD(LONG, streamed),
#undef FIELD
};

/* Only what has an effect: the seed has none without mini-batches, whose order it is, and dropout and its like. */
static traits collect(const dyn_run *r)
{
    const int64_t batch = r->batch;
    const int seeded = batch || dyn__objective_draws(r->objective);

    return (traits){
        .optimizer = r->optimizer->opt, .size = r->size, .samples = dyn_objective_samples(r->objective), .batch = batch,
        .drop_last = batch ? r->opt.drop_last : 0, .seed = seeded ? (int64_t)r->opt.seed : 0, .dtype = r->dtype,
        .ema = r->opt.ema, .mean_from = r->opt.mean_from, .accumulate = r->opt.accumulate,
        .streamed = r->opt.feed != NULL,
    };
}

static int64_t bits_of(const traits *t, int i)
{
    const char *at = (const char *)t + fields[i].offset;
    int64_t bits;
    int32_t word;

    if (fields[i].kind == WORD) {
        memcpy(&word, at, sizeof word);
        return word;
    }
    memcpy(&bits, at, sizeof bits);
    return bits;
}

const char *dyn__trait_name(int i) { return fields[i].name; }

void dyn__traits_of(const dyn_run *r, int64_t bits[DYN__TRAITS])
{
    const traits t = collect(r);

    for (int i = 0; i < DYN__TRAITS; i++)
        bits[i] = bits_of(&t, i);
}

void dyn__traits_default(const dyn_run *r, int64_t bits[DYN__TRAITS])
{
    traits t = collect(r);

    t.ema = 0;
    t.mean_from = INT64_MAX;
    t.accumulate = 1;
    t.streamed = 0;
    dyn_optimizer_defaults(r->optimizer->opt.kind, &t.optimizer);
    for (int i = 0; i < DYN__TRAITS; i++)
        bits[i] = bits_of(&t, i);
}

static void print(char *text, size_t size, enum kind kind, int64_t bits)
{
    double real;

    memcpy(&real, &bits, sizeof real);
    if (kind == REAL)
        snprintf(text, size, "%.17g", real);
    else
        snprintf(text, size, "%lld", (long long)bits);
}

dyn_status dyn__traits_compare(const dyn_run *r, const int64_t *file)
{
    int64_t own[DYN__TRAITS];
    char theirs[32], ours[32];

    dyn__traits_of(r, own);
    for (int i = 0; i < DYN__TRAITS; i++)
        if (own[i] != file[i]) {
            print(theirs, sizeof theirs, fields[i].kind, file[i]);
            print(ours, sizeof ours, fields[i].kind, own[i]);
            return DYN__FAIL(r->ctx, DYN_EINVAL, "%s is %s, in the checkpoint it is %s", fields[i].name, ours, theirs);
        }
    return DYN_OK;
}

dyn_status dyn__rule_describe(const dyn_run *r, dyn__buffer *t)
{
    const dyn_node *outputs;
    int32_t count;
    const dyn_graph *g = dyn__own_graph(r->optimizer, &count, &outputs);

    DYN__TRY(dyn__groups_describe(r, t));
    return g ? dyn__text_graph(t, g, count, outputs) : DYN_OK;
}
