/* SPDX-License-Identifier: BSD-3-Clause
 *
 * dyn_check_gradient and dyn_check_hessian on right derivatives, and on the mistakes people make: a sign, a factor, one
 * wrong component, a term forgotten in the Hessian, a Hessian that is not symmetric, callbacks that fail. */
#include "oom/oom.h"
#include "train_problem.h"

enum { SIZE = 6 };

/* f(x) = sum_i cosh(a_i x_i) + x_0 x_1 x_2, with mistakes on demand. */
enum mistake { NONE, SIGN, FACTOR, COMPONENT, SMALL, TERM, ASYMMETRIC, NOT_A_NUMBER, FAILS, NARROW };

typedef struct problem { enum mistake mistake; double constant; int64_t calls; } problem;

static double a(int i) { return 0.5 + 0.25 * i; }

static int32_t value(void *user, const dyn_objective_view *at)
{
    const double *x = at->theta;
    double *f = at->value;
    problem *p = user;

    p->calls++;
    *f = p->constant + x[0] * x[1] * x[2];
    for (int i = 0; i < SIZE; i++)
        *f += cosh(a(i) * x[i]);
    if (p->mistake == NARROW && fabs(x[3] - 0.4) > 1e-3)
        *f = (double)NAN;
    return 0;
}

static int32_t gradient(void *user, const dyn_objective_view *at)
{
    const double *x = at->theta;
    double *f = at->value, *g = at->gradient;
    problem *p = user;

    value(p, &(dyn_objective_view){ .theta = x, .value = f });
    if (p->mistake == FAILS)
        return 7;
    for (int i = 0; i < SIZE; i++)
        g[i] = a(i) * sinh(a(i) * x[i]) + (i < 3 ? x[(i + 1) % 3] * x[(i + 2) % 3] : 0);
    for (int i = 0; i < SIZE; i++)
        g[i] *= p->mistake == SIGN ? -1 : p->mistake == FACTOR ? 2 : p->mistake == SMALL ? 1.0001 : 1;
    if (p->mistake == COMPONENT)
        g[4] += 0.1;
    if (p->mistake == NOT_A_NUMBER)
        g[0] = (double)NAN;
    return 0;
}

static int32_t product(void *user, const dyn_objective_view *at)
{
    const double *x = at->theta, *v = at->v;
    double *hv = at->product;
    int64_t count = at->count;
    const problem *p = user;

    for (int64_t k = 0; k < count; k++, v += SIZE, hv += SIZE)
        for (int i = 0; i < SIZE; i++) {
            hv[i] = a(i) * a(i) * cosh(a(i) * x[i]) * v[i];
            if (i < 3 && p->mistake != TERM)
                hv[i] += x[(i + 1) % 3] * v[(i + 2) % 3] + x[(i + 2) % 3] * v[(i + 1) % 3];
            if (p->mistake == ASYMMETRIC && i == 5)
                hv[i] += 0.01 * v[0];
            if (p->mistake == SIGN)
                hv[i] = -hv[i];
        }
    return 0;
}

static const double point[SIZE] = { 0.3, -0.7, 1.1, 0.4, -0.2, 0.9 };

static dyn_check *checked(dyn_ctx *ctx, problem *p, const double *theta, int hessian)
{
    dyn_objective *o = NULL;
    dyn_check *c = NULL;

    CHECK_OK(ctx, dyn_objective_from_callbacks(ctx, &FUNCTIONS(.size = SIZE, .value = value, .gradient = gradient,
                                                               .hessian = product, .user = p), &o));
    CHECK_OK(ctx, (hessian ? dyn_check_hessian : dyn_check_gradient)(o, theta, 3, &c));
    dyn_objective_unref(o);
    return c;
}

