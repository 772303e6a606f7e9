/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Eigenpairs of a symmetric tridiagonal matrix by divide and conquer (Cuppen; Gu and Eisenstat). The matrix is torn in
 * two halves and a matrix of rank one, down to leaves that QL solves. Two halves with eigenvalues d and vectors Q join as
 * the eigenproblem of diag(d) + rho z z^T: a d with a small z, or one of two nearly equal d after a rotation, is one of
 * its values already; the others are the roots of 1 + rho sum z_j^2 / (d_j - x), one task each, by LAPACK's scalar root
 * finder. z is then made anew for the roots as they were found, whatever their errors, so that vectors are orthogonal.
 * All vectors are rows. No BLAS is called, and bits depend on the sizes only. */
#include <float.h>
#include <math.h>
#include <string.h>
#include "linalg/dense.h"
#include "linalg/lapack.h"

enum { LEAF = 32, ROWS = 96, LARGE = 256, MAX_BLOCKS = 2048, MAX_STEPS = 60 };

typedef struct divide {
    dyn_ctx *ctx;
    int64_t n;
    double *d, *e;                  /* of the matrix, torn; d becomes the eigenvalues */
    double *Q;                      /* [n][n] vectors, as rows */
    double *old, *S;                /* [n][n] vectors to be joined; those of the joint problem */
    double *z, *pole, *weight;      /* [n] */
    double *scratch;                /* [workers][2 rows][n] */
    int64_t rows;                   /* joined by one task */
    int64_t *place, *kept;          /* [n] rows by value; rows that are poles */
    unsigned char *half;            /* [n] */
    int64_t begin[MAX_BLOCKS + 1];  /* of the blocks of this level */
    int64_t blocks;
    _Atomic int failed;
} divide;

/* Where a vector has elements that are not zero. */
enum { FIRST, BOTH, SECOND };

/* A join: rows and columns [a, c) from [a, b) and [b, c), and what deflation left. */
typedef struct join {
    divide *v;
    int64_t a, b, c;
    int64_t count;                  /* poles */
    int64_t of[3];                  /* of them in the first half, in both, in the second */
    double rho;
} join;

/* ---- leaves: QL with implicit shifts ---- */

static void rotate(int64_t n, double c, double s, double *x, double *y)
{
    for (int64_t i = 0; i < n; i++) {
        double t = y[i];

        y[i] = s * x[i] + c * t;
        x[i] = c * x[i] - s * t;
    }
}

/* One sweep from row m up to row l; Q has rows of length ld of which n count. */
static void ql_sweep(double *d, double *e, int64_t l, int64_t m, double *Q, int64_t n, int64_t ld)
{
    double g = (d[l + 1] - d[l]) / (2.0 * e[l]), c = 1.0, s = 1.0, p = 0.0;

    g = d[m] - d[l] + e[l] / (g + copysign(hypot(g, 1.0), g));
    for (int64_t i = m - 1; i >= l; i--) {
        double f = s * e[i], b = c * e[i], r = hypot(f, g);

        if (i + 1 < m)
            e[i + 1] = r;
        if (r == 0.0) {
            d[i + 1] -= p;
            return;
        }
        s = f / r;
        c = g / r;
        g = d[i + 1] - p;
        r = (d[i] - g) * s + 2.0 * c * b;
        p = s * r;
        d[i + 1] = g + p;
        g = c * r - b;
        rotate(n, c, s, Q + i * ld, Q + (i + 1) * ld);
    }
    d[l] -= p;
    e[l] = g;
}

static int64_t small_coupling(int64_t n, const double *d, const double *e, int64_t l)
{
    for (; l + 1 < n; l++)
        if (fabs(e[l]) <= DBL_EPSILON * 0.5 * sqrt(fabs(d[l])) * sqrt(fabs(d[l + 1])) || fabs(e[l]) < DBL_MIN)
            break;
    return l;
}

