/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Every measurement of an operator on every kind of operator that breaks programs: zero, the identity, one row, indefinite,
 * singular, products in single precision, NaN, products that stop; the closed form's value within what is said of its error,
 * the documented error where there is none, no memory left behind at any allocation that fails, the same bits for any number
 * of threads. The operators are diagonal, so all values are sums over d. */
#include "linalg_fixture.h"
#include "oom/oom.h"

enum { N = 70, NUMBERS = 4 };

/* ---- operators ---- */

typedef struct kind {
    const char *name;
    int64_t n;
    int single;             /* products are rounded to float */
    double (*entry)(int64_t i);
} kind;

static double nothing(int64_t i) { return 0.0 * (double)i; }
static double one(int64_t i) { return 1.0 + 0.0 * (double)i; }
static double three(int64_t i) { return 3.0 + (double)i; }
static double minus_two(int64_t i) { return -2.0 - (double)i; }
static double indefinite(int64_t i) { return i < 3 ? 6.0 - (double)i : i < 6 ? -7.0 + (double)i : sin((double)i); }
static double singular(int64_t i) { return i % 2 ? 0.0 : 1.0 + (double)(i % 7); }
static double bulk(int64_t i) { return i == 0 ? 5.0 : 1.0 + 0.01 * (double)(i % 50); }

static const kind kinds[] = {
    { "zero", N, 0, nothing }, { "identity", N, 0, one }, { "one row", 1, 0, three }, { "one negative row", 1, 0, minus_two },
    { "indefinite", N, 0, indefinite }, { "singular", N, 0, singular }, { "single precision", N, 1, bulk },
};
#define EACH(x, list) for (size_t x = 0; x < sizeof list / sizeof *list; x++)

typedef struct subject {
    const kind *k;
    int64_t calls, fail_at, nan_at;
} subject;

static int32_t multiply(void *user, int64_t count, const double *x, double *y)
{
    subject *s = user;
    const int64_t n = s->k->n;

    s->calls++;
    for (int64_t i = 0; i < count * n; i++) {
        y[i] = s->k->entry(i % n) * x[i];
        y[i] = s->k->single ? (double)(float)y[i] : y[i];
    }
    if (s->calls == s->nan_at)
        y[0] = (double)NAN;
    return s->calls == s->fail_at ? 7 : 0;
}

static double sum(const kind *k, double (*f)(double))
{
    double total = 0.0;

    for (int64_t i = 0; i < k->n; i++)
        total += f(k->entry(i));
    return total;
}

/* ---- measurements: value, and what it says of its error ---- */

static double itself(double h) { return h; }
static double square(double h) { return h * h; }
static double damped(double h) { return fmax(h, 0.0) / (fmax(h, 0.0) + 0.5); }
static double negative(double h) { return h < -0.5; }
static double logarithm(double h) { return log(h + 8.0); }

static dyn_status trace_by(dyn_operator *A, int32_t method, double *v)
{
    dyn_trace_options opt = DYN_TRACE_OPTIONS_INIT;

    opt.method = method;
    opt.products = 24;
    return dyn_operator_trace(A, &opt, &v[0], &v[1]);
}

static dyn_status hutchpp(dyn_operator *A, double *v) { return trace_by(A, DYN_TRACE_HUTCHPP, v); }
static dyn_status hutchinson(dyn_operator *A, double *v) { return trace_by(A, DYN_TRACE_HUTCHINSON, v); }
static dyn_status by_xtrace(dyn_operator *A, double *v) { return trace_by(A, DYN_TRACE_XTRACE, v); }
static double exact_trace(const kind *k) { return sum(k, itself); }

/* The sum of the diagonal, and of its errors. */
static dyn_status diagonal(dyn_operator *A, double *v)
{
    double d[N], error[N];
    const dyn_status s = dyn_operator_diagonal(A, 4, 3, d, error);

    v[0] = v[1] = 0.0;
    for (int64_t i = 0; s >= 0 && i < dyn_operator_size(A); i++) {
        v[0] += d[i];
        v[1] += error[i];
    }
    return s;
}

static dyn_status frobenius(dyn_operator *A, double *v) { return dyn_operator_frobenius(A, 8, 1, &v[0], &v[1]); }
static double exact_frobenius(const kind *k) { return sqrt(sum(k, square)); }

static double largest_size(const kind *k)
{
    double most = 0.0;

    for (int64_t i = 0; i < k->n; i++)
        most = fmax(most, fabs(k->entry(i)));
    return most;
}

static dyn_status stable_rank(dyn_operator *A, double *v)
{
    const dyn_status s = dyn_operator_stable_rank(A, 8, 1e-6, 1, &v[0], &v[1]);

    return s == DYN_NOT_CONVERGED ? DYN_OK : s;
}

static double exact_stable_rank(const kind *k)
{
    return largest_size(k) > 0.0 ? sum(k, square) / square(largest_size(k)) : 0.0;
}

enum { PROBES = 3 };
static dyn_ctx *in_use;        /* of the operator measured */

