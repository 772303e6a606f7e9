/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Evaluators, of whatever kind their objective is. */
#include <math.h>
#include "objective/impl.h"

static dyn_status create(dyn_objective *o, const dyn__feeding *f, int training, int value_only, dyn__evaluator **out)
{
    dyn__evaluator *e;
    dyn_status s = DYN_ENOMEM;

    *out = NULL;
    e = dyn__alloc(o->ctx, 1, sizeof *e);
    if (!e)
        return DYN_ENOMEM;
    *e = (dyn__evaluator){.o = o, .feeding = *f, .training = training, .value_only = value_only};
    e->term = dyn__alloc(o->ctx, (size_t)o->terms + 1, sizeof *e->term);
    if (e->term)
        s = o->kind->evaluator_create(e);
    if (s < 0)
        dyn__evaluator_free(e);
    else
        *out = e;
    return s;
}

dyn_status dyn__evaluator_create(dyn_objective *o, const dyn__feeding *f, dyn__evaluator **out)
{
    return create(o, f, 1, 0, out);
}

dyn_status dyn__evaluator_measuring(dyn_objective *o, int value_only, dyn__evaluator **out)
{
    return create(o, &(dyn__feeding){.batch = 0}, 0, value_only, out);
}

void dyn__evaluator_free(dyn__evaluator *e)
{
    dyn_ctx *ctx;

    if (!e)
        return;
    ctx = e->o->ctx;
    e->o->kind->evaluator_free(e);
    dyn__free(ctx, e->term);
    dyn__free(ctx, e);
}

dyn_status dyn__evaluator_step(dyn__evaluator *e, dyn__step_io *io)
{
    return e->o->kind->evaluator_step(e, io);
}

const double *dyn__evaluator_terms(const dyn__evaluator *e) { return e->term; }
