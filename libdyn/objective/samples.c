/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Derivatives of every sample: Jacobian of the outputs, gradients of the losses. The samples go through one plan, chunk by
 * chunk, which the objective keeps for the next call. */
#include "kernel/far.h"
#include "objective/row_plan.h"

typedef struct run {
    dyn_objective *o;
    const dyn__row_plan *p;
    double *out;                /* rows of length p, of all samples */
    int far;                    /* too many to stay in the caches */
} run;

/* Rows of a chunk from `skip` on, to `rows`, where its first one belongs. */
static void put_rows(const run *r, int64_t skip, double *rows, const void *native)
{
    const dyn_objective *o = r->o;
    const int64_t count = r->p->samples * r->p->per_sample;

    for (int32_t i = 0; i < o->tensors; i++) {
        int64_t at;
        const int64_t size = dyn__objective_tensor(o, i, &at, NULL)->size;
        const char *from = (const char *)native + count * at * o->esize;

        for (int64_t k = skip; k < count; k++)
            if (r->far)
                dyn__far_copy(size, rows + k * o->p + at, (const double *)(const void *)(from + k * size * o->esize));
            else
                dyn__from_native(o, size, rows + k * o->p + at, from + k * size * o->esize);
    }
    dyn__far_done();
}

/* The last chunk goes back as far as it lacks samples, so that one plan serves all; rows that are another's it leaves. */
static void run_chunk(void *arg, int64_t chunk, int worker)
{
    const run *r = arg;
    const dyn__row_plan *p = r->p;
    dyn__row_runner *by = &p->runner[p->runners > 1 ? worker : 0];
    const int64_t wanted = chunk * p->samples, last = r->o->n - p->samples, first = wanted < last ? wanted : last;

    if (dyn__interrupted(r->o->ctx))
        return;
    const dyn__inputs in = dyn__measured_inputs(r->o, first);
    dyn__slots_bind(r->o, &by->slots, by->exec, &in);
    dyn__exec_go(by->exec);
    put_rows(r, (wanted - first) * p->per_sample, r->out + first * p->per_sample * r->o->p, by->native);
}

static dyn_status all_rows(dyn_objective *o, const double *theta, int of_outputs, double *out)
{
    dyn__row_plan *p = NULL;

    dyn__to_native(o, o->p, o->theta, theta);
    DYN__TRY(dyn__row_plan_get(o, of_outputs, &p));
    run r = {.o = o, .p = p, .out = out};
    r.far = o->opt.dtype == DYN_F64 && o->n * p->per_sample * o->p >= DYN__FAR_BYTES / o->esize;
    const int64_t chunks = dyn__divide_up(o->n, p->samples);
    if (p->runners > 1)
        dyn__parallel(o->ctx, chunks, run_chunk, &r);
    for (int64_t k = 0; p->runners == 1 && k < chunks; k++)
        run_chunk(&r, k, 0);
    dyn__row_plan_give(o, p);
    return dyn__check_interrupt(o->ctx);
}

dyn_status dyn_objective_jacobian(dyn_objective *o, const double *theta, double *jacobian)
{
    if (!o)
        return DYN_EINVAL;
    DYN__ENTER(o->ctx);
    DYN__TRY(dyn__need_separate(o, "Jacobian"));
    if (o->c == 0)
        return DYN__FAIL(o->ctx, DYN_ENOTSUP, "the objective calls several models, or none: which outputs are meant is open");
    DYN__TRY(dyn__check_theta(o, theta, jacobian));
    return all_rows(o, theta, 1, jacobian);
}

/* What depends on theta alone, l2 for one, is no sample's. */
dyn_status dyn_objective_sample_gradients(dyn_objective *o, const double *theta, double *gradients)
{
    if (!o)
        return DYN_EINVAL;
    DYN__ENTER(o->ctx);
    DYN__TRY(dyn__need_separate(o, "gradients of samples"));
    DYN__TRY(dyn__check_theta(o, theta, gradients));
    return all_rows(o, theta, 0, gradients);
}
