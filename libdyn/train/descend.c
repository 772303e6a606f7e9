/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Runs whose optimiser is L-BFGS: a step is a line search, which looks at other points. It is made before the run decides
 * whether it ends here, so that a run that finds no way down ends where it stands. */
#include "train/checkpoint.h"

#include <string.h>
#include "optim/chunk.h"

static dyn_status evaluate(dyn__descent *d, dyn__point *p)
{
    dyn_run *r = d->user;
    dyn__descending *l = r->descending;
    double loss;

    dyn__from_double(r->dtype, r->size, p->theta, l->theta);
    dyn_status s = dyn__run_gradient(r, l->theta, l->gradient, r->next_state, &loss);
    if (s < 0 && s != DYN_ENONFINITE)
        return s;
    dyn__to_double(r->dtype, r->size, l->theta, p->theta);     /* as it was rounded */
    dyn__to_double(r->dtype, r->size, l->gradient, p->gradient);
    p->value = s == DYN_OK && isfinite(loss) && isfinite(dyn__inner(d->n, p->gradient, p->gradient)) ? loss : (double)NAN;
    return DYN_OK;
}

/* Whether a loss is drawn anew at each step is known when it was evaluated. */
static dyn_status check_fixed(const dyn_run *r)
{
    if (!dyn__objective_draws(r->objective))
        return DYN_OK;
    return DYN__FAIL(r->ctx, DYN_ENOTSUP, "LBFGS compares losses of several steps, and this one is drawn anew at each");
}

dyn_status dyn__descend_open(dyn_run *r)
{
    const int64_t n = r->size;
    dyn__descending *l;
    double *room;

    if (r->optimizer->opt.kind != DYN_OPTIMIZER_LBFGS)
        return DYN_OK;
    if (r->batch || r->opt.feed)
        return DYN__FAIL(r->ctx, DYN_ENOTSUP, "LBFGS compares losses of all samples, batch is %lld%s", (long long)r->batch,
                         r->opt.feed ? ", there is a stream" : "");
    l = dyn__alloc(r->ctx, 1, sizeof *l);
    if (!l)
        return DYN_ENOMEM;
    r->descending = l;
    l->theta = dyn__alloc(r->ctx, 1, r->bytes);
    l->gradient = dyn__alloc(r->ctx, 1, r->bytes);
    l->room = room = dyn__alloc(r->ctx, (size_t)n, 4 * sizeof *room);
    if (!l->theta || !l->gradient || !room)
        return DYN_ENOMEM;
    l->on = (dyn__descent){ .ctx = r->ctx, .n = n, .evaluate = evaluate, .user = r };
    l->taken = NAN;
    l->on.at = (dyn__point){ room, room + n, NAN, NAN };
    l->on.trial = (dyn__point){ room + 2 * n, room + 3 * n, NAN, NAN };
    return dyn__pairs_open(r->ctx, n, r->optimizer->opt.memory, &l->pairs);
}

void dyn__descend_free(dyn_run *r)
{
    dyn__descending *l = r->descending;

    if (!l)
        return;
    dyn__pairs_free(r->ctx, &l->pairs);
    dyn__free(r->ctx, l->room);
    dyn__free(r->ctx, l->theta);
    dyn__free(r->ctx, l->gradient);
    dyn__free(r->ctx, l);
}

/* The search has been at theta already, unless the run begins, was loaded, or its objective may be another one by now. */
dyn_status dyn__descend_evaluate(dyn_run *r)
{
    dyn__descending *l = r->descending;

    if (r->known != r->step) {
        dyn__to_double(r->dtype, r->size, r->theta, l->on.at.theta);
        DYN__TRY(evaluate(&l->on, &l->on.at));
        DYN__TRY(check_fixed(r));
        r->known = r->step;
    }
    dyn__from_double(r->dtype, r->size, l->on.at.gradient, r->gradient);
    r->loss = l->on.at.value;
    return DYN_OK;
}

dyn_status dyn__descend_seek(dyn_run *r)
{
    int found;

    DYN__TRY(dyn__lbfgs_seek(&r->descending->on, &r->descending->pairs, &found));
    if (!found)
        r->reason = DYN_RUN_STALLED;
    return DYN_OK;
}

void dyn__descend_take(dyn_run *r, void *theta)
{
    dyn__descending *l = r->descending;

    dyn__lbfgs_take(&l->on, &l->pairs);
    dyn__from_double(r->dtype, r->size, l->on.at.theta, theta);
    r->known = r->step + 1;
    l->taken = l->on.step;
    r->optimizer->steps++;
}

dyn_status dyn__descend_restore(dyn_run *r, const int64_t place[2])
{
    dyn__pairs *p = &r->descending->pairs;

    if (place[0] < 0 || place[0] > p->capacity || place[1] < 0 || place[1] >= p->capacity)
        return DYN__FAIL(r->ctx, DYN_EFORMAT, "%lld pairs, the next at %lld: there is room for %lld", (long long)place[0],
                         (long long)place[1], (long long)p->capacity);
    p->count = place[0];
    p->next = place[1];
    for (int64_t age = 1; age <= p->count; age++) {
        const int64_t k = dyn__pairs_place(p, age);
        p->share[k] = dyn__inner(p->n, p->s + k * p->n, p->y + k * p->n);
        if (!(p->share[k] > 0))
            return DYN__FAIL(r->ctx, DYN_EFORMAT, "pair %lld knows of no positive curvature", (long long)k);
    }
    return DYN_OK;
}
