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
#include "linalg/narrow.h"
#include "random/random.h"

enum { STIRRED = 8 };        /* products */

static int is_narrow(const dyn_operator *A, int narrow) { return narrow && A->dtype == DYN_F32; }

int64_t dyn__lanczos_bytes(const dyn_operator *A, int64_t capacity, int64_t max_width, int narrow)
{
    const int64_t rows = capacity + max_width, m = capacity;
    const int64_t small = 2 * m * m + m * max_width + DYN__BASIS_ROOM * rows + m;

    if (!is_narrow(A, narrow))
        return (int64_t)sizeof(double) * (rows * A->size + small);
    return (int64_t)sizeof(float) * rows * A->size +
           (int64_t)sizeof(double) * (2 * max_width * A->size + (int64_t)dyn__narrow_scratch(A->ctx, rows) + small);
}

static dyn_status make_rows(dyn__lanczos *l, int narrow)
{
    const size_t rows = (size_t)(l->capacity + l->max_width), n = (size_t)l->n;
    dyn_ctx *ctx = l->A->ctx;

    narrow = is_narrow(l->A, narrow);
    l->V = dyn__alloc(ctx, narrow ? 2 * (size_t)l->max_width : rows, n * sizeof(double));
    if (!l->V || !narrow)
        return l->V ? DYN_OK : DYN_ENOMEM;
    l->F = dyn__alloc(ctx, rows, n * sizeof(float));
    l->scratch = l->F ? dyn__alloc(ctx, dyn__narrow_scratch(ctx, (int64_t)rows), sizeof(double)) : NULL;
    return l->scratch ? DYN_OK : DYN_ENOMEM;
}

dyn_status dyn__lanczos_init(dyn__lanczos *l, dyn_operator *A, int64_t capacity, int64_t max_width, uint64_t seed,
                             int narrow)
{
    size_t rows = (size_t)(capacity + max_width), m = (size_t)capacity;
    dyn_ctx *ctx = A->ctx;

    *l = (dyn__lanczos){ .A = A, .n = A->size, .capacity = capacity, .max_width = max_width, .seed = seed };
    DYN__TRY(make_rows(l, narrow));
    l->T = dyn__alloc(ctx, m, m * sizeof(double));
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
    dyn__free(ctx, l->scratch);
    dyn__free(ctx, l->F);
    dyn__free(ctx, l->V);
}

/* ---- rows ---- */

static double *row(const dyn__lanczos *l, int64_t r)
{
    return l->V + r * l->n;
}

void dyn__lanczos_rows(const dyn__lanczos *l, int64_t first, int64_t count, double *to)
{
    if (l->F)
        dyn__narrow_widen(count * l->n, l->F + first * l->n, to);
    else
        memcpy(to, row(l, first), (size_t)(count * l->n) * sizeof *to);
}

void dyn__lanczos_put(dyn__lanczos *l, int64_t r, const double *x)
{
    if (l->F)
        dyn__narrow_store(l->n, x, l->F + r * l->n);
    else if (x != row(l, r))
        memmove(row(l, r), x, (size_t)l->n * sizeof *x);
}

static void move_rows(dyn__lanczos *l, int64_t to, int64_t from, int64_t count)
{
    const size_t numbers = (size_t)(count * l->n);

    if (l->F)
        memmove(l->F + to * l->n, l->F + from * l->n, numbers * sizeof *l->F);
    else
        memmove(row(l, to), row(l, from), numbers * sizeof *l->V);
}

/* Where row r is worked on before it is put: in its place, or in the room for doubles. */
static double *work_row(const dyn__lanczos *l, int64_t r) { return l->F ? l->V : row(l, r); }

/* Remove rows [0, r) from w and return the norm left; the coefficients are in h. */
static double orthogonalise(dyn__lanczos *l, int64_t r, double *w)
{
    if (l->F)
        dyn__narrow_project_out(l->A->ctx, r, l->n, l->F, w, l->h, l->scratch);
    else
        dyn__basis_project_out(l->A->ctx, r, l->n, l->V, w, l->h);
    return dyn__norm(l->A->ctx, l->n, w);
}

/* Fill row r, r < n, with a random unit vector orthogonal to the rows before it. */
static void draw_row(dyn__lanczos *l, int64_t r)
{
    double *w = work_row(l, r);

    dyn__normal_f64((dyn__key){ .seed = l->seed, .stream = DYN__STREAM_LANCZOS, .step = l->draws++ }, 0, l->n, w);
    for (int twice = 0; twice < 2; twice++)
        dyn__basis_scale(l->n, 1.0 / orthogonalise(l, r, w), w);
    dyn__lanczos_put(l, r, w);
}

void dyn__lanczos_draw(dyn__lanczos *l, int64_t count)
{
    for (int64_t i = 0; i < count && l->j + l->width < l->n; i++)
        draw_row(l, l->j + l->width++);
}

