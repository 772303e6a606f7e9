/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Every reduction of every table: values against sums in long double with a bound from the length, all column
 * strides, gaps and repeated rows, nothing written elsewhere, and an order of summation that does not depend on how
 * the numbers lie. */
#include "kernel_test.h"

enum { SPAN = 70 * 1100 };

static int inputs_of(int id) { return dyn__kernel_inputs(id); }
static int is_row(int id) { return id == DYN__K_ROW_SUM || id == DYN__K_ROW_MAX || id == DYN__K_ROW_DOT; }
static int is_col(int id) { return id == DYN__K_COL_SUM || id == DYN__K_COL_DOT || id == DYN__K_COL_SUM_DOT; }

/* adds: the result is added to what is there. */
typedef struct problem { int id, adds; int64_t rows, cols; dyn__arg arg[3]; } problem;

static double term(const setup *s, const problem *p, int64_t r, int64_t c)
{
    const double a = get(p->arg[1].p, s->dtype, r * p->arg[1].row + c * p->arg[1].col);

    return inputs_of(p->id) == 1 ? a : a * get(p->arg[2].p, s->dtype, r * p->arg[2].row + c * p->arg[2].col);
}

/* The exact result for rows r0 <= r < r1 and columns c0 <= c < c1, and the size of its terms. */
static long double exact(const setup *s, const problem *p, int64_t r0, int64_t r1, int64_t c0, int64_t c1,
                         long double *size)
{
    long double sum = p->id == DYN__K_ROW_MAX ? -INFINITY : 0;

    for (int64_t r = r0; r < r1; r++)
        for (int64_t c = c0; c < c1; c++) {
            const long double x = term(s, p, r, c);
            sum = p->id == DYN__K_ROW_MAX ? (x > sum ? x : sum) : sum + x;
            *size += fabsl(x);
        }
    return sum;
}

/* Element i of the result against the exact one. */
static void check_element(const setup *s, const problem *p, int64_t i, double before, double got)
{
    const int row = is_row(p->id), col = is_col(p->id);
    const double n = (double)((row ? 1 : p->rows) * (col ? 1 : p->cols) + 2);
    long double size = p->adds ? fabsl((long double)before) : 0, want = p->adds ? before : 0;

    want += exact(s, p, row ? i : 0, row ? i + 1 : p->rows, col ? i : 0, col ? i + 1 : p->cols, &size);
    if (p->id == DYN__K_ROW_MAX ? !((long double)got == want) : !(fabsl(got - want) <= n * epsilon(s->dtype) * size))
        TEST_FAIL("%s %s %ldx%ld strides %ld,%ld %ld,%ld at %ld: got %.17g, want %.17Lg", setup_name(s),
                  dyn__kernel_name(p->id), (long)p->rows, (long)p->cols, (long)p->arg[1].row, (long)p->arg[1].col,
                  (long)p->arg[2].row, (long)p->arg[2].col, (long)i, got, want);
}

static void try_problem(const setup *s, problem *p)
{
    const int64_t count = is_row(p->id) ? p->rows : is_col(p->id) ? p->cols : 1;
    const int64_t step = is_row(p->id) ? 3 : 1;
    guarded out = guarded_new((size_t)(count * step + 16) * size_of(s->dtype));
    void *y = at(out.now, s->dtype, 3);

    p->arg[0] = (dyn__arg){ y, is_row(p->id) ? step : 0, 1 };
    for (int64_t i = 0; i < count; i++) {
        set(y, s->dtype, i * step, random_in(-1, 1));
        set(out.before, s->dtype, 3 + i * step, get(y, s->dtype, i * step));
        guarded_allow(&out, at(y, s->dtype, i * step), size_of(s->dtype));
    }
    s->table->tile[p->id](p->rows, p->cols, p->arg, p->adds);
    for (int64_t i = 0; i < count; i++)
        check_element(s, p, i, get(out.before, s->dtype, 3 + i * step), get(y, s->dtype, i * step));
    CHECK(guarded_intact(&out));
    guarded_free(&out);
}