static int ql(int64_t n, double *d, double *e, double *Q, int64_t ld)
{
    for (int64_t i = 0; i < n; i++)
        Q[i * ld + i] = 1.0;
    for (int64_t l = 0; l < n; l++)
        for (int step = 0;; step++) {
            int64_t m = small_coupling(n, d, e, l);

            if (m == l)
                break;
            if (step == MAX_STEPS)
                return 0;
            ql_sweep(d, e, l, m, Q, n, ld);
        }
    return 1;
}

static void solve_leaf(void *arg, int64_t leaf, int worker)
{
    divide *v = arg;
    int64_t a = v->begin[leaf], n = v->begin[leaf + 1] - a;
    double e[LEAF] = { 0 };

    (void)worker;
    memcpy(e, v->e + a, (size_t)(n - 1) * sizeof *e);
    if (!ql(n, v->d + a, e, v->Q + a * v->n + a, v->n))
        v->failed = 1;
}

/* ---- the joint problem ---- */

/* z of unit length and the order of the poles. */
static void begin_join(join *j)
{
    const divide *v = j->v;
    double coupling = v->e[j->b - 1], sign = coupling < 0.0 ? -1.0 : 1.0;

    j->rho = 2.0 * fabs(coupling);
    for (int64_t i = j->a; i < j->c; i++) {
        v->z[i] = sqrt(0.5) * (i < j->b ? v->Q[i * v->n + j->b - 1] : sign * v->Q[i * v->n + j->b]);
        v->half[i] = i < j->b ? FIRST : SECOND;
    }
    dyn__sort_places(j->a, j->c, v->d, v->place);
}

/* If turning rows p and q so that z_p vanishes couples them by no more than the limit: turn. */
static int merge(const join *j, int64_t p, int64_t q, double limit)
{
    const divide *v = j->v;
    double r = hypot(v->z[p], v->z[q]), c = v->z[q] / r, s = v->z[p] / r, dp = v->d[p], dq = v->d[q];

    if (fabs((dq - dp) * c * s) > limit)
        return 0;
    v->z[q] = r;
    v->z[p] = 0.0;
    rotate(j->c - j->a, c, s, v->Q + p * v->n + j->a, v->Q + q * v->n + j->a);
    v->d[p] = dp * c * c + dq * s * s;
    v->d[q] = dp * s * s + dq * c * c;
    if (v->half[p] != v->half[q])
        v->half[p] = v->half[q] = BOTH;
    return 1;
}

/* The rows that stay poles, by ascending d. */
static void deflate(join *j)
{
    const divide *v = j->v;
    int64_t *kept = v->kept + j->a;
    double most = 0.0, limit;

    for (int64_t i = j->a; i < j->c; i++)
        most = fmax(most, fmax(fabs(v->d[i]), fabs(v->z[i])));
    limit = 4.0 * DBL_EPSILON * most;
    for (int64_t i = j->a; i < j->c; i++) {
        int64_t q = v->place[i];

        if (j->rho * fabs(v->z[q]) <= limit)
            continue;
        if (j->count > 0 && merge(j, kept[j->count - 1], q, limit))
            kept[j->count - 1] = q;
        else
            kept[j->count++] = q;
    }
}

/* Copies of the poles and, grouped by halves, of their vectors; place: of each pole in its group. */
static void gather(join *j)
{
    const divide *v = j->v;
    int64_t width = j->c - j->a, next[3];

    for (int64_t k = 0; k < j->count; k++)
        j->of[v->half[v->kept[j->a + k]]]++;
    next[FIRST] = 0;
    next[BOTH] = j->of[FIRST];
    next[SECOND] = j->of[FIRST] + j->of[BOTH];
    for (int64_t k = 0; k < j->count; k++) {
        int64_t row = v->kept[j->a + k], to = v->place[j->a + k] = next[v->half[row]]++;

        v->pole[j->a + k] = v->d[row];
        v->weight[j->a + k] = v->z[row];
        memcpy(v->old + j->a * v->n + to * width, v->Q + row * v->n + j->a, (size_t)width * sizeof(double));
    }
}

