/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Numbers of all members by name. */
#include "sweep/sweep.h"

#include <math.h>
#include <string.h>

static dyn__sweep_column *find(const dyn_sweep *w, const char *name)
{
    for (int64_t c = 0; c < w->column_count; c++)
        if (strcmp(w->columns[c].name, name) == 0)
            return &w->columns[c];
    return NULL;
}

static dyn_status add(dyn_sweep *w, const char *name, dyn__sweep_column **out)
{
    dyn__sweep_column *c;

    DYN__TRY(dyn__grow(w->ctx, (void **)&w->columns, &w->column_room, w->column_count + 1, sizeof *w->columns));
    c = &w->columns[w->column_count];
    memset(c, 0, sizeof *c);
    memcpy(c->name, name, strlen(name));
    c->values = dyn__alloc(w->ctx, (size_t)w->opt.count, sizeof *c->values);
    if (!c->values)
        return DYN_ENOMEM;
    for (int64_t i = 0; i < w->opt.count; i++)
        c->values[i] = NAN;
    w->column_count++;
    *out = c;
    return DYN_OK;
}

dyn_status dyn__columns_keep(dyn_sweep *w, int64_t i, const char *name, double value)
{
    dyn__sweep_column *c = find(w, name);

    if (!c)
        DYN__TRY(add(w, name, &c));
    c->values[i] = value;
    return DYN_OK;
}

void dyn__columns_free(dyn_sweep *w)
{
    for (int64_t c = 0; c < w->column_count; c++)
        dyn__free(w->ctx, w->columns[c].values);
    dyn__free(w->ctx, w->columns);
}

/* Columns that every member has. */
static int own(const dyn_sweep *w, const char *name, double *values)
{
    static const char *const names[] = { "loss", "step", "seconds" };
    int which = 0;

    while (which < 3 && strcmp(name, names[which]) != 0)
        which++;
    for (int64_t i = 0; which < 3 && i < w->opt.count; i++) {
        const dyn__member *m = &w->members[i];
        const double all[] = { m->loss, (double)m->step, m->seconds };
        values[i] = m->status == DYN_MEMBER_WAITING ? (double)NAN : all[which];
    }
    return which < 3;
}

static int parameter(const dyn_sweep *w, const char *name, double *values)
{
    for (int64_t p = 0; p < w->opt.parameters; p++)
        if (strcmp(dyn__sweep_name(w, p), name) == 0) {
            for (int64_t i = 0; i < w->opt.count; i++)
                values[i] = w->values[i * w->opt.parameters + p];
            return 1;
        }
    return 0;
}

dyn_status dyn_sweep_column(const dyn_sweep *sweep, const char *name, double *values)
{
    const dyn__sweep_column *c;

    if (!sweep)
        return DYN_EINVAL;
    DYN__ENTER(sweep->ctx);
    DYN__NEED(sweep->ctx, name);
    DYN__NEED(sweep->ctx, values);
    if (own(sweep, name, values) || parameter(sweep, name, values))
        return DYN_OK;
    c = find(sweep, name);
    if (!c)
        return DYN__FAIL(sweep->ctx, DYN_EINVAL, "no column \"%.80s\": there are loss, step, seconds, %lld parameters "
                         "and %lld results", name, (long long)sweep->opt.parameters, (long long)sweep->column_count);
    memcpy(values, c->values, (size_t)sweep->opt.count * sizeof *values);
    return DYN_OK;
}
