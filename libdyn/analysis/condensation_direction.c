/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Features against a given direction, and the plane of one-dimensional inputs: orientation, and its histogram weighted
 * by amplitude. */
#include <inttypes.h>
#include <math.h>
#include "analysis/condensation.h"
#include "linalg/operator.h"

static const double PI = 3.14159265358979323846;
enum { DEFAULT_BINS = 64 };

/* |(norm_k cosine_k)_k| / |(norm_k)_k|, scaled by the largest norm so that tiny weights do not vanish. */
static double ratio_of(const dyn_condensation *c, const double *cosines)
{
    double largest = 0.0, along = 0.0, whole = 0.0;

    for (int64_t i = 0; i < c->neurons; i++)
        largest = fmax(largest, c->norms[i]);
    for (int64_t i = 0; i < c->neurons && largest > 0.0; i++) {
        double w = c->norms[i] / largest;

        along += w * cosines[i] * (w * cosines[i]);
        whole += w * w;
    }
    return whole > 0.0 ? fmin(1.0, sqrt(along / whole)) : 0.0;
}

static dyn_status align(const dyn_condensation *c, const double *z, double norm, double *ratio, double *cosines)
{
    double *direction = dyn__alloc(c->ctx, (size_t)(c->components + c->neurons), sizeof *direction);
    double *scratch = direction ? direction + c->components : NULL;

    if (!direction)
        return DYN_ENOMEM;
    for (int64_t j = 0; j < c->components; j++)
        direction[j] = z[j] / norm;
    dyn__condensation_project(c, direction, scratch);
    for (int64_t i = 0; i < c->neurons; i++) {
        scratch[i] = fmax(-1.0, fmin(1.0, scratch[i]));
        if (cosines)
            cosines[i] = scratch[i];
    }
    if (ratio)
        *ratio = ratio_of(c, scratch);
    dyn__free(c->ctx, direction);
    return DYN_OK;
}

dyn_status dyn_condensation_alignment(const dyn_condensation *c, const double *z, double *ratio, double *cosines)
{
    double norm;

    if (!c)
        return DYN_EINVAL;
    DYN__ENTER(c->ctx);
    DYN__NEED(c->ctx, z);
    DYN__TRY(dyn__check_finite(c->ctx, "z", c->components, z));
    norm = dyn__norm(c->ctx, c->components, z);
    if (norm == 0.0)
        return DYN__FAIL(c->ctx, DYN_EINVAL, "z is zero in all %" PRId64 " components", c->components);
    return align(c, z, norm, ratio, cosines);
}

static dyn_status check_plane(const dyn_condensation *c)
{
    if (c->components == 2)
        return DYN_OK;
    return DYN__FAIL(c->ctx, DYN_ESHAPE, "features have %" PRId64 " components, an orientation needs 2 (weight, bias)",
                     c->components);
}

static double orientation(const dyn_condensation *c, int64_t i)
{
    double angle = atan2(c->unit[2 * i + 1], c->unit[2 * i]);

    return angle >= PI ? -PI : angle;
}

dyn_status dyn_condensation_orientation(const dyn_condensation *c, double *angles)
{
    if (!c)
        return DYN_EINVAL;
    DYN__ENTER(c->ctx);
    DYN__NEED(c->ctx, angles);
    DYN__TRY(check_plane(c));
    for (int64_t i = 0; i < c->neurons; i++)
        angles[i] = orientation(c, i);
    return DYN_OK;
}

static double fill_bins(const dyn_condensation *c, int64_t bins, double *mass)
{
    double total = 0.0;

    for (int64_t b = 0; b < bins; b++)
        mass[b] = 0.0;
    for (int64_t i = 0; i < c->neurons; i++) {
        int64_t b = (int64_t)((orientation(c, i) + PI) / (2.0 * PI) * (double)bins);

        mass[b < bins ? b : bins - 1] += c->amplitudes[i];
        total += c->amplitudes[i];
    }
    for (int64_t b = 0; b < bins && total > 0.0; b++)
        mass[b] /= total;
    return total;
}

static dyn_status sum_of_top(dyn_ctx *ctx, int64_t bins, const double *mass, int64_t top, double *sum)
{
    int64_t *order = dyn__alloc(ctx, (size_t)bins, sizeof *order);
    dyn_status s = order ? dyn__sort_by(ctx, bins, mass, 1, order) : DYN_ENOMEM;

    *sum = 0.0;
    for (int64_t b = 0; s >= 0 && b < bins && b < top; b++)
        *sum += mass[order[b]];
    dyn__free(ctx, order);
    return s;
}

dyn_status dyn_condensation_histogram(const dyn_condensation *c, int64_t bins, int64_t top, double *mass,
                                      double *top_mass)
{
    double total;

    if (!c)
        return DYN_EINVAL;
    DYN__ENTER(c->ctx);
    DYN__NEED(c->ctx, mass);
    if (bins < 0 || top < 0)
        return DYN__FAIL(c->ctx, DYN_EINVAL, "bins is %" PRId64 ", top is %" PRId64 ", neither may be negative", bins,
                         top);
    DYN__TRY(check_plane(c));
    if (bins == 0)
        bins = DEFAULT_BINS;
    total = fill_bins(c, bins, mass);
    if (!(total > 0.0))
        return DYN__FAIL(c->ctx, DYN_EINVAL, "the amplitudes of all %" PRId64 " neurons are 0", c->neurons);
    return top_mass ? sum_of_top(c->ctx, bins, mass, top, top_mass) : DYN_OK;
}

dyn_status dyn_condensation_data_direction(dyn_ctx *ctx, int64_t samples, int64_t inputs, const double *x,
                                           const double *y, int32_t bias, double *z)
{
    if (!ctx)
        return DYN_EINVAL;
    DYN__ENTER(ctx);
    if (samples < 1 || inputs < 1 || samples > INT64_MAX / inputs)
        return DYN__FAIL(ctx, DYN_EINVAL, "x is %" PRId64 " x %" PRId64 ", both must be positive", samples, inputs);
    if (!x || !y || !z)
        return DYN__FAIL(ctx, DYN_EINVAL, "%s is NULL", !x ? "x" : !y ? "y" : "z");
    DYN__TRY(dyn__check_finite(ctx, "x", samples * inputs, x));
    DYN__TRY(dyn__check_finite(ctx, "y", samples, y));
    for (int64_t j = 0; j < inputs + (bias != 0); j++) {
        double sum = 0.0;

        for (int64_t i = 0; i < samples; i++)
            sum += y[i] * (j < inputs ? x[i * inputs + j] : 1.0);
        z[j] = sum / (double)samples;
    }
    return DYN_OK;
}
