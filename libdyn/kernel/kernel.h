/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Everything that touches floats. One table per context and element type: the reference in plain C first, then
 * overwritten by what the CPU can do better. Above this room a number is only a place in a buffer.
 *
 * A tile kernel works on `rows` x `cols` elements. arg[0] is the output, arg[1..] the inputs. Element (r, c) of an
 * argument is p[r * row + c * col] (strides in elements); col is 0 or 1, for the output of an elementwise kernel
 * always 1; row is any stride, also 0 (the same row again) for inputs. The output may be the same place as an input
 * of the same strides, else they do not overlap. rows and cols are >= 0. Pointers are aligned to the element only. No
 * kernel writes outside its elements.
 *
 * Accuracy, in units in the last place: exp 1.01; expm1 1.5; tanh 1.4, in float32 without AVX-512 2.6, in float64
 * without fused multiply-adds 1.9 (odd, never above 1, exact for tiny arguments); erf in float32 with AVX-512 1.3,
 * below 1/32 2.3 (odd, never above 1); the others SLEEF's 1.0. The reference, and without SLEEF or on x86-64 without AVX
 * the others, have the accuracy of the C library. Multiply-add kernels round once with AVX and on ARM, else twice. */
#ifndef DYN__KERNEL_H
#define DYN__KERNEL_H

#include "random/random.h"

typedef struct dyn__arg { void *p; int64_t row, col; } dyn__arg;
/* c: the one scalar parameter of a kernel that has one (exponent). */
typedef void (*dyn__tile_fn)(int64_t rows, int64_t cols, const dyn__arg *arg, double c);

/* K(NAME, inputs, formula). Elementwise. Comparisons give 1 or 0. NaN passes through max (either operand NaN gives
 * NaN). */
#define DYN__ELEMENTWISE_LIST(K)                                     \
    K(COPY, 1, "a") K(NEG, 1, "-a")                                  \
    K(EXP, 1, "exp a") K(EXPM1, 1, "exp a - 1") K(LOG, 1, "log a") K(LOG1P, 1, "log (1+a)") \
    K(TANH, 1, "tanh a") K(ERF, 1, "erf a") K(SIN, 1, "sin a") K(COS, 1, "cos a") K(SQRT, 1, "sqrt a") \
    K(POWI, 1, "a^c, c an integer, by repeated multiplication; 1/.. for c < 0") \
    K(POW, 1, "a^c, c real; NaN for a < 0") \
    K(ADD, 2, "a+b") K(SUB, 2, "a-b") K(MUL, 2, "a*b") K(DIV, 2, "a/b") K(MAX, 2, "max(a,b)") \
    K(GT, 2, "a>b") K(GE, 2, "a>=b") K(EQ, 2, "a==b")                \
    K(SELECT, 3, "a != 0 ? b : c") K(FMA, 3, "fma(a,b,c)") K(FNMA, 3, "fma(-a,b,c)") K(FMS, 3, "fma(a,b,-c)") \
    K(ADD_MUL, 3, "(a+b) * c")                                       \
    K(MUL_1MSQ, 2, "a * fma(-b,b,1): the tanh derivative times a")   \
    K(MUL2_1MSQ, 3, "a * b * fma(-c,c,1)")                           \
    K(TANH_ADD, 2, "tanh (a+b)") K(TANH_FMA, 3, "tanh fma(a,b,c)")

/* K(NAME, inputs, formula). Reductions. Inputs may have col 0. Row reductions write one number per row at p[r*row] of
 * arg[0] (col of arg[0] is ignored), column reductions one per column at p[c], total reductions one at p[0]. If c is
 * not 0, sums are added to what is there. The order of summation depends on rows and cols only. */
#define DYN__REDUCTION_LIST(K)                                       \
    K(ROW_SUM, 1, "y_r = sum_c a") K(ROW_MAX, 1, "y_r = max_c a") K(ROW_DOT, 2, "y_r = sum_c a*b") \
    K(COL_SUM, 1, "y_c = sum_r a") K(COL_DOT, 2, "y_c = sum_r a*b")  \
    K(SUM, 1, "y = sum a") K(DOT, 2, "y = sum a*b")                  \
    K(COL_SUM_DOT, 2, "COL_SUM of a and, to the second output arg[3], COL_DOT")

