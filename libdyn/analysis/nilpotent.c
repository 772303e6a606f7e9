/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Exact ranks of integer matrices, and Jordan types from them. */
#include <inttypes.h>
#include <math.h>
#include <string.h>
#include <dyn/nilpotent.h>
#include "base/base.h"

static int is_prime(uint64_t p)
{
    for (uint64_t d = 3; d * d <= p; d += 2)
        if (p % d == 0)
            return 0;
    return 1;
}

static uint64_t previous_prime(uint64_t p)
{
    do
        p -= 2;
    while (!is_prime(p));
    return p;
}

static uint64_t power(uint64_t base, uint64_t exponent, uint64_t p)
{
    uint64_t result = 1;

    for (; exponent; exponent >>= 1) {
        if (exponent & 1)
            result = result * base % p;
        base = base * base % p;
    }
    return result;
}

static void reduce(int64_t size, const int64_t *a, uint64_t p, uint64_t *m)
{
    for (int64_t i = 0; i < size; i++) {
        int64_t r = a[i] % (int64_t)p;

        m[i] = (uint64_t)(r < 0 ? r + (int64_t)p : r);
    }
}

/* Row `to` minus the multiple of row `from` that clears `column`. */
static void clear(uint64_t *m, int64_t columns, int64_t from, int64_t to, int64_t column, uint64_t inverse, uint64_t p)
{
    uint64_t factor = m[to * columns + column] * inverse % p;

    for (int64_t j = column; factor && j < columns; j++)
        m[to * columns + j] = (m[to * columns + j] + (p - factor) * m[from * columns + j]) % p;
}

static int64_t rank_modulo(dyn_ctx *ctx, int64_t rows, int64_t columns, uint64_t *m, uint64_t p)
{
    int64_t rank = 0;

    for (int64_t column = 0; column < columns && rank < rows; column++) {
        int64_t pivot = rank;
        uint64_t inverse;

        while (pivot < rows && m[pivot * columns + column] == 0)
            pivot++;
        if (pivot == rows)
            continue;
        for (int64_t j = 0; j < columns && pivot != rank; j++) {
            uint64_t t = m[pivot * columns + j];

            m[pivot * columns + j] = m[rank * columns + j];
            m[rank * columns + j] = t;
        }
        inverse = power(m[rank * columns + column], p - 2, p);
        for (int64_t i = rank + 1; i < rows && !dyn__interrupted(ctx); i++)
            clear(m, columns, rank, i, column, inverse, p);
        rank++;
    }
    return rank;
}

/* log2 of a bound on all minors: every row of one has at most `least` elements. */
static double bits_of_minors(int64_t rows, int64_t columns, const int64_t *a)
{
    double largest = 1.0;
    int64_t least = rows < columns ? rows : columns;

    for (int64_t i = 0; i < rows * columns; i++)
        largest = fmax(largest, fabs((double)a[i]));
    return 1.0 + (double)least * (log2(largest) + 0.5 * log2((double)least) + 1e-9);
}

static dyn_status rank_of(dyn_ctx *ctx, int64_t rows, int64_t columns, const int64_t *a, int64_t *rank)
{
    uint64_t *m = dyn__alloc(ctx, (size_t)rows, (size_t)columns * sizeof *m), p = ((uint64_t)1 << 31) + 1;
    double bits = bits_of_minors(rows, columns, a);
    int64_t most = rows < columns ? rows : columns;
    dyn_status s = m ? DYN_OK : DYN_ENOMEM;

    *rank = 0;
    for (double tried = 0.0; s >= 0 && tried <= bits && *rank < most; tried += log2((double)p)) {
        int64_t found;

        p = previous_prime(p);
        reduce(rows * columns, a, p, m);
        found = rank_modulo(ctx, rows, columns, m, p);
        *rank = found > *rank ? found : *rank;
        s = dyn__check_interrupt(ctx);
    }
    dyn__free(ctx, m);
    return s;
}

