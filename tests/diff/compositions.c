/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The compositions by name: values against closed forms in long double, derivatives to third order against differences,
 * finite far out (x = +-50, +-800), and the conventions at kinks and ties. */
#include "tests/diff/problem.h"
#include "tests/test.h"

#include <dyn/model.h>

enum { ORDERS = 4 };

typedef dyn_node (*unary)(dyn_graph *g, dyn_node x);
typedef long double (*closed_form)(long double x);

static dyn_ctx *ctx;

/* ---- closed forms ---- */

static long double f_identity(long double x) { return x; }
static long double f_relu(long double x) { return x > 0 ? x : 0; }
static long double f_leaky(long double x) { return x > 0 ? x : 0.01L * x; }
static long double f_sigmoid(long double x) { return 1 / (1 + expl(-x)); }
static long double f_gelu(long double x) { return x * erfcl(-x / sqrtl(2)) / 2; }
static long double f_gelu_tanh(long double x)
{
    return x * (1 + tanhl(sqrtl(2 / acosl(-1)) * (x + 0.044715L * x * x * x))) / 2;
}
static long double f_silu(long double x) { return x / (1 + expl(-x)); }
static long double f_softplus(long double x) { return x > 0 ? x + log1pl(expl(-x)) : log1pl(expl(x)); }
static long double f_elu(long double x) { return x > 0 ? x : expm1l(x); }
static long double f_x_tanh(long double x) { return x * tanhl(x); }
static long double f_x2_tanh(long double x) { return x * x * tanhl(x); }
static long double f_square(long double x) { return x * x; }
static long double f_cube(long double x) { return x * x * x; }

/* right, left: slope at +50 and -50. */
static const struct activation {
    const char *name;
    closed_form f;
    double right, left;
} activations[] = {
    [DYN_IDENTITY] = {"identity", f_identity, 1, 1},
    [DYN_TANH] = {"tanh", tanhl, 0, 0},
    [DYN_RELU] = {"relu", f_relu, 1, 0},
    [DYN_LEAKY_RELU] = {"leaky relu", f_leaky, 1, 0.01},
    [DYN_SIGMOID] = {"sigmoid", f_sigmoid, 0, 0},
    [DYN_GELU] = {"gelu", f_gelu, 1, 0},
    [DYN_GELU_TANH] = {"gelu tanh", f_gelu_tanh, 1, 0},
    [DYN_SILU] = {"silu", f_silu, 1, 0},
    [DYN_SOFTPLUS] = {"softplus", f_softplus, 1, 0},
    [DYN_ELU] = {"elu", f_elu, 1, 0},
    [DYN_SIN] = {"sin", sinl, 0.96496602849211327, 0.96496602849211327},     /* cos 50 */
    [DYN_X_TANH] = {"x tanh", f_x_tanh, 1, -1},
    [DYN_X2_TANH] = {"x^2 tanh", f_x2_tanh, 100, 100},
    [DYN_SQUARE] = {"square", f_square, 100, -100},
    [DYN_CUBE] = {"cube", f_cube, 7500, 7500},
    [DYN_ERF] = {"erf", erfl, 0, 0},
};
enum { ACTIVATIONS = sizeof activations / sizeof activations[0] };

/* ---- a function of one tensor, with its derivatives ---- */

static function at_points(problem *p, int32_t dtype, int64_t n, const double *x)
{
    function f = {.y = -1, .n = 1};

    problem_new(p, ctx, dtype);
    f.x[0] = dyn_graph_input(p->g, "x", 1, &n);
    interpret_set(&p->values, f.x[0], x);
    return f;
}

/* y[0] = f, y[k+1] = derivative of y[k] in every element. */
static void derivatives(problem *p, const function *f, dyn_node y[ORDERS])
{
    dyn_node one = dyn__like(p->g, 1, f->x[0]);

    y[0] = f->y;
    for (int k = 0; k + 1 < ORDERS; k++) {
        y[k + 1] = -1;
        CHECK_OK(ctx, dyn_graph_jvp(p->g, 1, &y[k], 1, f->x, &one, &y[k + 1]));
    }
}

