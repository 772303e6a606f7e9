/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Kronecker-factored matrices as operators. The approximation and its inverses are diagonal in the eigenvectors of the
 * factors: y = U_A^T (T o (U_A X U_B^T)) U_B, and differ in T. And the empirical Fisher matrix. */
#include <math.h>
#include <string.h>
#include "analysis/kfac.h"
#include "kernel/kernel.h"
#include "linalg/operator.h"

typedef struct block {
    int64_t weight_at, bias_at, in, na, nb;
    double *ua, *ub, *t;        /* [na][na], [nb][nb], [na][nb] */
    dyn__gemm rows[2], columns[2];      /* there and back */
} block;

typedef struct blocks {
    dyn_ctx *ctx;
    int64_t p;
    double elsewhere;           /* on what belongs to no layer */
    int32_t count;
    double *room;               /* [2][largest block] */
    block *block;
} blocks;

/* ---- products ---- */

/* The layer's part of x as [na][nb], the bias its last row; or back. */
static void take(const block *b, double *to, const double *x)
{
    memcpy(to, x + b->weight_at, (size_t)(b->in * b->nb) * sizeof *x);
    if (b->na > b->in)
        memcpy(to + b->in * b->nb, x + b->bias_at, (size_t)b->nb * sizeof *x);
}

static void give(const block *b, double *y, const double *from)
{
    memcpy(y + b->weight_at, from, (size_t)(b->in * b->nb) * sizeof *y);
    if (b->na > b->in)
        memcpy(y + b->bias_at, from + b->in * b->nb, (size_t)b->nb * sizeof *y);
}

static dyn_status apply(void *user, int64_t count, const double *x, double *y)
{
    const blocks *k = user;

    for (int64_t v = 0; v < count; v++, x += k->p, y += k->p) {
        for (int64_t i = 0; i < k->p; i++)
            y[i] = k->elsewhere * x[i];
        for (int32_t i = 0; i < k->count; i++) {
            const block *b = &k->block[i];
            double *first = k->room, *second = k->room + b->na * b->nb;
            take(b, first, x);
            dyn__gemm_run(&b->rows[0], b->ua, first, second);
            dyn__gemm_run(&b->columns[0], second, b->ub, first);
            for (int64_t j = 0; j < b->na * b->nb; j++)
                first[j] *= b->t[j];
            dyn__gemm_run(&b->rows[1], b->ua, first, second);
            dyn__gemm_run(&b->columns[1], second, b->ub, first);
            give(b, y, first);
        }
    }
    return DYN_OK;
}

/* ---- creation ---- */

static void destroy(void *user)
{
    blocks *k = user;
    dyn_ctx *ctx = k->ctx;

    for (int32_t i = 0; k->block && i < k->count; i++)
        dyn__free(ctx, k->block[i].ua);
    dyn__free(ctx, k->block);
    dyn__free(ctx, k->room);
    dyn__free(ctx, k);
}

static dyn_status plan(dyn_ctx *ctx, block *b)
{
    for (int back = 0; back < 2; back++) {
        b->rows[back] = (dyn__gemm){.dtype = DYN_F64, .trans_a = back, .m = b->na, .n = b->nb, .k = b->na, .lda = b->na,
                                    .ldb = b->nb, .ldc = b->nb};
        b->columns[back] = (dyn__gemm){.dtype = DYN_F64, .trans_b = !back, .m = b->na, .n = b->nb, .k = b->nb, .lda = b->nb,
                                       .ldb = b->nb, .ldc = b->nb};
        DYN__TRY(dyn__gemm_plan(dyn__kernels_of(ctx), &b->rows[back]));
        DYN__TRY(dyn__gemm_plan(dyn__kernels_of(ctx), &b->columns[back]));
    }
    return DYN_OK;
}

static dyn_status copy_block(dyn_ctx *ctx, const dyn__factors *f, block *b)
{
    const int64_t na = f->na, nb = f->nb;
    double *room = dyn__alloc(ctx, (size_t)(na * na + nb * nb + na * nb), sizeof *room);

    if (!room)
        return DYN_ENOMEM;
    *b = (block){.weight_at = f->weight_at, .bias_at = f->bias_at, .in = f->in, .na = na, .nb = nb, .ua = room,
                 .ub = room + na * na, .t = room + na * na + nb * nb};
    memcpy(b->ua, f->ua, (size_t)(na * na) * sizeof *room);
    memcpy(b->ub, f->ub, (size_t)(nb * nb) * sizeof *room);
    return plan(ctx, b);
}

static dyn_status fill(blocks *b, const dyn_kfac *k)
{
    int64_t largest = 1;

    b->block = dyn__alloc(k->ctx, (size_t)k->count + 1, sizeof *b->block);
    if (!b->block)
        return DYN_ENOMEM;
    for (b->count = 0; b->count < k->count; b->count++) {
        const dyn__factors *f = &k->layer[b->count];
        DYN__TRY(copy_block(k->ctx, f, &b->block[b->count]));
        largest = f->na * f->nb > largest ? f->na * f->nb : largest;
    }
    b->room = dyn__alloc(k->ctx, (size_t)largest, 2 * sizeof *b->room);
    return b->room ? DYN_OK : DYN_ENOMEM;
}

/* On what the approximation is diagonal by t(layer, i, j). */
typedef double (*diagonal_fn)(const dyn__factors *f, int64_t i, int64_t j, double lambda);