static void try_shape(const setup *s, int id, int64_t rows, int64_t cols, void *const memory[2])
{
    const int64_t row_strides[3] = { 0, cols, cols + 3 };

    for (int choice = 0; choice < (inputs_of(id) == 1 ? 6 : 36); choice++) {
        problem p = { id, id != DYN__K_ROW_MAX && choice % 5 < 2, rows, cols, { { NULL, 0, 0 } } };
        int rest = choice;

        for (int i = 1; i <= 2; i++, rest /= 6)
            p.arg[i] = (dyn__arg){ at(memory[i - 1], s->dtype, (int64_t)(random_bits() % 4)), row_strides[rest / 2 % 3],
                                   rest % 2 };
        try_problem(s, &p);
    }
}

static void try_all(const setup *s)
{
    static const int64_t sizes[][2] = { { 0, 5 }, { 5, 0 }, { 1, 1 }, { 2, 3 }, { 3, 4 }, { 1, 5 }, { 9, 7 }, { 3, 8 },
                                        { 8, 9 }, { 16, 10 }, { 2, 15 }, { 7, 16 }, { 5, 17 }, { 3, 31 }, { 2, 33 },
                                        { 1000, 1 }, { 5, 47 }, { 4, 64 }, { 10, 112 }, { 17, 65 }, { 16, 100 },
                                        { 2, 1000 }, { 64, 130 } };
    void *memory[2] = { malloc(SPAN * sizeof(double)), malloc(SPAN * sizeof(double)) };

    for (int i = 0; i < 2; i++)
        random_fill(memory[i], s->dtype, SPAN, -1, 1);
    for (int id = DYN__K_ROW_SUM; id <= DYN__K_DOT; id++)
        for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++)
            try_shape(s, id, sizes[i][0], sizes[i][1], memory);
    free(memory[0]);
    free(memory[1]);
}

TEST(every_reduction_and_stride) { for_each_setup(try_all); }

/* The same numbers as a scalar per row, written out, and with gaps: the same bits. */
static void try_layouts(const setup *s)
{
    enum { R = 13, C = 87, GAP = 5 };
    double a[R * C], wide[R * (C + GAP)], b[R], b_full[R * C], y[3][C];

    random_fill(a, s->dtype, R * C, -1, 1);
    random_fill(b, s->dtype, R, -1, 1);
    for (int r = 0; r < R; r++)
        for (int c = 0; c < C; c++) {
            set(wide, s->dtype, r * (C + GAP) + c, get(a, s->dtype, r * C + c));
            set(b_full, s->dtype, r * C + c, get(b, s->dtype, r));
        }
    for (int id = DYN__K_ROW_SUM; id <= DYN__K_DOT; id++) {
        const dyn__arg arg[3][3] = { { { y[0], is_row(id), 1 }, { a, C, 1 }, { b, 1, 0 } },
                                     { { y[1], is_row(id), 1 }, { wide, C + GAP, 1 }, { b, 1, 0 } },
                                     { { y[2], is_row(id), 1 }, { a, C, 1 }, { b_full, C, 1 } } };
        memset(y, 0, sizeof y);
        for (int v = 0; v < 3; v++)
            s->table->tile[id](R, C, arg[v], 0);
        CHECK(!memcmp(y[0], y[1], sizeof y[0]));
        CHECK(!memcmp(y[0], y[2], sizeof y[0]));
    }
}

TEST(order_depends_on_sizes_only) { for_each_setup(try_layouts); }

