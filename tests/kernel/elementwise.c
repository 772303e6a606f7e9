/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Every elementwise kernel of every table against long double formulas: shapes around the vector width, combinations
 * of strides, misaligned, in place, and with the awkward numbers. */
#include "kernel_test.h"

/* A formula, the largest distance from it in units of the last place, and where the test numbers come from. */
typedef long double (*exact_fn)(long double a, long double b, long double c, double scalar);
typedef struct exact { exact_fn f; double ulps_f64, ulps_f32, lo, hi; } exact;

#define EXACT(name, formula)                                                                   \
    static long double exact_##name(long double a, long double b, long double c, double scalar) \
    {                                                                                          \
        (void)a, (void)b, (void)c, (void)scalar;                                               \
        return formula;                                                                        \
    }
EXACT(COPY, a)
EXACT(NEG, -a)
EXACT(EXP, expl(a))
EXACT(EXPM1, expm1l(a))
EXACT(LOG, logl(a))
EXACT(LOG1P, log1pl(a))
EXACT(TANH, tanhl(a))
EXACT(ERF, erfl(a))
EXACT(SIN, sinl(a))
EXACT(COS, cosl(a))
EXACT(SQRT, sqrtl(a))
EXACT(POWI, powl(a, scalar))
EXACT(POW, a < 0 ? (long double)NAN : powl(a, scalar))
EXACT(ADD, a + b)
EXACT(SUB, a - b)
EXACT(MUL, a * b)
EXACT(DIV, a / b)
EXACT(MAX, isnan(a) || isnan(b) ? (long double)NAN : a > b ? a : b)
EXACT(GT, a > b)
EXACT(GE, a >= b)
EXACT(EQ, a == b)
EXACT(SELECT, a != 0 ? b : c)
EXACT(FMA, fmal(a, b, c))
EXACT(FNMA, fmal(-a, b, c))
EXACT(FMS, fmal(a, b, -c))
EXACT(ADD_MUL, (a + b) * c)
EXACT(MUL_1MSQ, a * fmal(-b, b, 1))
EXACT(MUL2_1MSQ, a * b * fmal(-c, c, 1))
EXACT(TANH_ADD, tanhl(a + b))
EXACT(TANH_FMA, tanhl(fmal(a, b, c)))

/* Half a unit for what is rounded once; the long double value itself is off by a little. */
#define ONCE 0.502
static const exact exacts[] = {
    [DYN__K_COPY] = { exact_COPY, 0, 0, -9, 9 }, [DYN__K_NEG] = { exact_NEG, 0, 0, -9, 9 },
    [DYN__K_EXP] = { exact_EXP, 1.01, 1.01, -30, 30 }, [DYN__K_EXPM1] = { exact_EXPM1, 1.5, 1.5, -30, 30 },
    [DYN__K_LOG] = { exact_LOG, 1.01, 1.01, 0, 5 }, [DYN__K_LOG1P] = { exact_LOG1P, 1.01, 1.01, -1, 5 },
    [DYN__K_TANH] = { exact_TANH, 2.3, 2.6, -10, 10 }, [DYN__K_ERF] = { exact_ERF, 1.01, 2.3, -5, 5 },
    [DYN__K_SIN] = { exact_SIN, 1.01, 1.01, -99, 99 }, [DYN__K_COS] = { exact_COS, 1.01, 1.01, -99, 99 },
    [DYN__K_SQRT] = { exact_SQRT, ONCE, ONCE, 0, 99 }, [DYN__K_POWI] = { exact_POWI, 6, 6, -3, 3 },
    [DYN__K_POW] = { exact_POW, 1.01, 1.01, 0, 9 }, [DYN__K_ADD] = { exact_ADD, ONCE, ONCE, -9, 9 },
    [DYN__K_SUB] = { exact_SUB, ONCE, ONCE, -9, 9 }, [DYN__K_MUL] = { exact_MUL, ONCE, ONCE, -9, 9 },
    [DYN__K_DIV] = { exact_DIV, ONCE, ONCE, -9, 9 }, [DYN__K_MAX] = { exact_MAX, 0, 0, -9, 9 },
    [DYN__K_GT] = { exact_GT, 0, 0, -2, 2 }, [DYN__K_GE] = { exact_GE, 0, 0, -2, 2 },
    [DYN__K_EQ] = { exact_EQ, 0, 0, -2, 2 }, [DYN__K_SELECT] = { exact_SELECT, 0, 0, -2, 2 },
    [DYN__K_FMA] = { exact_FMA, ONCE, ONCE, -9, 9 }, [DYN__K_FNMA] = { exact_FNMA, ONCE, ONCE, -9, 9 },
    [DYN__K_FMS] = { exact_FMS, ONCE, ONCE, -9, 9 }, [DYN__K_MUL_1MSQ] = { exact_MUL_1MSQ, 1.51, 1.51, -1, 1 },
    [DYN__K_MUL2_1MSQ] = { exact_MUL2_1MSQ, 2.01, 2.01, -1, 1 },
    [DYN__K_ADD_MUL] = { exact_ADD_MUL, 1.51, 1.51, -9, 9 },
    [DYN__K_TANH_ADD] = { exact_TANH_ADD, 3.4, 3.7, -9, 9 },
    [DYN__K_TANH_FMA] = { exact_TANH_FMA, 3.4, 3.7, -3, 3 },
};
#define KERNELS ((int)(sizeof exacts / sizeof *exacts))