static dyn_status create(const dyn_kfac *k, diagonal_fn t, double lambda, double elsewhere, dyn_operator **out)
{
    blocks *b = dyn__alloc(k->ctx, 1, sizeof *b);

    if (!b)
        return DYN_ENOMEM;
    *b = (blocks){.ctx = k->ctx, .p = k->p, .elsewhere = elsewhere};
    dyn_status s = fill(b, k);
    for (int32_t l = 0; s == DYN_OK && l < k->count; l++)
        for (int64_t i = 0; i < b->block[l].na * b->block[l].nb; i++)
            b->block[l].t[i] = t(&k->layer[l], i / b->block[l].nb, i % b->block[l].nb, lambda);
    if (s == DYN_OK)
        s = dyn__operator_create(k->ctx, k->p, apply, b, destroy, out);
    if (s < 0)
        destroy(b);
    return s;
}

static double value(const dyn__factors *f, int64_t i, int64_t j, double lambda)
{
    (void)lambda;
    return f->values[i * f->nb + j];
}

static double damped(const dyn__factors *f, int64_t i, int64_t j, double lambda)
{
    return 1.0 / (fmax(f->values[i * f->nb + j], 0.0) + lambda);
}

static double sum_of(int64_t n, const double *x)
{
    double sum = 0.0;

    for (int64_t i = 0; i < n; i++)
        sum += x[i];
    return sum;
}

static double apart(const dyn__factors *f, int64_t i, int64_t j, double to_a, double to_b)
{
    return 1.0 / ((fmax(f->wa[i], 0.0) + to_a) * (fmax(f->wb[j], 0.0) + to_b));
}

static double by_pi(const dyn__factors *f, int64_t i, int64_t j, double lambda)
{
    const double a = sum_of(f->na, f->wa) / (double)f->na, b = sum_of(f->nb, f->wb) / (double)f->nb;
    const double pi = a > 0.0 && b > 0.0 ? sqrt(a / b) : 1.0;

    return apart(f, i, j, pi * sqrt(lambda), sqrt(lambda) / pi);
}

static double by_root(const dyn__factors *f, int64_t i, int64_t j, double lambda)
{
    return apart(f, i, j, sqrt(lambda), sqrt(lambda));
}

static double by_factors(const dyn__factors *f, int64_t i, int64_t j, double lambda) { return apart(f, i, j, lambda, lambda); }

dyn_status dyn_kfac_operator(const dyn_kfac *k, dyn_operator **out)
{
    if (out)
        *out = NULL;
    if (!k)
        return DYN_EINVAL;
    DYN__ENTER(k->ctx);
    DYN__NEED(k->ctx, out);
    return create(k, value, 0.0, 0.0, out);
}

dyn_status dyn_kfac_inverse(const dyn_kfac *k, double lambda, int32_t damping, dyn_operator **out)
{
    static const diagonal_fn ways[] = {damped, by_pi, by_root, by_factors};

    if (out)
        *out = NULL;
    if (!k)
        return DYN_EINVAL;
    DYN__ENTER(k->ctx);
    DYN__NEED(k->ctx, out);
    if (!(lambda > 0.0) || !isfinite(lambda) || damping < 0 || damping > DYN_KFAC_DAMP_FACTORS)
        return DYN__FAIL(k->ctx, DYN_EINVAL, "lambda %g, damping %d: above 0, and one of enum dyn_kfac_damping", lambda,
                         (int)damping);
    if (k->opt.eigenvalues && damping != DYN_KFAC_DAMP_EXACT)
        return DYN__FAIL(k->ctx, DYN_EINVAL, "damping %d: eigenvalues of EKFAC have no factors, the damping is exact",
                         (int)damping);
    return create(k, ways[damping], lambda, 1.0 / lambda, out);
}

/* ---- the empirical Fisher matrix ---- */

/* The mean of the gradients g [n][p] taken from each; mean [p] is scratch, zero. */
static void centre(int64_t n, int64_t p, double *g, double *mean)
{
    for (int64_t i = 0; i < n; i++)
        for (int64_t j = 0; j < p; j++)
            mean[j] += g[i * p + j] / (double)n;
    for (int64_t i = 0; i < n; i++)
        for (int64_t j = 0; j < p; j++)
            g[i * p + j] -= mean[j];
}

dyn_status dyn_objective_empirical_fisher(dyn_objective *o, const double *theta, int32_t centred, dyn_operator **out)
{
    if (out)
        *out = NULL;
    if (!o)
        return DYN_EINVAL;
    DYN__ENTER(o->ctx);
    DYN__TRY(dyn__check_theta(o, theta, out));
    DYN__TRY(dyn__check_flag(o->ctx, "centred", centred));
    DYN__TRY(dyn__need_separate(o, "gradients of samples"));
    double *g = dyn__alloc(o->ctx, (size_t)o->n + 1, (size_t)o->p * sizeof *g);
    double *share = dyn__alloc(o->ctx, (size_t)o->n, sizeof *share);
    dyn_status s = g && share ? dyn_objective_sample_gradients(o, theta, g) : DYN_ENOMEM;
    if (s == DYN_OK && centred)
        centre(o->n, o->p, g, g + o->n * o->p);
    for (int64_t i = 0; share && i < o->n; i++)
        share[i] = o->opt.sum_samples ? 1.0 : 1.0 / (double)o->n;
    if (s == DYN_OK)
        s = dyn_operator_low_rank(o->ctx, o->p, o->p, o->n, g, share, NULL, out);
    dyn__free(o->ctx, share);
    dyn__free(o->ctx, g);
    return s;
}
