/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Linear systems A x = b of a symmetric operator: MINRES (Paige and Saunders), which makes the residual smallest over a
 * Krylov space of any symmetric matrix, and conjugate gradients for positive definite ones. The residual that is
 * returned comes from a product with the solution. */
#include <inttypes.h>
#include <math.h>
#include <string.h>
#include <dyn/solve.h>
#include "linalg/basis.h"
#include "linalg/operator.h"

_Static_assert(sizeof(void *) != 8 || sizeof(dyn_solve_options) == 40, "layout of dyn_solve_options");

enum { VECTORS = 6 };
static const double MARGIN = 0.5;   /* of the tolerance, for what the recurrences do not see */

typedef struct solver {
    dyn_operator *A;
    dyn_solve_options opt;
    int64_t n, products;
    double *x;                  /* of b divided by its norm, until the end */
    double *v[VECTORS];
} solver;

static void add(int64_t n, double a, const double *x, double *y)
{
    for (int64_t i = 0; i < n; i++)
        y[i] += a * x[i];
}

static double dot(const solver *s, const double *x, const double *y)
{
    return dyn__basis_dot(s->A->ctx, s->n, x, y);
}

static double norm(const solver *s, const double *x)
{
    return dyn__norm(s->A->ctx, s->n, x);
}

/* One product, within the limit that leaves one for the residual. */
static dyn_status multiply(solver *s, const double *x, double *y)
{
    const dyn_solve_options *o = &s->opt;

    if (s->products + 2 > o->max_products)
        return DYN_NOT_CONVERGED;
    DYN__TRY(dyn__operator_apply(s->A, 1, x, y));
    s->products++;
    if (o->progress && o->progress(o->progress_user, (double)s->products / (double)o->max_products, "solve") != 0)
        return DYN_STOPPED;
    return DYN_OK;
}

/* The rotations of the tridiagonal matrix, and the directions: w of this step, u and t of the two before. */
typedef struct minres {
    double *v, *y, *last, *w, *u, *t;
    double beta, dbar, epsilon, cosine, sine, rest;
    int64_t step;
} minres;

/* v_k, beta_k are given: the next ones. alpha_k. */
static dyn_status lanczos(solver *s, minres *m, double *alpha)
{
    dyn_status status = multiply(s, m->v, m->y);

    if (status != DYN_OK)
        return status;
    if (m->step++ > 0)
        add(s->n, -m->beta, m->last, m->y);
    *alpha = dot(s, m->v, m->y);
    add(s->n, -*alpha, m->v, m->y);
    m->beta = norm(s, m->y);
    return DYN_OK;
}

static void advance(solver *s, minres *m, double alpha)
{
    double old = m->epsilon, delta = m->cosine * m->dbar + m->sine * alpha, gbar = m->sine * m->dbar - m->cosine * alpha;
    double gamma = hypot(gbar, m->beta), phi, *spare = m->t;

    m->epsilon = m->sine * m->beta;
    m->dbar = -m->cosine * m->beta;
    m->cosine = gamma > 0.0 ? gbar / gamma : 1.0;
    m->sine = gamma > 0.0 ? m->beta / gamma : 0.0;
    phi = m->cosine * m->rest;
    m->rest *= m->sine;
    for (int64_t i = 0; i < s->n; i++)      /* w becomes u, u becomes t */
        spare[i] = m->v[i] - old * m->u[i] - delta * m->w[i];
    m->t = m->u;
    m->u = m->w;
    m->w = spare;
    if (gamma > 0.0) {
        dyn__basis_divide(s->n, gamma, m->w);
        add(s->n, phi, m->w, s->x);
    }
    spare = m->last;
    m->last = m->v;
    m->v = m->y;
    m->y = spare;
    if (m->beta > 0.0)
        dyn__basis_divide(s->n, m->beta, m->v);
}

static dyn_status solve_minres(solver *s)
{
    minres m = { .v = s->v[0], .y = s->v[1], .last = s->v[2], .w = s->v[3], .u = s->v[4], .t = s->v[5], .cosine = -1.0,
                 .rest = 1.0, .beta = 1.0 };

    while (m.rest > MARGIN * s->opt.tolerance && m.beta > 0.0) {
        double alpha;
        dyn_status status = lanczos(s, &m, &alpha);

        if (status != DYN_OK)
            return status;
        advance(s, &m, alpha);
    }
    return DYN_OK;
}

