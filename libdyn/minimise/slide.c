/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Sliding along kinks: see slide.h. Gradients of a side are taken a little beside the surface. */
#include "linalg/eliminate.h"
#include "minimise/flow.h"

enum { TRIES = 3 };

/* How far beside a surface, in theta. Far above rounding, and far below where a step across another kink begins and ends. */
static double reach(const dyn__flow *f, const double *theta)
{
    return 1e-13 * dyn__flow_size(f, theta);
}

static const double *normal(const dyn__flow *f, int32_t i)
{
    return f->slide.normal + i * f->n;
}

/* x += c y */
static void add(int64_t n, double c, const double *y, double *x)
{
    for (int64_t i = 0; i < n; i++)
        x[i] += c * y[i];
}

static dyn_status kinks_at(dyn__flow *f, const double *theta)
{
    if (f->opt.kinks(f->opt.kinks_user, theta, f->slide.value) != 0)
        return DYN__FAIL(f->ctx, DYN_EUSER, "the function of the kinks failed");
    return DYN_OK;
}

/* The change of kink j per length along v, at theta; uses point. */
static dyn_status rise_along(dyn__flow *f, const double *theta, const double *v, int64_t j, double *rise)
{
    const double e = 1e7 * reach(f, theta);
    double *point = f->slide.point, after;

    memcpy(point, theta, (size_t)f->n * sizeof *point);
    add(f->n, e, v, point);
    DYN__TRY(kinks_at(f, point));
    after = f->slide.value[j];
    add(f->n, -2 * e, v, point);
    DYN__TRY(kinks_at(f, point));
    *rise = (after - f->slide.value[j]) / (2 * e);
    return DYN_OK;
}

/* Solve G a = r, G the products of the normals; r becomes a. 0: they do not depend on each other. */
static int solve(const dyn__flow *f, double *r)
{
    const int32_t k = f->slide.count;
    double G[DYN__SURFACES * DYN__SURFACES];

    for (int32_t i = 0; i < k; i++)
        for (int32_t j = 0; j < k; j++)
            G[i * k + j] = dyn__inner(f->n, normal(f, i), normal(f, j));
    return dyn__eliminate(k, G, r, 1e-12);
}

/* x moves along the normals until kink i is side_i beside its surface, in lengths of theta. */
static dyn_status place(dyn__flow *f, const double *sides, double *x)
{
    const dyn__slide *s = &f->slide;
    const double near = reach(f, x);
    double r[DYN__SURFACES];

    for (int t = 0; t < TRIES; t++) {
        double worst = 0;

        DYN__TRY(kinks_at(f, x));
        for (int32_t i = 0; i < s->count; i++) {
            const double away = s->rise[i] * s->side[i] > 0 ? near : -near;

            r[i] = away * sides[i] - s->value[s->kink[i]] / s->rise[i];
            worst = fmax(worst, fabs(r[i]));
        }
        if (worst <= 0.1 * near || !solve(f, r))
            return DYN_OK;
        for (int32_t i = 0; i < s->count; i++)
            add(f->n, r[i], normal(f, i), x);
    }
    return DYN_OK;
}

/* The slope beside the surfaces, on the side of each that sides says. */
static dyn_status slope_beside(dyn__flow *f, const double *theta, const double *sides, double *slope, double *value)
{
    memcpy(f->slide.point, theta, (size_t)f->n * sizeof *theta);
    DYN__TRY(place(f, sides, f->slide.point));
    return dyn__flow_descent(f, f->slide.point, slope, value);
}

/* The normal of a surface: the jump of the slope, of length 1; its length. 0 where nothing jumps: the old normal stays. */
static double take_jump(dyn__flow *f, int32_t i, const double *slope)
{
    double *jump = f->slide.other, *to = f->slide.normal + i * f->n;
    double length;

    add(f->n, -1, slope, jump);
    length = dyn__length(f->n, jump);
    if (!(length > 1e-10 * dyn__length(f->n, slope)))
        return 0;
    f->slide.rise[i] = f->slide.side[i] * fabs(f->slide.rise[i]);
    for (int64_t k = 0; k < f->n; k++)
        to[k] = jump[k] / length;
    return length;
}

