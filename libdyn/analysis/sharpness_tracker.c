/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The tracker: the two eigenproblems of a step, each started from its own pairs of the step before. */
#include <inttypes.h>
#include <math.h>
#include <string.h>
#include "analysis/sharpness.h"
#include "kernel/kernel.h"
#include "linalg/eigen.h"
#include "train/stop.h"

static dyn_eigen_options eigen_options(const dyn_sharpness_options *o)
{
    dyn_eigen_options e = DYN_EIGEN_OPTIONS_INIT;

    e.which = o->which;
    e.count = o->count;
    e.max_products = o->max_products;
    e.tolerance = o->tolerance;
    e.seed = o->seed;
    e.unchecked = (uint32_t)o->unchecked;
    return e;
}

static dyn_status read_options(dyn_ctx *ctx, int64_t size, const dyn_sharpness_options *given,
                               dyn_sharpness_options *o)
{
    _Static_assert(sizeof *o == 56 && offsetof(dyn_sharpness_options, reserved) == 52, "no implicit padding");

    *o = (dyn_sharpness_options)DYN_SHARPNESS_OPTIONS_INIT;
    DYN__TRY(dyn__options(ctx, "dyn_sharpness_options", given, o, sizeof *o, sizeof *o));
    DYN__TRY(dyn__check_flag(ctx, "unchecked", o->unchecked));
    DYN__TRY(dyn__check_flag(ctx, "no_raw", o->no_raw));
    DYN__TRY(dyn__check_flag(ctx, "cold", o->cold));
    DYN__TRY(dyn__check_reserved(ctx, o->reserved));
    const dyn_eigen_options e = eigen_options(o);
    return dyn__eigen_check(ctx, size, &e);
}

dyn_status dyn_sharpness_tracker_create(dyn_ctx *ctx, int64_t size, const dyn_sharpness_options *opt,
                                        dyn_sharpness_tracker **out)
{
    dyn_sharpness_options o;
    dyn_sharpness_tracker *t;

    if (out)
        *out = NULL;
    if (!ctx)
        return DYN_EINVAL;
    DYN__ENTER(ctx);
    if (!out || size < 1)
        return DYN__FAIL(ctx, DYN_EINVAL, "size is %" PRId64 " or out is NULL", size);
    DYN__TRY(read_options(ctx, size, opt, &o));
    t = dyn__alloc(ctx, 1, sizeof *t);
    if (!t)
        return DYN_ENOMEM;
    dyn__ctx_ref(ctx);
    *t = (dyn_sharpness_tracker){ .ctx = ctx, .size = size, .opt = o, .directional = { NAN, NAN } };
    *out = t;
    return DYN_OK;
}

void dyn_sharpness_tracker_free(dyn_sharpness_tracker *t)
{
    dyn_ctx *ctx;

    if (!t)
        return;
    ctx = t->ctx;
    dyn_eigen_free(t->raw);
    dyn_eigen_free(t->preconditioned);
    dyn__free(ctx, t);
    dyn__ctx_unref(ctx);
}

static void forget(dyn_sharpness_tracker *t)
{
    dyn_eigen_free(t->raw);
    dyn_eigen_free(t->preconditioned);
    t->raw = t->preconditioned = NULL;
    t->same = 0;
    t->directional[0] = t->directional[1] = NAN;
}

static int32_t wants_stop(void *user, double fraction, const char *text)
{
    (void)fraction;
    (void)text;
    return dyn__run_wants_stop(user);
}

/* Pairs of A, raw or preconditioned, from those of the step before: which the run has kept, if it is one's. */
static dyn_status solve(const dyn_sharpness_tracker *t, dyn_operator *A, int raw, dyn_eigen **pairs)
{
    dyn_eigen_options opt = eigen_options(&t->opt);
    const dyn_eigen *before = raw ? dyn_sharpness_tracker_raw(t) : t->preconditioned;

    if (!t->opt.cold) {
        opt.start_count = t->run ? t->start_count[raw] : dyn_eigen_count(before);
        opt.start = t->run ? t->start[raw] : dyn_eigen_vectors(before);
    }
    opt.start = opt.start_count > 0 ? opt.start : NULL;
    opt.progress = t->run ? wants_stop : NULL;
    opt.progress_user = (void *)(uintptr_t)t->run;
    return dyn_eigen_solve(A, &opt, pairs);
}