static dyn_status solve_gradients(solver *s)
{
    double *r = s->v[0], *p = s->v[1], *Ap = s->v[2], rr = 1.0, next;

    memcpy(p, r, (size_t)s->n * sizeof *p);
    while (rr > MARGIN * s->opt.tolerance) {
        double curvature, step;
        dyn_status status = multiply(s, p, Ap);

        if (status != DYN_OK)
            return status;
        curvature = dot(s, p, Ap) / rr;
        if (!(curvature > 0.0))
            return DYN__FAIL(s->A->ctx, DYN_EINVAL, "the operator is not positive definite: a direction has curvature %g "
                             "after %" PRId64 " products; DYN_SOLVE_MINRES needs no definite one", curvature,
                             s->products);
        step = rr / curvature;
        add(s->n, step, p, s->x);
        add(s->n, -step, Ap, r);
        next = norm(s, r);
        for (int64_t i = 0; i < s->n; i++)
            p[i] = r[i] + next / rr * (next / rr) * p[i];
        rr = next;
    }
    return DYN_OK;
}

static dyn_status residual_of(solver *s, const double *b, double *residual)
{
    double *r = s->v[0];

    DYN__TRY(dyn__operator_apply(s->A, 1, s->x, r));
    s->products++;
    for (int64_t i = 0; i < s->n; i++)
        r[i] = b[i] - r[i];
    *residual = norm(s, r);
    return DYN_OK;
}

static dyn_status run(solver *s, const double *b, double *residual)
{
    double size = norm(s, b);
    dyn_status status = DYN_OK, verdict;

    memset(s->x, 0, (size_t)s->n * sizeof *s->x);
    memcpy(s->v[0], b, (size_t)s->n * sizeof *b);
    *residual = size;
    if (size == 0.0)
        return DYN_OK;
    dyn__basis_divide(s->n, size, s->v[0]);
    status = s->opt.method == DYN_SOLVE_MINRES ? solve_minres(s) : solve_gradients(s);
    if (status < 0)
        return status;
    dyn__basis_scale(s->n, size, s->x);
    DYN__TRY(residual_of(s, b, residual));
    verdict = *residual <= s->opt.tolerance * size ? DYN_OK : DYN_NOT_CONVERGED;
    return status == DYN_STOPPED ? status : verdict;
}

static dyn_status read_options(dyn_operator *A, const dyn_solve_options *given, dyn_solve_options *o)
{
    *o = (dyn_solve_options)DYN_SOLVE_OPTIONS_INIT;
    DYN__TRY(dyn__options(A->ctx, "dyn_solve_options", given, o, sizeof *o, sizeof *o));
    if (o->method != DYN_SOLVE_MINRES && o->method != DYN_SOLVE_GRADIENTS)
        return DYN__FAIL(A->ctx, DYN_EINVAL, "method is %" PRId32 ", must be 0 or 1", o->method);
    o->max_products = o->max_products == 0 ? 10 * A->size + 100 : o->max_products;
    if (!(o->tolerance >= 1e-15 && o->tolerance < 1.0) || o->max_products < 2)
        return DYN__FAIL(A->ctx, DYN_EINVAL, "tolerance is %g, must be in [1e-15, 1); max_products is %" PRId64
                         ", must be at least 2", o->tolerance, o->max_products);
    return DYN_OK;
}

dyn_status dyn_operator_solve(dyn_operator *A, const double *b, const dyn_solve_options *opt, double *x,
                              double *residual, int64_t *products)
{
    solver s = { .A = A, .x = x };
    double left = 0.0, *block;
    dyn_status status;

    if (!A)
        return DYN_EINVAL;
    DYN__ENTER(A->ctx);
    DYN__TRY(dyn__need_symmetric(A));
    DYN__NEED(A->ctx, b);
    DYN__NEED(A->ctx, x);
    DYN__TRY(read_options(A, opt, &s.opt));
    DYN__TRY(dyn__check_finite(A->ctx, "b", A->size, b));
    s.n = A->size;
    block = dyn__alloc(A->ctx, VECTORS, (size_t)s.n * sizeof *block);
    if (!block)
        return DYN_ENOMEM;
    for (int i = 0; i < VECTORS; i++)
        s.v[i] = block + i * s.n;
    status = run(&s, b, &left);
    dyn__free(A->ctx, block);
    if (residual)
        *residual = left;
    if (products)
        *products = s.products;
    return status;
}
