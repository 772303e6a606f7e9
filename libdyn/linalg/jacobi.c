/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Singular values to high relative accuracy (Drmac and Veselic): a QR factorisation with pivoting of columns and sorted
 * rows leaves a triangle whose rows, scaled to length 1, are well conditioned if the matrix was one such scaled by rows
 * and columns, and a second one of its transpose. Rotations of pairs of these rows then make them orthogonal; each errs relative to the rows it turns. */
#include <float.h>
#include <math.h>
#include <string.h>
#include "linalg/basis.h"
#include "linalg/dense.h"

enum { MAX_SWEEPS = 60, ROWS = 8, ESTIMATES = 6 };
static const double TINY = 1e-140;      /* of two rows of this length the product may underflow */
static const double LEAST = 1e-290;     /* a shorter row has lost digits and is left as it is */

typedef struct jacobi {
    dyn_ctx *ctx;
    int64_t n, m;
    double *x;              /* [n][m] the columns of the matrix, as rows */
    double **row;           /* [n] of x, in the order of the pivots; then of R */
    double *norm;           /* [n] of what is left of each */
    double *R;              /* [n][n] */
    const double *v;        /* the reflection being applied, from element k on */
    int64_t k;
    double tau;
} jacobi;

/* The elements of every row in descending order of the largest of a place: rows of the matrix, sorted. */
static void sort_places(const jacobi *j, double *key, double *copy, int64_t *place)
{
    for (int64_t c = 0; c < j->m; c++) {
        key[c] = 0.0;
        for (int64_t r = 0; r < j->n; r++)
            key[c] = fmin(key[c], -fabs(j->x[r * j->m + c]));
    }
    dyn__sort_places(0, j->m, key, place);
    for (int64_t r = 0; r < j->n; r++) {
        memcpy(copy, j->x + r * j->m, (size_t)j->m * sizeof *copy);
        for (int64_t c = 0; c < j->m; c++)
            j->x[r * j->m + c] = copy[place[c]];
    }
}

/* The reflection of row k from element k on: v takes the row's place, its first element is 1. Returns R_kk. */
static double reflection(jacobi *j, double *x, int64_t length)
{
    double alpha = x[0], rest = dyn__norm(j->ctx, length - 1, x + 1), beta = alpha;

    j->tau = 0.0;
    if (rest > 0.0) {
        beta = -copysign(hypot(alpha, rest), alpha);
        j->tau = (beta - alpha) / beta;
        dyn__basis_divide(length - 1, alpha - beta, x + 1);
    }
    x[0] = 1.0;
    return beta;
}

static void reflect_rows(void *arg, int64_t task, int worker)
{
    const jacobi *j = arg;
    int64_t first = j->k + 1 + task * ROWS, end = first + ROWS < j->n ? first + ROWS : j->n, length = j->m - j->k;

    (void)worker;
    for (int64_t r = first; r < end; r++) {
        double *x = j->row[r] + j->k, step = -j->tau * dyn__basis_dot(j->ctx, length, x, j->v);

        if (step != 0.0)
            dyn__basis_combine(j->ctx, 1, length, j->v, &step, x);
        j->norm[r] = dyn__norm(j->ctx, length - 1, x + 1);
    }
}

static void choose_pivot(jacobi *j)
{
    int64_t best = j->k;
    double *row, norm;

    for (int64_t r = j->k + 1; r < j->n; r++)
        if (j->norm[r] > j->norm[best])
            best = r;
    row = j->row[best];
    norm = j->norm[best];
    j->row[best] = j->row[j->k];
    j->norm[best] = j->norm[j->k];
    j->row[j->k] = row;
    j->norm[j->k] = norm;
}

/* R [n][n] from x. */
static void factorise(jacobi *j)
{
    for (int64_t r = 0; r < j->n; r++) {
        j->row[r] = j->x + r * j->m;
        j->norm[r] = dyn__norm(j->ctx, j->m, j->row[r]);
    }
    for (j->k = 0; j->k < j->n && !dyn__interrupted(j->ctx); j->k++) {
        choose_pivot(j);
        j->v = j->row[j->k] + j->k;
        j->R[j->k * j->n + j->k] = reflection(j, j->row[j->k] + j->k, j->m - j->k);
        dyn__parallel(j->ctx, (j->n - j->k - 2 + ROWS) / ROWS, reflect_rows, j);
    }
    for (int64_t c = 1; c < j->n; c++)
        for (int64_t r = 0; r < c; r++)
            j->R[r * j->n + c] = j->row[c][r];
}

/* The triangle of the transposed triangle, in the place of x: nearer to orthogonal rows, so that few sweeps are left. */
static void factorise_again(jacobi *j)
{
    double *free = j->x;

    memset(free, 0, (size_t)(j->n * j->n) * sizeof *free);
    j->x = j->R;
    j->R = free;
    j->m = j->n;
    factorise(j);
}

/* y = R^-T y, then y = R^-1 y, of R with its columns divided by length [n]. */
static void solve_normal(const jacobi *j, const double *length, double *y)
{
    const int64_t n = j->n;

    for (int64_t c = 0; c < n; c++) {
        double sum = y[c] * length[c];

        for (int64_t r = 0; r < c; r++)
            sum -= j->R[r * n + c] * y[r];
        y[c] = sum / j->R[c * n + c];
    }
    for (int64_t r = n - 1; r >= 0; r--) {
        double sum = y[r];

        for (int64_t c = r + 1; c < n; c++)
            sum -= j->R[r * n + c] * (y[c] / length[c]);
        y[r] = sum / j->R[r * n + r] * length[r];
    }
}

