/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Verbs of the Hessian: product (of `columns` vectors; fresh=1: at a theta that is new every time), eigen (the `count`
 * largest pairs from theta on, written to vectors-libdyn.npy), dense (the whole matrix). */
#include "bench.h"

#include <math.h>
#include <stdlib.h>

typedef struct product_work {
    const problem *p;
    int64_t columns;
    int fresh;
    dyn_operator *hessian;
    double *v, *hv;
} product_work;

static void product_run(void *work, int64_t units)
{
    product_work *w = work;

    for (int64_t i = 0; i < units; i++) {
        if (w->fresh) {
            dyn_operator_unref(w->hessian);
            must(w->p->ctx, dyn_objective_hessian(w->p->objective, w->p->theta, &w->hessian));
        }
        must(w->p->ctx, dyn_operator_apply(w->hessian, w->columns, w->v, w->hv));
    }
}

static void *product_prepare(const problem *p, const spec *s)
{
    product_work *w = must_alloc(1, sizeof *w);
    const int64_t columns = spec_int(s, "columns", 1), shape[2] = { columns, p->size };

    w->p = p;
    w->columns = columns;
    w->fresh = (int)spec_int(s, "fresh", 0);
    w->v = must_alloc((size_t)(columns * p->size), sizeof *w->v);
    w->hv = must_alloc((size_t)(columns * p->size), sizeof *w->hv);
    must(p->ctx, dyn_random_normal(p->ctx, 11, 1, 0, columns * p->size, w->v));
    problem_export(p, s, "v", 2, shape, w->v);
    must(p->ctx, dyn_objective_hessian(p->objective, p->theta, &w->hessian));
    product_run(w, 1);
    show("product_norm", norm(columns * p->size, w->hv), "-");
    return w;
}

static void product_free(void *work)
{
    product_work *w = work;

    dyn_operator_unref(w->hessian);
    free(w->v);
    free(w->hv);
    free(w);
}

const verb verb_product = { "product", product_prepare, product_run, product_free };

typedef struct eigen_work {
    const problem *p;
    dyn_eigen_options opt;
    dyn_eigen *pairs;
} eigen_work;

static void eigen_run(void *work, int64_t units)
{
    eigen_work *w = work;
    dyn_operator *hessian;

    for (int64_t i = 0; i < units; i++) {
        dyn_eigen_free(w->pairs);
        must(w->p->ctx, dyn_objective_hessian(w->p->objective, w->p->theta, &hessian));
        must(w->p->ctx, dyn_eigen_solve(hessian, &w->opt, &w->pairs));
        dyn_operator_unref(hessian);
    }
}

static void show_pairs(const problem *p, const spec *s, const dyn_eigen *pairs)
{
    const int64_t count = dyn_eigen_count(pairs), shape[2] = { count, p->size };
    double residual = 0;

    for (int64_t i = 0; i < count; i++) {
        show("value", dyn_eigen_values(pairs)[i], "-");
        residual = fmax(residual, dyn_eigen_residuals(pairs)[i]);
    }
    show("own_residual", residual / dyn_eigen_values(pairs)[0], "-");
    show("products", (double)dyn_eigen_products(pairs), "-");
    problem_export(p, s, "vectors-libdyn", 2, shape, dyn_eigen_vectors(pairs));
    problem_export(p, s, "values-libdyn", 1, &count, dyn_eigen_values(pairs));
}

static void *eigen_prepare(const problem *p, const spec *s)
{
    const dyn_eigen_options opt = DYN_EIGEN_OPTIONS_INIT;
    eigen_work *w = must_alloc(1, sizeof *w);

    w->p = p;
    w->opt = opt;
    w->opt.count = spec_int(s, "count", 5);
    w->opt.tolerance = spec_real(s, "tolerance", 1e-6);
    eigen_run(w, 1);
    show_pairs(p, s, w->pairs);
    return w;
}

static void eigen_free(void *work)
{
    dyn_eigen_free(((eigen_work *)work)->pairs);
    free(work);
}

const verb verb_eigen = { "eigen", eigen_prepare, eigen_run, eigen_free };

typedef struct matrix_work {
    const problem *p;
    double *matrix;
} matrix_work;

static void dense_run(void *work, int64_t units)
{
    matrix_work *w = work;
    dyn_operator *hessian;

    for (int64_t i = 0; i < units; i++) {
        must(w->p->ctx, dyn_objective_hessian(w->p->objective, w->p->theta, &hessian));
        must(w->p->ctx, dyn_operator_dense(hessian, w->matrix));
        dyn_operator_unref(hessian);
    }
}

static void *dense_prepare(const problem *p, const spec *s)
{
    matrix_work *w = must_alloc(1, sizeof *w);

    (void)s;
    w->p = p;
    w->matrix = must_alloc((size_t)(p->size * p->size), sizeof *w->matrix);
    dense_run(w, 1);
    show("matrix_norm", norm(p->size * p->size, w->matrix), "-");
    return w;
}

static void dense_free(void *work)
{
    free(((matrix_work *)work)->matrix);
    free(work);
}

const verb verb_dense = { "dense", dense_prepare, dense_run, dense_free };