static void check_finite(problem *p, const char *name, int64_t n, const dyn_node y[ORDERS])
{
    for (int k = 0; k < ORDERS; k++) {
        const double *v = interpret_value(&p->values, y[k]);
        for (int64_t i = 0; i < n; i++)
            if (!isfinite(v[i]))
                TEST_FAIL("%s: derivative %d at point %d is %g", name, k, (int)i, v[i]);
    }
}

/* ---- activations ---- */

TEST(activation_values)
{
    static const double x[] = {-50, -7.5, -3.7, -1, -0.3, 0, 0.4, 1.1, 2.9, 7.5, 50};
    const int64_t n = sizeof x / sizeof x[0];

    for (int32_t a = 0; a < ACTIVATIONS; a++) {
        problem p;
        function f = at_points(&p, DYN_F64, n, x);
        const double *y = interpret_value(&p.values, dyn_graph_activation(p.g, a, f.x[0]));
        for (int64_t i = 0; i < n; i++)
            if (!(fabs(y[i] - (double)activations[a].f(x[i])) <= 1e-15 * fmax(1, fabs(x[i] * x[i] * x[i]))))
                TEST_FAIL("%s(%g) = %.17g", activations[a].name, x[i], y[i]);
        problem_free(&p);
    }
}

TEST(activation_derivatives)
{
    static const double x[] = {-4.3, -2.1, -0.6, 0.35, 1.7, 3.2};

    for (int32_t a = 0; a < ACTIVATIONS; a++) {
        problem p;
        function f = at_points(&p, DYN_F64, 6, x);
        dyn_node one = dyn__like(p.g, 1, f.x[0]), y[ORDERS];
        f.y = dyn_graph_activation(p.g, a, f.x[0]);
        derivatives(&p, &f, y);
        for (int k = 0; k + 1 < ORDERS; k++) {
            f.y = y[k];
            const double e = tangent_error(&p, &f, &one, y[k + 1]);
            if (!(e <= 1e-9))
                TEST_FAIL("%s: derivative %d: error %.3g", activations[a].name, k + 1, e);
        }
        problem_free(&p);
    }
}

TEST(activations_far_out)
{
    static const double x[] = {-800, -50, 0, 50, 800};

    for (int32_t a = 0; a < ACTIVATIONS; a++)
        for (int32_t dtype = DYN_F64; dtype <= DYN_F32; dtype++) {
            problem p;
            dyn_node y[ORDERS];
            function f = at_points(&p, dtype, 5, x);
            f.y = dyn_graph_activation(p.g, a, f.x[0]);
            derivatives(&p, &f, y);
            check_finite(&p, activations[a].name, 5, y);
            const double *slope = interpret_value(&p.values, y[1]), tolerance = dtype == DYN_F64 ? 1e-12 : 1e-5;
            CHECK_NEAR(slope[1], activations[a].left, tolerance);
            CHECK_NEAR(slope[3], activations[a].right, tolerance);
            problem_free(&p);
        }
}

TEST(activation_errors)
{
    problem p;
    static const double x[] = {1};
    function f = at_points(&p, DYN_F64, 1, x);

    CHECK(dyn_graph_activation(NULL, DYN_TANH, f.x[0]) == DYN_EINVAL);
    CHECK(dyn_graph_activation(p.g, DYN_TANH, DYN_ESHAPE) == DYN_ESHAPE);
    CHECK(dyn_graph_activation(p.g, DYN_TANH, 99) == DYN_EINVAL);
    CHECK(dyn_graph_activation(p.g, -1, f.x[0]) == DYN_EINVAL);
    CHECK(dyn_graph_activation(p.g, ACTIVATIONS, f.x[0]) == DYN_EINVAL);
    CHECK_STR(dyn_ctx_message(ctx), "dyn_graph_activation: activation 16 is outside [0, 15]");
    problem_free(&p);
}

/* ---- kinks and ties ---- */

static double slope_at_zero(unary build, int order)
{
    problem p;
    static const double zero[] = {0};
    dyn_node y[ORDERS];
    function f = at_points(&p, DYN_F64, 1, zero);

    f.y = build(p.g, f.x[0]);
    derivatives(&p, &f, y);
    const double r = interpret_value(&p.values, y[order])[0];
    problem_free(&p);
    return r;
}

