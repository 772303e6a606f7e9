/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The condensation of a layer: checks, norms and amplitudes, then clusters and order. */
#include <float.h>
#include <inttypes.h>
#include <math.h>
#include "analysis/condensation.h"
#include "linalg/operator.h"

static dyn_status check_range(dyn_ctx *ctx, const char *name, double value, int may_be_one)
{
    if (value >= 0.0 && (value < 1.0 || (may_be_one && value == 1.0)))
        return DYN_OK;
    return DYN__FAIL(ctx, DYN_EINVAL, "options: %s is %g, must be in [0, 1%c", name, value, may_be_one ? ']' : ')');
}

static dyn_status read_options(dyn_ctx *ctx, const dyn_condensation_options *given, int with_output,
                               dyn_condensation_options *o)
{
    _Static_assert(sizeof *o == 40 && offsetof(dyn_condensation_options, dead) == 32, "no implicit padding");

    *o = (dyn_condensation_options)DYN_CONDENSATION_OPTIONS_INIT;
    DYN__TRY(dyn__options(ctx, "dyn_condensation_options", given, o, sizeof *o, sizeof *o));
    DYN__TRY(check_range(ctx, "threshold", o->threshold, 0));
    DYN__TRY(check_range(ctx, "min_share", o->min_share, 1));
    DYN__TRY(check_range(ctx, "dead", o->dead, 0));
    if (o->amplitude < DYN_AMPLITUDE_DEFAULT || o->amplitude > DYN_AMPLITUDE_NORM)
        return DYN__FAIL(ctx, DYN_EINVAL, "options: amplitude is %" PRId32 ", which does not exist", o->amplitude);
    DYN__TRY(dyn__check_flag(ctx, "options: join_opposite", o->join_opposite));
    DYN__TRY(dyn__check_reserved(ctx, o->reserved));
    if (o->amplitude == DYN_AMPLITUDE_DEFAULT)
        o->amplitude = with_output ? DYN_AMPLITUDE_PRODUCT : DYN_AMPLITUDE_NORM;
    if (o->amplitude == DYN_AMPLITUDE_PRODUCT && !with_output)
        return DYN__FAIL(ctx, DYN_EINVAL, "options: the amplitude |a| |w| needs output weights");
    return DYN_OK;
}

static dyn_status check_matrix(dyn_ctx *ctx, const char *name, int64_t rows, int64_t cols, const double *a)
{
    if (rows < 1 || cols < 1 || rows > INT64_MAX / (int64_t)sizeof(double) / cols)
        return DYN__FAIL(ctx, DYN_EINVAL, "%s is %" PRId64 " x %" PRId64 ", both must be positive", name, rows, cols);
    if (!a)
        return DYN__FAIL(ctx, DYN_EINVAL, "%s is NULL", name);
    return dyn__check_finite(ctx, name, rows * cols, a);
}

static dyn_status create(dyn_ctx *ctx, int64_t neurons, int64_t components, dyn_condensation **out)
{
    dyn_condensation *c = dyn__alloc(ctx, 1, sizeof *c);
    size_t n = (size_t)neurons;

    if (!c)
        return DYN_ENOMEM;
    dyn__ctx_ref(ctx);
    c->ctx = ctx;
    c->neurons = neurons;
    c->components = components;
    *out = c;
    c->unit = dyn__alloc(ctx, n, (size_t)components * sizeof *c->unit);
    c->norms = c->unit ? dyn__alloc(ctx, n, sizeof *c->norms) : NULL;
    c->amplitudes = c->norms ? dyn__alloc(ctx, n, sizeof *c->amplitudes) : NULL;
    c->assignment = c->amplitudes ? dyn__alloc(ctx, n, sizeof *c->assignment) : NULL;
    c->order = c->assignment ? dyn__alloc(ctx, n, sizeof *c->order) : NULL;
    return c->order ? DYN_OK : DYN_ENOMEM;
}

void dyn_condensation_free(dyn_condensation *c)
{
    dyn_ctx *ctx;

    if (!c)
        return;
    ctx = c->ctx;
    dyn__free(ctx, c->unit);
    dyn__free(ctx, c->norms);
    dyn__free(ctx, c->amplitudes);
    dyn__free(ctx, c->assignment);
    dyn__free(ctx, c->order);
    dyn__free(ctx, c->sizes);
    dyn__free(ctx, c->shares);
    dyn__free(ctx, c->directions);
    dyn__free(ctx, c->tightness);
    dyn__free(ctx, c);
    dyn__ctx_unref(ctx);
}

static void normalise(dyn_condensation *c, const double *features, int64_t outputs, const double *a)
{
    for (int64_t i = 0; i < c->neurons; i++) {
        const double *w = features + i * c->components;
        double norm = dyn__norm(c->ctx, c->components, w);

        c->norms[i] = norm;
        for (int64_t j = 0; j < c->components && norm > 0.0; j++)
            c->unit[i * c->components + j] = w[j] / norm;
        c->amplitudes[i] = norm;
        if (c->opt.amplitude == DYN_AMPLITUDE_PRODUCT)
            c->amplitudes[i] *= dyn__norm(c->ctx, outputs, a + i * outputs);
        c->largest = fmax(c->largest, c->amplitudes[i]);
    }
    c->dead_below = c->opt.dead * c->largest;
    for (int64_t i = 0; i < c->neurons; i++) {
        c->zeros += c->norms[i] == 0.0;
        c->dead += c->amplitudes[i] <= c->dead_below;
    }
}

/* Has a neuron input and output weights, so that its amplitude is not 0? */
static int lost(const dyn_condensation *c, int64_t outputs, const double *a)
{
    for (int64_t i = 0; i < c->neurons; i++)
        if (c->norms[i] > 0.0 && dyn__norm(c->ctx, outputs, a + i * outputs) > 0.0)
            return 1;
    return 0;
}

static dyn_status measure(dyn_condensation *c, const double *features, int64_t outputs, const double *output_weights)
{
    normalise(c, features, outputs, output_weights);
    if (!isfinite(c->largest))
        return DYN__FAIL(c->ctx, DYN_EINVAL, "an amplitude overflows");
    if (c->largest < DBL_MIN && c->opt.amplitude == DYN_AMPLITUDE_PRODUCT && lost(c, outputs, output_weights))
        return DYN__FAIL(c->ctx, DYN_EINVAL, "the amplitudes |a| |w| underflow, the largest is %g", c->largest);
    DYN__TRY(dyn__condensation_cluster(c));
    return dyn__condensation_sort(c);
}

dyn_status dyn_condensation_measure(dyn_ctx *ctx, int64_t neurons, int64_t components, const double *features,
                                    int64_t outputs, const double *output_weights,
                                    const dyn_condensation_options *opt, dyn_condensation **out)
{
    dyn_condensation_options o;
    dyn_condensation *c = NULL;
    dyn_status s;

    if (out)
        *out = NULL;
    if (!ctx)
        return DYN_EINVAL;
    DYN__ENTER(ctx);
    DYN__NEED(ctx, out);
    DYN__TRY(check_matrix(ctx, "features", neurons, components, features));
    if (outputs != 0 || output_weights)
        DYN__TRY(check_matrix(ctx, "output_weights", neurons, outputs, output_weights));
    DYN__TRY(read_options(ctx, opt, outputs != 0, &o));
    s = create(ctx, neurons, components, &c);
    if (s >= 0) {
        c->opt = o;
        s = measure(c, features, outputs, output_weights);
    }
    if (s < 0) {
        dyn_condensation_free(c);
        return s;
    }
    *out = c;
    return DYN_OK;
}
