/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Stochastic gradient Langevin dynamics around a point. */
#include "minimise/minimise.h"

#include "random/random.h"

static dyn_status check(dyn_ctx *ctx, const dyn_langevin_options *given, dyn_langevin_options *o)
{
    *o = (dyn_langevin_options)DYN_LANGEVIN_OPTIONS_INIT;
    DYN__TRY(dyn__options(ctx, "dyn_langevin_options", given, o, sizeof *o, sizeof *o));
    const struct { const char *name; double value; } fields[] = {
        { "epsilon", o->epsilon }, { "n_beta", o->n_beta }, { "gamma", o->gamma }, { "weight_decay", o->weight_decay },
    };

    for (size_t i = 0; i < sizeof fields / sizeof *fields; i++)
        if (!(fields[i].value >= 0 && isfinite(fields[i].value)))
            return DYN__FAIL(ctx, DYN_EINVAL, "%s is %g, must be at least 0", fields[i].name, fields[i].value);
    return DYN_OK;
}

/* room [3, n]: the start, the gradient, the noise. */
static dyn_status walk(dyn_objective *objective, const dyn_langevin_options *o, int64_t steps, double *w,
                       double *losses, double *room)
{
    const int64_t n = dyn_objective_size(objective);
    double *start = room, *g = room + n, *xi = room + 2 * n;

    memcpy(start, w, (size_t)n * sizeof *w);
    for (int64_t t = 0; t < steps; t++) {
        const dyn__key key = { .seed = o->seed, .stream = DYN__STREAM_NODE, .step = (uint32_t)t, .site = o->chain };

        DYN__TRY(dyn__finite_gradient(objective, n, w, &losses[t], g));
        if (isnan(losses[t]))
            return DYN__FAIL(dyn__objective_ctx(objective), DYN_ENONFINITE, "the chain has run away at step %lld",
                             (long long)t);
        dyn__normal_f64(key, 0, n, xi);
        for (int64_t i = 0; i < n; i++)
            w[i] -= o->epsilon / 2 * (o->n_beta * g[i] + o->gamma * (w[i] - start[i]) + o->weight_decay * w[i])
                    - sqrt(o->epsilon) * xi[i];
    }
    return DYN_OK;
}

dyn_status dyn_objective_langevin(dyn_objective *o, const dyn_langevin_options *opt, int64_t steps, double *theta,
                                  double *losses)
{
    dyn_langevin_options full;
    dyn_ctx *ctx;
    double *room;
    dyn_status s;

    if (!o)
        return DYN_EINVAL;
    ctx = dyn__objective_ctx(o);
    DYN__ENTER(ctx);
    DYN__NEED(ctx, theta);
    DYN__NEED(ctx, losses);
    DYN__TRY(check(ctx, opt, &full));
    if (steps < 1 || steps > UINT32_MAX)
        return DYN__FAIL(ctx, DYN_EINVAL, "steps is %lld", (long long)steps);
    room = dyn__alloc(ctx, (size_t)dyn_objective_size(o), 3 * sizeof *room);
    if (!room)
        return DYN_ENOMEM;
    s = walk(o, &full, steps, theta, losses, room);
    dyn__free(ctx, room);
    return s;
}
