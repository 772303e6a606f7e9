/* SPDX-License-Identifier: BSD-3-Clause
 *
 * One step of an optimiser: the numbers of the step in double, then one fused pass of the kernel over the parameters.
 * Large vectors are split among the threads; every element is computed alike wherever it falls. */
#include "optim/optim.h"

#include <math.h>
#include "optim/chunk.h"

static void correct_bias(const dyn_optimizer *o, int64_t step, dyn__update *h)
{
    const double k = (double)(step + 1);

    if (o->opt.no_bias_correction || o->rule->update != DYN__U_ADAM)
        return;
    h->rate /= 1 - pow(h->beta1, k);
    h->scale2 = 1 / (1 - pow(h->beta2, k));
}

dyn__update dyn__optimizer_update(const dyn_optimizer *o, int64_t step)
{
    const dyn_optimizer_options *opt = &o->opt;
    const double rate = dyn__rate(opt, step);
    const int decoupled = opt->kind == DYN_OPTIMIZER_ADAMW;
    dyn__update h = {
        .rate = rate, .beta1 = opt->beta1, .beta2 = opt->beta2, .scale2 = 1, .eps = opt->eps, .clip = 1,
        .decay = decoupled ? rate * opt->weight_decay : 0, .l2 = decoupled ? 0 : opt->weight_decay,
        .eps_inside = opt->eps_inside, .ema = opt->ema,
    };

    correct_bias(o, step, &h);
    if (opt->init_from_gradient && step == 0)
        h.beta1 = h.beta2 = 0;      /* averages of the first gradient alone */
    return h;
}

typedef struct pass {
    const dyn_optimizer *o;
    dyn__update h;
    char *theta;
    const char *gradient;
} pass;

static void move_chunk(void *arg, int64_t task, int worker)
{
    const pass *p = arg;
    const dyn_optimizer *o = p->o;
    const size_t at = (size_t)(task * DYN__CHUNK) * o->width;

    (void)worker;
    o->kernels->update[o->rule->update](dyn__chunk_size(o->size, task), &p->h, p->theta + at, p->gradient + at,
                                        o->m ? (char *)o->m + at : NULL, o->v ? (char *)o->v + at : NULL);
}

void dyn__optimizer_advance(dyn_optimizer *o, void *theta, const void *gradient, double norm)
{
    pass p = { o, dyn__optimizer_update(o, o->steps), theta, gradient };

    if (o->opt.clip_norm > 0 && norm > o->opt.clip_norm)
        p.h.clip = o->opt.clip_norm / norm;
    if (o->size <= DYN__CHUNK)
        move_chunk(&p, 0, 0);
    else
        dyn__parallel(o->ctx, dyn__chunks(o->size), move_chunk, &p);
    o->steps++;
}

dyn_status dyn_optimizer_step(dyn_optimizer *o, void *theta, const void *gradient)
{
    double norm = 0;

    if (!o)
        return DYN_EINVAL;
    DYN__ENTER(o->ctx);
    DYN__NEED(o->ctx, theta);
    DYN__NEED(o->ctx, gradient);
    if (o->opt.clip_norm > 0)
        norm = dyn__optimizer_norm(o, gradient);
    if (!isfinite(norm))
        return DYN__FAIL(o->ctx, DYN_ENONFINITE, "norm of the gradient is %g at step %lld", norm, (long long)o->steps);
    dyn__optimizer_advance(o, theta, gradient, norm);
    return DYN_OK;
}