static void solve_root(void *arg, int64_t i, int worker)
{
    const join *j = arg;
    divide *v = j->v;
    int32_t count = (int32_t)j->count, number = (int32_t)i + 1, info = 0;

    (void)worker;
    dlaed4_(&count, &number, v->pole + j->a, v->weight + j->a, v->S + j->a * v->n + i * j->count, &j->rho,
            v->d + v->kept[j->a + i], &info);
    if (info != 0)
        v->failed = 1;
}

/* The z_k of which the roots, as they were found, are the exact ones. */
static void renew_weight(void *arg, int64_t k, int worker)
{
    const join *j = arg;
    const divide *v = j->v;
    const double *delta = v->S + j->a * v->n, *pole = v->pole + j->a;
    double product = delta[k * j->count + k];

    (void)worker;
    for (int64_t i = 0; i < j->count; i++)
        if (i != k)
            product *= delta[i * j->count + k] / (pole[i] - pole[k]);
    v->z[j->a + k] = copysign(sqrt(fabs(product)), v->weight[j->a + k]);
}

/* Vector i of the joint problem in the place of its differences. */
static void make_vector(void *arg, int64_t i, int worker)
{
    const join *j = arg;
    const divide *v = j->v;
    double *s = v->S + j->a * v->n + i * j->count, norm;

    (void)worker;
    for (int64_t k = 0; k < j->count; k++)
        s[k] = v->z[j->a + k] / s[k];
    norm = dyn__norm(v->ctx, j->count, s);
    for (int64_t k = 0; k < j->count; k++)
        s[k] /= norm;
}

/* out [rows][width] from column `from` on: the vectors p times a run of the gathered ones. */
static void product(const join *j, int64_t rows, int64_t first, int64_t count, int64_t from, int64_t cols,
                    const double *p, double *out)
{
    int64_t width = j->c - j->a;
    dyn__gemm g = { .dtype = DYN_F64, .m = rows, .n = cols, .k = count, .lda = j->count, .ldb = width, .ldc = width };

    if (count > 0 && dyn__plan_panel(j->v->ctx, &g) == DYN_OK)
        dyn__gemm_run(&g, p + first, j->v->old + j->a * j->v->n + first * width + from, out + from);
    else
        for (int64_t r = 0; r < rows; r++)
            memset(out + r * width + from, 0, (size_t)cols * sizeof *out);
}

/* Some rows of the joint problem's vectors times the gathered ones, each half from those that reach it. */
static void join_rows(void *arg, int64_t task, int worker)
{
    const join *j = arg;
    const divide *v = j->v;
    int64_t width = j->c - j->a, i = task * v->rows, rows = j->count - i < v->rows ? j->count - i : v->rows;
    double *p = v->scratch + worker * 2 * v->rows * v->n, *out = p + v->rows * v->n;

    if (dyn__interrupted(v->ctx))
        return;
    for (int64_t r = 0; r < rows; r++)
        for (int64_t k = 0; k < j->count; k++)
            p[r * j->count + v->place[j->a + k]] = v->S[j->a * v->n + (i + r) * j->count + k];
    product(j, rows, 0, j->of[FIRST] + j->of[BOTH], 0, j->b - j->a, p, out);
    product(j, rows, j->of[FIRST], j->of[BOTH] + j->of[SECOND], j->b - j->a, j->c - j->b, p, out);
    for (int64_t r = 0; r < rows; r++)
        memcpy(v->Q + v->kept[j->a + i + r] * v->n + j->a, out + r * width, (size_t)width * sizeof *out);
}

static void run_join(join *j)
{
    const divide *v = j->v;

    begin_join(j);
    deflate(j);
    gather(j);
    if (j->count == 0)
        return;
    dyn__parallel(v->ctx, j->count, solve_root, j);
    if (j->count == 1)
        return;
    if (j->count > 2) {             /* of two poles the root finder gives the vectors themselves */
        dyn__parallel(v->ctx, j->count, renew_weight, j);
        dyn__parallel(v->ctx, j->count, make_vector, j);
    }
    dyn__parallel(v->ctx, (j->count + v->rows - 1) / v->rows, join_rows, j);
}

