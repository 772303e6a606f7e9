/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The test harness: a test program is a list of functions; each CHECK counts. One process per file; the last line reads
 * "N passed, N failed". Usage: TEST(name) { CHECK(cond); CHECK_NEAR(a, b, tol); }  int main(void) { RUN(name); return test_end(); } */
#ifndef TEST_H
#define TEST_H

#include <math.h>
#include <stdio.h>
#include <string.h>

static int test_passed_, test_failed_, test_bad_;
static const char *test_name_;

#define TEST(name) static void name(void)
#define RUN(name)                                                                            \
    do {                                                                                     \
        test_name_ = #name;                                                                  \
        test_bad_ = 0;                                                                       \
        name();                                                                              \
        if (test_bad_) test_failed_++; else test_passed_++;                                  \
        printf("%s - %s\n", test_bad_ ? "not ok" : "ok", #name);                             \
        fflush(stdout);                                                                      \
    } while (0)
#define TEST_FAIL(...) (test_bad_++ < 10 ? (printf("# %s:%d: ", __FILE__, __LINE__), printf(__VA_ARGS__), printf("\n")) : 0)
#define CHECK(cond) do { if (!(cond)) TEST_FAIL("%s: CHECK(%s)", test_name_, #cond); } while (0)
#define CHECK_OK(ctx, call) do { dyn_status s_ = (call); if (s_ != 0) TEST_FAIL("%s: %s = %d: %s", test_name_, #call, s_, dyn_ctx_message(ctx)); } while (0)
/* |a - b| <= tol * max(1, |b|) ; a NaN fails */
#define CHECK_NEAR(a, b, tol)                                                                \
    do {                                                                                     \
        double a_ = (a), b_ = (b);                                                           \
        if (!(fabs(a_ - b_) <= (tol) * fmax(1.0, fabs(b_))))                                 \
            TEST_FAIL("%s: %s = %.17g, expected %.17g within %g", test_name_, #a, a_, b_, (double)(tol)); \
    } while (0)
#define CHECK_STR(s, part) do { if (!strstr((s), (part))) TEST_FAIL("%s: \"%s\" lacks \"%s\"", test_name_, (s), (part)); } while (0)

/* Functions of the caller's as dyn_objective_from_callbacks takes them. */
#define FUNCTIONS(...) (dyn_objective_functions){ .struct_size = sizeof(dyn_objective_functions), __VA_ARGS__ }
/* An array of doubles as dyn_exec_bind takes it. */
#define DOUBLES(a) DYN_F64, (int64_t)(sizeof(a) / sizeof(double)), (a)

static inline int test_end(void)
{
    printf("%d passed, %d failed\n", test_passed_, test_failed_);
    return test_failed_ != 0;
}

#endif
