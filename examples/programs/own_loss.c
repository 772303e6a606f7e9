/* SPDX-License-Identifier: BSD-3-Clause
 *
 * An own loss: Huber with a weight per sample, and a label-smoothed head; its Gauss-Newton product. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <dyn/dyn.h>

/* ---- program ---- */
enum { N = 200, IN = 5, OUT = 4, C = 3, P = (IN + 1) * 20 + 21 * OUT };
typedef struct own { dyn_model *net; dyn_array *array[4]; dyn_objective *loss; dyn_operator *ggn; } own;
static double x[N * (IN + 1) + P], *const y = x + N * IN, *const v = y + N, w[N], c[N * C], theta[P], product[P];
static const char *const names[] = { "x", "y", "w", "c" };
static dyn_node loss(void *net, dyn_build *b)
{
    dyn_graph *g = dyn_build_graph(b);
    dyn_node in = dyn_build_data(b, "x"), f = dyn_build_call(b, NULL, net, 1, &in), z = dyn_graph_narrow(g, f, 1, 1, C);
    dyn_node e = dyn_graph_abs(g, dyn_graph_sub(g, dyn_graph_narrow(g, f, 1, 0, 1), dyn_build_data(b, "y")));
    dyn_node one = dyn_graph_constant(g, 1, 0, NULL), half = dyn_graph_constant(g, 0.5, 0, NULL);
    dyn_node p = dyn_graph_constant(g, 0.1 / C, 0, NULL), square = dyn_graph_scale(g, dyn_graph_mul(g, e, e), 0.5);
    dyn_node huber = dyn_graph_select(g, dyn_graph_greater(g, e, one), dyn_graph_sub(g, e, half), square);
    p = dyn_graph_add(g, dyn_graph_scale(g, dyn_build_data(b, "c"), 0.9), p);
    dyn_node fit = dyn_graph_sum(g, dyn_graph_mul(g, p, z), 1, (int32_t[]){ 1 });
    dyn_node point = dyn_graph_sum(g, dyn_graph_mul(g, dyn_build_data(b, "w"), huber), 1, (int32_t[]){ 1 });
    return dyn_graph_add(g, point, dyn_graph_sub(g, dyn_graph_logsumexp(g, z), fit));
}
static dyn_status gauss_newton(dyn_ctx *ctx, own *o)
{
    const struct { const double *at; int64_t columns; } data[] = { { x, IN }, { y, 1 }, { w, 1 }, { c, C } };
    dyn_objective_parts of = DYN_OBJECTIVE_PARTS_INIT;
    dyn_random_normal(ctx, 0, 0, 0, sizeof x / sizeof *x, x);
    dyn_random_uniform(ctx, 0, 1, 0, N, w);
    for (int i = 0; i < N; i++)
        c[i * C + rand() % C] = 1;
    for (int i = 0; i < 4; i++)
        dyn_array_create(ctx, DYN_F64, 2, (int64_t[]){ N, data[i].columns }, data[i].at, &o->array[i]);
    of.models = 1, of.model = &o->net, of.data = 4, of.array = o->array, of.name = names;
    dyn_model_mlp(ctx, 3, (int64_t[]){ IN, 20, OUT }, DYN_TANH, &o->net);
    dyn_model_initialise(o->net, NULL, theta);
    dyn_objective_from_function(ctx, loss, o->net, &of, NULL, &o->loss);
    dyn_objective_ggn(o->loss, theta, &o->ggn);
    return dyn_operator_apply(o->ggn, 1, v, product);
}

/* ---- check: J^T H J v with the Hessian of the loss in the outputs written out ---- */
static void output_product(const double *f, int i, const double *u, double *hu)
{
    const double a[C] = { exp(f[1]), exp(f[2]), exp(f[3]) }, all = a[0] + a[1] + a[2];
    double mean = 0;

    hu[0] = fabs(f[0] - y[i]) <= 1 ? w[i] * u[0] : 0;
    for (int k = 0; k < C; k++)
        mean += a[k] / all * u[1 + k];
    for (int k = 0; k < C; k++)
        hu[1 + k] = a[k] / all * (u[1 + k] - mean);
}

/* The largest difference from the product by definition, relative to its largest number. */
static double error_of_product(dyn_objective *o)
{
    static double f[N * OUT], jacobian[N * OUT][P];
    double expected[P] = { 0 }, worst = 0, largest = 0;

    if (dyn_objective_predict(o, theta, f) < 0 || dyn_objective_jacobian(o, theta, jacobian[0]) < 0)
        return INFINITY;
    for (int i = 0; i < N; i++) {
        double u[OUT] = { 0 }, hu[OUT];
        for (int k = 0; k < OUT; k++)
            for (int q = 0; q < P; q++)
                u[k] += jacobian[i * OUT + k][q] * v[q];
        output_product(f + i * OUT, i, u, hu);
        for (int k = 0; k < OUT; k++)
            for (int q = 0; q < P; q++)
                expected[q] += jacobian[i * OUT + k][q] * hu[k] / N;
    }
    for (int q = 0; q < P; q++) {
        worst = fmax(worst, fabs(product[q] - expected[q]));
        largest = fmax(largest, fabs(expected[q]));
    }
    return worst / largest;
}

/* A loss that reaches a tensor by another way than the outputs. */
static dyn_node beside(void *net, dyn_build *b)
{
    dyn_graph *g = dyn_build_graph(b);
    dyn_node weight = dyn_graph_narrow(g, dyn_graph_find(g, "b2"), 0, 0, 1);

    return dyn_graph_mul(g, loss(net, b), weight);
}

static int is_refused(dyn_ctx *ctx, own *o)
{
    dyn_objective_parts parts = DYN_OBJECTIVE_PARTS_INIT;
    dyn_objective *other = NULL;
    dyn_operator *ggn = NULL;

    parts.models = 1;
    parts.model = &o->net;
    parts.data = 4;
    parts.array = o->array;
    parts.name = names;
    dyn_status s = dyn_objective_from_function(ctx, beside, o->net, &parts, NULL, &other);
    if (s >= 0)
        s = dyn_objective_ggn(other, theta, &ggn);
    dyn_operator_unref(ggn);
    dyn_objective_unref(other);
    return s == DYN_ENOTSUP && strstr(dyn_ctx_message(ctx), "not only through the outputs") != NULL;
}

int main(void)
{
    dyn_ctx *ctx = NULL;
    own o = { NULL, { NULL }, NULL, NULL };
    int wrong = 1;

    dyn_ctx_create(NULL, &ctx);
    if (gauss_newton(ctx, &o) < 0) {
        fprintf(stderr, "%s\n", dyn_ctx_message(ctx));
    } else {
        const double error = error_of_product(o.loss);
        printf("relative error of the product %.1e\n", error);
        wrong = !(error <= 1e-10) || !is_refused(ctx, &o);
    }
    dyn_operator_unref(o.ggn);
    dyn_objective_unref(o.loss);
    for (int i = 0; i < 4; i++)
        dyn_array_unref(o.array[i]);
    dyn_model_unref(o.net);
    dyn_ctx_free(ctx);
    return wrong;
}