static dyn_status by_density(dyn_operator *A, int what, double *v)
{
    static double nodes[PROBES * N], weights[PROBES * N];
    const int64_t n = dyn_operator_size(A), steps = n;
    dyn_status s = dyn_operator_density(A, PROBES, steps, 5, nodes, weights);

    if (s >= 0 && what == 0)
        s = dyn_density_sum(in_use, PROBES, steps, nodes, weights, n, NULL, NULL, &v[0], &v[1]);
    else if (s >= 0 && what == 1)
        s = dyn_density_effective_dimension(in_use, PROBES, steps, nodes, weights, n, 0.5, &v[0], &v[1]);
    else if (s >= 0)
        s = dyn_density_negative_share(in_use, PROBES, steps, nodes, weights, 0.5, &v[0], &v[1]);
    return s;
}

static dyn_status density_trace(dyn_operator *A, double *v) { return by_density(A, 0, v); }
static dyn_status dimension(dyn_operator *A, double *v) { return by_density(A, 1, v); }
static dyn_status share(dyn_operator *A, double *v) { return by_density(A, 2, v); }
static double exact_dimension(const kind *k) { return sum(k, damped); }
static double exact_share(const kind *k) { return sum(k, negative) / (double)k->n; }

static dyn_status determinant(dyn_operator *A, double *v)
{
    return dyn_operator_log_determinant(A, 8.0, PROBES, dyn_operator_size(A), 5, &v[0], &v[1]);
}

static double exact_determinant(const kind *k) { return sum(k, logarithm); }

/* The sum of `count` values of one end (negative: of all but so many), and of their residuals. */
static dyn_status eigenvalues(dyn_operator *A, int32_t which, int64_t count, double tolerance, double *v)
{
    dyn_eigen_options opt = DYN_EIGEN_OPTIONS_INIT;
    const int64_t n = dyn_operator_size(A);
    dyn_eigen *e = NULL;
    dyn_status s;

    opt.which = which;
    opt.count = count > 0 && count <= n ? count : n + count > 0 ? n + count : 1;
    opt.tolerance = tolerance;
    s = dyn_eigen_solve(A, &opt, &e);
    v[0] = v[1] = 0.0;
    for (int64_t i = 0; s >= 0 && i < dyn_eigen_count(e); i++) {
        v[0] += dyn_eigen_values(e)[i];
        v[1] += dyn_eigen_residuals(e)[i];
    }
    v[2] = (double)dyn_eigen_products(e);
    dyn_eigen_free(e);
    return s == DYN_NOT_CONVERGED ? DYN_OK : s;
}

static dyn_status top(dyn_operator *A, double *v) { return eigenvalues(A, DYN_LARGEST_ALGEBRAIC, 1, 1e-6, v); }
static dyn_status bottom(dyn_operator *A, double *v) { return eigenvalues(A, DYN_SMALLEST_ALGEBRAIC, 1, 1e-6, v); }
static dyn_status every(dyn_operator *A, double *v) { return eigenvalues(A, DYN_LARGEST_ALGEBRAIC, 0, 1e-6, v); }
static dyn_status finest(dyn_operator *A, double *v) { return eigenvalues(A, DYN_LARGEST_ALGEBRAIC, 1, 1e-14, v); }

static dyn_status all_but_one(dyn_operator *A, double *v)
{
    return eigenvalues(A, DYN_LARGEST_ALGEBRAIC, -1, 1e-6, v);
}

static double exact_top(const kind *k)
{
    double most = k->entry(0);

    for (int64_t i = 1; i < k->n; i++)
        most = fmax(most, k->entry(i));
    return most;
}

static double exact_bottom(const kind *k)
{
    double least = k->entry(0);

    for (int64_t i = 1; i < k->n; i++)
        least = fmin(least, k->entry(i));
    return least;
}

static double exact_all_but_one(const kind *k)
{
    return sum(k, itself) - (k->n > 1 ? exact_bottom(k) : 0.0);
}

/* (A + 9) x = 1 solved, exp(A / 2) 1: their sums. */
static dyn_status solution(dyn_operator *A, double *v)
{
    double b[N], x[N];
    dyn_operator *shifted = NULL;
    dyn_status s = dyn_operator_shifted(A, 9.0, &shifted);

    for (int i = 0; i < N; i++)
        b[i] = 1.0;
    if (s >= 0)
        s = dyn_operator_solve(shifted, b, NULL, x, &v[1], NULL);
    v[0] = 0.0;
    for (int64_t i = 0; s >= 0 && i < dyn_operator_size(A); i++)
        v[0] += x[i];
    dyn_operator_unref(shifted);
    return s == DYN_NOT_CONVERGED ? DYN_OK : s;
}

static double inverse(double h) { return 1.0 / (h + 9.0); }
static double exact_solution(const kind *k) { return sum(k, inverse); }

static dyn_status exponential(dyn_operator *A, double *v)
{
    double x[N];
    dyn_status s;

    for (int i = 0; i < N; i++)
        x[i] = 1.0;
    s = dyn_operator_exponential(A, 0.5, x, 0.0, 0, x, &v[1]);
    v[0] = 0.0;
    for (int64_t i = 0; s >= 0 && i < dyn_operator_size(A); i++)
        v[0] += x[i];
    v[1] *= fabs(v[0]);
    return s;
}