static void join_pair(void *arg, int64_t i, int worker)
{
    divide *v = arg;
    join j = { .v = v, .a = v->begin[2 * i], .b = v->begin[2 * i + 1], .c = v->begin[2 * i + 2] };

    (void)worker;
    run_join(&j);
}

/* ---- all of it ---- */

static void tear(divide *v)
{
    for (v->blocks = 1; (v->n + v->blocks - 1) / v->blocks > LEAF; v->blocks *= 2)
        continue;
    for (int64_t i = 0; i <= v->blocks; i++)
        v->begin[i] = v->n * i / v->blocks;
    for (int64_t i = 1; i < v->blocks; i++) {
        int64_t b = v->begin[i];

        v->d[b - 1] -= fabs(v->e[b - 1]);
        v->d[b] -= fabs(v->e[b - 1]);
    }
}

/* One level: large joins one after the other, each on all threads, small ones side by side. */
static void join_level(divide *v)
{
    int64_t joins = v->blocks / 2;

    if (v->n / joins >= LARGE)
        for (int64_t i = 0; i < joins; i++)
            join_pair(v, i, 0);
    else
        dyn__parallel(v->ctx, joins, join_pair, v);
    v->blocks = joins;
    for (int64_t i = 0; i <= joins; i++)
        v->begin[i] = v->begin[2 * i];
}

/* Scale to about 1, so that one limit says what is negligible; the exponent. */
static int scale(int64_t n, double *d, double *e)
{
    double most = 0.0;
    int exponent;

    for (int64_t i = 0; i < n; i++)
        most = fmax(most, fmax(fabs(d[i]), i + 1 < n ? fabs(e[i]) : 0.0));
    frexp(most, &exponent);
    for (int64_t i = 0; i < n; i++) {
        d[i] = ldexp(d[i], -exponent);
        if (i + 1 < n)
            e[i] = ldexp(e[i], -exponent);
    }
    return exponent;
}

static dyn_status run(divide *v, double *values, double *vectors)
{
    int exponent = scale(v->n, v->d, v->e);

    tear(v);
    dyn__parallel(v->ctx, v->blocks, solve_leaf, v);
    while (v->blocks > 1 && !v->failed) {
        join_level(v);
        DYN__TRY(dyn__check_interrupt(v->ctx));
    }
    if (v->failed)
        return DYN__FAIL(v->ctx, DYN_EINTERNAL, "eigenvalues of a tridiagonal matrix of size %lld do not converge",
                         (long long)v->n);
    dyn__sort_places(0, v->n, v->d, v->place);
    for (int64_t i = 0; i < v->n; i++) {
        values[i] = ldexp(v->d[v->place[i]], exponent);
        memcpy(vectors + i * v->n, v->Q + v->place[i] * v->n, (size_t)v->n * sizeof *vectors);
    }
    return DYN_OK;
}

dyn_status dyn__tridiagonal_pairs(dyn_ctx *ctx, int64_t n, double *d, double *e, double *values, double *vectors)
{
    size_t room = (size_t)n, rows = n < ROWS ? room : ROWS, workers = (size_t)dyn__workers(ctx);
    divide *v = dyn__alloc(ctx, 1, sizeof *v);
    double *block = dyn__alloc(ctx, 2 * room + 3 + 2 * rows * workers, room * sizeof *block);
    int64_t *index = dyn__alloc(ctx, room, 3 * sizeof *index);
    dyn_status s = DYN_ENOMEM;

    if (v && block && index) {
        *v = (divide){ .ctx = ctx, .n = n, .d = d, .e = e, .Q = block, .S = block + n * n, .old = vectors,
                       .rows = (int64_t)rows };
        v->z = block + 2 * n * n;
        v->pole = v->z + n;
        v->weight = v->pole + n;
        v->scratch = v->weight + n;
        v->place = index;
        v->kept = index + n;
        v->half = (unsigned char *)(index + 2 * n);
        s = run(v, values, vectors);
    }
    dyn__free(ctx, index);
    dyn__free(ctx, block);
    dyn__free(ctx, v);
    return s;
}
