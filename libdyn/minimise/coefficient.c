/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The local learning coefficient from Langevin chains, with what tells whether they can be trusted: agreement of the
 * chains, effective number of draws, acceptance. */
#include "minimise/langevin.h"

typedef struct work {
    dyn_objective *o;
    dyn_learning_coefficient_options opt;
    int64_t steps;              /* of a chain */
    double *theta, *trace;      /* [p], [steps] */
    double *draws;              /* [chains][draws] */
    double start, acceptance;
} work;

/* ---- statistics of the draws ---- */

typedef struct spread { double mean, within, total; } spread;  /* variances: within chains; of all, estimated */

static double mean_of(const double *x, int64_t n)
{
    double sum = 0.0;

    for (int64_t i = 0; i < n; i++)
        sum += x[i];
    return sum / (double)n;
}

/* Of values x [n] around their mean, divided by n - 1. */
static double variance_of(const double *x, int64_t n)
{
    const double mean = mean_of(x, n);
    double sum = 0.0;

    for (int64_t i = 0; i < n; i++)
        sum += (x[i] - mean) * (x[i] - mean);
    return sum / (double)(n - 1);
}

/* means [chains] */
static spread spread_of(const work *w, const double *means)
{
    const int64_t chains = w->opt.chains, draws = w->opt.draws;
    spread s = { mean_of(means, chains), 0.0, 0.0 };

    for (int64_t c = 0; c < chains; c++)
        s.within += variance_of(w->draws + c * draws, draws) / (double)chains;
    s.total = s.within * (double)(draws - 1) / (double)draws + (chains > 1 ? variance_of(means, chains) : 0.0);
    return s;
}

/* The mean over chains of the autocovariance at this lag. */
static double covariance(const work *w, const double *means, int64_t lag)
{
    const int64_t chains = w->opt.chains, draws = w->opt.draws;
    double sum = 0.0;

    for (int64_t c = 0; c < chains; c++)
        for (int64_t i = 0; i + lag < draws; i++)
            sum += (w->draws[c * draws + i] - means[c]) * (w->draws[c * draws + i + lag] - means[c]);
    return sum / (double)(chains * draws);
}

/* Draws divided by 1 + 2 sum of autocorrelations, which are added in pairs as long as those are positive (Geyer 1992; over
 * chains as Gelman et al. 2013, 11.5). */
static double effective_draws(const work *w, const double *means, const spread *s)
{
    const double all = (double)(w->opt.chains * w->opt.draws);
    double sum = -1.0;

    for (int64_t lag = 0; lag + 1 < w->opt.draws; lag += 2) {
        double pair = 0.0;
        for (int64_t k = lag; k < lag + 2; k++)
            pair += 1.0 - (s->within - covariance(w, means, k)) / s->total;
        if (!(pair > 0.0))
            break;
        sum += 2.0 * pair;
    }
    return s->total > 0.0 ? fmin(all, all / fmax(sum, 1.0 / all)) : (double)NAN;
}

/* room [chains] */
static void summarise(const work *w, double *room, dyn_learning_coefficient_result *out)
{
    const int64_t chains = w->opt.chains;

    for (int64_t c = 0; c < chains; c++)
        room[c] = mean_of(w->draws + c * w->opt.draws, w->opt.draws);
    const spread s = spread_of(w, room);
    out->value = w->opt.n_beta * (s.mean - w->start);
    out->standard_error = chains > 1 ? w->opt.n_beta * sqrt(variance_of(room, chains) / (double)chains) : (double)NAN;
    out->n_beta = w->opt.n_beta;
    out->start = w->start;
    out->acceptance = w->acceptance;
    out->r_hat = chains > 1 && s.within > 0.0 ? sqrt(s.total / s.within) : (double)NAN;
    out->effective_draws = effective_draws(w, room, &s);
}

/* ---- the chains ---- */