/* Does the table round a product and its sum together? The reference may. */
static int fuses(const setup *s)
{
#ifdef __aarch64__
    return s->isa != DYN_ISA_REFERENCE;
#else
    return s->isa == DYN_ISA_AVX2 || s->isa == DYN_ISA_AVX512;
#endif
}

/* Kernels that use fma where there is one, and of them those that end in a factor 1 - c^2. */
static int is_fused(int id)
{
    return id == DYN__K_FMA || id == DYN__K_FNMA || id == DYN__K_FMS || id == DYN__K_TANH_FMA;
}

static int is_slope(int id) { return id == DYN__K_MUL_1MSQ || id == DYN__K_MUL2_1MSQ; }

/* Mostly from the kernel's range, sometimes awkward. */
static double test_number(const exact *e, int dtype)
{
    static const double common[] = { 0.0, -0.0, 1, -1, 2, -2, 0.5, INFINITY, -INFINITY, NAN };
    static const double extreme[2][8] = {
        { DBL_MAX, -DBL_MAX, DBL_MIN, -DBL_MIN, 5e-324, -5e-324, 1e-300, -710 },
        { FLT_MAX, -FLT_MAX, FLT_MIN, -FLT_MIN, 0x1p-149, -0x1p-149, 1e-30, -87.5 } };
    const uint64_t r = random_bits();

    if (r % 16 == 0)
        return common[(r >> 8) % 10];
    if (r % 16 == 1)
        return extreme[dtype][(r >> 8) % 8];
    if (r % 16 == 2)
        return random_in(-1, 1) * pow(2, random_in(-60, 60));
    return random_in(e->lo, e->hi);
}

typedef struct tile { int64_t rows, cols; dyn__arg arg[4]; int inputs; double scalar; } tile;

static double input(const tile *t, const setup *s, int i, int64_t r, int64_t c)
{
    return get(t->arg[i].p, s->dtype, r * t->arg[i].row + c * t->arg[i].col);
}

/* The allowed error in units of the last place, infinite where anything goes. What does not fuse rounds a product before
 * adding: that costs some units of the largest term. And what comes on the way may leave the range of the type although
 * the result does not. */
static double allowed_ulps(const setup *s, int id, const double *x, long double want)
{
    const double allowed = s->dtype == DYN_F64 ? exacts[id].ulps_f64 : exacts[id].ulps_f32;
    const long double largest = s->dtype == DYN_F64 ? DBL_MAX : (double)FLT_MAX;
    const long double least = s->dtype == DYN_F64 ? DBL_MIN : (double)FLT_MIN;
    const long double product = (long double)x[0] * x[1], slope = id == DYN__K_MUL_1MSQ ? x[1] : x[2];
    const long double factor = fabsl(id == DYN__K_MUL_1MSQ ? x[0] : product);
    const long double term = is_slope(id) ? factor * (1 + slope * slope) : fabsl(product) + fabsl((long double)x[2]);

    if (!is_fused(id) && !is_slope(id))
        return id == DYN__K_ADD_MUL && fabsl((long double)x[0] + x[1]) > largest ? (double)INFINITY : allowed;
    if (is_slope(id) && (slope * slope > largest || factor > largest || (factor != 0 && factor < least)))
        return (double)INFINITY;
    if (fuses(s))
        return allowed;
    return term <= largest && want != 0 ? allowed + 2 * (double)(term / fabsl(want)) : (double)INFINITY;
}

