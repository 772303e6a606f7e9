/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Vectors under names that a measurement goes on from: part of the checkpoint, as the run's own state is. What was kept
 * before the present step is held as well: a step that is not finished begins anew after a load. */
#include "train/run.h"

#include <string.h>

static dyn__kept_vector *find(const dyn_run *r, const char *name)
{
    for (int64_t i = 0; i < r->kept_count; i++)
        if (!strcmp(r->kept[i].name, name))
            return &r->kept[i];
    return NULL;
}

static int good_name(const char *name)
{
    const size_t n = strlen(name);

    return n > 0 && n < DYN__SERIES_NAME && strchr(name, '/') == NULL;
}

static dyn_status begin(dyn_run *r, const char *name, dyn__kept_vector **out)
{
    if (!good_name(name))
        return DYN__FAIL(r->ctx, DYN_EINVAL, "\"%.80s\" cannot name what is kept", name);
    DYN__TRY(dyn__grow(r->ctx, (void **)&r->kept, &r->kept_cap, r->kept_count + 1, sizeof *r->kept));
    *out = &r->kept[r->kept_count++];
    **out = (dyn__kept_vector){ .step = -1 };
    strcpy((*out)->name, name);
    return DYN_OK;
}

dyn_status dyn_run_keep(dyn_run *run, const char *name, int64_t count, const double *values)
{
    dyn__kept_vector *k;
    double *copy;
    dyn_status s = DYN_OK;

    if (!run)
        return DYN_EINVAL;
    DYN__ENTER(run->ctx);
    DYN__NEED(run->ctx, name);
    DYN__NEED(run->ctx, values);
    if (count < 1)
        return DYN__FAIL(run->ctx, DYN_EINVAL, "count is %lld, must be positive", (long long)count);
    copy = dyn__copied(run->ctx, values, count);
    if (!copy)
        return DYN_ENOMEM;
    k = find(run, name);
    if (!k)
        s = begin(run, name, &k);
    if (s != DYN_OK) {
        dyn__free(run->ctx, copy);
        return s;
    }
    if (k->step < run->step) {
        dyn__free(run->ctx, k->before);
        k->before = k->values;
        k->before_count = k->count;
    } else {
        dyn__free(run->ctx, k->values);
    }
    k->values = copy;
    k->count = count;
    k->step = run->step;
    return DYN_OK;
}

dyn_status dyn_run_kept(const dyn_run *run, const char *name, int64_t *count_out, const double **values_out)
{
    const dyn__kept_vector *k;

    if (!run)
        return DYN_EINVAL;
    DYN__ENTER(run->ctx);
    k = name ? find(run, name) : NULL;
    if (count_out)
        *count_out = k ? k->count : 0;
    if (values_out)
        *values_out = k ? k->values : NULL;
    return DYN_OK;
}

const double *dyn__kept_at(const dyn_run *r, int64_t i, int64_t *count)
{
    const dyn__kept_vector *k = &r->kept[i];
    const int late = r->recorded > r->seen && k->step >= r->seen;

    *count = late ? k->before_count : k->count;
    return late ? k->before : k->values;
}

void dyn__kept_free(dyn_run *r)
{
    for (int64_t i = 0; i < r->kept_count; i++) {
        dyn__free(r->ctx, r->kept[i].values);
        dyn__free(r->ctx, r->kept[i].before);
    }
    dyn__free(r->ctx, r->kept);
}
