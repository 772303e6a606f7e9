/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Physics: u'' + u = 0 with u(0) = 0 and u'(0) = 1 by a tanh network, on point sets of different size; its spectrum. */
#include <complex.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <dyn/dyn.h>

/* ---- program ---- */
enum { POINTS = 30, HIDDEN = 10, P = 3 * HIDDEN + 1, TERMS = 3 };
static double inside[POINTS], zero[1], theta[P], hessian[P * P], eigenvalue[P];
typedef struct term { const char *name; dyn_node (*zero)(dyn_graph *g, dyn_node v, dyn_node t); dyn_model *u; } term;
static dyn_node equation(dyn_graph *g, dyn_node v, dyn_node t)
{
    return dyn_graph_add(g, dyn_graph_derivative(g, v, t, 2), v);
}
static dyn_node start(dyn_graph *g, dyn_node v, dyn_node t) { return (void)g, (void)t, v; }
static dyn_node slope(dyn_graph *g, dyn_node v, dyn_node t)
{
    return dyn_graph_sub(g, dyn_graph_derivative(g, v, t, 1), dyn_graph_constant(g, 1, 0, NULL));
}
static term terms[TERMS] = { { "equation", equation, NULL }, { "start", start, NULL }, { "slope", slope, NULL } };
static dyn_node square(void *user, dyn_build *b)
{
    const term *e = user;
    dyn_graph *g = dyn_build_graph(b);
    dyn_node t = dyn_build_data(b, "t"), r = e->zero(g, dyn_build_call(b, NULL, e->u, 1, &t), t);
    dyn_node loss = dyn_graph_sum(g, dyn_graph_mul(g, r, r), 1, (int32_t[]){ 1 });
    return dyn_build_term(b, e->name, loss, 1) < 0 ? DYN_EINVAL : loss;
}
static dyn_status solve(dyn_ctx *ctx, dyn_model **u, dyn_objective **physics, dyn_run **run)
{
    dyn_objective *part[TERMS] = { NULL };
    dyn_objective_parts parts = DYN_OBJECTIVE_PARTS_INIT;
    dyn_optimizer_options lbfgs = DYN_OPTIMIZER_OPTIONS_INIT;
    dyn_run_options options = DYN_RUN_OPTIONS_INIT;
    dyn_operator *H = NULL;
    lbfgs.kind = DYN_OPTIMIZER_LBFGS, lbfgs.memory = 50, options.gradient_tolerance = 1e-10;
    for (int i = 0; i < POINTS; i++)
        inside[i] = 2.0 * i / (POINTS - 1);
    dyn_model_mlp(ctx, 3, (int64_t[]){ 1, HIDDEN, 1 }, DYN_TANH, u);
    dyn_model_initialise(*u, NULL, theta);
    for (int i = 0; i < TERMS; i++) {
        dyn_array *t = NULL;
        dyn_array_create(ctx, DYN_F64, 2, (int64_t[]){ i ? 1 : POINTS, 1 }, i ? zero : inside, &t);
        parts.models = 1, parts.model = u, parts.data = 1, parts.array = &t, parts.name = (const char *[]){ "t" };
        terms[i].u = *u;
        dyn_objective_from_function(ctx, square, &terms[i], &parts, NULL, &part[i]);
        dyn_array_unref(t);
    }
    dyn_objective_sum(ctx, TERMS, part, (double[]){ 1, 1, 2 }, physics);
    dyn_run_create(*physics, &lbfgs, &options, theta, run);
    dyn_run_train(*run, 20000);
    dyn_run_theta(*run, theta);
    dyn_objective_hessian(*physics, theta, &H);
    dyn_operator_dense(H, hessian);
    for (int i = 0; i < TERMS; i++)
        dyn_objective_unref(part[i]);
    dyn_operator_unref(H);
    return dyn_dense_eigh(ctx, P, hessian, eigenvalue, NULL);
}

/* ---- check: the solution is sin, the spectrum that of the loss written out by complex steps; terms have names ---- */