static int same_value(const setup *s, int id, const double *x, long double want, double got)
{
    const double allowed = allowed_ulps(s, id, x, want);

    if (isinf(allowed))
        return 1;
    if (!(ulps_apart(got, want, s->dtype) <= allowed))
        return 0;
    return want != 0 || got != 0 || id == DYN__K_MAX || !signbit(want) == !signbit(got);
}

static void check_tile(const setup *s, int id, const tile *t, const guarded *out, const double *inputs)
{
    for (int64_t r = 0; r < t->rows; r++)
        for (int64_t c = 0; c < t->cols; c++) {
            const double *x = inputs + 3 * (r * t->cols + c);
            const long double want = exacts[id].f(x[0], x[1], x[2], t->scalar);
            const double got = get(t->arg[0].p, s->dtype, r * t->arg[0].row + c);

            if (!same_value(s, id, x, want, got)) {
                TEST_FAIL("%s %s %ldx%ld scalar %g (%a, %a, %a): got %a, want %a, %g ulps", setup_name(s),
                          dyn__kernel_name(id), (long)t->rows, (long)t->cols, t->scalar, x[0], x[1], x[2], got,
                          (double)want, ulps_apart(got, want, s->dtype));
                return;
            }
        }
    if (!guarded_intact(out))
        TEST_FAIL("%s %s %ldx%ld: wrote outside its elements", setup_name(s), dyn__kernel_name(id), (long)t->rows,
                  (long)t->cols);
}

/* Lay out the output in its guarded buffer, the inputs in theirs, run, check. */
static void try_tile(const setup *s, int id, tile *t, int in_place)
{
    const int64_t span = (t->rows + 1) * (t->cols + 8) + 8;
    guarded out = guarded_new((size_t)span * size_of(s->dtype));
    double *inputs = calloc((size_t)(t->rows * t->cols) + 1, 3 * sizeof(double));
    void *memory[4] = { NULL };

    t->arg[0].p = at(out.now, s->dtype, (int64_t)(random_bits() % 4));
    for (int i = 1; i <= t->inputs; i++) {
        memory[i] = malloc((size_t)span * size_of(s->dtype));
        t->arg[i].p = i == in_place ? t->arg[0].p : at(memory[i], s->dtype, (int64_t)(random_bits() % 4));
        for (int64_t r = 0; r < t->rows; r++)
            for (int64_t c = 0; c < t->cols; c++)
                set(t->arg[i].p, s->dtype, r * t->arg[i].row + c * t->arg[i].col, test_number(&exacts[id], s->dtype));
    }
    for (int64_t r = 0; r < t->rows; r++) {
        guarded_allow(&out, at(t->arg[0].p, s->dtype, r * t->arg[0].row), (size_t)t->cols * size_of(s->dtype));
        for (int64_t c = 0; c < t->cols; c++)
            for (int i = 1; i <= t->inputs; i++)
                inputs[3 * (r * t->cols + c) + i - 1] = input(t, s, i, r, c);
    }
    s->table->tile[id](t->rows, t->cols, t->arg, t->scalar);
    check_tile(s, id, t, &out, inputs);
    for (int i = 1; i <= t->inputs; i++)
        free(memory[i]);
    free(inputs);
    guarded_free(&out);
}

/* Column stride 0 or 1, row stride 0, cols or cols + 3, for each input: one of them in one digit of `choice` to
 * base 6. */
static void try_strides(const setup *s, int id, int64_t rows, int64_t cols, int choice, int64_t gap)
{
    static const double exponents[] = { 2, 3, 0, 1, -1, -2, 7 };
    const int64_t rows_at[3] = { 0, cols, cols + 3 };
    tile t = { rows, cols, { { NULL, cols + gap, 1 } }, dyn__kernel_inputs(id), 0 };
    int in_place = 0;

    t.scalar = id == DYN__K_POW ? (double)(float)random_in(-3, 3) : exponents[random_bits() % 7];
    for (int i = 1; i <= t.inputs; i++, choice /= 6) {
        t.arg[i].col = choice % 2;
        t.arg[i].row = rows_at[choice / 2 % 3];
        if (t.arg[i].col && t.arg[i].row == t.arg[0].row && random_bits() % 2)
            in_place = i;
    }
    try_tile(s, id, &t, in_place);
}