dyn_status dyn__slide_slope(dyn__flow *f, const double *theta, double *slope, double *value)
{
    dyn__slide *s = &f->slide;
    double sides[DYN__SURFACES], jump[DYN__SURFACES], part[DYN__SURFACES], unused;

    for (int32_t i = 0; i < s->count; i++)
        sides[i] = 1;
    DYN__TRY(slope_beside(f, theta, sides, slope, value));
    for (int32_t i = 0; i < s->count && !isnan(*value); i++) {
        sides[i] = -1;
        DYN__TRY(slope_beside(f, theta, sides, s->other, &unused));
        sides[i] = 1;
        jump[i] = isnan(unused) ? 0 : take_jump(f, i, slope);
    }
    if (isnan(*value))
        return DYN_OK;
    for (int32_t i = 0; i < s->count; i++)
        part[i] = -dyn__inner(f->n, normal(f, i), slope);
    if (!solve(f, part))
        return DYN_OK;
    for (int32_t i = 0; i < s->count; i++) {
        add(f->n, part[i], normal(f, i), slope);
        s->share[i] = jump[i] > 0 ? part[i] / jump[i] : part[i] > 0 ? 2 : -1;
    }
    return DYN_OK;
}

double dyn__slide_excess(const dyn__flow *f, int32_t *which)
{
    double worst = -1;

    for (int32_t i = 0; i < f->slide.count; i++) {
        const double out = fmax(-f->slide.share[i], f->slide.share[i] - 1);
        if (out > worst) {
            worst = out;
            if (which)
                *which = i;
        }
    }
    return worst;
}

/* ---- onto surfaces ---- */

/* The slope at theta + c v, a little beside all surfaces. */
static dyn_status slope_along(dyn__flow *f, const double *v, double c, double *point, double *slope, double *value)
{
    double sides[DYN__SURFACES];

    for (int32_t i = 0; i < f->slide.count; i++)
        sides[i] = 1;
    memcpy(point, f->theta, (size_t)f->n * sizeof *point);
    add(f->n, c, v, point);
    DYN__TRY(place(f, sides, point));
    return dyn__flow_descent(f, point, slope, value);
}

/* Surface number count, where kink j is crossed along v. found: whether the slope jumps there. */
static dyn_status find_surface(dyn__flow *f, int64_t j, const double *v, int *found)
{
    dyn__slide *s = &f->slide;
    double *at[2] = { f->next, f->probe }, *slope = f->k[1], rise, value[2];

    *found = 0;
    DYN__TRY(rise_along(f, f->theta, v, j, &rise));
    DYN__TRY(kinks_at(f, f->theta));
    if (rise == 0)
        return DYN_OK;
    s->kink[s->count] = j;
    s->side[s->count] = f->signs[j] > 0 ? 1 : -1;
    s->rise[s->count] = 1;
    const double here = s->value[j], wide = 10 * reach(f, f->theta) * fabs(rise) * s->side[s->count];
    DYN__TRY(slope_along(f, v, (wide - here) / rise, at[0], slope, &value[0]));
    DYN__TRY(slope_along(f, v, (-wide - here) / rise, at[1], s->other, &value[1]));
    if (isnan(value[0]) || isnan(value[1]) || take_jump(f, s->count, slope) == 0)
        return DYN_OK;
    DYN__TRY(rise_along(f, f->theta, normal(f, s->count), j, &s->rise[s->count]));
    *found = s->rise[s->count] != 0;
    return DYN_OK;
}

/* All kinks that lie between the points beside the surface are on it. */
static dyn_status mark_members(dyn__flow *f, int64_t j)
{
    dyn__slide *s = &f->slide;

    DYN__TRY(kinks_at(f, f->next));
    memcpy(s->aside, s->value, (size_t)f->opt.kink_count * sizeof(double));
    DYN__TRY(kinks_at(f, f->probe));
    for (int64_t i = 0; i < f->opt.kink_count; i++)
        if (i == j || (s->surface[i] < 0 && s->aside[i] * s->value[i] < 0))
            s->surface[i] = j;
    return DYN_OK;
}