static dyn_node leaky(dyn_graph *g, dyn_node x) { return dyn_graph_activation(g, DYN_LEAKY_RELU, x); }
static dyn_node elu(dyn_graph *g, dyn_node x) { return dyn_graph_activation(g, DYN_ELU, x); }
static dyn_node cube(dyn_graph *g, dyn_node x) { return dyn_graph_activation(g, DYN_CUBE, x); }
static dyn_node max_of_3x_and_x(dyn_graph *g, dyn_node x) { return dyn_graph_max(g, dyn_graph_scale(g, x, 3), x); }

TEST(slopes_at_zero)
{
    CHECK(slope_at_zero(dyn_graph_relu, 1) == 0);
    CHECK(slope_at_zero(dyn_graph_abs, 1) == -1);
    CHECK(slope_at_zero(leaky, 1) == 0.01);
    CHECK(slope_at_zero(elu, 1) == 1);
    CHECK(slope_at_zero(max_of_3x_and_x, 1) == 1);    /* equal: the second operand's */
    CHECK_NEAR(slope_at_zero(dyn_graph_softplus, 1), 0.5, 1e-15);
    CHECK_NEAR(slope_at_zero(dyn_graph_softplus, 2), 0.25, 1e-15);
    CHECK_NEAR(slope_at_zero(dyn_graph_softplus, 3), 0, 1e-15);
    CHECK(slope_at_zero(cube, 2) == 0 && slope_at_zero(cube, 3) == 6);
}

TEST(ties_share_the_derivative)
{
    static const double x[] = {1, 3, 3, -2};
    static const int32_t axis = 0;
    problem p;
    dyn_node dx = -1;
    function f = at_points(&p, DYN_F64, 4, x);

    f.y = dyn_graph_amax(p.g, f.x[0], 1, &axis);
    CHECK_OK(ctx, dyn_graph_gradient(p.g, f.y, 1, f.x, &dx));
    const double *v = interpret_value(&p.values, dx);
    CHECK(v[0] == 0 && v[1] == 0.5 && v[2] == 0.5 && v[3] == 0);
    problem_free(&p);
}

/* ---- the other compositions ---- */

TEST(stable_compositions)
{
    static const double x[] = {-800, -50, -1e-9, 0, 1e-9, 50, 800};
    static const struct { const char *name; unary build; closed_form f; } c[] = {
        {"sigmoid", dyn_graph_sigmoid, f_sigmoid}, {"softplus", dyn_graph_softplus, f_softplus},
        {"abs", dyn_graph_abs, fabsl}, {"relu", dyn_graph_relu, f_relu},
    };

    for (int k = 0; k < 4; k++) {
        problem p;
        dyn_node y[ORDERS];
        function f = at_points(&p, DYN_F64, 7, x);
        f.y = c[k].build(p.g, f.x[0]);
        derivatives(&p, &f, y);
        check_finite(&p, c[k].name, 7, y);
        const double *v = interpret_value(&p.values, f.y);
        for (int i = 0; i < 7; i++)
            CHECK_NEAR(v[i], (double)c[k].f(x[i]), 1e-15);
        problem_free(&p);
    }
}

/* Softplus keeps its relative accuracy where it is tiny. */
TEST(softplus_tail)
{
    static const double x[] = {-40, -700};
    problem p;
    function f = at_points(&p, DYN_F64, 2, x);
    const double *v = interpret_value(&p.values, dyn_graph_softplus(p.g, f.x[0]));

    for (int i = 0; i < 2; i++)
        CHECK(fabs(v[i] / (double)f_softplus(x[i]) - 1) < 1e-15);
    problem_free(&p);
}

TEST(logsumexp_of_large_numbers)
{
    static const double x[] = {800, 799, -800, -800, -799, -801, 0, 0, 0};
    static const int64_t shape[] = {3, 3};
    const long double e = expl(1);
    const double expected[] = {(double)(800 + log1pl(1 / e)), (double)(-800 + logl(1 + e + 1 / e)), (double)logl(3)};
    problem p;
    function f = at_points(&p, DYN_F64, 9, x);
    dyn_node y[ORDERS];

    f.y = dyn_graph_logsumexp(p.g, dyn_graph_reshape(p.g, f.x[0], 2, shape));
    derivatives(&p, &f, y);
    check_finite(&p, "logsumexp", 3, y);
    for (int i = 0; i < 3; i++) {
        CHECK_NEAR(interpret_value(&p.values, y[0])[i], expected[i], 1e-15);
        CHECK_NEAR(interpret_value(&p.values, y[1])[i], 1, 1e-15);  /* along (1, 1, 1) */
        CHECK_NEAR(interpret_value(&p.values, y[2])[i], 0, 1e-15);
    }
    problem_free(&p);
}