/* K(NAME, inputs, formula). An elementwise kernel and the column sums of its result: arg[4] = COL_SUM and, if c has
 * DYN__SUMS_WEIGHTED, arg[6] = COL_DOT with arg[5], a scalar per row. With DYN__SUMS_ONLY the result is not written,
 * with DYN__SUMS_INPUT arg[7] = COL_DOT of the third input with the first, with DYN__SUMS_ADD sums are added to what is
 * there. Of two inputs arg[3] is ignored. */
#define DYN__SUMMED_LIST(K)                                          \
    K(MUL_1MSQ_SUMS, 2, "a * fma(-b,b,1)") K(MUL2_1MSQ_SUMS, 3, "a * b * fma(-c,c,1)") K(FMS_SUMS, 3, "fma(a,b,-c)")
enum { DYN__SUMS_ONLY = 1, DYN__SUMS_WEIGHTED = 2, DYN__SUMS_INPUT = 4, DYN__SUMS_ADD = 8, DYN__MAX_ARGS = 8 };

/* An elementwise kernel that is in no table: of a primitive that brings its own. */
typedef struct dyn__own_kernel {
    const char *name;
    dyn__tile_fn f64, f32;
    double cost;            /* nanoseconds for an element of float32, roughly: exp 0.25, a sum 0.06 */
} dyn__own_kernel;

/* DYN__K_OWN stands for it. */
enum dyn__kernel_id {
#define DYN__K(name, n, f) DYN__K_##name,
    DYN__ELEMENTWISE_LIST(DYN__K) DYN__K_OWN, DYN__REDUCTION_LIST(DYN__K) DYN__SUMMED_LIST(DYN__K)
#undef DYN__K
    DYN__K_COUNT
};
const char *dyn__kernel_name(int id);
int dyn__kernel_inputs(int id);

/* Update rules: one pass over n parameters. theta in place; g gradient; moment[0..2] the state vectors m, v, w; a rule
 * does not touch those it does not have, they may be NULL. h holds the numbers of this step, already computed in double
 * by the caller: see struct dyn__update. Returns 1 where all moments are finite after the step, else 0. */
typedef struct dyn__update {
    double rate;        /* learning rate times what bias correction of the first moment asks for */
    double beta1, beta2;
    double scale2;      /* factor on v before the square root: 1/(1-beta2^t), or 1; SOPHIA: gamma */
    double eps;
    double decay;       /* decoupled: theta -= decay * theta (rate * wd already multiplied) */
    double l2;          /* added to the gradient: g += l2 * theta */
    double clip;        /* factor on the gradient from clipping, 1 = none */
    int32_t eps_inside; /* 1: sqrt(v + eps), 0: sqrt(v) + eps */
    int32_t ema;        /* heavy ball: m = b m + (1-b) g instead of m = b m + g */
    double of_g, of_m;  /* NADAM: theta -= (of_g g + of_m m) / root, with the rate in both */
} dyn__update;
typedef int (*dyn__update_fn)(int64_t n, const dyn__update *h, void *theta, const void *g, void *const moment[3]);
#define DYN__UPDATE_LIST(K) \
    K(GD) K(HEAVY_BALL) K(NESTEROV) K(ADAM) K(AMSGRAD) K(ADAMAX) K(NADAM) K(RMSPROP) K(RMSPROP_MOMENTUM) K(CENTRED) \
    K(CENTRED_MOMENTUM) K(ADAGRAD) K(ADADELTA) K(LION) K(SOPHIA) K(SIGN)
enum dyn__update_id {
#define DYN__K(name) DYN__U_##name,
    DYN__UPDATE_LIST(DYN__K)
#undef DYN__K
    DYN__U_COUNT
};

struct dyn__gemm;