static int is_identity(int64_t n, const double *d, double c)
{
    for (int64_t i = 0; d && i < n; i++)
        if (d[i] != 1.0)
            return 0;
    return c == 1.0;
}

/* Both problems; the pairs are new. Of the identity they are one. */
static dyn_status solve_both(const dyn_sharpness_tracker *t, dyn_operator *H, const double *d, double c,
                             dyn_eigen *pairs[2])
{
    dyn_operator *S = NULL;
    dyn_status worst, s = DYN_OK;

    if (is_identity(t->size, d, c))
        return solve(t, H, 0, &pairs[0]);
    worst = dyn__sharpness_operator(H, d, c, &S);
    if (worst >= 0)
        worst = solve(t, S, 0, &pairs[0]);
    dyn_operator_unref(S);
    if (worst >= 0 && worst != DYN_STOPPED && !t->opt.no_raw)
        s = solve(t, H, 1, &pairs[1]);
    return worst >= 0 && s != DYN_OK ? s : worst;
}

/* What is not finished changes nothing: the same measurement can be made later. */
static dyn_status measure(dyn_sharpness_tracker *t, dyn_operator *H, const double *d, double c, const double *gradient)
{
    dyn_eigen *pairs[2] = { NULL, NULL };
    double directional[2] = { NAN, NAN };
    dyn_status worst = solve_both(t, H, d, c, pairs), s = DYN_OK;

    if (worst >= 0 && worst != DYN_STOPPED && gradient && dyn__norm(t->ctx, t->size, gradient) > 0.0)
        s = dyn__sharpness_directional(H, d, c, gradient, directional);
    if (worst == DYN_STOPPED || worst == DYN_EINTERRUPTED || s == DYN_EINTERRUPTED) {
        dyn_eigen_free(pairs[0]);
        dyn_eigen_free(pairs[1]);
        return s < 0 ? s : worst;
    }
    forget(t);
    t->products = dyn_eigen_products(pairs[0]) + dyn_eigen_products(pairs[1]);
    t->preconditioned = pairs[0];
    t->raw = pairs[1];
    t->same = is_identity(t->size, d, c);
    memcpy(t->directional, directional, sizeof directional);
    return s < 0 ? s : worst;
}

dyn_status dyn_sharpness_tracker_measure(dyn_sharpness_tracker *t, dyn_operator *H, const double *d, double c,
                                         const double *gradient)
{
    dyn_status s;

    if (!t)
        return DYN_EINVAL;
    DYN__ENTER(t->ctx);
    DYN__NEED(t->ctx, H);
    DYN__TRY(dyn__check_ctx(t->ctx, "H", H->ctx));
    DYN__TRY(dyn__need_symmetric(H));
    if (H->size != t->size)
        return DYN__FAIL(t->ctx, DYN_ESHAPE, "H has size %" PRId64 ", the tracker %" PRId64, H->size, t->size);
    if (gradient)
        DYN__TRY(dyn__check_finite(t->ctx, "gradient", t->size, gradient));
    s = measure(t, H, d, c, gradient);
    if (s < 0 && s != DYN_EINTERRUPTED)
        forget(t);
    return s;
}

const dyn_eigen *dyn_sharpness_tracker_raw(const dyn_sharpness_tracker *t)
{
    if (!t || t->opt.no_raw)
        return NULL;
    return t->same ? t->preconditioned : t->raw;
}

const dyn_eigen *dyn_sharpness_tracker_preconditioned(const dyn_sharpness_tracker *t)
{
    return t ? t->preconditioned : NULL;
}

void dyn_sharpness_tracker_directional(const dyn_sharpness_tracker *t, double *raw, double *preconditioned)
{
    if (raw)
        *raw = t ? t->directional[0] : (double)NAN;
    if (preconditioned)
        *preconditioned = t ? t->directional[1] : (double)NAN;
}
