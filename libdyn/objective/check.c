/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Checks of derivatives. F(t) is the loss (m = 1) or the gradient (m = p) at theta + t u. With A(h) = F(h) - F(-h) the
 * four-point difference (8 A(h) - A(2h)) / 12h has an error of order h^4; steps are halved, so that each level needs
 * two new points. The best level is the one whose neighbours differ least from it, rounding included: it is chosen
 * without looking at the derivative that is checked. */
#include <float.h>
#include <math.h>
#include <string.h>
#include <dyn/check.h>
#include "linalg/basis.h"
#include "random/random.h"
#include "linalg/operator.h"
#include "objective/impl.h"

enum { LINES = 3, LEVELS = 22, SITE = 0x636b };     /* SITE: these lines and no other probe's */

struct dyn_check {
    dyn_ctx *ctx;
    int32_t passed;
    double error, tolerance, order, asymmetry;
};

typedef struct level {
    double slope;       /* |D|, D the difference */
    double error;       /* |D - expected| */
    double change;      /* |D - D of the level before| */
    double noise;       /* rounding in D */
    double rest, rounding;  /* Taylor remainder, and what of it may be rounding */
} level;

typedef struct line {
    dyn_objective *o;
    const double *theta;
    int64_t p, m;
    double eps, tolerance, reach;   /* reach: the first step */
    double *u, *at;                 /* [p] */
    double *start, *expected, *plus, *minus;    /* [m] */
    double *odd[2], *slope[2];      /* [m]: A and D of this level and of the one before */
    double usual;                   /* least size that errors are relative to */
    level level[LEVELS];
} line;

static double norm(const line *l, const double *x) { return dyn__norm(l->o->ctx, l->m, x); }

static double distance(const line *l, const double *x, const double *y)
{
    double s = 0;

    for (int64_t i = 0; i < l->m; i++)
        s += (x[i] - y[i]) * (x[i] - y[i]);
    return sqrt(s);
}

/* ---- one line ---- */

static dyn_status evaluate(line *l, double t, double *f)
{
    for (int64_t i = 0; i < l->p; i++)
        l->at[i] = l->theta[i] + t * l->u[i];
    return l->m == 1 ? dyn_objective_value(l->o, l->at, f) : dyn_objective_gradient(l->o, l->at, f, NULL);
}

static double remainder_at(const line *l, double h)
{
    double s = 0;

    for (int64_t i = 0; i < l->m; i++) {
        double r = l->plus[i] - l->start[i] - h * l->expected[i];
        s += r * r;
    }
    return sqrt(s);
}

static dyn_status measure_level(line *l, int j)
{
    const double h = ldexp(l->reach, -j);
    double *odd = l->odd[j & 1], *before = l->odd[~j & 1], *slope = l->slope[j & 1];
    level *v = &l->level[j];

    DYN__TRY(evaluate(l, h, l->plus));
    DYN__TRY(evaluate(l, -h, l->minus));
    for (int64_t i = 0; i < l->m; i++) {
        odd[i] = l->plus[i] - l->minus[i];
        slope[i] = (8 * odd[i] - before[i]) / (12 * h);
    }
    v->slope = norm(l, slope);
    v->error = distance(l, slope, l->expected);
    v->change = j > 1 ? distance(l, slope, l->slope[~j & 1]) : HUGE_VAL;
    v->rounding = 8 * l->eps * fmax(norm(l, l->plus), norm(l, l->minus));
    v->noise = v->rounding / h;
    v->rest = remainder_at(l, h);
    return DYN_OK;
}

static dyn_status measure(line *l)
{
    DYN__TRY(evaluate(l, 0, l->start));
    for (int j = 0; j < LEVELS; j++)
        DYN__TRY(measure_level(l, j));
    return DYN_OK;
}

/* ---- what it says ---- */

static double uncertainty(const line *l, int j)
{
    return fmax(l->level[j].change, l->level[j + 1].change) + l->level[j].noise;
}

/* At the smallest step whose remainder is well above rounding. */
static double observed_order(const line *l)
{
    for (int j = LEVELS - 1; j > 0; j--)
        if (l->level[j].rest > 32 * l->level[j].rounding)
            return log2(l->level[j - 1].rest / l->level[j].rest);
    return (double)NAN;
}

/* Keep the line that uses most of its tolerance. */
static void judge(const line *l, dyn_check *c)
{
    double least = HUGE_VAL, error = HUGE_VAL, tolerance = l->tolerance, order = observed_order(l);

    for (int j = 2; j + 1 < LEVELS; j++)
        if (uncertainty(l, j) < least) {
            double size = fmax(l->usual, l->level[j].slope);
            least = uncertainty(l, j);
            error = size > 0 ? l->level[j].error / size : 0;
            tolerance = size > 0 ? fmax(l->tolerance, 10 * least / size) : l->tolerance;
        }
    if (!(error * c->tolerance <= c->error * tolerance)) {
        c->error = error;
        c->tolerance = tolerance;
    }
    c->order = fmin(c->order, order);
    c->passed &= error <= tolerance;
}

/* ---- all lines ---- */

static void draw_direction(line *l, uint64_t seed, uint32_t number)
{
    dyn__normal_f64((dyn__key){.seed = seed, .stream = DYN__STREAM_PROBE, .step = number, .site = SITE}, 0, l->p, l->u);
    const double size = dyn__norm(l->o->ctx, l->p, l->u);
    for (int64_t i = 0; i < l->p; i++)
        l->u[i] /= size;
}

