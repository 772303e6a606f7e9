/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Block Lanczos with thick restart: see lanczos.h for the decomposition kept. A product that lies in the span of
 * the basis (an invariant subspace, a zero operator) is replaced by a random direction with coupling zero; when
 * there is no direction left the block shrinks. */
#include <float.h>
#include <math.h>
#include <string.h>
#include "linalg/basis.h"
#include "linalg/dense.h"
#include "linalg/lanczos.h"
#include "random/random.h"

dyn_status dyn__lanczos_init(dyn__lanczos *l, dyn_operator *A, int64_t capacity, int64_t max_width, uint64_t seed)
{
    size_t rows = (size_t)(capacity + max_width), m = (size_t)capacity;
    dyn_ctx *ctx = A->ctx;

    *l = (dyn__lanczos){ .A = A, .n = A->size, .capacity = capacity, .max_width = max_width, .seed = seed };
    l->V = dyn__alloc(ctx, rows, (size_t)l->n * sizeof(double));
    l->T = l->V ? dyn__alloc(ctx, m, m * sizeof(double)) : NULL;
    l->Y = l->T ? dyn__alloc(ctx, m, m * sizeof(double)) : NULL;
    l->R = l->Y ? dyn__alloc(ctx, m, (size_t)max_width * sizeof(double)) : NULL;
    l->h = l->R ? dyn__alloc(ctx, DYN__BASIS_ROOM * rows, sizeof(double)) : NULL;
    l->theta = l->h ? dyn__alloc(ctx, m, sizeof(double)) : NULL;
    return l->theta ? DYN_OK : DYN_ENOMEM;
}

void dyn__lanczos_free(dyn__lanczos *l)
{
    dyn_ctx *ctx = l->A->ctx;

    dyn__free(ctx, l->theta);
    dyn__free(ctx, l->h);
    dyn__free(ctx, l->R);
    dyn__free(ctx, l->Y);
    dyn__free(ctx, l->T);
    dyn__free(ctx, l->V);
}

static double *row(const dyn__lanczos *l, int64_t r)
{
    return l->V + r * l->n;
}

/* Remove rows [0, r) from row r and return the norm left; the coefficients are in h. */
static double orthogonalise(dyn__lanczos *l, int64_t r)
{
    dyn__basis_project_out(l->A->ctx, r, l->n, l->V, row(l, r), l->h);
    return dyn__norm(l->A->ctx, l->n, row(l, r));
}

/* Fill row r, r < n, with a random unit vector orthogonal to the rows before it. */
static void draw_row(dyn__lanczos *l, int64_t r)
{
    double norm;

    dyn__normal_f64((dyn__key){ .seed = l->seed, .stream = DYN__STREAM_LANCZOS, .step = l->draws++ }, 0, l->n,
                    row(l, r));
    norm = orthogonalise(l, r);
    dyn__basis_scale(l->n, 1.0 / norm, row(l, r));
    norm = orthogonalise(l, r);
    dyn__basis_scale(l->n, 1.0 / norm, row(l, r));
}

void dyn__lanczos_draw(dyn__lanczos *l, int64_t count)
{
    for (int64_t i = 0; i < count && l->j + l->width < l->n; i++)
        draw_row(l, l->j + l->width++);
}

/* The product of row `column` lies in row `from`. Project it, store its column of T and its row of R, and make it (or
 * a random row in its place) the next row of the new block. */
static dyn_status take_product(dyn__lanczos *l, int64_t column, int64_t from)
{
    int64_t target = l->j + l->width, m = l->capacity;
    double before, after, *R = l->R + column * l->max_width;

    if (target != from)
        memmove(row(l, target), row(l, from), (size_t)l->n * sizeof(double));
    before = dyn__norm(l->A->ctx, l->n, row(l, target));
    after = orthogonalise(l, target);
    if (!isfinite(before))
        return DYN__FAIL(l->A->ctx, DYN_ENONFINITE, "the norm of a product overflows; scale the operator");
    for (int64_t r = 0; r <= column; r++)
        l->T[r * m + column] = l->T[column * m + r] = l->h[r];
    for (int64_t k = 0; k < l->width; k++)
        R[k] = l->h[l->j + k];
    if (after > fmax(64.0 * DBL_EPSILON * before, DBL_MIN) && target < l->n) {
        dyn__basis_scale(l->n, 1.0 / after, row(l, target));
        R[l->width++] = after;
    } else if (target < l->n) {
        draw_row(l, target);
        l->width++;
    }
    return DYN_OK;
}

