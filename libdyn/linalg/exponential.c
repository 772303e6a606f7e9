/* SPDX-License-Identifier: BSD-3-Clause
 *
 * y = exp(t A) x by Lanczos: |x| V exp(t T) e_1, T the tridiagonal matrix of the basis V, in as many steps of t as the
 * error needs. The error of one step of length h is estimated by |x| beta h |e_m^T phi(h T) e_1| with phi(z) =
 * (exp(z) - 1) / z (Saad 1992), for which any h costs no product: the longest of h, h / 2, h / 4 ... that meets the
 * tolerance is taken. */
#include <float.h>
#include <inttypes.h>
#include <math.h>
#include <string.h>
#include <dyn/solve.h>
#include "linalg/basis.h"
#include "linalg/lanczos.h"

enum { STEPS = 30, HALVINGS = 60 };

typedef struct flow {
    dyn__lanczos l;
    int64_t n, max_products;
    double t, tolerance, error;
    double *y, *next;           /* the vector as it is; [n] */
    double weight[STEPS];       /* of the basis vectors */
} flow;

/* The basis from y; its length in *size. */
static dyn_status expand(flow *f, double *size)
{
    dyn__lanczos *l = &f->l;

    *size = dyn__norm(l->A->ctx, f->n, f->y);
    if (*size == 0.0)
        return DYN_OK;
    memcpy(l->V, f->y, (size_t)f->n * sizeof *l->V);
    dyn__basis_divide(f->n, *size, l->V);
    l->j = 0;
    l->width = 1;
    while (l->j < l->capacity && l->width > 0) {
        if (l->products >= f->max_products)
            return DYN_NOT_CONVERGED;
        DYN__TRY(dyn__lanczos_expand(l));
        if (l->R[(l->j - 1) * l->max_width] == 0.0)
            break;              /* the space is invariant: exact */
    }
    return dyn__lanczos_ritz(l);
}

/* Weights of a step h, and the relative error it would have. */
static double try_step(flow *f, double h)
{
    const dyn__lanczos *l = &f->l;
    int64_t m = l->j;
    double last = 0.0, squares = 0.0, beta = l->width > 0 ? l->R[(m - 1) * l->max_width] : 0.0;

    memset(f->weight, 0, sizeof f->weight);
    for (int64_t i = 0; i < m; i++) {
        const double *s = l->Y + i * m;
        double z = h * l->theta[i], e = exp(z) * s[0];

        last += s[0] * s[m - 1] * (fabs(z) > 1e-8 ? expm1(z) / z : 1.0);
        for (int64_t k = 0; k < m; k++)
            f->weight[k] += e * s[k];
        squares = hypot(squares, e);
    }
    return squares > 0.0 ? fabs(h * beta * last) / squares : HUGE_VAL;
}

/* The longest step that keeps its share of the tolerance. */
static double choose_step(flow *f, double left, double *error)
{
    double h = left;

    for (int k = 0; k < HALVINGS; k++, h *= 0.5) {
        *error = try_step(f, h);
        if (*error <= f->tolerance * fabs(h / f->t) || *error <= DBL_EPSILON)
            return h;
    }
    return 0.0;
}

static dyn_status run(flow *f)
{
    for (double done = 0.0; done != f->t;) {
        double size, error, h;
        dyn_status status = expand(f, &size);

        if (status != DYN_OK || size == 0.0)
            return status;
        h = choose_step(f, f->t - done, &error);
        if (h == 0.0)
            return DYN_NOT_CONVERGED;
        memset(f->next, 0, (size_t)f->n * sizeof *f->next);
        for (int64_t k = 0; k < f->l.j; k++)
            f->weight[k] *= size;
        dyn__basis_combine(f->l.A->ctx, f->l.j, f->n, f->l.V, f->weight, f->next);
        memcpy(f->y, f->next, (size_t)f->n * sizeof *f->y);
        f->error += error;
        done = fabs(f->t - (done + h)) < 4.0 * DBL_EPSILON * fabs(f->t) ? f->t : done + h;
    }
    return DYN_OK;
}

static dyn_status check(dyn_operator *A, double t, double tolerance, int64_t max_products, const double *x, double *y)
{
    DYN__TRY(dyn__need_symmetric(A));
    DYN__NEED(A->ctx, x);
    DYN__NEED(A->ctx, y);
    if (!isfinite(t) || !(tolerance == 0.0 || (tolerance >= 1e-15 && tolerance < 1.0)) || max_products < 0)
        return DYN__FAIL(A->ctx, DYN_EINVAL, "t is %g, must be finite; tolerance is %g, must be 0 or in [1e-15, 1); "
                         "max_products is %" PRId64 ", may not be negative", t, tolerance, max_products);
    return dyn__check_finite(A->ctx, "x", A->size, x);
}

dyn_status dyn_operator_exponential(dyn_operator *A, double t, const double *x, double tolerance, int64_t max_products,
                                    double *y, double *error)
{
    flow f = { .y = y, .t = t };
    dyn_status s;

    if (!A)
        return DYN_EINVAL;
    DYN__ENTER(A->ctx);
    DYN__TRY(check(A, t, tolerance, max_products, x, y));
    f.n = A->size;
    f.tolerance = tolerance == 0.0 ? 1e-10 : tolerance;
    f.max_products = max_products == 0 ? 10000 : max_products;
    memmove(y, x, (size_t)f.n * sizeof *y);
    s = dyn__lanczos_init(&f.l, A, f.n < STEPS ? f.n : STEPS, 1, 0, 0);
    f.next = s >= 0 ? dyn__alloc(A->ctx, (size_t)f.n, sizeof *f.next) : NULL;
    if (f.next)
        s = run(&f);
    else if (s >= 0)
        s = DYN_ENOMEM;
    dyn__free(A->ctx, f.next);
    dyn__lanczos_free(&f.l);
    if (s >= 0 && dyn__check_finite(A->ctx, "y", f.n, y) < 0)
        s = DYN__FAIL(A->ctx, DYN_ENONFINITE, "exp(t A) x overflows for t = %g", t);
    if (error)
        *error = f.error;
    return s;
}
