/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The order of neurons by the leading eigenvector of their cosine matrix. The matrix is applied as U (U^T x), never
 * formed; its rank is at most the number of components, so few products suffice. */
#include <math.h>
#include "analysis/condensation.h"
#include "kernel/kernel.h"
#include <dyn/eigen.h>

/* Relative to the eigenvalue, which is at least neurons / components. */
static const double TOLERANCE = 1e-8;

typedef struct product {
    const dyn_condensation *c;
    double *inner;          /* [components] */
} product;

static int32_t apply(void *user, int64_t count, const double *x, double *y)
{
    const product *p = user;
    int64_t m = p->c->neurons, k = p->c->components;

    for (int64_t r = 0; r < count; r++) {
        dyn__arg arg[3] = { { p->inner, 1, 1 }, { p->c->unit, k, 1 }, { (double *)(uintptr_t)(x + r * m), 1, 0 } };

        dyn__kernels_of(p->c->ctx)->f64.tile[DYN__K_COL_DOT](m, k, arg, 0.0);
        dyn__condensation_project(p->c, p->inner, y + r * m);
    }
    return 0;
}

static dyn_status leading_pair(product *p, dyn_eigen **out)
{
    dyn_eigen_options opt = DYN_EIGEN_OPTIONS_INIT;
    dyn_operator *cosines = NULL;
    dyn_status s = dyn_operator_from_callback(p->c->ctx, p->c->neurons, apply, p, &cosines);

    opt.tolerance = TOLERANCE;
    opt.unchecked = 1;
    if (s >= 0)
        s = dyn_eigen_solve(cosines, &opt, out);
    dyn_operator_unref(cosines);
    return s;
}

/* Sort by the vector, with its sign fixed and zero features last. key [neurons] is scratch. */
static dyn_status sort_by_vector(dyn_condensation *c, const double *vector, double *key)
{
    double sum = 0.0;

    for (int64_t i = 0; i < c->neurons; i++)
        sum += vector[i];
    for (int64_t i = 0; i < c->neurons; i++)
        key[i] = c->norms[i] == 0.0 ? HUGE_VAL : sum < 0.0 ? -vector[i] : vector[i];
    return dyn__sort_by(c->ctx, c->neurons, key, 0, c->order);
}

dyn_status dyn__condensation_sort(dyn_condensation *c)
{
    int64_t nonzero = c->neurons - c->zeros;
    product p = { c, dyn__alloc(c->ctx, (size_t)c->components, sizeof *p.inner) };
    double *key = dyn__alloc(c->ctx, (size_t)c->neurons, sizeof *key);
    dyn_eigen *pair = NULL;
    dyn_status s = p.inner && key ? leading_pair(&p, &pair) : DYN_ENOMEM;

    if (s >= 0) {
        c->leading = nonzero > 0 ? dyn_eigen_values(pair)[0] / (double)nonzero : 0.0;
        c->leading_residual = nonzero > 0 ? dyn_eigen_residuals(pair)[0] / (double)nonzero : 0.0;
        c->leading_converged = dyn_eigen_all_converged(pair);
        s = sort_by_vector(c, dyn_eigen_vectors(pair), key);
    }
    dyn_eigen_free(pair);
    dyn__free(c->ctx, key);
    dyn__free(c->ctx, p.inner);
    return s;
}
