/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Elementwise kernels that also sum their result: the result has the bits of the kernel without sums, or is not touched
 * where only the sums are wanted; the sums are those of the result in long double within a bound from the number of
 * rows; nothing else is written. In place of an input all are the same. */
#include "kernel_test.h"

enum { GAP = 3 };

typedef struct pair { int summed, plain; } pair;
static const pair pairs[] = { { DYN__K_MUL_1MSQ_SUMS, DYN__K_MUL_1MSQ }, { DYN__K_MUL2_1MSQ_SUMS, DYN__K_MUL2_1MSQ },
                              { DYN__K_FMS_SUMS, DYN__K_FMS } };

typedef struct problem { const setup *s; pair kernels; int64_t rows, cols; int flags; } problem;

/* An input by column stride and row stride: a stream with gaps, one row, or a scalar per row. */
static dyn__arg input(const problem *p, double *memory, int mode)
{
    random_fill(memory, p->s->dtype, (p->rows + 1) * (p->cols + GAP), -1, 1);
    return (dyn__arg){ memory, mode == 0 ? p->cols + GAP : mode == 2, mode != 2 };
}

static guarded output(const problem *p, int64_t rows, dyn__arg *y)
{
    const int64_t row = p->cols + GAP;
    guarded g = guarded_new((size_t)(rows * row + 9) * size_of(p->s->dtype));

    *y = (dyn__arg){ at(g.now, p->s->dtype, 5), row, 1 };
    for (int64_t r = 0; r < rows; r++)
        for (int64_t c = 0; c < p->cols; c++)
            set(y->p, p->s->dtype, r * row + c, 0.5 * (double)(c % 7));
    memcpy(g.before, g.now, g.bytes);
    return g;
}

static double element(const problem *p, const dyn__arg *x, int64_t r, int64_t c)
{
    return get(x->p, p->s->dtype, r * x->row + c * x->col);
}

/* What the sums are at first: with DYN__SUMS_ADD they count. */
static double start(const problem *p, int64_t c) { return p->flags & DYN__SUMS_ADD ? 0.5 * (double)(c % 7) : 0; }

/* The column sums of x, with the factors w if given. */
static void check_sum(const problem *p, const dyn__arg *x, const dyn__arg *w, const dyn__arg *sum)
{
    for (int64_t c = 0; c < p->cols; c++) {
        long double want = start(p, c), size = want;
        for (int64_t r = 0; r < p->rows; r++) {
            const long double term = (long double)element(p, x, r, c) * (w ? element(p, w, r, c) : 1);
            want += term;
            size += fabsl(term);
        }
        const double got = get(sum->p, p->s->dtype, c);
        if (!(fabsl(got - want) <= (double)(p->rows + 2) * epsilon(p->s->dtype) * size))
            TEST_FAIL("%s %s %ldx%ld flags %d column %ld: got %.17g, want %.17Lg", setup_name(p->s),
                      dyn__kernel_name(p->kernels.summed), (long)p->rows, (long)p->cols, p->flags, (long)c, got, want);
    }
}

static void check_result(const problem *p, const dyn__arg *y, const dyn__arg *plain)
{
    for (int64_t r = 0; r < p->rows; r++)
        for (int64_t c = 0; c < p->cols; c++) {
            const int64_t i = r * (p->cols + GAP) + c;
            const double want = p->flags & DYN__SUMS_ONLY ? 0.5 * (double)(c % 7) : get(plain->p, p->s->dtype, i);
            CHECK(get(y->p, p->s->dtype, i) == want);
        }
}