/* h: what the product of row `column` has of the rows before it; T: what theirs had of it. */
static void compare(dyn__lanczos *l, int64_t column)
{
    for (int64_t r = 0; r < column; r++) {
        const double d = l->h[r] - l->T[r * l->capacity + column];

        l->defect += d * d;
    }
    l->compared += column;
}

/* The row behind is free: no further product of the block waits there. */
static int may_stir(const dyn__lanczos *l, int64_t column, int64_t target)
{
    return l->stir > 0.0 && l->products <= STIRRED && !l->F && column + 1 == l->j && target + 1 < l->capacity;
}

/* Adds to w, orthogonal to the rows before `target` and `after` long, something of a random vector; its length then. */
static double stir(dyn__lanczos *l, int64_t target, double *w, double after)
{
    double *r = row(l, target + 1);

    dyn__normal_f64((dyn__key){ .seed = l->seed, .stream = DYN__STREAM_LANCZOS, .step = l->draws++ }, 0, l->n, r);
    dyn__basis_scale(l->n, l->stir * after / dyn__norm(l->A->ctx, l->n, r), r);
    for (int64_t i = 0; i < l->n; i++)
        w[i] += r[i];
    l->stirred += l->stir * after;
    return orthogonalise(l, target, w);
}

/* w is the product of row `column`. Project it, store its column of T and its row of R, and make it (or a random row in
 * its place) the next row of the new block. */
static dyn_status take_product(dyn__lanczos *l, int64_t column, double *w)
{
    int64_t target = l->j + l->width, m = l->capacity;
    double before, after, *R = l->R + column * l->max_width;

    if (!l->F && w != row(l, target))
        w = memmove(row(l, target), w, (size_t)l->n * sizeof *w);
    before = dyn__norm(l->A->ctx, l->n, w);
    after = orthogonalise(l, target, w);
    if (!isfinite(before))
        return DYN__FAIL(l->A->ctx, DYN_ENONFINITE, "the norm of a product overflows; scale the operator");
    compare(l, column);
    for (int64_t r = 0; r < l->j; r++)
        l->T[r * m + column] = l->T[column * m + r] = l->h[r];
    for (int64_t k = 0; k < l->width; k++)
        R[k] = l->h[l->j + k];
    if (may_stir(l, column, target) && after > l->stir * before)
        after = stir(l, target, w, after);
    if (after > fmax(64.0 * DBL_EPSILON * before, DBL_MIN) && target < l->n) {
        dyn__basis_scale(l->n, 1.0 / after, w);
        dyn__lanczos_put(l, target, w);
        R[l->width++] = after;
    } else if (target < l->n) {
        draw_row(l, target);
        l->width++;
        l->defect += after * after;
    }
    return DYN_OK;
}

/* The products of the next block; *y: where they lie. */
static dyn_status multiply(dyn__lanczos *l, double **y)
{
    double *x = l->F ? l->V : row(l, l->j);

    *y = x + (l->F ? l->max_width : l->width) * l->n;
    if (l->F)
        dyn__lanczos_rows(l, l->j, l->width, x);
    return dyn__operator_apply(l->A, l->width, x, *y);
}

/* The couplings of the rows done with the block that is multiplied next. */
static void expect(dyn__lanczos *l, int64_t first, int64_t width)
{
    for (int64_t r = 0; r < first; r++)
        for (int64_t k = 0; k < width; k++)
            l->T[r * l->capacity + first + k] = l->R[r * l->max_width + k];
}

dyn_status dyn__lanczos_expand(dyn__lanczos *l)
{
    int64_t first = l->j, width = l->width;
    double *y;

    DYN__TRY(multiply(l, &y));
    l->products += width;
    l->j += width;
    l->width = 0;
    expect(l, first, width);
    memset(l->R, 0, (size_t)(l->j * l->max_width) * sizeof(double));
    for (int64_t i = 0; i < width; i++)
        DYN__TRY(take_product(l, first + i, y + i * l->n));
    return DYN_OK;
}

void dyn__lanczos_drop(dyn__lanczos *l, int64_t from, int64_t to)
{
    int64_t m = l->capacity, tail = l->j - to;

    move_rows(l, from, to, tail + l->width);
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

double dyn__lanczos_error(const dyn__lanczos *l)
{
    const double rounding = 8.0 * DBL_EPSILON * sqrt((double)l->products) * l->scale;
    const double noise = l->compared ? sqrt((double)l->n / (double)l->compared) : 0.0;

    return sqrt(l->defect) * (1.0 + noise) + l->stirred + rounding;
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
    s = l->F ? dyn__narrow_rotate(l->A->ctx, l->j, l->n, l->F, keep, S)
             : dyn__basis_rotate(l->A->ctx, l->j, l->n, l->V, keep, S);
    if (s >= 0) {
        move_rows(l, keep, l->j, l->width);
        reduce(l, keep, pick, S);
        l->j = keep;
    }
    dyn__free(l->A->ctx, S);
    return s;
}