/* What the objective says: gradient g as [p], or the product with H. */
static dyn_status expect(line *l, dyn_operator *H, const double *g)
{
    if (H) {
        DYN__TRY(dyn_operator_apply(H, 1, l->u, l->expected));
        l->usual = norm(l, l->expected);
        return DYN_OK;
    }
    l->expected[0] = dyn__basis_dot(l->o->ctx, l->p, g, l->u);
    l->usual = dyn__norm(l->o->ctx, l->p, g) / sqrt((double)l->p);
    return isfinite(l->usual) ? DYN_OK : DYN__FAIL(l->o->ctx, DYN_ENONFINITE, "the gradient has norm %g", l->usual);
}

static dyn_status run_lines(line *l, dyn_operator *H, const double *g, uint64_t seed, dyn_check *c)
{
    for (uint32_t i = 0; i < LINES; i++) {
        draw_direction(l, seed, i);
        DYN__TRY(expect(l, H, g));
        DYN__TRY(measure(l));
        judge(l, c);
    }
    return DYN_OK;
}

/* The arrays of a line in one block. */
static void lay_out(line *l, double *block)
{
    double **const of_m[] = {&l->start, &l->expected, &l->plus, &l->minus, &l->odd[0], &l->odd[1], &l->slope[0],
                             &l->slope[1]};

    l->u = block;
    l->at = block + l->p;
    for (int i = 0; i < 8; i++)
        *of_m[i] = block + 2 * l->p + i * l->m;
}

static dyn_status check(dyn_objective *o, const double *theta, uint64_t seed, dyn_operator *H, const double *g,
                        dyn_check *c)
{
    const int single = o->opt.dtype == DYN_F32;
    line l = {.o = o, .theta = theta, .p = o->p, .m = H ? o->p : 1,
              .eps = single ? (double)FLT_EPSILON : DBL_EPSILON,
              .tolerance = single ? 1e-3 : 1e-6};
    double *block = dyn__alloc(o->ctx, (size_t)(2 * l.p + 8 * l.m), sizeof *block);
    dyn_status s;

    if (!block)
        return DYN_ENOMEM;
    lay_out(&l, block);
    l.reach = 0.1 * dyn__norm(o->ctx, o->p, theta);
    if (!(l.reach > 0))
        l.reach = 0.1;
    *c = (dyn_check){.ctx = o->ctx, .passed = 1, .tolerance = l.tolerance, .order = (double)NAN,
                     .asymmetry = (double)NAN};
    s = run_lines(&l, H, g, seed, c);
    if (s == DYN_OK && H) {
        s = dyn_operator_symmetry(H, seed, &c->asymmetry);
        c->passed &= c->asymmetry <= l.tolerance;
    }
    dyn__free(o->ctx, block);
    return s;
}

/* ---- public ---- */

static dyn_status finish(dyn_objective *o, const double *theta, uint64_t seed, dyn_operator *H, const double *g,
                         dyn_check **out)
{
    dyn_check *c = dyn__alloc(o->ctx, 1, sizeof *c);
    dyn_status s = c ? check(o, theta, seed, H, g, c) : DYN_ENOMEM;

    if (s == DYN_OK) {
        dyn__ctx_ref(o->ctx);
        *out = c;
    } else {
        dyn__free(o->ctx, c);
    }
    return s;
}

dyn_status dyn_check_gradient(dyn_objective *o, const double *theta, uint64_t seed, dyn_check **out)
{
    if (out)
        *out = NULL;
    if (!o)
        return DYN_EINVAL;
    DYN__ENTER(o->ctx);
    DYN__TRY(dyn__check_theta(o, theta, out));
    double *g = dyn__alloc(o->ctx, (size_t)o->p, sizeof *g);
    dyn_status s = g ? dyn_objective_gradient(o, theta, g, NULL) : DYN_ENOMEM;
    if (s == DYN_OK)
        s = finish(o, theta, seed, NULL, g, out);
    dyn__free(o->ctx, g);
    return s;
}

dyn_status dyn_check_hessian(dyn_objective *o, const double *theta, uint64_t seed, dyn_check **out)
{
    dyn_operator *H = NULL;

    if (out)
        *out = NULL;
    if (!o)
        return DYN_EINVAL;
    DYN__ENTER(o->ctx);
    DYN__TRY(dyn__check_theta(o, theta, out));
    dyn_status s = dyn_objective_hessian(o, theta, &H);
    if (s == DYN_OK && H->stretch)
        s = DYN__FAIL(o->ctx, DYN_ENOTSUP, "there is no Hessian product function: products are differences of gradients");
    if (s == DYN_OK)
        s = finish(o, theta, seed, H, NULL, out);
    dyn_operator_unref(H);
    return s;
}

void dyn_check_free(dyn_check *c)
{
    if (!c)
        return;
    dyn_ctx *ctx = c->ctx;
    dyn__free(ctx, c);
    dyn__ctx_unref(ctx);
}

int32_t dyn_check_passed(const dyn_check *c) { return c ? c->passed : 0; }
double dyn_check_error(const dyn_check *c) { return c ? c->error : (double)NAN; }
double dyn_check_tolerance(const dyn_check *c) { return c ? c->tolerance : (double)NAN; }
double dyn_check_order(const dyn_check *c) { return c ? c->order : (double)NAN; }
double dyn_check_asymmetry(const dyn_check *c) { return c ? c->asymmetry : (double)NAN; }