TEST(logsumexp_derivatives)
{
    static const double x[] = {0.3, -1.2, 0.7, 2.1, -0.4, 1.9};
    static const int64_t shape[] = {2, 3};
    problem p;
    function f = at_points(&p, DYN_F64, 6, x);
    dyn_node v;

    f.y = dyn_graph_logsumexp(p.g, dyn_graph_reshape(p.g, f.x[0], 2, shape));
    problem_directions(&p, &f, &v);
    for (int k = 0; k < 3; k++) {
        function d = f;
        d.y = -1;
        CHECK_OK(ctx, dyn_graph_jvp(p.g, 1, &f.y, 1, f.x, &v, &d.y));
        CHECK(tangent_error(&p, &f, &v, d.y) < 1e-10);
        f = d;
    }
    problem_free(&p);
}

TEST(mean_of_all)
{
    static const double x[] = {1, 2, 3, 6};
    static const int64_t shape[] = {2, 2};
    problem p;
    function f = at_points(&p, DYN_F64, 4, x);

    CHECK(problem_number(&p, dyn_graph_mean(p.g, dyn_graph_reshape(p.g, f.x[0], 2, shape))) == 3);
    CHECK(dyn_graph_logsumexp(p.g, dyn_graph_mean(p.g, f.x[0])) == DYN_ESHAPE);
    CHECK_STR(dyn_ctx_message(ctx), "logsumexp");
    problem_free(&p);
}

/* d/dx of select(x < 1, x, sqrt x) at 0: the root's slope is infinite there, and 0 times it is NaN. An operand that has
 * a slope everywhere is the remedy: select(x < 1, x, sqrt(select(x < 1, 1, x))). */
TEST(singularity_behind_select)
{
    static const double x[] = {0, 0.5, 4};
    problem p;
    dyn_node d[2];
    function f = at_points(&p, DYN_F64, 3, x);
    dyn_node one = dyn_graph_constant(p.g, 1, 0, NULL), low = dyn_graph_greater(p.g, one, f.x[0]);
    dyn_node bad = dyn_graph_select(p.g, low, f.x[0], dyn_graph_sqrt(p.g, f.x[0]));
    dyn_node safe = dyn_graph_sqrt(p.g, dyn_graph_select(p.g, low, one, f.x[0]));
    dyn_node good = dyn_graph_select(p.g, low, f.x[0], safe), seed = dyn__like(p.g, 1, f.x[0]);

    CHECK_OK(ctx, dyn_graph_vjp(p.g, 1, &bad, &seed, 1, f.x, &d[0]));
    CHECK_OK(ctx, dyn_graph_vjp(p.g, 1, &good, &seed, 1, f.x, &d[1]));
    const double *slope = interpret_value(&p.values, d[1]);
    CHECK(slope[0] == 1 && slope[1] == 1 && slope[2] == 0.25);
    slope = interpret_value(&p.values, d[0]);
    CHECK(isnan(slope[0]) && slope[1] == 1 && slope[2] == 0.25);
    problem_free(&p);
}

int main(void)
{
    if (dyn_ctx_create(NULL, &ctx) != DYN_OK)
        return 1;
    RUN(activation_values);
    RUN(activation_derivatives);
    RUN(activations_far_out);
    RUN(activation_errors);
    RUN(slopes_at_zero);
    RUN(ties_share_the_derivative);
    RUN(stable_compositions);
    RUN(softplus_tail);
    RUN(logsumexp_of_large_numbers);
    RUN(logsumexp_derivatives);
    RUN(mean_of_all);
    RUN(singularity_behind_select);
    dyn_ctx_free(ctx);
    return test_end();
}