static dyn_status check_size(dyn_ctx *ctx, int64_t rows, int64_t columns)
{
    if (rows < 1 || columns < 1 || rows > 100000 || columns > 100000)
        return DYN__FAIL(ctx, DYN_EINVAL, "the matrix is %" PRId64 " x %" PRId64 ", sizes must be in 1 .. 100000", rows,
                         columns);
    return DYN_OK;
}

dyn_status dyn_nilpotent_rank(dyn_ctx *ctx, int64_t rows, int64_t columns, const int64_t *a, int64_t *rank)
{
    if (!ctx)
        return DYN_EINVAL;
    DYN__ENTER(ctx);
    DYN__TRY(check_size(ctx, rows, columns));
    DYN__NEED(ctx, a);
    DYN__NEED(ctx, rank);
    return rank_of(ctx, rows, columns, a, rank);
}

/* out = b a, exact. */
static dyn_status multiply(dyn_ctx *ctx, int64_t n, const int64_t *b, const int64_t *a, int64_t *out)
{
    for (int64_t i = 0; i < n && !dyn__interrupted(ctx); i++)
        for (int64_t j = 0; j < n; j++) {
            int64_t sum = 0, term;

            for (int64_t k = 0; k < n; k++)
                if (__builtin_mul_overflow(b[i * n + k], a[k * n + j], &term)
                    || __builtin_add_overflow(sum, term, &sum))
                    return DYN__FAIL(ctx, DYN_EFULL, "a power of the matrix has an element beyond 2^63");
            out[i * n + j] = sum;
        }
    return dyn__check_interrupt(ctx);
}

/* rank[k] = rank of a^k, until it is 0; work [2][n][n]. */
static dyn_status ranks_of_powers(dyn_ctx *ctx, int64_t n, const int64_t *a, int64_t *work, int64_t *rank)
{
    int64_t *now = work, *next = work + n * n;

    memcpy(now, a, (size_t)(n * n) * sizeof *a);
    rank[0] = n;
    for (int64_t k = 1; rank[k - 1] > 0; k++) {
        int64_t *t = now;

        DYN__TRY(rank_of(ctx, n, n, now, &rank[k]));
        if (rank[k] == rank[k - 1])
            return DYN__FAIL(ctx, DYN_EINVAL, "the matrix is not nilpotent: its powers keep the rank %" PRId64,
                             rank[k]);
        if (rank[k] > 0)
            DYN__TRY(multiply(ctx, n, now, a, next));
        now = next;
        next = t;
    }
    return DYN_OK;
}

static int64_t parts_of_ranks(int64_t n, const int64_t *rank, int64_t *parts)
{
    int64_t count = 0;

    memset(parts, 0, (size_t)n * sizeof *parts);
    for (int64_t size = n; size >= 1; size--)
        for (int64_t i = rank[size - 1] - 2 * rank[size] + rank[size + 1]; i > 0; i--)
            parts[count++] = size;
    return count;
}

dyn_status dyn_nilpotent_type(dyn_ctx *ctx, int64_t n, const int64_t *a, int64_t *parts, int64_t *count)
{
    int64_t *work, *rank, found = 0;
    dyn_status s;

    if (!ctx)
        return DYN_EINVAL;
    DYN__ENTER(ctx);
    DYN__TRY(check_size(ctx, n, n));
    DYN__NEED(ctx, a);
    DYN__NEED(ctx, parts);
    work = dyn__alloc(ctx, (size_t)n, 2 * (size_t)n * sizeof *work);
    rank = dyn__alloc(ctx, (size_t)n + 2, sizeof *rank);
    s = work && rank ? ranks_of_powers(ctx, n, a, work, rank) : DYN_ENOMEM;
    if (s >= 0)
        found = parts_of_ranks(n, rank, parts);
    if (s >= 0 && count)
        *count = found;
    dyn__free(ctx, rank);
    dyn__free(ctx, work);
    return s;
}
