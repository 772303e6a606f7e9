/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The result of an eigen solve: memory, the order of the pairs, the flags, and the accessors. */
#include <math.h>
#include "linalg/eigen.h"

dyn_status dyn__eigen_create(dyn_ctx *ctx, int64_t count, int64_t size, dyn_eigen **out)
{
    size_t room = (size_t)(count > 0 ? count : 1);
    dyn_eigen *e = dyn__alloc(ctx, 1, sizeof *e);

    *out = NULL;
    if (!e)
        return DYN_ENOMEM;
    dyn__ctx_ref(ctx);
    *e = (dyn_eigen){ .ctx = ctx, .count = count, .size = size, .miss_bound = 1.0 };
    e->values = dyn__alloc(ctx, room, sizeof(double));
    e->residuals = e->values ? dyn__alloc(ctx, room, sizeof(double)) : NULL;
    e->converged = e->residuals ? dyn__alloc(ctx, room, sizeof(int32_t)) : NULL;
    e->allowed = e->converged ? dyn__alloc(ctx, room, sizeof(double)) : NULL;
    e->clusters = e->allowed ? dyn__alloc(ctx, room, 2 * sizeof(int64_t)) : NULL;
    e->multiplicities = e->clusters ? e->clusters + room : NULL;
    e->vectors = e->clusters ? dyn__alloc(ctx, room, (size_t)size * sizeof(double)) : NULL;
    if (!e->vectors) {
        dyn_eigen_free(e);
        return DYN_ENOMEM;
    }
    *out = e;
    return DYN_OK;
}

void dyn_eigen_free(dyn_eigen *e)
{
    dyn_ctx *ctx;

    if (!e)
        return;
    ctx = e->ctx;
    dyn__free(ctx, e->vectors);
    dyn__free(ctx, e->clusters);
    dyn__free(ctx, e->allowed);
    dyn__free(ctx, e->converged);
    dyn__free(ctx, e->residuals);
    dyn__free(ctx, e->values);
    dyn__free(ctx, e);
    dyn__ctx_unref(ctx);
}

void dyn__eigen_rank(int32_t which, int64_t n, const double *ascending, int64_t *pick)
{
    int64_t low = 0, high = n - 1;

    for (int64_t i = 0; i < n; i++) {
        int upper = which == DYN_LARGEST_ALGEBRAIC || (which == DYN_BOTH_ENDS && i % 2 == 0)
                    || (which == DYN_LARGEST_MAGNITUDE && fabs(ascending[high]) >= fabs(ascending[low]));

        pick[i] = upper ? high-- : low++;
    }
}

void dyn__eigen_present(int32_t which, int64_t n, int64_t *pick)
{
    /* Places are those of ascending values: descending values are descending places. */
    for (int64_t i = 1; which == DYN_BOTH_ENDS && i < n; i++) {
        int64_t p = pick[i], k = i;

        for (; k > 0 && pick[k - 1] < p; k--)
            pick[k] = pick[k - 1];
        pick[k] = p;
    }
}

void dyn__eigen_allow(dyn_eigen *e, const dyn_eigen_options *o, double scale)
{
    e->scale = scale;
    e->tolerance = e->count ? 0.0 : dyn__eigen_allowed(o, scale, 0.0);
    for (int64_t i = 0; i < e->count; i++) {
        e->allowed[i] = dyn__eigen_allowed(o, scale, e->values[i]);
        e->tolerance = fmax(e->tolerance, e->allowed[i]);
    }
}

dyn_status dyn__eigen_judge(dyn_eigen *e)
{
    for (int64_t i = 0; i < e->count; i++)
        e->converged[i] = e->residuals[i] <= e->allowed[i];
    return dyn_eigen_all_converged(e) ? DYN_OK : DYN_NOT_CONVERGED;
}

dyn_status dyn__eigen_add_errors(dyn_operator *A, dyn_status s, dyn_eigen *e)
{
    double *errors;
    dyn_status failed;

    if (!A->stretch || e->count == 0)
        return s;
    errors = dyn__alloc(e->ctx, (size_t)e->count, sizeof *errors);
    if (!errors)
        return DYN_ENOMEM;
    failed = dyn__operator_errors(A, e->count, e->vectors, errors);
    for (int64_t i = 0; i < e->count && failed == DYN_OK; i++) {
        e->residuals[i] += errors[i];
        e->product_error = fmax(e->product_error, errors[i]);
    }
    dyn__free(e->ctx, errors);
    DYN__TRY(failed);
    return s == DYN_OK ? dyn__eigen_judge(e) : s;
}

int64_t dyn_eigen_count(const dyn_eigen *e)
{
    return e ? e->count : 0;
}

int64_t dyn_eigen_size(const dyn_eigen *e)
{
    return e ? e->size : 0;
}

const double *dyn_eigen_values(const dyn_eigen *e)
{
    return e ? e->values : NULL;
}

const double *dyn_eigen_vectors(const dyn_eigen *e)
{
    return e ? e->vectors : NULL;
}

const double *dyn_eigen_residuals(const dyn_eigen *e)
{
    return e ? e->residuals : NULL;
}

const int32_t *dyn_eigen_converged(const dyn_eigen *e)
{
    return e ? e->converged : NULL;
}

int32_t dyn_eigen_all_converged(const dyn_eigen *e)
{
    if (!e || e->count < e->wanted)
        return 0;
    for (int64_t i = 0; i < e->count; i++)
        if (!e->converged[i])
            return 0;
    return 1;
}

int64_t dyn_eigen_products(const dyn_eigen *e)
{
    return e ? e->products : 0;
}

double dyn_eigen_tolerance(const dyn_eigen *e)
{
    return e ? e->tolerance : 0.0;
}

const double *dyn_eigen_tolerances(const dyn_eigen *e)
{
    return e ? e->allowed : NULL;
}

const int64_t *dyn_eigen_clusters(const dyn_eigen *e)
{
    return e ? e->clusters : NULL;
}

const int64_t *dyn_eigen_multiplicities(const dyn_eigen *e)
{
    return e ? e->multiplicities : NULL;
}

int32_t dyn_eigen_last_cluster(const dyn_eigen *e)
{
    return e ? e->last_cluster : DYN_CLUSTER_UNKNOWN;
}

double dyn_eigen_miss_bound(const dyn_eigen *e)
{
    return e ? e->miss_bound : 1.0;
}

double dyn_eigen_product_error(const dyn_eigen *e)
{
    return e ? e->product_error : 0.0;
}

double dyn_eigen_floor(const dyn_eigen *e)
{
    return e ? e->floor : 0.0;
}