/* u = sum_k v_k tanh(w_k t + b_k) + c and its derivatives by t. */
static void network(const double complex *p, double t, double complex *u)
{
    u[0] = p[P - 1];
    u[1] = u[2] = 0;
    for (int k = 0; k < HIDDEN; k++) {
        const double complex w = p[k], h = ctanh(w * t + p[HIDDEN + k]), v = p[2 * HIDDEN + k], s = 1 - h * h;
        u[0] += v * h;
        u[1] += v * w * s;
        u[2] -= 2 * v * w * w * h * s;
    }
}

static double complex loss_at(const double complex *p)
{
    double complex u[3], sum = 0;

    for (int i = 0; i < POINTS; i++) {
        network(p, inside[i], u);
        sum += (u[2] + u[0]) * (u[2] + u[0]) / POINTS;
    }
    network(p, 0, u);
    return sum + u[0] * u[0] + 2 * (u[1] - 1) * (u[1] - 1);
}

/* Derivative of the loss by parameter i where parameter j is moved by d. */
static double slope_at(int i, int j, double d)
{
    double complex p[P];

    for (int k = 0; k < P; k++)
        p[k] = theta[k];
    p[j] += d;
    p[i] += 1e-30 * (double complex)I;
    return cimag(loss_at(p)) / 1e-30;
}

static double largest_error_of_spectrum(dyn_ctx *ctx)
{
    const double d = 2e-3;
    double matrix[P * P], expected[P], worst = 0;

    for (int i = 0; i < P; i++)
        for (int j = 0; j < P; j++) {
            const double near = slope_at(i, j, d) - slope_at(i, j, -d);
            const double far = slope_at(i, j, 2 * d) - slope_at(i, j, -2 * d);
            matrix[i * P + j] = (8 * near - far) / (12 * d);
        }
    if (dyn_dense_eigh(ctx, P, matrix, expected, NULL) < 0)
        return INFINITY;
    for (int i = 0; i < P; i++)
        worst = fmax(worst, fabs(eigenvalue[i] - expected[i]) / expected[P - 1]);
    return worst;
}

static double largest_error_of_solution(void)
{
    double complex p[P], u[3];
    double worst = 0;

    for (int k = 0; k < P; k++)
        p[k] = theta[k];
    for (int i = 0; i < POINTS; i++) {
        network(p, inside[i], u);
        worst = fmax(worst, fabs(creal(u[0]) - sin(inside[i])));
    }
    return worst;
}

static double gradient_norm(dyn_objective *physics)
{
    double gradient[P], square = 0;

    if (dyn_objective_gradient(physics, theta, gradient, NULL) < 0)
        return INFINITY;
    for (int i = 0; i < P; i++)
        square += gradient[i] * gradient[i];
    return sqrt(square);
}

int main(void)
{
    dyn_ctx *ctx = NULL;
    dyn_model *u = NULL;
    dyn_objective *physics = NULL;
    dyn_run *run = NULL;
    int wrong = 1;

    dyn_ctx_create(NULL, &ctx);
    if (solve(ctx, &u, &physics, &run) < 0) {
        fprintf(stderr, "%s\n", dyn_ctx_message(ctx));
    } else {
        const double spectrum = largest_error_of_spectrum(ctx), solution = largest_error_of_solution();
        printf("gradient %.1e after %d steps; errors: solution %.1e, eigenvalues %.1e\n", gradient_norm(physics),
               (int)dyn_run_step(run), solution, spectrum);
        wrong = !(spectrum <= 1e-8) || !(solution < 1e-3) || !(gradient_norm(physics) <= 1e-10);
        for (int i = 0; i < TERMS; i++)
            wrong += !dyn_run_history(run, terms[i].name, NULL);
    }
    dyn_run_free(run);
    dyn_objective_unref(physics);
    dyn_model_unref(u);
    dyn_ctx_free(ctx);
    return wrong != 0;
}