/* Two outputs, each with the bits of the kernel that makes it alone; nothing else written. */
static void try_two_sums(const setup *s, int64_t rows, int64_t cols, int64_t gap, int64_t a_col, int64_t b_col)
{
    const int64_t b_row = b_col ? cols + gap : 1, n = rows * (cols + gap) + 1;
    double *a = malloc((size_t)n * sizeof *a), *b = malloc((size_t)(n + rows) * sizeof *b);
    guarded out[4];
    dyn__arg y[4];

    random_fill(a, s->dtype, n, -1, 1);
    random_fill(b, s->dtype, n + rows, -1, 1);
    for (int i = 0; i < 4; i++) {
        out[i] = guarded_new((size_t)(cols + 9) * size_of(s->dtype));
        y[i] = (dyn__arg){ at(out[i].now, s->dtype, 4 + i % 2), 0, 1 };
        for (int64_t c = 0; c < cols; c++)
            set(y[i].p, s->dtype, c, (double)c - 3 * (i % 2));
        guarded_allow(&out[i], y[i].p, (size_t)cols * size_of(s->dtype));
    }
    const double adds = (double)((rows + cols) % 2);
    const dyn__arg a_arg = { a, a_col ? cols + gap : 1, a_col }, b_arg = { b, b_row, b_col };
    s->table->tile[DYN__K_COL_SUM](rows, cols, (const dyn__arg[]){ y[0], a_arg }, adds);
    s->table->tile[DYN__K_COL_DOT](rows, cols, (const dyn__arg[]){ y[1], a_arg, b_arg }, adds);
    s->table->tile[DYN__K_COL_SUM_DOT](rows, cols, (const dyn__arg[]){ y[2], a_arg, b_arg, y[3] }, adds);
    for (int i = 0; i < 2; i++)
        if (memcmp(y[i].p, y[i + 2].p, (size_t)cols * size_of(s->dtype)))
            TEST_FAIL("%s COL_SUM_DOT %ldx%ld gap %ld: output %d differs", setup_name(s), (long)rows, (long)cols,
                      (long)gap, i);
    for (int i = 0; i < 4; i++) {
        CHECK(guarded_intact(&out[i]));
        guarded_free(&out[i]);
    }
    free(a);
    free(b);
}

static void try_two_sums_shapes(const setup *s)
{
    static const int64_t rows[] = { 0, 1, 2, 7, 16, 33 }, cols[] = { 1, 3, 8, 17, 31, 48, 63, 65, 100, 129, 300 };

    for (int r = 0; r < 6; r++)
        for (int c = 0; c < 11; c++)
            for (int64_t choice = 0; choice < 8; choice++)
                try_two_sums(s, rows[r], cols[c], choice / 4 * 3, choice / 2 % 2, choice % 2);
}

TEST(two_column_sums) { for_each_setup(try_two_sums_shapes); }

/* A column with other strides: the bits of one without gaps. */
static void try_column(const setup *s)
{
    enum { R = 1000, GAP = 3 };
    static double a[R], b[R], a_wide[R * GAP], b_wide[R * GAP], y[2][R];

    random_fill(a, s->dtype, R, -1, 1);
    random_fill(b, s->dtype, R, -1, 1);
    for (int r = 0; r < R; r++) {
        set(a_wide, s->dtype, r * GAP, get(a, s->dtype, r));
        set(b_wide, s->dtype, r * GAP, get(b, s->dtype, r));
    }
    for (int id = DYN__K_ROW_SUM; id <= DYN__K_DOT; id++) {
        memset(y, 0, sizeof y);
        s->table->tile[id](R, 1, (const dyn__arg[]){ { y[0], 1, 1 }, { a, 1, 1 }, { b, 1, 0 } }, 0);
        s->table->tile[id](R, 1, (const dyn__arg[]){ { y[1], 1, 1 }, { a_wide, GAP, 0 }, { b_wide, GAP, 1 } }, 0);
        CHECK(!memcmp(y[0], y[1], sizeof y[0]));
    }
}

TEST(columns_with_gaps) { for_each_setup(try_column); }

static void try_nan(const setup *s)
{
    for (int64_t cols = 1; cols < 70; cols += 3)
        for (int64_t where = 0; where < cols; where++) {
            double x[70], y[1];
            const dyn__arg arg[2] = { { y, 1, 1 }, { x, 0, 1 } };

            random_fill(x, s->dtype, cols, -1, 1);
            set(x, s->dtype, where, NAN);
            s->table->tile[DYN__K_ROW_MAX](1, cols, arg, 0);
            CHECK(isnan(get(y, s->dtype, 0)));
            set(x, s->dtype, where, INFINITY);
            s->table->tile[DYN__K_ROW_MAX](1, cols, arg, 0);
            CHECK(isinf(get(y, s->dtype, 0)));
            s->table->tile[DYN__K_ROW_SUM](1, cols, arg, 0);
            CHECK(isinf(get(y, s->dtype, 0)));
        }
}

TEST(maximum_passes_nan) { for_each_setup(try_nan); }

int main(void)
{
    RUN(every_reduction_and_stride);
    RUN(order_depends_on_sizes_only);
    RUN(two_column_sums);
    RUN(columns_with_gaps);
    RUN(maximum_passes_nan);
    return test_end();
}
