/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Gather, scatter-add, transpose and conversion of every table, with indices out of range and guard zones. */
#include "kernel_test.h"

enum { TABLE_ROWS = 11 };

/* Indices with repetitions, the first two out of range. */
static void make_index(int64_t n, int64_t *index)
{
    for (int64_t i = 0; i < n; i++)
        index[i] = i == 0 ? -1 : i == 1 ? TABLE_ROWS : (int64_t)(random_bits() % TABLE_ROWS);
}

static void try_gather(const setup *s, int64_t rows, int64_t cols)
{
    const size_t row_bytes = (size_t)cols * size_of(s->dtype);
    void *table = malloc(TABLE_ROWS * row_bytes + 8);
    guarded y = guarded_new((size_t)rows * row_bytes + 64);
    int64_t index[64] = { 0 };

    make_index(rows, index);
    random_fill(table, s->dtype, TABLE_ROWS * cols, -1, 1);
    guarded_allow(&y, y.now, (size_t)rows * row_bytes);
    s->table->gather(rows, cols, y.now, table, TABLE_ROWS, index);
    for (int64_t i = 0; i < rows; i++) {
        if (i < 2)
            for (int64_t c = 0; c < cols; c++)
                CHECK(isnan(get(y.now, s->dtype, i * cols + c)));
        else
            CHECK(!memcmp(at(y.now, s->dtype, i * cols), at(table, s->dtype, index[i] * cols), row_bytes));
    }
    CHECK(guarded_intact(&y));
    free(table);
    guarded_free(&y);
}

static void try_scatter(const setup *s, int64_t rows, int64_t cols)
{
    const size_t bytes = (size_t)(TABLE_ROWS * cols) * size_of(s->dtype);
    guarded table = guarded_new(bytes + 64);
    void *want = malloc(bytes + 8), *x = calloc((size_t)(rows * cols) + 1, size_of(s->dtype));
    int64_t index[64] = { 0 };

    make_index(rows, index);
    random_fill(table.now, s->dtype, TABLE_ROWS * cols, -1, 1);
    random_fill(x, s->dtype, rows * cols, -1, 1);
    memcpy(want, table.now, bytes);
    for (int64_t i = 2; i < rows; i++)
        for (int64_t c = 0; c < cols; c++)
            set(want, s->dtype, index[i] * cols + c, s->dtype == DYN_F64
                ? get(want, s->dtype, index[i] * cols + c) + get(x, s->dtype, i * cols + c)
                : (double)(float)(get(want, s->dtype, index[i] * cols + c) + get(x, s->dtype, i * cols + c)));
    guarded_allow(&table, table.now, bytes);
    s->table->scatter_add(rows, cols, table.now, TABLE_ROWS, x, index);
    CHECK(!memcmp(table.now, want, bytes));
    CHECK(guarded_intact(&table));
    free(want);
    free(x);
    guarded_free(&table);
}

static void try_transpose(const setup *s, int64_t rows, int64_t cols, int64_t gap)
{
    const int64_t xs = cols + gap, ys = rows + gap;
    void *x = malloc((size_t)(rows * xs + 1) * size_of(s->dtype));
    guarded y = guarded_new((size_t)(cols * ys + 8) * size_of(s->dtype));

    random_fill(x, s->dtype, rows * xs, -1, 1);
    for (int64_t c = 0; c < cols; c++)
        guarded_allow(&y, at(y.now, s->dtype, c * ys), (size_t)rows * size_of(s->dtype));
    s->table->transpose(rows, cols, y.now, ys, x, xs);
    for (int64_t r = 0; r < rows; r++)
        for (int64_t c = 0; c < cols; c++)
            CHECK(get(y.now, s->dtype, c * ys + r) == get(x, s->dtype, r * xs + c));
    CHECK(guarded_intact(&y));
    free(x);
    guarded_free(&y);
}

static void try_moves(const setup *s)
{
    static const int64_t sizes[] = { 1, 3, 4, 5, 7, 8, 9, 16, 17, 33 };

    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        try_gather(s, 20, sizes[i]);
        try_scatter(s, 40, sizes[i]);
        for (size_t j = 0; j < sizeof sizes / sizeof *sizes; j++) {
            try_transpose(s, sizes[i], sizes[j], 0);
            try_transpose(s, sizes[i], sizes[j], 3);
        }
    }
    try_gather(s, 0, 3);
    try_scatter(s, 0, 3);
    try_transpose(s, 0, 3, 0);
    try_transpose(s, 256, 70, 0);       /* columns of the result collide in the caches */
    try_transpose(s, 128, 300, 128);
}

TEST(gather_scatter_transpose) { for_each_setup(try_moves); }

TEST(widen_and_narrow)
{
    const double x[5] = { 1, -0.1, 1e300, 1e-300, NAN };
    float y[5];
    double z[5];

    dyn__narrow(5, y, x);
    dyn__widen(5, z, y);
    CHECK(z[0] == 1 && z[1] == (double)-0.1f && isinf(z[2]) && z[3] == 0 && isnan(z[4]));
}

int main(void)
{
    RUN(gather_scatter_transpose);
    RUN(widen_and_narrow);
    return test_end();
}
