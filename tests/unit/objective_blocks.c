/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Batches of directions: whatever their number, they go through plans for several directions and for one, and each
 * image is that of its direction alone. */
#include "exec_problems.h"

static void check_counts(dyn_operator *A, const double *v, const double *alone, double tolerance)
{
    static const int64_t counts[] = { 2, 3, 4, 5, 7, 8, 15, 16, 17, 20, 23, 36, DIRECTIONS };
    const int64_t p = dyn_operator_size(A);
    double *hv = malloc((size_t)(DIRECTIONS * p) * sizeof *hv);

    for (size_t c = 0; c < sizeof counts / sizeof counts[0]; c++) {
        double worst = 0, scale = 0;

        for (int64_t i = 0; i < DIRECTIONS * p; i++)
            hv[i] = (double)NAN;
        CHECK(dyn_operator_apply(A, counts[c], v, hv) == DYN_OK);
        for (int64_t i = 0; i < counts[c] * p; i++) {
            worst = isnan(hv[i]) ? (double)INFINITY : fmax(worst, fabs(hv[i] - alone[i]));
            scale = fmax(scale, fabs(alone[i]));
        }
        CHECK(worst <= tolerance * scale);
        CHECK(counts[c] == DIRECTIONS || isnan(hv[counts[c] * p]));
    }
    free(hv);
}

static void check_operator(dyn_objective *o, int gauss_newton, double tolerance)
{
    const int64_t p = dyn_objective_size(o);
    double *theta = start_of(o), *v = malloc((size_t)(2 * DIRECTIONS * p) * sizeof *v), *alone = v + DIRECTIONS * p;
    dyn_operator *A = NULL;

    directions(p, v);
    CHECK((gauss_newton ? dyn_objective_ggn : dyn_objective_hessian)(o, theta, &A) == DYN_OK);
    for (int64_t i = 0; i < DIRECTIONS; i++)
        CHECK(dyn_operator_apply(A, 1, v + i * p, alone + i * p) == DYN_OK);
    check_counts(A, v, alone, tolerance);
    dyn_operator_unref(A);
    free(theta);
    free(v);
}

/* 3001 parameters: blocks of both sizes; 17610: of one size, or none. */
TEST(batches_are_their_directions)
{
    for (int digits = 0; digits < 2; digits++)
        for (int32_t dtype = DYN_F64; dtype <= DYN_F32; dtype++) {
            dyn_ctx *ctx = make_ctx(2, DYN_ISA_AUTO);
            const problem p = { .digits = digits, .dtype = dtype, .samples = 60 };
            dyn_objective *o = make_objective(ctx, &p, p.samples);

            for (int gauss_newton = 0; gauss_newton < 2; gauss_newton++)
                check_operator(o, gauss_newton, dtype == DYN_F64 ? 1e-13 : 1e-5);
            dyn_objective_unref(o);
            dyn_ctx_free(ctx);
        }
}

int main(void)
{
    RUN(batches_are_their_directions);
    return test_end();
}