/* Whether the slope behind kink j, which was crossed, leads back. */
static dyn_status driven_back(dyn__flow *f, int64_t j, int *back)
{
    const double sign = f->new_signs[j] > 0 ? 1 : -1;
    const double speed = dyn__length(f->n, f->k[0]);
    double rise;

    *back = 0;
    if (speed == 0)
        return DYN_OK;
    for (int64_t i = 0; i < f->n; i++)
        f->slide.other[i] = f->k[0][i] / speed;
    DYN__TRY(rise_along(f, f->theta, f->slide.other, j, &rise));
    *back = rise * sign < 0;
    return DYN_OK;
}

static dyn_status begin_at(dyn__flow *f, int64_t j, const double *v)
{
    int back, found;

    if (f->slide.surface[j] >= 0)
        return DYN_OK;
    DYN__TRY(driven_back(f, j, &back));
    if (!back)
        return DYN_OK;
    f->done.kink = j;
    if (f->slide.count == f->slide.most) {
        f->done.reason = DYN_FLOW_SLIDING;
        return DYN_OK;
    }
    DYN__TRY(find_surface(f, j, v, &found));
    if (!found)
        return DYN_OK;
    DYN__TRY(mark_members(f, j));
    f->slide.count++;
    f->done.slides++;
    return DYN_OK;
}

dyn_status dyn__slide_begin(dyn__flow *f)
{
    double *v = f->k[2], length;

    for (int64_t i = 0; i < f->n; i++)      /* the step came from next */
        v[i] = f->theta[i] - f->next[i];
    length = dyn__length(f->n, v);
    if (length == 0)
        return DYN_OK;
    for (int64_t i = 0; i < f->n; i++)
        v[i] /= length;
    for (int64_t j = 0; j < f->opt.kink_count && !f->done.reason; j++)
        if (f->signs[j] * f->new_signs[j] < 0)
            DYN__TRY(begin_at(f, j, v));
    return DYN_OK;
}

/* ---- off surfaces ---- */

/* theta goes a little to one side of surface i, which is slid on no longer. */
static dyn_status leave(dyn__flow *f, int32_t i)
{
    dyn__slide *s = &f->slide;
    const int32_t last = s->count - 1;
    double sides[DYN__SURFACES] = { 0 };

    sides[i] = s->share[i] < 0.5 ? 1 : -1;
    DYN__TRY(place(f, sides, f->theta));
    for (int64_t k = 0; k < f->opt.kink_count; k++)
        if (s->surface[k] == s->kink[i])
            s->surface[k] = -1;
    s->kink[i] = s->kink[last];
    s->side[i] = s->side[last];
    s->rise[i] = s->rise[last];
    s->share[i] = s->share[last];
    memmove(s->normal + i * f->n, s->normal + last * f->n, (size_t)f->n * sizeof(double));
    s->count--;
    return DYN_OK;
}

dyn_status dyn__slide_settle(dyn__flow *f)
{
    const double on[DYN__SURFACES] = { 0 };
    dyn__slide *s = &f->slide;
    int32_t which = s->leaving;

    if (which >= 0)
        DYN__TRY(leave(f, which));
    s->leaving = -1;
    for (int t = 0; t <= DYN__SURFACES; t++) {
        DYN__TRY(place(f, on, f->theta));
        for (int32_t i = 0; i < s->count; i++)
            DYN__TRY(rise_along(f, f->theta, normal(f, i), s->kink[i], &s->rise[i]));
        DYN__TRY(dyn__flow_slope(f, f->theta, f->k[0], &f->value, &f->norm));
        if (isnan(f->value) || !(dyn__slide_excess(f, &which) > 1e-9))
            return DYN_OK;
        f->done.kink = s->kink[which];
        DYN__TRY(leave(f, which));
    }
    f->done.reason = DYN_FLOW_SLIDING;
    return DYN_OK;
}
