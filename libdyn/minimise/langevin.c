/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Stochastic gradient Langevin dynamics around a point. */
#include "minimise/langevin.h"

#include "random/random.h"

dyn_status dyn__langevin_options(dyn_ctx *ctx, const dyn_langevin_options *given, dyn_langevin_options *o)
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

/* A state of the chain: w, the gradient and the value of the objective there. */
typedef struct place { double *w, *g, loss; } place;

typedef struct chain {
    const dyn_langevin_options *o;
    int64_t n;
    double *start, *xi;
    place now, before;
} chain;

/* Slope by w_i of U = n_beta L + gamma/2 |w - w*|^2 + weight_decay/2 |w|^2. */
static double slope(const chain *c, const place *p, int64_t i)
{
    return c->o->n_beta * p->g[i] + c->o->gamma * (p->w[i] - c->start[i]) + c->o->weight_decay * p->w[i];
}

static void move(const chain *c)
{
    double *w = c->now.w;

    for (int64_t i = 0; i < c->n; i++)
        w[i] -= c->o->epsilon / 2 * slope(c, &c->now, i) - sqrt(c->o->epsilon) * c->xi[i];
}

/* min(1, exp(log q(a|b) - log q(b|a) + U(a) - U(b))) of the step from a = before to b = now, q being the proposal. */
static double acceptance_of(const chain *c)
{
    const double *a = c->before.w, *b = c->now.w, half = c->o->epsilon / 2;
    double forth = 0.0, back = 0.0, energy = c->o->n_beta * (c->before.loss - c->now.loss);

    for (int64_t i = 0; i < c->n; i++) {
        const double f = b[i] - a[i] + half * slope(c, &c->before, i), r = a[i] - b[i] + half * slope(c, &c->now, i);
        const double from = a[i] - c->start[i], to = b[i] - c->start[i];
        forth += f * f;
        back += r * r;
        energy += c->o->gamma / 2 * (from * from - to * to) + c->o->weight_decay / 2 * (a[i] * a[i] - b[i] * b[i]);
    }
    return fmin(1.0, exp((forth - back) / (2 * c->o->epsilon) + energy));
}

static void keep(chain *c)
{
    memcpy(c->before.w, c->now.w, (size_t)c->n * sizeof *c->now.w);
    memcpy(c->before.g, c->now.g, (size_t)c->n * sizeof *c->now.g);
    c->before.loss = c->now.loss;
}

static dyn_status walk(chain *c, dyn_objective *objective, int64_t steps, double *losses, double *acceptance)
{
    double sum = 0.0, length;

    memcpy(c->start, c->now.w, (size_t)c->n * sizeof *c->start);
    for (int64_t t = 0; t < steps; t++) {
        const dyn__key key = { .seed = c->o->seed, .stream = DYN__STREAM_NODE, .step = (uint32_t)t, .site = c->o->chain };

        DYN__TRY(dyn__finite_gradient(objective, c->n, c->now.w, &c->now.loss, c->now.g, &length));
        losses[t] = c->now.loss;
        if (isnan(losses[t]))
            return DYN__FAIL(dyn__objective_ctx(objective), DYN_ENONFINITE, "the chain has run away at step %lld",
                             (long long)t);
        if (acceptance && t > 0)
            sum += acceptance_of(c);
        if (acceptance)
            keep(c);
        dyn__normal_f64(key, 0, c->n, c->xi);
        move(c);
    }
    if (acceptance)
        *acceptance = steps > 1 ? sum / (double)(steps - 1) : (double)NAN;
    return DYN_OK;
}

dyn_status dyn__langevin(dyn_objective *objective, const dyn_langevin_options *o, int64_t steps, double *theta,
                         double *losses, double *acceptance)
{
    dyn_ctx *ctx = dyn__objective_ctx(objective);
    const int64_t n = dyn_objective_size(objective);
    double *room = dyn__alloc(ctx, (size_t)n, 5 * sizeof *room);

    if (!room)
        return DYN_ENOMEM;
    chain c = { .o = o, .n = n, .start = room, .xi = room + n, .now = { theta, room + 2 * n, 0.0 },
                .before = { room + 3 * n, room + 4 * n, 0.0 } };
    dyn_status s = walk(&c, objective, steps, losses, acceptance);
    dyn__free(ctx, room);
    return s;
}

dyn_status dyn_objective_langevin(dyn_objective *o, const dyn_langevin_options *opt, int64_t steps, double *theta,
                                  double *losses)
{
    dyn_langevin_options full;
    dyn_ctx *ctx;

    if (!o)
        return DYN_EINVAL;
    ctx = dyn__objective_ctx(o);
    DYN__ENTER(ctx);
    DYN__NEED(ctx, theta);
    DYN__NEED(ctx, losses);
    DYN__TRY(dyn__langevin_options(ctx, opt, &full));
    if (steps < 1 || steps > UINT32_MAX)
        return DYN__FAIL(ctx, DYN_EINVAL, "steps is %lld", (long long)steps);
    return dyn__langevin(o, &full, steps, theta, losses, NULL);
}
