/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The tracker as an observer of a run: Hessian at theta, preconditioner of the step about to be taken, and the results
 * as series of the run. */
#include <inttypes.h>
#include <math.h>
#include "analysis/sharpness.h"
#include "optim/optim.h"
#include "linalg/basis.h"
#include "objective/objective.h"
#include "train/stop.h"

typedef struct names {
    const char *values, *residuals, *converged, *overlaps, *vectors;
} names;

static const names PRECONDITIONED = { "sharpness_pre", "sharpness_pre_residual", "sharpness_pre_converged",
                                      "sharpness_pre_overlap", "sharpness_pre.vectors" };
static const names RAW = { "sharpness", "sharpness_residual", "sharpness_converged", "sharpness_overlap",
                           "sharpness.vectors" };
static const char MEASURED[] = "sharpness.measured";

/* What the run has kept: it may be another run than the last, or one that was loaded. */
static dyn_status recall(dyn_sharpness_tracker *t, const dyn_run *run)
{
    const names *both[2] = { &PRECONDITIONED, &RAW };
    int64_t numbers;
    const double *rows;

    for (int raw = 0; raw < 2; raw++) {
        DYN__TRY(dyn_run_kept(run, both[raw]->vectors, &numbers, &rows));
        DYN__TRY(dyn__past_load(t->ctx, &t->past[raw], numbers, rows));
    }
    DYN__TRY(dyn_run_kept(run, MEASURED, &numbers, &rows));
    t->measured = numbers ? (int64_t)rows[0] : 0;
    return DYN_OK;
}

static dyn_status keep(const dyn_sharpness_tracker *t, dyn_run *run)
{
    const names *both[2] = { &PRECONDITIONED, &RAW };
    const double measured = (double)t->measured;

    if (t->opt.cold)
        return DYN_OK;
    for (int raw = 0; raw < 2; raw++)
        if (t->past[raw].count)
            DYN__TRY(dyn_run_keep(run, both[raw]->vectors, t->past[raw].count * dyn__past_entry(&t->past[raw]),
                                  t->past[raw].rows));
    return dyn_run_keep(run, MEASURED, 1, &measured);
}

/* overlap[i]: length of the part of the new vector i in the space of the old ones, which are orthonormal; NaN without. */
static dyn_status find_overlaps(const dyn_sharpness_tracker *t, const dyn_eigen *e, int raw, double *overlap)
{
    const dyn__past *past = &t->past[raw];
    const int64_t old = past->count ? past->pairs : 0;
    const double *V = old ? past->rows + past->size : NULL;
    double *h = dyn__alloc(t->ctx, (size_t)old + 1, sizeof *h);

    if (!h)
        return DYN_ENOMEM;
    for (int64_t i = 0; i < dyn_eigen_count(e); i++) {
        dyn__basis_coefficients(t->ctx, old, t->size, V, dyn_eigen_vectors(e) + i * t->size, h);
        overlap[i] = old > 0 ? dyn__norm(t->ctx, old, h) : (double)NAN;
    }
    dyn__free(t->ctx, h);
    return DYN_OK;
}

/* flag [pairs] is scratch: a series holds doubles. */
static dyn_status record_pairs(const dyn_sharpness_tracker *t, dyn_run *run, const names *n, int raw, const dyn_eigen *e,
                               double *flag)
{
    int64_t count = dyn_eigen_count(e);

    for (int64_t i = 0; i < count; i++)
        flag[i] = dyn_eigen_converged(e)[i];
    DYN__TRY(dyn_run_record(run, n->values, count, dyn_eigen_values(e)));
    DYN__TRY(dyn_run_record(run, n->residuals, count, dyn_eigen_residuals(e)));
    DYN__TRY(dyn_run_record(run, n->converged, count, flag));
    if (t->opt.cold)
        return DYN_OK;
    DYN__TRY(find_overlaps(t, e, raw, flag));
    return dyn_run_record(run, n->overlaps, count, flag);
}

static dyn_status record(const dyn_sharpness_tracker *t, dyn_run *run, double *scratch)
{
    double threshold = dyn_optimizer_threshold(dyn_run_optimizer(run)), products = (double)t->products;

    if (dyn_sharpness_tracker_raw(t))
        DYN__TRY(record_pairs(t, run, &RAW, !t->same, dyn_sharpness_tracker_raw(t), scratch));
    DYN__TRY(record_pairs(t, run, &PRECONDITIONED, 0, t->preconditioned, scratch));
    DYN__TRY(dyn_run_record(run, "sharpness_products", 1, &products));
    DYN__TRY(dyn_run_record(run, "lambda_grad_pre", 1, &t->directional[1]));
    DYN__TRY(dyn_run_record(run, "lambda_grad", 1, &t->directional[0]));
    return dyn_run_record(run, "threshold", 1, &threshold);
}

static dyn_status take_over(dyn_sharpness_tracker *t, dyn_run *run, const double *theta, double *scratch)
{
    DYN__TRY(record(t, run, scratch));
    DYN__TRY(dyn__sharpness_remember(t, theta));
    return keep(t, run);
}

/* d [size] is scratch. */
static dyn_status measure(dyn_sharpness_tracker *t, dyn_run *run, const double *theta, const double *gradient,
                          double *d)
{
    dyn_operator *H = NULL;
    double c = 1.0;
    dyn_status s = dyn_optimizer_preconditioner(dyn_run_optimizer(run), d, &c);

    if (s >= 0)
        s = dyn_objective_hessian(dyn_run_objective(run), theta, &H);
    t->run = run;
    if (s >= 0)
        s = recall(t, run);
    if (s >= 0)
        s = dyn__sharpness_measure(t, H, d, c, gradient, theta);
    t->run = NULL;
    dyn_operator_unref(H);
    if (s == DYN_STOPPED)
        return dyn__run_break_off(run);
    return s < 0 ? s : take_over(t, run, theta, d);
}

static int32_t observe(void *user, const dyn_run_view *at)
{
    dyn_sharpness_tracker *t = user;
    double *d = dyn__alloc(t->ctx, (size_t)t->size, sizeof *d);
    dyn_status s = d ? measure(t, at->run, at->theta, at->gradient, d) : DYN_ENOMEM;

    dyn__free(t->ctx, d);
    return s;
}

dyn_status dyn_sharpness_observe(dyn_sharpness_tracker *t, dyn_run *run, const dyn_schedule *when)
{
    int64_t p;

    if (!t)
        return DYN_EINVAL;
    DYN__ENTER(t->ctx);
    DYN__NEED(t->ctx, run);
    DYN__TRY(dyn__check_ctx(t->ctx, "run", dyn__objective_ctx(dyn_run_objective(run))));
    p = dyn_objective_size(dyn_run_objective(run));
    if (p != t->size)
        return DYN__FAIL(t->ctx, DYN_ESHAPE, "the run has %" PRId64 " parameters, the tracker %" PRId64, p, t->size);
    if (!dyn_run_optimizer(run)->rule.edge)
        return DYN__FAIL(t->ctx, DYN_ENOTSUP, "%s has no preconditioner", dyn_run_optimizer(run)->rule.name);
    return dyn_run_observe(run, observe, t, when);
}
