/* SPDX-License-Identifier: BSD-3-Clause
 *
 * One step of an optimiser: the numbers of the step in double, then one fused pass of the kernel over the parameters.
 * Large vectors are split among the threads; every element is computed alike wherever it falls. */
#include "optim/optim.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include "data/data.h"
#include "optim/chunk.h"

static void correct_bias(const dyn_optimizer *o, double k, dyn__update *h)
{
    if (o->opt.no_bias_correction)
        return;
    h->rate /= 1 - pow(h->beta1, k);
    h->scale2 = 1 / (1 - pow(h->beta2, k));
}

static void mix_of_nadam(const dyn_optimizer *o, int64_t k, dyn__update *h)
{
    const double mu = dyn__nadam_mu(&o->opt, k), next = dyn__nadam_mu(&o->opt, k + 1);
    const double product = dyn__nadam_product(o, k);

    h->scale2 = 1 / (1 - pow(h->beta2, (double)k));
    h->of_g = h->rate * (1 - mu) / (1 - product);
    h->of_m = h->rate * next / (1 - product * next);
}

/* What the rule does with the numbers that all rules have. */
static void specialise(const dyn_optimizer *o, int64_t k, dyn__update *h)
{
    if (o->muon)
        return;
    switch (o->rule.update) {
    case DYN__U_ADAM:
    case DYN__U_AMSGRAD:
    case DYN__U_ADAMAX:
        correct_bias(o, (double)k, h);
        break;
    case DYN__U_NADAM:
        mix_of_nadam(o, k, h);
        break;
    case DYN__U_RMSPROP_MOMENTUM:
    case DYN__U_CENTRED_MOMENTUM:
        h->beta1 = o->opt.momentum;
        break;
    case DYN__U_SOPHIA:
        h->scale2 = o->opt.gamma;
        break;
    default:
        break;
    }
}

dyn__update dyn__optimizer_update(const dyn_optimizer *o, int64_t step)
{
    const dyn_optimizer_options *opt = &o->opt;
    const double rate = dyn__rate(opt, step);
    dyn__update h = {
        .rate = rate, .beta1 = opt->beta1, .beta2 = opt->beta2, .scale2 = 1, .eps = opt->eps, .clip = 1,
        .decay = o->rule.decoupled ? rate * opt->weight_decay : 0, .l2 = o->rule.decoupled ? 0 : opt->weight_decay,
        .eps_inside = opt->eps_inside, .ema = opt->ema,
    };

    specialise(o, step + 1, &h);
    if (opt->init_from_gradient && step == 0)
        h.beta1 = h.beta2 = 0;      /* averages of the first gradient alone */
    return h;
}

static int move_span(const dyn_optimizer *o, enum dyn__update_id update, const dyn__update *h, int64_t from, int64_t count,
                     void *theta, const void *gradient)
{
    const size_t at = (size_t)from * o->width;
    void *moment[DYN__MOMENTS];

    for (int i = 0; i < DYN__MOMENTS; i++)
        moment[i] = o->moment[i] ? (char *)o->moment[i] + at : NULL;
    return o->kernels->update[update](count, h, (char *)theta + at, (const char *)gradient + at, moment);
}

int dyn__optimizer_move(const dyn_optimizer *o, enum dyn__update_id update, const dyn__update *h, int64_t from,
                        int64_t count, void *theta, const void *gradient)
{
    const int64_t end = from + count;
    int finite = 1;

    if (!o->spans)
        return move_span(o, update, h, from, count, theta, gradient);
    for (const dyn__span *s = dyn__span_of(o, from); from < end; s++) {
        const int64_t last = s->from + s->count < end ? s->from + s->count : end;
        const dyn__update own = dyn__span_update(s, h);

        if (!s->frozen)
            finite &= move_span(o, update, &own, from, last - from, theta, gradient);
        from = last;
    }
    return finite;
}

typedef struct pass {
    const dyn_optimizer *o;
    dyn__update h;
    void *theta;
    const void *gradient;
} pass;

static void move_chunk(void *arg, int64_t task, int worker)
{
    const pass *p = arg;

    (void)worker;
    p->o->finite[task] = dyn__optimizer_move(p->o, p->o->rule.update, &p->h, task * DYN__CHUNK,
                                             dyn__chunk_size(p->o->size, task), p->theta, p->gradient);
}

/* 1 where all moments are finite. */
static int move_all(pass *p)
{
    const int64_t chunks = dyn__chunks(p->o->size);
    int finite = 1;

    if (chunks == 1)
        move_chunk(p, 0, 0);
    else
        dyn__parallel(p->o->ctx, chunks, move_chunk, p);
    for (int64_t i = 0; i < chunks; i++)
        finite &= p->o->finite[i];
    return finite;
}

static double element(const dyn_optimizer *o, const void *x, int64_t i)
{
    return o->dtype == DYN_F32 ? (double)((const float *)x)[i] : ((const double *)x)[i];
}

int64_t dyn__optimizer_lost(const dyn_optimizer *o, const void *gradient, char *text, size_t size)
{
    for (int64_t i = 0; i < o->size; i++)
        for (int k = 0; k < DYN__MOMENTS; k++)
            if (o->moment[k] && !isfinite(element(o, o->moment[k], i))) {
                snprintf(text, size, "moment %s of parameter %" PRId64 " is %g after step %" PRId64
                         ", the gradient there is %g: too much for %s", dyn__moment_name(k), i,
                         element(o, o->moment[k], i), o->steps - 1, element(o, gradient, i),
                         dyn__dtype_name(o->dtype));
                return i;
            }
    snprintf(text, size, "a moment was not finite in step %" PRId64, o->steps - 1);
    return 0;
}

static dyn_status fail_lost(const dyn_optimizer *o, const void *gradient)
{
    char text[200];

    dyn__optimizer_lost(o, gradient, text, sizeof text);
    return DYN__FAIL(o->ctx, DYN_ENONFINITE, "%s", text);
}

dyn_status dyn__optimizer_advance(dyn_optimizer *o, void *theta, const void *gradient, double norm)
{
    pass p = { o, dyn__optimizer_update(o, o->steps), theta, gradient };
    int finite;

    if (o->opt.schedule == DYN_RATE_CALLBACK && !(p.h.rate >= 0 && isfinite(p.h.rate)))
        return DYN__FAIL(o->ctx, DYN_EUSER, "rate_at gave %g for step %" PRId64, dyn__rate(&o->opt, o->steps),
                         o->steps);
    if (o->opt.sam_rho > 0 && !o->perturbed)
        return DYN__FAIL(o->ctx, DYN_ESTATE, "with sam_rho %g a step needs dyn_optimizer_perturb first", o->opt.sam_rho);
    if (o->opt.clip_norm > 0 && norm > o->opt.clip_norm)
        p.h.clip = o->opt.clip_norm / norm;
    finite = o->muon ? dyn__muon_move(o, &p.h, theta, gradient)
             : o->own ? dyn__own_move(o, &p.h, theta, gradient) : move_all(&p);
    o->steps++;
    o->perturbed = 0;
    if (o->opt.kind == DYN_OPTIMIZER_NADAM) {
        o->product = dyn__nadam_product(o, o->steps);
        o->product_step = o->steps;
    }
    return finite ? DYN_OK : fail_lost(o, gradient);
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
    return dyn__optimizer_advance(o, theta, gradient, norm);
}