TEST(right_derivatives_pass)
{
    dyn_ctx *ctx = make_ctx(1);

    for (int hessian = 0; hessian < 2; hessian++) {
        problem p = { .mistake = NONE };
        dyn_check *c = checked(ctx, &p, point, hessian);

        CHECK(dyn_check_passed(c) == 1);
        CHECK(dyn_check_error(c) < 1e-9 && dyn_check_tolerance(c) < 1.01e-6);
        CHECK(dyn_check_order(c) > 1.8);
        CHECK(hessian ? dyn_check_asymmetry(c) < 1e-14 : isnan(dyn_check_asymmetry(c)));
        CHECK(p.calls < 150);
        dyn_check_free(c);
    }
    dyn_ctx_free(ctx);
}

TEST(wrong_gradients_fail)
{
    static const enum mistake mistakes[] = { SIGN, FACTOR, COMPONENT, SMALL };
    static const double least[] = { 0.5, 0.2, 0.005, 1e-5 };
    dyn_ctx *ctx = make_ctx(1);

    for (int i = 0; i < 4; i++) {
        problem p = { .mistake = mistakes[i] };
        dyn_check *c = checked(ctx, &p, point, 0);

        CHECK(dyn_check_passed(c) == 0);
        CHECK(dyn_check_error(c) > least[i] && dyn_check_tolerance(c) < 1.01e-6);
        CHECK_NEAR(dyn_check_order(c), 1, 0.05);
        dyn_check_free(c);
    }
    dyn_ctx_free(ctx);
}

TEST(wrong_hessians_fail)
{
    static const enum mistake mistakes[] = { SIGN, TERM, ASYMMETRIC };
    dyn_ctx *ctx = make_ctx(1);

    for (int i = 0; i < 3; i++) {
        problem p = { .mistake = mistakes[i] };
        dyn_check *c;

        /* a sign of the gradient and of the Hessian both wrong is consistent: only the gradient's check tells */
        c = checked(ctx, &p, point, 1);
        CHECK(dyn_check_passed(c) == (mistakes[i] == SIGN));
        CHECK((dyn_check_error(c) > 1e-4) == (mistakes[i] != SIGN));
        CHECK((dyn_check_asymmetry(c) > 1e-5) == (mistakes[i] == ASYMMETRIC));
        dyn_check_free(c);
    }
    dyn_ctx_free(ctx);
}

/* At the minimum of sum cosh the gradient is 0 and so is every difference but for rounding. */
TEST(minimum_and_large_constant)
{
    static const double zero[SIZE];
    dyn_ctx *ctx = make_ctx(1);
    problem p = { .mistake = NONE }, q = { .constant = 1e6 }, r = { .mistake = FACTOR, .constant = 1e6 };
    dyn_check *c = checked(ctx, &p, zero, 0);

    CHECK(dyn_check_passed(c) == 1);
    dyn_check_free(c);
    c = checked(ctx, &q, point, 0);
    CHECK(dyn_check_passed(c) == 1 && dyn_check_error(c) < 1e-5);
    dyn_check_free(c);
    c = checked(ctx, &r, point, 0);
    CHECK(dyn_check_passed(c) == 0);
    dyn_check_free(c);
    dyn_ctx_free(ctx);
}

/* Defined only near theta: the steps shrink until all points are inside. */
TEST(narrow_domain)
{
    dyn_ctx *ctx = make_ctx(1);
    problem p = { .mistake = NARROW };
    dyn_check *c = checked(ctx, &p, point, 0);

    CHECK(dyn_check_passed(c) == 1 && dyn_check_error(c) < 1e-7);
    dyn_check_free(c);
    dyn_ctx_free(ctx);
}

TEST(networks_pass)
{
    dyn_ctx *ctx = make_ctx(2);
    double theta[NETWORK_SIZE];

    network_start(theta);
    for (int32_t dtype = DYN_F64; dtype <= DYN_F32; dtype++) {
        dyn_objective *o = make_network(ctx, dtype);
        dyn_check *c = NULL;

        CHECK_OK(ctx, dyn_check_gradient(o, theta, 1, &c));
        CHECK(dyn_check_passed(c) && dyn_check_order(c) > 1.5);
        CHECK(dyn_check_error(c) < (dtype == DYN_F64 ? 1e-9 : 1e-3));
        dyn_check_free(c);
        CHECK_OK(ctx, dyn_check_hessian(o, theta, 1, &c));
        CHECK(dyn_check_passed(c) && dyn_check_error(c) < (dtype == DYN_F64 ? 1e-9 : 1e-3));
        dyn_check_free(c);
        dyn_objective_unref(o);
    }
    dyn_ctx_free(ctx);
}