/* The same with the result in place of input i, which is used up: result and sums have the bits of `now`. */
static void check_in_place(const problem *p, const dyn__arg *now, int i)
{
    const size_t bytes = (size_t)p->cols * size_of(p->s->dtype);
    dyn__arg arg[DYN__MAX_ARGS];
    guarded out[3] = { output(p, 1, &arg[4]), output(p, 1, &arg[6]), output(p, 1, &arg[7]) };

    memcpy(arg + 1, now + 1, 3 * sizeof *arg);
    arg[5] = now[5];
    arg[0] = now[i];
    p->s->table->tile[p->kernels.summed](p->rows, p->cols, arg, p->flags);
    for (int64_t r = 0; r < p->rows; r++)
        CHECK(memcmp(at(arg[0].p, p->s->dtype, r * arg[0].row), at(now[0].p, p->s->dtype, r * now[0].row), bytes) == 0);
    CHECK(memcmp(arg[4].p, now[4].p, bytes) == 0);
    CHECK(memcmp(arg[6].p, now[6].p, bytes) == 0);
    CHECK(memcmp(arg[7].p, now[7].p, bytes) == 0);
    for (int k = 0; k < 3; k++)
        guarded_free(&out[k]);
}

static void try_problem(const problem *p, double *const memory[4], const int mode[3])
{
    dyn__arg arg[DYN__MAX_ARGS], plain[4];
    guarded out[5] = { output(p, p->rows, &arg[0]), output(p, 1, &arg[4]), output(p, 1, &arg[6]),
                       output(p, 1, &arg[7]), output(p, p->rows, &plain[0]) };

    for (int i = 0; i < 3; i++)
        plain[i + 1] = arg[i + 1] = input(p, memory[i], mode[i]);
    arg[5] = input(p, memory[3], 2);
    p->s->table->tile[p->kernels.plain](p->rows, p->cols, plain, 0);
    p->s->table->tile[p->kernels.summed](p->rows, p->cols, arg, p->flags);
    check_result(p, &arg[0], &plain[0]);
    check_sum(p, &plain[0], NULL, &arg[4]);
    if (p->flags & DYN__SUMS_WEIGHTED)
        check_sum(p, &plain[0], &arg[5], &arg[6]);
    if (p->flags & DYN__SUMS_INPUT)
        check_sum(p, &arg[3], &arg[1], &arg[7]);
    for (int64_t r = 0; r < p->rows && !(p->flags & DYN__SUMS_ONLY); r++)
        guarded_allow(&out[0], at(arg[0].p, p->s->dtype, r * arg[0].row), (size_t)p->cols * size_of(p->s->dtype));
    guarded_allow(&out[1], arg[4].p, (size_t)p->cols * size_of(p->s->dtype));
    if (p->flags & DYN__SUMS_WEIGHTED)
        guarded_allow(&out[2], arg[6].p, (size_t)p->cols * size_of(p->s->dtype));
    if (p->flags & DYN__SUMS_INPUT)
        guarded_allow(&out[3], arg[7].p, (size_t)p->cols * size_of(p->s->dtype));
    for (int i = 1; i <= dyn__kernel_inputs(p->kernels.plain) && !(p->flags & DYN__SUMS_ONLY); i++)
        if (mode[i - 1] == 0) {
            check_in_place(p, arg, i);
            break;
        }
    for (int i = 0; i < 5; i++) {
        CHECK(i == 4 || guarded_intact(&out[i]));
        guarded_free(&out[i]);
    }
}

static void try_all(const setup *s)
{
    static const int64_t sizes[][2] = { { 0, 5 }, { 3, 0 }, { 1, 1 }, { 5, 3 }, { 4, 16 }, { 7, 33 }, { 80, 100 },
                                        { 9, 257 } };
    double *memory[4];

    for (int i = 0; i < 4; i++)
        memory[i] = malloc(81 * 260 * sizeof **memory);
    for (size_t k = 0; k < sizeof pairs / sizeof *pairs; k++)
        for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++)
            for (int choice = 0; choice < 27; choice++) {
                const int three = dyn__kernel_inputs(pairs[k].plain) == 3;
                const int flags = (7 * choice + (int)i) % 16 & ~(three ? 0 : DYN__SUMS_INPUT);
                const problem p = { s, pairs[k], sizes[i][0], sizes[i][1], flags };
                try_problem(&p, memory, (const int[]){ choice % 3, choice / 3 % 3, choice / 9 });
            }
    for (int i = 0; i < 4; i++)
        free(memory[i]);
}

TEST(results_and_sums) { for_each_setup(try_all); }

int main(void)
{
    RUN(results_and_sums);
    return test_end();
}
