/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Eigenpairs by writing the operator out: size products, then LAPACK. Residuals are taken with the matrix as it
 * came, so that an operator that is not symmetric shows in them. */
#include <math.h>
#include <string.h>
#include "linalg/basis.h"
#include "linalg/dense.h"
#include "linalg/eigen.h"

/* Scratch: the matrix, its eigenvectors, eigenvalues, one residual. */
typedef struct work {
    double *matrix, *vectors, *values, *residual;
    int64_t *pick;
} work;

static void fill(dyn_operator *A, const work *w, dyn_eigen *e)
{
    int64_t n = A->size;

    for (int64_t i = 0; i < e->count; i++) {
        double *v = e->vectors + i * n;
        double value = w->values[w->pick[i]];

        memcpy(v, w->vectors + w->pick[i] * n, (size_t)n * sizeof(double));
        dyn__basis_coefficients(A->ctx, n, n, w->matrix, v, w->residual);
        for (int64_t k = 0; k < n; k++)
            w->residual[k] -= value * v[k];
        e->values[i] = value;
        e->residuals[i] = dyn__norm(A->ctx, n, w->residual);
    }
}

/* Is a value left that is not told apart from the last one taken, of either end? */
static int32_t last_cluster(const dyn__eigen_plan *p, int64_t n, const work *w)
{
    const double scale = fmax(fabs(w->values[0]), fabs(w->values[n - 1]));

    for (int64_t i = p->want; i < n; i++)
        for (int64_t k = p->want - p->ends; k < p->want; k++) {
            const double value = w->values[w->pick[k]];

            if (fabs(w->values[w->pick[i]] - value) <= dyn__eigen_allowed(&p->opt, scale, value))
                return DYN_CLUSTER_CUT;
        }
    return DYN_CLUSTER_WHOLE;
}

static dyn_status solve(dyn_operator *A, const dyn__eigen_plan *p, const work *w, dyn_eigen **out)
{
    int64_t n = A->size;
    int32_t last;

    DYN__TRY(dyn_operator_dense(A, w->matrix));
    memcpy(w->vectors, w->matrix, (size_t)(n * n) * sizeof(double));
    DYN__TRY(dyn__eigh(A->ctx, n, w->vectors, w->values, 1));
    dyn__eigen_rank(p->opt.which, n, w->values, w->pick);
    last = last_cluster(p, n, w);
    dyn__eigen_present(p->opt.which, p->want, w->pick);
    DYN__TRY(dyn__eigen_create(A->ctx, p->want, n, out));
    fill(A, w, *out);
    (*out)->products = n;
    dyn__eigen_allow(*out, &p->opt, fmax(fabs(w->values[0]), fabs(w->values[n - 1])));
    (*out)->last_cluster = last;
    (*out)->miss_bound = 0.0;
    (*out)->wanted = p->want;
    return dyn__eigen_judge(*out);
}

dyn_status dyn__eigen_dense(dyn_operator *A, const dyn__eigen_plan *p, dyn_eigen **out)
{
    size_t n = (size_t)A->size;
    double *block;
    work w;
    dyn_status s = DYN_ENOMEM;

    if (p->opt.progress && p->opt.progress(p->opt.progress_user, 0.0, "eigenpairs") != 0) {
        DYN__TRY(dyn__eigen_create(A->ctx, 0, A->size, out));
        (*out)->wanted = p->want;
        return DYN_STOPPED;
    }
    block = dyn__alloc(A->ctx, 2 * n + 2, n * sizeof(double));
    w.pick = block ? dyn__alloc(A->ctx, n, sizeof *w.pick) : NULL;
    if (w.pick) {
        w.matrix = block;
        w.vectors = block + n * n;
        w.values = block + 2 * n * n;
        w.residual = w.values + n;
        s = solve(A, p, &w, out);
    }
    dyn__free(A->ctx, w.pick);
    dyn__free(A->ctx, block);
    return s;
}