TEST(same_numbers_again)
{
    dyn_ctx *ctx = make_ctx(1), *more = make_ctx(7);
    problem p = { .mistake = SMALL };
    dyn_check *c = checked(ctx, &p, point, 0), *d = checked(more, &p, point, 0);

    CHECK(dyn_check_error(c) == dyn_check_error(d) && dyn_check_order(c) == dyn_check_order(d));
    CHECK(dyn_check_tolerance(c) == dyn_check_tolerance(d));
    dyn_check_free(c);
    dyn_check_free(d);
    dyn_ctx_free(ctx);
    dyn_ctx_free(more);
}

TEST(errors)
{
    dyn_ctx *ctx = make_ctx(1);
    problem p = { .mistake = FAILS };
    double bad[SIZE] = { 0, 0, (double)NAN, 0, 0, 0 };
    dyn_objective *o = NULL;
    dyn_check *c = (dyn_check *)&p;

    CHECK_OK(ctx, dyn_objective_from_callbacks(ctx, &FUNCTIONS(.size = SIZE, .value = value, .gradient = gradient,
                                                               .user = &p), &o));
    CHECK(dyn_check_gradient(o, point, 0, &c) == DYN_EUSER && !c);
    CHECK_STR(dyn_ctx_message(ctx), "dyn_check_gradient: the caller's gradient function returned 7");
    CHECK(dyn_check_hessian(o, point, 0, &c) == DYN_ENOTSUP && !c);
    CHECK_STR(dyn_ctx_message(ctx), "dyn_check_hessian: ");
    CHECK(dyn_check_gradient(o, bad, 0, &c) == DYN_ENONFINITE);
    CHECK_STR(dyn_ctx_message(ctx), "theta[2] = nan");
    p.mistake = NOT_A_NUMBER;
    CHECK(dyn_check_gradient(o, point, 0, &c) == DYN_ENONFINITE && !c);
    CHECK(dyn_check_gradient(NULL, point, 0, &c) == DYN_EINVAL && dyn_check_gradient(o, NULL, 0, &c) == DYN_EINVAL);
    CHECK(dyn_check_gradient(o, point, 0, NULL) == DYN_EINVAL);
    CHECK(dyn_check_passed(NULL) == 0 && isnan(dyn_check_error(NULL)) && isnan(dyn_check_tolerance(NULL)));
    dyn_objective_unref(o);
    dyn_ctx_free(ctx);
}

static dyn_status both(dyn_ctx *ctx, void *arg)
{
    dyn_objective *o;
    dyn_check *c = NULL, *d = NULL;
    double theta[NETWORK_SIZE];
    dyn_status s = try_network(ctx, DYN_F64, &o);

    (void)arg;
    network_start(theta);
    if (s == DYN_OK)
        s = dyn_check_gradient(o, theta, 0, &c);
    if (s == DYN_OK)
        s = dyn_check_hessian(o, theta, 0, &d);
    dyn_objective_unref(o);
    dyn_check_free(c);
    dyn_check_free(d);
    return s;
}

TEST(out_of_memory) { CHECK(oom_try("check", both, NULL) > 10); }

int main(void)
{
    RUN(right_derivatives_pass);
    RUN(wrong_gradients_fail);
    RUN(wrong_hessians_fail);
    RUN(minimum_and_large_constant);
    RUN(narrow_domain);
    RUN(networks_pass);
    RUN(same_numbers_again);
    RUN(errors);
    RUN(out_of_memory);
    return test_end();
}
