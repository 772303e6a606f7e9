/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Uniform draws of every table: those that one block at a time makes, from any draw on, also where the number of a block
 * passes 2^32; nothing beside them is written. */
#include "kernel_test.h"
#include "random/random.h"

enum { MOST = 700 };

static const dyn__key key = { 0x123456789abcdefull, DYN__STREAM_NODE, 7, 9 };

/* Draw number i alone. */
static double alone(int dtype, int64_t i)
{
    double y;
    float z;

    if (dtype == DYN_F64)
        dyn__uniform_f64(key, i, 1, &y);
    else
        dyn__uniform_f32(key, i, 1, &z);
    return dtype == DYN_F64 ? y : (double)z;
}

static void try_draws(const setup *s, int64_t first, int64_t n)
{
    guarded y = guarded_new(MOST * sizeof(double));

    guarded_allow(&y, y.now, (size_t)n * size_of(s->dtype));
    s->table->uniform(key, first, n, y.now);
    for (int64_t i = 0; i < n; i++)
        CHECK(get(y.now, s->dtype, i) == alone(s->dtype, first + i));
    CHECK(guarded_intact(&y));
    guarded_free(&y);
}

static void try_all(const setup *s)
{
    static const int64_t firsts[] = { 0, 1, 3, 30, ((int64_t)1 << 33) - 7, ((int64_t)1 << 34) - 50 };
    static const int64_t counts[] = { 0, 1, 2, 9, 15, 16, 17, 64, 65, 200, MOST };

    for (size_t i = 0; i < sizeof firsts / sizeof *firsts; i++)
        for (size_t j = 0; j < sizeof counts / sizeof *counts; j++)
            try_draws(s, firsts[i], counts[j]);
}

TEST(draws_of_tables) { for_each_setup(try_all); }

int main(void)
{
    RUN(draws_of_tables);
    return test_end();
}