dyn_status dyn__lanczos_expand(dyn__lanczos *l)
{
    int64_t first = l->j, width = l->width;

    DYN__TRY(dyn__operator_apply(l->A, width, row(l, first), row(l, first + width)));
    l->products += width;
    l->j += width;
    l->width = 0;
    memset(l->R, 0, (size_t)(l->j * l->max_width) * sizeof(double));
    for (int64_t i = 0; i < width; i++)
        DYN__TRY(take_product(l, first + i, l->j + i));
    return DYN_OK;
}

void dyn__lanczos_drop(dyn__lanczos *l, int64_t from, int64_t to)
{
    int64_t m = l->capacity, tail = l->j - to;

    memmove(row(l, from), row(l, to), (size_t)((tail + l->width) * l->n) * sizeof(double));
    for (int64_t r = 0; r < tail; r++) {
        for (int64_t c = 0; c < from; c++)
            l->T[(from + r) * m + c] = l->T[c * m + from + r] = l->T[(to + r) * m + c];
        for (int64_t c = 0; c < tail; c++)
            l->T[(from + r) * m + from + c] = l->T[(to + r) * m + to + c];
    }
    l->j = from + tail;
    memset(l->R, 0, (size_t)(l->j * l->max_width) * sizeof(double));
}

dyn_status dyn__lanczos_ritz(dyn__lanczos *l)
{
    for (int64_t r = 0; r < l->j; r++)
        memcpy(l->Y + r * l->j, l->T + r * l->capacity, (size_t)l->j * sizeof(double));
    DYN__TRY(dyn__eigh(l->A->ctx, l->j, l->Y, l->theta, 1));
    l->scale = fmax(l->scale, fmax(fabs(l->theta[0]), fabs(l->theta[l->j - 1])));
    return DYN_OK;
}

/* Coupling of the vector with coefficients y [j] and row k of the next block. */
static double coupling(const dyn__lanczos *l, const double *y, int64_t k)
{
    double sum = 0.0;

    for (int64_t r = 0; r < l->j; r++)
        sum += y[r] * l->R[r * l->max_width + k];
    return sum;
}

double dyn__lanczos_residual(const dyn__lanczos *l, int64_t i)
{
    double norm = 0.0;

    for (int64_t k = 0; k < l->width; k++)
        norm = hypot(norm, coupling(l, l->Y + i * l->j, k));
    return norm;
}

/* T becomes diagonal, R = S R. */
static void reduce(dyn__lanczos *l, int64_t keep, const int64_t *pick, const double *S)
{
    int64_t m = l->capacity;

    memset(l->T, 0, (size_t)(m * m) * sizeof(double));
    for (int64_t k = 0; k < keep; k++)
        l->T[k * m + k] = l->theta[pick[k]];
    for (int64_t c = 0; c < l->width; c++) {
        for (int64_t k = 0; k < keep; k++)
            l->h[k] = coupling(l, S + k * l->j, c);
        for (int64_t k = 0; k < keep; k++)
            l->R[k * l->max_width + c] = l->h[k];
    }
}

dyn_status dyn__lanczos_restart(dyn__lanczos *l, int64_t keep, const int64_t *pick)
{
    double *S = dyn__alloc(l->A->ctx, (size_t)keep, (size_t)l->j * sizeof(double));
    dyn_status s;

    if (!S)
        return DYN_ENOMEM;
    for (int64_t k = 0; k < keep; k++)
        memcpy(S + k * l->j, l->Y + pick[k] * l->j, (size_t)l->j * sizeof(double));
    s = dyn__basis_rotate(l->A->ctx, l->j, l->n, l->V, keep, S);
    if (s >= 0) {
        memmove(row(l, keep), row(l, l->j), (size_t)(l->width * l->n) * sizeof(double));
        reduce(l, keep, pick, S);
        l->j = keep;
    }
    dyn__free(l->A->ctx, S);
    return s;
}