/* All strides on small shapes, of which 2 x 33 has full vectors and a rest in all types; some by chance on the others,
 * where the long double formulas take their time. */
static void try_shape(const setup *s, int id, int64_t rows, int64_t cols)
{
    enum { SMALL = 2 * 33, SOME = 12 };
    const int inputs = dyn__kernel_inputs(id), all = inputs == 1 ? 6 : inputs == 2 ? 36 : 216;
    const int tries = rows * cols > SMALL && all > SOME ? SOME : all;

    for (int i = 0; i < tries; i++)
        for (int64_t gap = 0; gap <= 3; gap += 3)
            try_strides(s, id, rows, cols, tries == all ? i : (int)(random_bits() % (uint64_t)all), gap);
}

static void try_kernels(const setup *s)
{
    static const int64_t sizes[][2] = { { 0, 5 }, { 5, 0 }, { 1, 1 }, { 3, 1 }, { 2, 3 }, { 3, 7 }, { 2, 8 }, { 2, 9 },
                                        { 5, 10 }, { 2, 15 }, { 3, 16 }, { 2, 17 }, { 2, 33 }, { 3, 100 }, { 2, 521 } };

    for (int id = 0; id < KERNELS; id++)
        for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++)
            try_shape(s, id, sizes[i][0], sizes[i][1]);
}

TEST(every_kernel_and_stride) { for_each_setup(try_kernels); }

static void try_long_row(const setup *s)
{
    for (int id = 0; id < KERNELS; id++) {
        tile t = { 1, 20001, { { NULL, 0, 1 }, { NULL, 0, 1 }, { NULL, 0, 1 }, { NULL, 0, 1 } },
                   dyn__kernel_inputs(id), 2 };
        try_tile(s, id, &t, 1);
    }
}

TEST(long_rows) { for_each_setup(try_long_row); }

TEST(names)
{
    CHECK(KERNELS == DYN__K_OWN);
    CHECK(!strcmp(dyn__kernel_name(DYN__K_TANH), "TANH") && dyn__kernel_inputs(DYN__K_TANH) == 1);
    CHECK(!strcmp(dyn__kernel_name(DYN__K_COUNT), "?") && dyn__kernel_inputs(-1) == 0);
}

/* Of any size, and many from where the function comes near 1. */
static void try_odd(const setup *s, int id, long double (*exactly)(long double), double allowed)
{
    enum { N = 40099 };
    static double x[N], y[N], minus[N];
    const dyn__arg up[2] = { { y, 0, 1 }, { x, 0, 1 } }, down[2] = { { minus, 0, 1 }, { x, 0, 1 } };

    for (int i = 0; i < N; i++)
        set(x, s->dtype, i, i % 2 ? random_in(0, 20) : pow(2, random_in(-30, 8)));
    s->table->tile[id](1, N, up, 0);
    for (int i = 0; i < N; i++)
        set(x, s->dtype, i, -get(x, s->dtype, i));
    s->table->tile[id](1, N, down, 0);
    for (int i = 0; i < N; i++) {
        CHECK(get(y, s->dtype, i) == -get(minus, s->dtype, i));
        CHECK(get(y, s->dtype, i) <= 1);
        const double error = ulps_apart(get(minus, s->dtype, i), exactly((long double)get(x, s->dtype, i)), s->dtype);
        if (!(error <= allowed))
            TEST_FAIL("%s %s of %a: %g ulps", setup_name(s), dyn__kernel_name(id), get(x, s->dtype, i), error);
    }
}

/* The bounds are the vector kernels' own; libm has wider ones. */
static void try_tanh_and_erf(const setup *s)
{
    const int single = s->dtype == DYN_F32, plain = s->isa == DYN_ISA_REFERENCE;
    const int best = s->isa == DYN_ISA_AVX512;

    try_odd(s, DYN__K_TANH, tanhl, plain ? 2.3 : single && !best ? 2.6 : fuses(s) ? 1.4 : 1.9);
    try_odd(s, DYN__K_ERF, erfl, single && best ? 2.3 : plain || s->isa == DYN_ISA_VECTOR ? 1.1 : 1.01);
}

TEST(tanh_and_erf_are_odd_and_bounded) { for_each_setup(try_tanh_and_erf); }

int main(void)
{
    RUN(names);
    RUN(every_kernel_and_stride);
    RUN(long_rows);
    RUN(tanh_and_erf_are_odd_and_bounded);
    return test_end();
}
