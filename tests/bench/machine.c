/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The machine description by measurement: what a flop, an element and a byte cost, for every instruction set that the
 * CPU has, as rows of libdyn/kernel/machine_table.h. Best of many short runs, rounded to one digit, so that another run
 * writes the same. usage: dyn-machine > libdyn/kernel/machine_table.h, on a quiet machine. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include "kernel/kernel.h"
#include <dyn/context.h>

enum { ROWS = 16, COLUMNS = 256, SIDE = 192, RUNS = 400 };
static const int64_t near_bytes = 384 << 10, middle_bytes = 5 << 20, far_bytes = 128 << 20;

typedef struct probe { const dyn__kernels *k; float *a, *b, *c; int64_t size; dyn__gemm gemm; int kernel; } probe;

static double now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

static double best(void (*run)(const probe *), const probe *p, int runs)
{
    double least = INFINITY;

    for (int i = 0; i < runs; i++) {
        const double start = now();
        run(p);
        least = fmin(least, now() - start);
    }
    return least;
}

static void product(const probe *p) { dyn__gemm_run(&p->gemm, p->a, p->b, p->c); }

/* On rows that stay in the first-level cache. */
static void elements(const probe *p)
{
    const dyn__arg arg[3] = {{p->c, COLUMNS, 1}, {p->a, COLUMNS, 1}, {p->b, COLUMNS, 1}};

    for (int i = 0; i < 16; i++)
        p->k->f32.tile[p->kernel](ROWS / 4, COLUMNS, arg, 0);
}

static void copy(const probe *p)
{
    const dyn__arg arg[2] = {{p->c, 0, 1}, {p->a, 0, 1}};

    p->k->f32.tile[DYN__K_COPY](1, p->size, arg, 0);
}

static double per_element(probe *p, int kernel)
{
    p->kernel = kernel;
    return best(elements, p, RUNS) / (16.0 * ROWS / 4 * COLUMNS);
}

/* Of a byte read and one written. */
static double per_byte(probe *p, int64_t bytes, int runs)
{
    p->size = bytes / 8;
    return best(copy, p, runs) / (double)bytes;
}

static double per_flop(probe *p)
{
    p->gemm = (dyn__gemm){.dtype = DYN_F32, .m = SIDE, .n = SIDE, .k = SIDE, .lda = SIDE, .ldb = SIDE, .ldc = SIDE};
    if (dyn__gemm_plan(p->k, &p->gemm) < 0)
        exit(1);
    return best(product, p, RUNS) / (2.0 * SIDE * SIDE * SIDE);
}

static double rounded(double x)
{
    const double unit = pow(10, floor(log10(x)));

    return round(x / unit) * unit;
}

static void measure(const char *name, int isa, probe *p)
{
    dyn__kernels k;

    if (dyn__kernels_init(&k, isa) < 0) {
        fprintf(stderr, "%s: not of this CPU; keep its row\n", name);
        return;
    }
    p->k = &k;
    printf("{%s, %g, ", name, rounded(per_flop(p)));
    printf("%g, %g, ", rounded(per_element(p, DYN__K_ADD)), rounded(per_element(p, DYN__K_TANH)));
    printf("%g, %g, ", rounded(per_byte(p, near_bytes, RUNS)), rounded(per_byte(p, middle_bytes, RUNS)));
    printf("%g},\n", rounded(per_byte(p, far_bytes, 5)));
}

int main(void)
{
    const size_t room = (size_t)far_bytes / 2;
    probe p = {.a = malloc(room), .b = malloc(room), .c = malloc(room)};

    if (!p.a || !p.b || !p.c)
        return 1;
    for (size_t i = 0; i < room / sizeof(float); i++)
        p.a[i] = p.b[i] = p.c[i] = 0.5f;
    printf("/* SPDX-License-Identifier: BSD-3-Clause\n *\n * Nanoseconds by instruction set: flop, element, function, "
           "near, middle, far byte.\n * Written by dyn-machine (tests/bench). */\n");
    measure("DYN_ISA_AVX512", DYN_ISA_AVX512, &p);
    measure("DYN_ISA_AVX2", DYN_ISA_AVX2, &p);
    measure("DYN_ISA_VECTOR", DYN_ISA_VECTOR, &p);
    measure("DYN_ISA_REFERENCE", DYN_ISA_REFERENCE, &p);
    free(p.c);
    free(p.b);
    free(p.a);
    return 0;
}
