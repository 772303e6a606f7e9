/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The tracker: the two eigenproblems of a step, each started from where its own pairs of the steps before let it be expected. */
#include <inttypes.h>
#include <math.h>
#include <string.h>
#include "analysis/sharpness.h"
#include "kernel/kernel.h"
#include "linalg/eigen.h"
#include "train/stop.h"

#define FRESH 32    /* without a search a solve in so many starts anew, for a value that crossed those followed */

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
    _Static_assert(sizeof *o == 56 && offsetof(dyn_sharpness_options, history) == 52, "no implicit padding");

    *o = (dyn_sharpness_options)DYN_SHARPNESS_OPTIONS_INIT;
    DYN__TRY(dyn__options(ctx, "dyn_sharpness_options", given, o, sizeof *o, sizeof *o));
    DYN__TRY(dyn__check_flag(ctx, "unchecked", o->unchecked));
    DYN__TRY(dyn__check_flag(ctx, "no_raw", o->no_raw));
    DYN__TRY(dyn__check_flag(ctx, "cold", o->cold));
    if (o->history < 1 || o->history > 16)
        return DYN__FAIL(ctx, DYN_EINVAL, "history is %" PRId32 ", must be in [1, 16]", o->history);
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
    for (int raw = 0; raw < 2; raw++)
        t->past[raw] = (dyn__past){ .size = size, .pairs = o.count * (o.which == DYN_BOTH_ENDS ? 2 : 1), .most = o.history,
                                    .tolerance = o.tolerance };
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
    for (int raw = 0; raw < 2; raw++)
        dyn__past_free(ctx, &t->past[raw]);
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

static int starts_anew(const dyn_sharpness_tracker *t)
{
    return t->opt.cold || (t->opt.unchecked && t->measured % FRESH == 0);
}

/* Pairs of A, raw or preconditioned, from where those before let them be expected at theta. */
static dyn_status solve(const dyn_sharpness_tracker *t, dyn_operator *A, const double *theta, int raw, dyn_eigen **pairs)
{
    dyn_eigen_options opt = eigen_options(&t->opt);
    double *start = NULL;
    dyn_status s;

    if (!starts_anew(t))
        DYN__TRY(dyn__past_expect(t->ctx, &t->past[raw], theta, &start));
    opt.start = start;
    opt.start_count = start ? t->past[raw].pairs : 0;
    opt.progress = t->run ? wants_stop : NULL;
    opt.progress_user = (void *)(uintptr_t)t->run;
    s = dyn_eigen_solve(A, &opt, pairs);
    dyn__free(t->ctx, start);
    return s;
}

static int is_identity(int64_t n, const double *d, double c)
{
    for (int64_t i = 0; d && i < n; i++)
        if (d[i] != 1.0)
            return 0;
    return c == 1.0;
}

/* Where a measurement is made. */
typedef struct place {
    dyn_operator *H;
    const double *d, *gradient, *theta;
    double c;
} place;

/* Both problems; the pairs are new. Of the identity they are one. */
static dyn_status solve_both(const dyn_sharpness_tracker *t, const place *at, dyn_eigen *pairs[2])
{
    dyn_operator *S = NULL;
    dyn_status worst, s = DYN_OK;

    if (is_identity(t->size, at->d, at->c))
        return solve(t, at->H, at->theta, 0, &pairs[0]);
    worst = dyn__sharpness_operator(at->H, at->d, at->c, &S);
    if (worst >= 0)
        worst = solve(t, S, at->theta, 0, &pairs[0]);
    dyn_operator_unref(S);
    if (worst >= 0 && worst != DYN_STOPPED && !t->opt.no_raw)
        s = solve(t, at->H, at->theta, 1, &pairs[1]);
    return worst >= 0 && s != DYN_OK ? s : worst;
}

dyn_status dyn__sharpness_remember(dyn_sharpness_tracker *t, const double *theta)
{
    t->measured++;
    if (t->opt.cold)
        return DYN_OK;
    DYN__TRY(dyn__past_push(t->ctx, &t->past[0], theta, t->preconditioned));
    return t->raw ? dyn__past_push(t->ctx, &t->past[1], theta, t->raw) : DYN_OK;
}

/* What is not finished changes nothing: the same measurement can be made later. */
static dyn_status measure(dyn_sharpness_tracker *t, const place *at)
{
    dyn_eigen *pairs[2] = { NULL, NULL };
    double directional[2] = { NAN, NAN };
    dyn_status worst = solve_both(t, at, pairs), s = DYN_OK;

    if (worst >= 0 && worst != DYN_STOPPED && at->gradient && dyn__norm(t->ctx, t->size, at->gradient) > 0.0)
        s = dyn__sharpness_directional(at->H, at->d, at->c, at->gradient, directional);
    if (worst == DYN_STOPPED || worst == DYN_EINTERRUPTED || s == DYN_EINTERRUPTED) {
        dyn_eigen_free(pairs[0]);
        dyn_eigen_free(pairs[1]);
        return s < 0 ? s : worst;
    }
    forget(t);
    t->products = dyn_eigen_products(pairs[0]) + dyn_eigen_products(pairs[1]);
    t->preconditioned = pairs[0];
    t->raw = pairs[1];
    t->same = is_identity(t->size, at->d, at->c);
    memcpy(t->directional, directional, sizeof directional);
    return s < 0 ? s : worst;
}

dyn_status dyn__sharpness_measure(dyn_sharpness_tracker *t, dyn_operator *H, const double *d, double c,
                                  const double *gradient, const double *theta)
{
    const place at = { .H = H, .d = d, .gradient = gradient, .theta = theta, .c = c };
    const dyn_status s = measure(t, &at);

    if (s < 0 && s != DYN_EINTERRUPTED)
        forget(t);
    return s;
}

dyn_status dyn_sharpness_tracker_measure(dyn_sharpness_tracker *t, dyn_operator *H, const double *d, double c,
                                         const double *gradient, const double *theta)
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
    if (theta)
        DYN__TRY(dyn__check_finite(t->ctx, "theta", t->size, theta));
    s = dyn__sharpness_measure(t, H, d, c, gradient, theta);
    if (s >= 0)
        DYN__TRY(dyn__sharpness_remember(t, theta));
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
