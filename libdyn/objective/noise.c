/* SPDX-License-Identifier: BSD-3-Clause
 *
 * What the random numbers of training steps (dropout, noise) do to loss and gradient at a point: means over draws. */
#include <inttypes.h>
#include <math.h>
#include "linalg/operator.h"
#include "objective/impl.h"

/* Mean and sum of squared deviations, kept up to date by one number at a time. */
typedef struct running { double mean, squares; } running;

static void take(running *r, int64_t count, double x)
{
    const double d = x - r->mean;

    r->mean += d / (double)count;
    r->squares += d * (x - r->mean);
}

static double standard_error(const running *r, int64_t count)
{
    return count < 2 ? 0.0 : sqrt(r->squares / (double)(count - 1) / (double)count);
}

/* Buffers of an objective's own element type, and a gradient in double precision. */
typedef struct buffers { char *theta, *gradient, *next; double *g; } buffers;

static dyn_status allocate(dyn_objective *o, buffers *b)
{
    const size_t p = (size_t)o->p * (size_t)o->esize, states = (size_t)o->states * (size_t)o->esize;

    b->theta = dyn__alloc(o->ctx, 2 * p + states + 8, 1);
    b->g = dyn__alloc(o->ctx, (size_t)o->p + 1, sizeof *b->g);
    if (!b->theta || !b->g)
        return DYN_ENOMEM;
    b->gradient = b->theta + p;
    b->next = b->gradient + p;
    return DYN_OK;
}

static dyn_status draw(dyn_objective *o, dyn__evaluator *e, const buffers *b, int64_t draws, uint64_t seed,
                       dyn_noise *out)
{
    running loss = { 0 }, square = { 0 };

    for (int64_t k = 0; k < draws; k++) {
        dyn__step_io io = {.seed = seed, .step = k, .theta = b->theta, .state = o->state, .gradient = b->gradient,
                           .next = b->next};
        DYN__TRY(dyn__evaluator_step(e, &io));
        dyn__from_native(o, o->p, b->g, b->gradient);
        const double norm = dyn__norm(o->ctx, o->p, b->g);
        if (!isfinite(io.loss) || !isfinite(norm * norm))
            return DYN__FAIL(o->ctx, DYN_ENONFINITE, "draw %" PRId64 ": loss %g, gradient norm %g", k, io.loss, norm);
        take(&loss, k + 1, io.loss);
        take(&square, k + 1, norm * norm);
        DYN__TRY(dyn__check_interrupt(o->ctx));
    }
    *out = (dyn_noise){loss.mean, standard_error(&loss, draws), square.mean, standard_error(&square, draws)};
    return DYN_OK;
}

dyn_status dyn_objective_noise(dyn_objective *o, const double *theta, int64_t draws, uint64_t seed, dyn_noise *out)
{
    dyn__evaluator *e = NULL;
    buffers b = { 0 };
    dyn_status s;

    if (!o)
        return DYN_EINVAL;
    DYN__ENTER(o->ctx);
    DYN__NEED(o->ctx, theta);
    DYN__NEED(o->ctx, out);
    if (draws < 1)
        return DYN__FAIL(o->ctx, DYN_EINVAL, "draws is %" PRId64 ", expected at least 1", draws);
    DYN__TRY(dyn__check_finite(o->ctx, "theta", o->p, theta));
    s = allocate(o, &b);
    if (s >= 0)
        s = dyn__evaluator_create(o, &(dyn__feeding){.batch = 0}, &e);
    if (s >= 0) {
        dyn__to_native(o, o->p, b.theta, theta);
        s = draw(o, e, &b, draws, seed, out);
    }
    dyn__evaluator_free(e);
    dyn__free(o->ctx, b.g);
    dyn__free(o->ctx, b.theta);
    return s;
}