/* Of the matrix with columns of length 1: at most sqrt(n) over its smallest singular value, from inverse iteration. */
static double condition_of(const jacobi *j, double *length, double *y)
{
    double growth = 1.0;

    for (int64_t c = 0; c < j->n; c++) {
        double sum = 0.0;

        for (int64_t r = 0; r <= c; r++)
            sum = hypot(sum, j->R[r * j->n + c]);
        if (j->R[c * j->n + c] == 0.0)
            return HUGE_VAL;
        length[c] = sum;
        y[c] = c % 2 ? -1.0 : 1.0;
    }
    for (int k = 0; k < ESTIMATES; k++) {
        dyn__basis_divide(j->n, dyn__norm(j->ctx, j->n, y), y);
        solve_normal(j, length, y);
        growth = dyn__norm(j->ctx, j->n, y);
    }
    return sqrt((double)j->n) * sqrt(growth);
}

/* The cosine between two rows of lengths a and b. */
static double cosine(const jacobi *j, const double *x, const double *y, double a, double b)
{
    double sum = 0.0;

    if (a > TINY && b > TINY)
        return dyn__basis_dot(j->ctx, j->n, x, y) / a / b;
    for (int64_t i = 0; i < j->n; i++)
        sum += x[i] / a * (y[i] / b);
    return sum;
}

/* By a rotation of cosine c and sine s, written as what it adds, so that many small ones do not drift. */
static void turn(int64_t n, double c, double s, double *x, double *y)
{
    double half = s / (1.0 + c);

    for (int64_t i = 0; i < n; i++) {
        double t = x[i];

        x[i] = t - s * (y[i] + half * t);
        y[i] = y[i] + s * (t - half * y[i]);
    }
}

/* The longer row of a pair goes first; then, unless they are orthogonal, they are made so. 1 if they were not. */
static int orthogonalise(const jacobi *j, int64_t p, int64_t q, double limit)
{
    double a, b, cos, zeta, t, c, *x;

    if (j->norm[p] < j->norm[q]) {
        x = j->row[p];
        a = j->norm[p];
        j->row[p] = j->row[q];
        j->norm[p] = j->norm[q];
        j->row[q] = x;
        j->norm[q] = a;
    }
    a = j->norm[p];
    b = j->norm[q];
    if (b < LEAST || !(fabs(cos = cosine(j, j->row[p], j->row[q], a, b)) > limit))
        return 0;
    zeta = (b / a - a / b) / (2.0 * cos);
    t = fabs(zeta) < 1e8 ? copysign(1.0, zeta) / (fabs(zeta) + sqrt(1.0 + zeta * zeta)) : 0.5 / zeta;
    c = 1.0 / sqrt(1.0 + t * t);
    turn(j->n, c, c * t, j->row[p], j->row[q]);
    j->norm[p] = dyn__norm(j->ctx, j->n, j->row[p]);
    j->norm[q] = dyn__norm(j->ctx, j->n, j->row[q]);
    return 1;
}

static dyn_status sweep_all(jacobi *j)
{
    double limit = DBL_EPSILON * sqrt((double)j->n);

    for (int64_t r = 0; r < j->n; r++) {
        j->row[r] = j->R + r * j->n;
        j->norm[r] = dyn__norm(j->ctx, j->n, j->row[r]);
    }
    for (int k = 0; k < MAX_SWEEPS; k++) {
        int64_t turned = 0;

        for (int64_t p = 0; p < j->n; p++) {
            DYN__TRY(dyn__check_interrupt(j->ctx));
            for (int64_t q = p + 1; q < j->n; q++)
                turned += orthogonalise(j, p, q, limit);
        }
        if (turned == 0)
            return DYN_OK;
    }
    return DYN__FAIL(j->ctx, DYN_EINTERNAL, "Jacobi rotations do not end after %d sweeps", MAX_SWEEPS);
}

static dyn_status run(jacobi *j, double *work, int64_t *place, double *s, double *condition)
{
    sort_places(j, work, work + j->m, place);
    factorise(j);
    DYN__TRY(dyn__check_interrupt(j->ctx));
    *condition = condition_of(j, work, work + j->n);
    factorise_again(j);
    DYN__TRY(sweep_all(j));
    for (int64_t i = 0; i < j->n; i++)
        work[i] = -j->norm[i];
    dyn__sort_places(0, j->n, work, place);
    for (int64_t i = 0; i < j->n; i++)
        s[i] = j->norm[place[i]];
    return DYN_OK;
}

dyn_status dyn__jacobi(dyn_ctx *ctx, int64_t n, int64_t m, double *x, double *s, double *condition)
{
    jacobi j = { .ctx = ctx, .n = n, .m = m, .x = x };
    double *work = dyn__alloc(ctx, (size_t)(2 * m + n), sizeof *work);
    double *triangle;
    int64_t *place = dyn__alloc(ctx, (size_t)m, sizeof *place);
    dyn_status status = DYN_ENOMEM;

    j.row = dyn__alloc(ctx, (size_t)n, sizeof *j.row);
    j.R = dyn__alloc(ctx, (size_t)n, (size_t)n * sizeof *j.R);
    triangle = j.R;
    if (work && place && j.row && triangle) {
        j.norm = work + 2 * m;
        status = run(&j, work, place, s, condition);
    }
    dyn__free(ctx, triangle);
    dyn__free(ctx, j.row);
    dyn__free(ctx, place);
    dyn__free(ctx, work);
    return status;
}
