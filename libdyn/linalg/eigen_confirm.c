/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Pairs and their true residuals. As long as nothing was dropped, the decomposition gives the residual of each pair,
 * r_i = Q^T R y_i, up to the error of the products. One product with the sum z of the vectors measures that
 * error: A z - sum (value_i v_i + r_i), whose norm is added to each |r_i|. Without a search the error is what the
 * recurrence has seen of it, and no product is made. Where that bound is above the tolerance, or couplings were
 * dropped, each vector gets a product of its own. */
#include <math.h>
#include <string.h>
#include "linalg/basis.h"
#include "linalg/eigen_lanczos.h"

dyn_status dyn__solver_settle(dyn__solver *s, int64_t keep)
{
    dyn__lanczos *l = &s->l;
    dyn_eigen *e = s->e;
    int64_t count = e->count = keep < s->p->want ? keep : s->p->want;

    dyn__eigen_present(s->p->opt.which, count, s->pick);
    for (int64_t i = 0; i < count; i++) {
        e->values[i] = l->theta[s->pick[i]];
        e->residuals[i] = hypot(dyn__lanczos_residual(l, s->pick[i]),
                                s->dropped ? DYN__EIGEN_MARGIN * dyn__solver_limit(s, e->values[i]) : 0.0);
    }
    s->error = dyn__lanczos_error(l);
    DYN__TRY(dyn__lanczos_restart(l, keep, s->pick));
    dyn__lanczos_rows(l, 0, count, e->vectors);
    dyn__lanczos_rows(l, keep, l->width, s->held);
    s->held_width = l->width;
    for (int64_t k = 0; k < l->width; k++) {
        s->coupling[k] = 0.0;
        for (int64_t i = 0; i < count; i++)
            s->coupling[k] += l->R[i * l->max_width + k];
    }
    return DYN_OK;
}

/* w -= sum of a_i V_i */
static void subtract(dyn__solver *s, int64_t rows, const double *V, const double *a, double *w)
{
    for (int64_t i = 0; i < rows; i++)
        s->l.h[i] = -a[i];
    dyn__basis_combine(s->l.A->ctx, rows, s->l.n, V, s->l.h, w);
}

/* Are the residuals that the decomposition gives good enough with this error on top? */
static int within(const dyn__solver *s, double error)
{
    for (int64_t i = 0; i < s->e->count; i++)
        if (!(s->e->residuals[i] + error <= dyn__solver_limit(s, s->e->values[i])))
            return 0;
    return 1;
}

static dyn_status product_error(dyn__solver *s, double *error)
{
    int64_t n = s->l.n, count = s->e->count;
    double *z = s->l.V, *r = z + n;

    for (int64_t i = 0; i < count; i++)
        s->l.h[i] = 1.0;
    memset(z, 0, (size_t)n * sizeof *z);
    dyn__basis_combine(s->l.A->ctx, count, n, s->e->vectors, s->l.h, z);
    DYN__TRY(dyn__operator_apply(s->l.A, 1, z, r));
    s->l.products++;
    subtract(s, count, s->e->vectors, s->e->values, r);
    subtract(s, s->held_width, s->held, s->coupling, r);
    *error = dyn__norm(s->l.A->ctx, n, r);
    return DYN_OK;
}

static dyn_status one_by_one(dyn__solver *s)
{
    dyn_eigen *e = s->e;
    int64_t n = s->l.n;

    DYN__TRY(dyn__operator_apply(s->l.A, e->count, e->vectors, s->l.V));
    s->l.products += e->count;
    for (int64_t i = 0; i < e->count; i++) {
        subtract(s, 1, e->vectors + i * n, e->values + i, s->l.V + i * n);
        e->residuals[i] = dyn__norm(s->l.A->ctx, n, s->l.V + i * n);
    }
    return DYN_OK;
}

/* Vectors from a basis in float32 are made orthonormal, values become their Rayleigh quotients, and residuals those of
 * the float32 operator, in doubles. The floor is what its products are wrong by: that of a third of the vector, times
 * three, differs in rounding alone. */
static dyn_status confirm_narrow(dyn__solver *s)
{
    dyn_eigen *e = s->e;
    dyn_ctx *ctx = s->l.A->ctx;
    const int64_t n = s->l.n;
    double *third = s->l.V, *image = third + n;
    int64_t kept;

    DYN__TRY(dyn__basis_orthonormalise(ctx, e->count, n, e->vectors, &kept));
    e->count = kept;
    for (int64_t i = 0; i < kept; i++) {
        double *v = e->vectors + i * n;

        for (int64_t k = 0; k < n; k++)
            third[k] = v[k] / 3;
        DYN__TRY(dyn__operator_apply(s->l.A, 1, v, image));
        e->values[i] = dyn__basis_dot(ctx, n, v, image);
        subtract(s, 1, v, e->values + i, image);
        e->residuals[i] = dyn__norm(ctx, n, image);
        if (i == 0) {
            subtract(s, 1, v, (double[]){ -e->values[i] }, image);
            DYN__TRY(dyn__operator_apply(s->l.A, 1, third, s->held));
            subtract(s, 1, s->held, (double[]){ 3 }, image);
            e->floor = dyn__norm(ctx, n, image);
            s->l.products++;
        }
        s->l.products++;
    }
    return DYN_OK;
}

static void add(dyn_eigen *e, double error)
{
    for (int64_t i = 0; i < e->count; i++)
        e->residuals[i] += error;
}

dyn_status dyn__solver_confirm(dyn__solver *s)
{
    double error = 0.0;

    if (s->l.F)
        return confirm_narrow(s);
    if (s->p->opt.unchecked && !s->dropped && within(s, s->error)) {
        add(s->e, s->error);
        return DYN_OK;
    }
    if (s->dropped || s->e->count == 1 || !within(s, 0.0))
        return one_by_one(s);
    DYN__TRY(product_error(s, &error));
    if (!within(s, error))
        return one_by_one(s);
    add(s->e, error);
    return DYN_OK;
}
