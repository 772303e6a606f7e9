/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Averages of theta along the run, in double: one pass per step and average, shared out to the threads. */
#include "train/run.h"

#include "data/data.h"
#include "optim/chunk.h"

const char *dyn__average_name(int which) { return which == DYN_AVERAGE_EMA ? "ema" : "mean"; }

/* average += share (theta - average) */
typedef struct pass {
    const dyn_run *r;
    double *average, share;
} pass;

static void take_chunk(void *arg, int64_t task, int worker)
{
    const pass *p = arg;
    const int64_t from = task * DYN__CHUNK, count = dyn__chunk_size(p->r->size, task);
    double *a = p->average + from;

    (void)worker;
    if (p->r->dtype == DYN_F32) {
        const float *x = (const float *)p->r->theta + from;
        for (int64_t i = 0; i < count; i++)
            a[i] += p->share * ((double)x[i] - a[i]);
    } else {
        const double *x = (const double *)p->r->theta + from;
        for (int64_t i = 0; i < count; i++)
            a[i] += p->share * (x[i] - a[i]);
    }
}

static void take(dyn_run *r, int which, double share)
{
    pass p = { r, r->average[which], share };

    if (share == 1)
        dyn__to_double(r->dtype, r->size, r->theta, p.average);
    else if (r->size <= DYN__CHUNK)
        take_chunk(&p, 0, 0);
    else
        dyn__parallel(r->ctx, dyn__chunks(r->size), take_chunk, &p);
}

void dyn__average_take(dyn_run *r)
{
    if (r->average[DYN_AVERAGE_EMA])
        take(r, DYN_AVERAGE_EMA, r->step == 0 ? 1 : 1 - r->opt.ema);
    if (r->average[DYN_AVERAGE_MEAN] && r->step >= r->opt.mean_from)
        take(r, DYN_AVERAGE_MEAN, 1 / (double)(r->step - r->opt.mean_from + 1));
}

dyn_status dyn__average_open(dyn_run *r)
{
    const int kept[2] = { r->opt.ema > 0, r->opt.mean_from < INT64_MAX };

    for (int i = 0; i < 2; i++)
        if (kept[i] && !(r->average[i] = dyn__alloc(r->ctx, (size_t)r->size, sizeof(double))))
            return DYN_ENOMEM;
    dyn__average_take(r);
    return DYN_OK;
}

dyn_status dyn_run_average(const dyn_run *run, int32_t which, double *theta)
{
    if (!run)
        return DYN_EINVAL;
    DYN__ENTER(run->ctx);
    DYN__NEED(run->ctx, theta);
    if (which != DYN_AVERAGE_EMA && which != DYN_AVERAGE_MEAN)
        return DYN__FAIL(run->ctx, DYN_EINVAL, "there is no average %d", (int)which);
    if (!run->average[which])
        return DYN__FAIL(run->ctx, DYN_ESTATE, "no %s of the parameters is kept: that takes %s in the options",
                         dyn__average_name(which), which == DYN_AVERAGE_EMA ? "ema" : "mean_from");
    if (which == DYN_AVERAGE_MEAN && run->step < run->opt.mean_from)
        return DYN__FAIL(run->ctx, DYN_ESTATE, "the mean begins with step %lld, the run is at %lld",
                         (long long)run->opt.mean_from, (long long)run->step);
    dyn__to_double(DYN_F64, run->size, run->average[which], theta);
    return DYN_OK;
}