static dyn_status run_chain(work *w, const double *theta, int64_t c)
{
    const dyn_learning_coefficient_options *o = &w->opt;
    const dyn_langevin_options chain = { sizeof chain, (uint32_t)c, o->epsilon, o->n_beta, o->gamma, 0.0, o->seed };
    double acceptance;

    memcpy(w->theta, theta, (size_t)dyn_objective_size(w->o) * sizeof *theta);
    DYN__TRY(dyn__langevin(w->o, &chain, w->steps, w->theta, w->trace, &acceptance));
    w->start = w->trace[0];
    w->acceptance += acceptance / (double)o->chains;
    for (int64_t i = 0; i < o->draws; i++)
        w->draws[c * o->draws + i] = w->trace[o->burn_in + (i + 1) * o->between];
    return dyn__check_interrupt(dyn__objective_ctx(w->o));
}

static dyn_status run(work *w, const double *theta, double *losses, dyn_learning_coefficient_result *out)
{
    dyn_ctx *ctx = dyn__objective_ctx(w->o);
    const size_t p = (size_t)dyn_objective_size(w->o), draws = (size_t)(w->opt.chains * w->opt.draws);
    double *room = dyn__alloc(ctx, p + (size_t)w->steps + draws + (size_t)w->opt.chains, sizeof *room);
    dyn_status s = room ? DYN_OK : DYN_ENOMEM;

    w->theta = room;
    w->trace = room + p;
    w->draws = w->trace + w->steps;
    for (int64_t c = 0; s == DYN_OK && c < w->opt.chains; c++)
        s = run_chain(w, theta, c);
    if (s == DYN_OK) {
        summarise(w, w->draws + draws, out);
        if (losses)
            memcpy(losses, w->draws, draws * sizeof *losses);
    }
    dyn__free(ctx, room);
    return s;
}

/* ---- options ---- */

static dyn_status check_counts(dyn_ctx *ctx, const dyn_learning_coefficient_options *o)
{
    if (o->chains >= 1 && o->chains <= 1000000 && o->draws >= 2 && o->between >= 1 && o->burn_in >= 0 &&
        o->burn_in < UINT32_MAX / 2 && o->draws <= UINT32_MAX / 2 / o->between)
        return DYN_OK;
    return DYN__FAIL(ctx, DYN_EINVAL, "chains %d, draws %lld, %lld steps between them, burn_in %lld: at least 1, 2, 1 and 0",
                     (int)o->chains, (long long)o->draws, (long long)o->between, (long long)o->burn_in);
}

static dyn_status complete(dyn_objective *objective, const dyn_learning_coefficient_options *given,
                           dyn_learning_coefficient_options *o)
{
    dyn_ctx *ctx = dyn__objective_ctx(objective);
    const int64_t n = dyn_objective_samples(objective);

    *o = (dyn_learning_coefficient_options)DYN_LEARNING_COEFFICIENT_OPTIONS_INIT;
    DYN__TRY(dyn__options(ctx, "dyn_learning_coefficient_options", given, o, sizeof *o, sizeof *o));
    DYN__TRY(check_counts(ctx, o));
    if (o->n_beta == 0.0 && n < 2)
        return DYN__FAIL(ctx, DYN_EINVAL, "n_beta cannot be chosen: the objective has %lld samples", (long long)n);
    if (o->n_beta == 0.0)
        o->n_beta = (double)n / log((double)n);
    const dyn_langevin_options chain = { sizeof chain, 0, o->epsilon, o->n_beta, o->gamma, 0.0, o->seed };
    dyn_langevin_options checked;
    DYN__TRY(dyn__langevin_options(ctx, &chain, &checked));
    return o->epsilon > 0.0 ? DYN_OK : DYN__FAIL(ctx, DYN_EINVAL, "epsilon is 0: the chains would stand still");
}

dyn_status dyn_objective_learning_coefficient(dyn_objective *o, const double *theta,
                                              const dyn_learning_coefficient_options *opt, double *losses,
                                              dyn_learning_coefficient_result *out)
{
    work w = { .o = o };
    dyn_ctx *ctx;

    if (!o)
        return DYN_EINVAL;
    ctx = dyn__objective_ctx(o);
    DYN__ENTER(ctx);
    DYN__NEED(ctx, theta);
    DYN__NEED(ctx, out);
    DYN__TRY(complete(o, opt, &w.opt));
    w.steps = w.opt.burn_in + w.opt.draws * w.opt.between + 1;
    return run(&w, theta, losses, out);
}