static double root_exponential(double h) { return exp(0.5 * h); }
static double exact_exponential(const kind *k) { return sum(k, root_exponential); }

static const struct {
    const char *name;
    dyn_status (*run)(dyn_operator *A, double *v);
    double (*exact)(const kind *k);
} measures[] = {
    { "Hutch++", hutchpp, exact_trace }, { "Hutchinson", hutchinson, exact_trace }, { "XTrace", by_xtrace, exact_trace },
    { "diagonal", diagonal, exact_trace }, { "Frobenius norm", frobenius, exact_frobenius },
    { "stable rank", stable_rank, exact_stable_rank }, { "trace by density", density_trace, exact_trace },
    { "effective dimension", dimension, exact_dimension }, { "negative share", share, exact_share },
    { "log determinant", determinant, exact_determinant }, { "largest", top, exact_top }, { "smallest", bottom, exact_bottom },
    { "every value", every, exact_trace }, { "all but one", all_but_one, exact_all_but_one },
    { "to the last bit", finest, exact_top }, { "solution", solution, exact_solution },
    { "exponential", exponential, exact_exponential },
};

static dyn_status measure(dyn_ctx *ctx, size_t m, subject *s, double *v)
{
    dyn_operator *A = NULL;
    dyn_status status = dyn_operator_from_callback(ctx, s->k->n, multiply, s, &A);

    memset(v, 0, NUMBERS * sizeof *v);
    in_use = ctx;
    if (status >= 0)
        status = measures[m].run(A, v);
    dyn_operator_unref(A);
    return status;
}

/* ---- what is checked ---- */

static dyn_ctx *context(int32_t threads)
{
    dyn_ctx_options opt = DYN_CTX_OPTIONS_INIT;
    dyn_ctx *ctx = NULL;

    opt.threads = threads;
    CHECK(dyn_ctx_create(&opt, &ctx) == DYN_OK);
    return ctx;
}

TEST(values)
{
    dyn_ctx *ctx = context(1);

    EACH(m, measures)
        EACH(k, kinds) {
            subject s = { .k = &kinds[k] };
            double v[NUMBERS], exact = measures[m].exact(&kinds[k]);
            const double rounding = kinds[k].single ? 1e-5 : 1e-9;

            CHECK_OK(ctx, measure(ctx, m, &s, v));
            if (!(fabs(v[0] - exact) <= 6.0 * v[1] + rounding * (1.0 + fabs(exact))))
                TEST_FAIL("%s of %s: %.12g, error %.3g, expected %.12g", measures[m].name, kinds[k].name, v[0], v[1], exact);
        }
    dyn_ctx_free(ctx);
}

TEST(faults)
{
    dyn_ctx *ctx = context(1);
    const int64_t before = dyn_ctx_bytes(ctx);

    EACH(m, measures)
        for (int64_t at = 1; at <= 2; at++) {
            subject stops = { .k = &kinds[4], .fail_at = at }, wrong = { .k = &kinds[4], .nan_at = at };
            double v[NUMBERS];

            if (measure(ctx, m, &stops, v) != DYN_EUSER && stops.calls >= at)
                TEST_FAIL("%s goes on where product %d stops", measures[m].name, (int)at);
            if (measure(ctx, m, &wrong, v) != DYN_ENONFINITE && wrong.calls >= at)
                TEST_FAIL("%s takes NaN of product %d", measures[m].name, (int)at);
        }
    CHECK(dyn_ctx_bytes(ctx) == before);
    dyn_ctx_free(ctx);
}

TEST(same_bits)
{
    dyn_ctx *ctx[3];

    for (int t = 0; t < 3; t++)
        ctx[t] = context(t + 1);
    EACH(m, measures)
        EACH(k, kinds)
            for (int t = 0; t < 3; t++) {
                static double first[NUMBERS];
                double v[NUMBERS];
                subject s = { .k = &kinds[k] };

                CHECK_OK(ctx[t], measure(ctx[t], m, &s, v));
                if (t == 0)
                    memcpy(first, v, sizeof v);
                else if (memcmp(first, v, sizeof v) != 0)
                    TEST_FAIL("%s of %s: other bits with %d threads", measures[m].name, kinds[k].name, t + 1);
            }
    for (int t = 0; t < 3; t++)
        dyn_ctx_free(ctx[t]);
}

static dyn_status short_of_memory(dyn_ctx *ctx, void *arg)
{
    subject s = { .k = &kinds[4] };
    double v[NUMBERS];

    return measure(ctx, *(const size_t *)arg, &s, v);
}

TEST(out_of_memory)
{
    EACH(m, measures)
        oom_try(measures[m].name, short_of_memory, &m);
}

int main(void)
{
    RUN(values);
    RUN(faults);
    RUN(same_bits);
    RUN(out_of_memory);
    return test_end();
}