typedef struct dyn__kernel_table {
    dyn__tile_fn tile[DYN__K_COUNT];
    dyn__update_fn update[DYN__U_COUNT];
    /* y[i, :] = table[index[i], :], rows x cols; an index outside [0, table_rows) gives NaN rows (checked earlier at
     * the edges). */
    void (*gather)(int64_t rows, int64_t cols, void *y, const void *table, int64_t table_rows, const int64_t *index);
    /* table[index[i], :] += x[i, :] in the order i = 0, 1, ...; indices out of range are skipped. */
    void (*scatter_add)(int64_t rows, int64_t cols, void *table, int64_t table_rows, const void *x,
                        const int64_t *index);
    /* Uniform draws first .. first + n - 1 of the key (random.h). */
    void (*uniform)(dyn__key k, int64_t first, int64_t n, void *y);
    /* y = transpose of x, x is rows x cols with row stride xs, y is cols x rows with row stride ys. */
    void (*transpose)(int64_t rows, int64_t cols, void *y, int64_t ys, const void *x, int64_t xs);
    /* The plain matrix product of this instruction set, for dyn__gemm_plan. */
    void (*gemm)(const struct dyn__gemm *g, const void *a, const void *b, void *c);
    /* The last g->tail columns of a product, 1 to DYN__MOST_TAIL of at least as many columns; B is not
     * transposed. */
    void (*gemm_tail)(const struct dyn__gemm *g, const void *a, const void *b, void *c);
    int64_t vector;                     /* elements of a vector; 0 where there is no gemm_tail */
} dyn__kernel_table;

typedef struct dyn__kernels {
    int isa;                            /* enum dyn_isa */
    const char *isa_name;               /* for the report */
    dyn__kernel_table f64, f32;
    char blas[64], blas_arch[32];       /* for the report */
    int have_blis, have_xsmm, have_sleef;
    int blis_differs;                   /* the BLIS that runs is not the version compiled for */
    int large_by_blis;                  /* is BLIS the better provider of large products? else our own blocks */
    int64_t first_cache, second_cache;  /* bytes of a core's, as classes (machine.h) */
} dyn__kernels;

/* Fill the table with the kernels of this instruction set. DYN_ENOTSUP when the CPU or the build has it not. The best
 * with DYN_ISA_AUTO. */
dyn_status dyn__kernels_init(dyn__kernels *k, int isa);
/* The instruction set of the numeric class, DYN_ISA_AUTO where the CPU has it not; and the rest of what a class decides. */
int dyn__kernels_isa(const char *numerics);
void dyn__kernels_pin(dyn__kernels *k, const char *numerics);
/* Convert n numbers. */
void dyn__widen(int64_t n, double *y, const float *x);
void dyn__narrow(int64_t n, float *y, const double *x);

/* The norm of n numbers: right to rounding wherever it is a number, NaN if one of them is. */
double dyn__norm(dyn_ctx *ctx, int64_t n, const double *x);
/* Sum of x_i y_i in their order, for what is small or once. */
static inline double dyn__inner(int64_t n, const double *x, const double *y)
{
    double sum = 0;

    for (int64_t i = 0; i < n; i++)
        sum += x[i] * y[i];
    return sum;
}

/* Matrix product, row-major: C (m x n) = A (m x k) B (k x n) [+ C]. trans_a: A is stored k x m; trans_b: B is stored
 * n x k. Planned once (provider and generated code chosen from the sizes), run often from any thread, never
 * allocating through ctx while running (large products take a copy's memory elsewhere). Sizes are > 0 and validated by the
 * caller. Bits depend on the plan and the numbers only. */
typedef struct dyn__gemm {
    int32_t dtype, trans_a, trans_b, accumulate;
    int64_t m, n, k, lda, ldb, ldc;
    void (*run)(const struct dyn__gemm *g, const void *a, const void *b, void *c);
    /* generated kernels of LIBXSMM, owned by LIBXSMM's registry: of all rows of B, or of a slice of `depth` rows and of
     * the last, lower one */
    void *code, *last_code;
    int32_t depth;
    int32_t provider;           /* enum dyn__gemm_provider */
    int32_t tail;               /* the last columns, if table->gemm_tail computes them */
    const struct dyn__kernel_table *table;      /* of the kernels beside the provider's */
} dyn__gemm;
enum dyn__gemm_provider { DYN__GEMM_PLAIN = 1, DYN__GEMM_XSMM = 2, DYN__GEMM_BLOCKED = 3, DYN__GEMM_BLIS = 4 };
enum { DYN__MOST_TAIL = 4 };
/* Fill everything from run on from the other fields (trans_b and ldb may be replaced by an equivalent pair).
 * provider != 0 on entry asks for that provider (tests); DYN_ENOTSUP if it cannot. */
dyn_status dyn__gemm_plan(const dyn__kernels *k, dyn__gemm *g);
static inline void dyn__gemm_run(const dyn__gemm *g, const void *a, const void *b, void *c)
{
    g->run(g, a, b, c);
}

#endif
