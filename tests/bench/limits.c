/* SPDX-License-Identifier: BSD-3-Clause
 *
 * dyn-limits: what one core of this machine can do at most, as lines "name value unit": multiply-add rate in both
 * precisions, bandwidth of reading from each level of memory, time of a tanh (libdyn's kernels: in float32 they beat
 * SLEEF's, in float64 they are SLEEF's). Each is the best of many short trials. */
#include "kernel/kernel.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define TRIALS 30

static volatile double sink;    /* so that no loop is optimised away */

static double now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* Seconds of one call of f(argument). */
static double best_of(void (*f)(void *), void *argument)
{
    double best = 1e300;

    for (int i = 0; i < TRIALS; i++) {
        double t = now();

        f(argument);
        t = now() - t;
        best = t < best ? t : best;
    }
    return best;
}

/* Twelve independent chains of multiply-adds keep both units of a core busy: x_j = x_j * a + b, one vector each. */
#define EACH(X) X(0) X(1) X(2) X(3) X(4) X(5) X(6) X(7) X(8) X(9) X(10) X(11)
#define CHAINS 12
#define FMA_STEPS 100000
#define CHAIN_START(j) vector x##j = b + (type)j;
#define CHAIN_STEP(j) x##j = x##j * a + b;
#define CHAIN_END(j) sink += (double)x##j[0];
#define DEFINE_FMA(type_, bytes, name, target)                                              \
    target static void name(void *unused)                                                   \
    {                                                                                       \
        typedef type_ type;                                                                 \
        typedef type vector __attribute__((vector_size(bytes)));                            \
        const vector zero = { 0 }, a = zero + (type)0.999, b = zero + (type)0.001;          \
        EACH(CHAIN_START)                                                                   \
                                                                                            \
        (void)unused;                                                                       \
        for (int i = 0; i < FMA_STEPS; i++) {                                               \
            EACH(CHAIN_STEP)                                                                \
        }                                                                                   \
        EACH(CHAIN_END)                                                                     \
    }

#if defined(__x86_64__)
#define AVX2 __attribute__((target("avx2,fma")))
#define AVX512 __attribute__((target("avx512f,fma")))
DEFINE_FMA(float, 64, fma_f32_512, AVX512)
DEFINE_FMA(double, 64, fma_f64_512, AVX512)
#else
#define AVX2
#endif
DEFINE_FMA(float, 32, fma_f32_256, AVX2)
DEFINE_FMA(double, 32, fma_f64_256, AVX2)

/* Operations a second of a loop of DEFINE_FMA whose vectors have `lanes` elements. */
static double rate(void (*loop)(void *), int lanes)
{
    return 2.0 * CHAINS * FMA_STEPS * lanes / best_of(loop, NULL);
}

static void show_fma(const dyn__kernels *k)
{
    double f32 = rate(fma_f32_256, 8), f64 = rate(fma_f64_256, 4);

#if defined(__x86_64__)
    if (k->isa == DYN_ISA_AVX512) {
        f32 = fmax(f32, rate(fma_f32_512, 16));
        f64 = fmax(f64, rate(fma_f64_512, 8));
    }
#endif
    (void)k;
    printf("fma_f32 %g FLOP/s\n", f32);
    printf("fma_f64 %g FLOP/s\n", f64);
}

typedef struct reading {
    const dyn__kernels *k;
    double *data, sum;
    int64_t size, times;
} reading;

static void read_all(void *argument)
{
    reading *r = argument;
    const dyn__arg arg[2] = { { &r->sum, 0, 0 }, { r->data, r->size, 1 } };

    for (int64_t i = 0; i < r->times; i++)
        r->k->f64.tile[DYN__K_SUM](1, r->size, arg, 0);
    sink += r->sum;
}

static void show_bandwidth(const dyn__kernels *k, const char *name, int64_t bytes)
{
    reading r = { k, aligned_alloc(64, (size_t)bytes), 0, bytes / 8, 1 };

    if (!r.data)
        return;
    memset(r.data, 0, (size_t)bytes);
    r.times = bytes < (16 << 20) ? (16 << 20) / bytes : 1;
    printf("%s %g B/s\n", name, (double)(bytes * r.times) / best_of(read_all, &r));
    free(r.data);
}

#define ELEMENTS 2048
#define TIMES 100
static float in32[ELEMENTS] __attribute__((aligned(64))), out32[ELEMENTS] __attribute__((aligned(64)));
static double in64[ELEMENTS] __attribute__((aligned(64))), out64[ELEMENTS] __attribute__((aligned(64)));

static void tanh_f32(void *k)
{
    const dyn__arg arg[2] = { { out32, ELEMENTS, 1 }, { in32, ELEMENTS, 1 } };

    for (int i = 0; i < TIMES; i++)
        ((const dyn__kernels *)k)->f32.tile[DYN__K_TANH](1, ELEMENTS, arg, 0);
}

static void tanh_f64(void *k)
{
    const dyn__arg arg[2] = { { out64, ELEMENTS, 1 }, { in64, ELEMENTS, 1 } };

    for (int i = 0; i < TIMES; i++)
        ((const dyn__kernels *)k)->f64.tile[DYN__K_TANH](1, ELEMENTS, arg, 0);
}

static void show_tanh(dyn__kernels *k)
{
    for (int i = 0; i < ELEMENTS; i++)
        in32[i] = (float)(in64[i] = 4.0 * i / ELEMENTS - 2);
    printf("tanh_f32 %g s\n", best_of(tanh_f32, k) / (ELEMENTS * TIMES));
    printf("tanh_f64 %g s\n", best_of(tanh_f64, k) / (ELEMENTS * TIMES));
}

int main(int argc, char **argv)
{
    dyn__kernels *k = calloc(1, sizeof *k);

    if (!k || dyn__kernels_init(k, argc > 1 ? atoi(argv[1]) : DYN_ISA_AUTO))
        return 1;
    show_fma(k);
    show_bandwidth(k, "read_l1", 24 << 10);
    show_bandwidth(k, "read_l2", 512 << 10);
    show_bandwidth(k, "read_l3", 8 << 20);
    show_bandwidth(k, "read_memory", 256 << 20);
    show_tanh(k);
    free(k);
    return 0;
}
