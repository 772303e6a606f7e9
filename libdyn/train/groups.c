/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The groups of an optimiser by names of tensors, made spans of theta. */
#include "train/checkpoint.h"

#include <fnmatch.h>
#include <inttypes.h>

enum { NAME = 512 };

static dyn_status unmatched(dyn_objective *o, const char *pattern)
{
    char first[NAME] = "", last[NAME] = "";
    const int32_t tensors = dyn_objective_tensors(o);

    if (tensors > 0) {
        dyn_objective_tensor(o, 0, NULL, NULL, first, sizeof first);
        dyn_objective_tensor(o, tensors - 1, NULL, NULL, last, sizeof last);
    }
    return DYN__FAIL(dyn__objective_ctx(o), DYN_EINVAL, "group \"%s\": none of %d tensors has such a name; they are %s to %s",
                     pattern, tensors, tensors ? first : "none", last);
}

/* Writes the group's numbers to the spans of the tensors that it takes. */
static dyn_status mark(dyn_objective *o, const dyn_optimizer_group *g, dyn__span *span)
{
    char name[NAME];
    int found = 0;

    for (int32_t i = 0; i < dyn_objective_tensors(o); i++) {
        dyn_objective_tensor(o, i, NULL, NULL, name, sizeof name);
        if (fnmatch(g->pattern, name, 0) != 0)
            continue;
        found = 1;
        span[i].rate = g->rate;
        span[i].decay = g->decay;
        span[i].frozen = g->frozen;
    }
    return found ? DYN_OK : unmatched(o, g->pattern);
}

static dyn_status fill(dyn_objective *o, const dyn_optimizer_options *opt, dyn__span *span)
{
    const int32_t tensors = dyn_objective_tensors(o);

    for (int32_t i = 0; i < tensors; i++) {
        span[i] = (dyn__span){ .rate = 1, .decay = 1 };
        dyn_objective_tensor(o, i, NULL, &span[i].from, NULL, 0);
        if (i > 0)
            span[i - 1].count = span[i].from - span[i - 1].from;
    }
    if (tensors > 0)
        span[tensors - 1].count = dyn_objective_size(o) - span[tensors - 1].from;
    for (int32_t k = 0; k < opt->groups_count; k++)
        DYN__TRY(mark(o, &opt->groups[k], span));
    return DYN_OK;
}

dyn_status dyn__run_optimizer(dyn_run *r, const dyn_optimizer_options *given)
{
    const int32_t tensors = dyn_objective_tensors(r->objective);
    dyn_optimizer_options opt;
    dyn__span *span;

    DYN__TRY(dyn__optimizer_options(r->ctx, given, &opt));
    if (opt.groups_count == 0)
        return dyn__optimizer_create(r->ctx, r->size, r->dtype, given, 0, NULL, &r->optimizer);
    span = dyn__alloc(r->ctx, (size_t)tensors + 1, sizeof *span);
    if (!span)
        return DYN_ENOMEM;
    dyn_status s = fill(r->objective, &opt, span);
    if (s == DYN_OK)
        s = dyn__optimizer_create(r->ctx, r->size, r->dtype, given, tensors, span, &r->optimizer);
    dyn__free(r->ctx, span);
    return s;
}

dyn_status dyn__groups_describe(const dyn_run *r, dyn__buffer *t)
{
    const dyn_optimizer *o = r->optimizer;

    for (int64_t k = 0; k < o->spans; k++) {
        const dyn__span *s = &o->span[k];
        if (!s->frozen && s->rate == 1 && s->decay == 1)
            continue;
        DYN__TRY(dyn__buffer_print(t, "parameters from %" PRId64 ": rate and decay", s->from));
        DYN__TRY(dyn__text_number(t, s->rate));
        DYN__TRY(dyn__text_number(t, s->decay));
        DYN__TRY(dyn__buffer_print(t, "%s\n", s->frozen ? ", frozen" : ""));
    }
    return DYN_OK;
}
