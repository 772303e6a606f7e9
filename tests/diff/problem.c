/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Numbers for the leaves, and the three comparisons everything is checked by. */
#include "tests/diff/problem.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "random/random.h"

static const double failed = (double)NAN;

void problem_new(problem *p, dyn_ctx *ctx, int32_t dtype)
{
    *p = (problem){0};
    if (dyn_graph_create(ctx, dtype, &p->g) != DYN_OK)
        abort();
    interpret_new(&p->values, p->g);
}

void problem_free(problem *p)
{
    interpret_free(&p->values);
    dyn_graph_free(p->g);
    *p = (problem){0};
}

static int64_t size_of(const problem *p, dyn_node x) { return dyn__shape_size(&dyn__at(p->g, x)->shape); }

static double *numbers(int64_t n)
{
    double *v = calloc((size_t)n + 1, sizeof *v);

    if (!v)
        abort();
    return v;
}

static void set(problem *p, dyn_node x, double *v)
{
    for (int64_t i = 0; p->g->dtype == DYN_F32 && i < size_of(p, x); i++)
        v[i] = (double)(float)v[i];
    interpret_set(&p->values, x, v);
}

/* ---- samples ---- */

static int is_leaf(const problem *p, dyn_node x) { return dyn__at(p->g, x)->op == DYN__OP_input; }

static int64_t index_limit(const problem *p, dyn_node y)
{
    const dyn__node *n = dyn__at(p->g, y);

    return n->op == DYN__OP_gather ? dyn__at(p->g, n->in[0])->shape.dim[n->attr.i[0]] : n->attr.n;
}

static int is_condition(const problem *p, dyn_node y, dyn_node x)
{
    return dyn__at(p->g, y)->op == DYN__OP_select && dyn__at(p->g, y)->in[0] == x;
}

/* rank: place of this element's value among the `total` evenly spaced ones. */
static double operand_value(const problem *p, dyn_node y, dyn_node x, int64_t rank, int64_t total)
{
    if (dyn__at(p->g, x)->dtype == DYN_I64)
        return (double)(rank % index_limit(p, y));
    if (is_condition(p, y, x))
        return (double)(rank % 2);
    return 0.2 + 1.6 * ((double)rank + 0.5) / (double)total;
}

static void fill_operands(problem *p, dyn_node y)
{
    int64_t total = 0, next = 0;

    for (dyn_node x = 0; x < p->g->count; x++)
        total += is_leaf(p, x) ? size_of(p, x) : 0;
    int64_t *rank = calloc((size_t)total + 1, sizeof *rank);
    if (!rank)
        abort();
    dyn__permutation((dyn__key){1, DYN__STREAM_USER, 0, 0}, total, rank);
    for (dyn_node x = 0; x < p->g->count; x++) {
        if (!is_leaf(p, x))
            continue;
        double *v = numbers(size_of(p, x));
        for (int64_t i = 0; i < size_of(p, x); i++)
            v[i] = operand_value(p, y, x, rank[next++], total);
        set(p, x, v);
        free(v);
    }
    free(rank);
}

int problem_sample(problem *p, const dyn__op *op, int k, function *f)
{
    *f = (function){.y = op->sample(p->g, k)};
    if (f->y < 0)
        return 0;
    fill_operands(p, f->y);
    for (dyn_node x = 0; x <= f->y; x++)
        if (is_leaf(p, x) && dyn__at(p->g, x)->dtype != DYN_I64 && !is_condition(p, f->y, x))
            f->x[f->n++] = x;
    return 1;
}

/* ---- inputs ---- */

dyn_node problem_input(problem *p, const dyn__shape *shape, double low, double high)
{
    char name[16];
    const int64_t n = dyn__shape_size(shape);
    double *v = numbers(n);

    snprintf(name, sizeof name, "r%d", p->made);
    dyn_node x = dyn_graph_input(p->g, name, shape->rank, shape->dim);
    dyn__uniform_f64((dyn__key){2, DYN__STREAM_USER, 0, (uint32_t)p->made++}, 0, n, v);
    for (int64_t i = 0; i < n; i++)
        v[i] = low + (high - low) * v[i];
    if (x >= 0)
        set(p, x, v);
    free(v);
    return x;
}

void problem_directions(problem *p, const function *f, dyn_node *v)
{
    for (int32_t i = 0; i < f->n; i++) {
        const dyn__shape shape = dyn__at(p->g, f->x[i])->shape;
        v[i] = problem_input(p, &shape, -1, 1);
    }
}

dyn_node problem_cotangent(problem *p, const function *f)
{
    const dyn__shape shape = dyn__at(p->g, f->y)->shape;

    return problem_input(p, &shape, -1, 1);
}

dyn_node problem_inner(problem *p, int32_t n, const dyn_node *a, const dyn_node *b)
{
    static const int32_t axes[DYN_MAX_RANK] = {0, 1, 2, 3, 4, 5, 6, 7};
    dyn_node sum = dyn_graph_constant(p->g, 0, 0, NULL);

    for (int32_t i = 0; i < n && sum >= 0; i++) {
        dyn_node product = dyn_graph_mul(p->g, a[i], b[i]);
        if (product < 0)
            return product;
        sum = dyn_graph_add(p->g, sum, dyn_graph_sum(p->g, product, dyn__at(p->g, product)->shape.rank, axes));
    }
    return sum;
}

/* ---- numbers ---- */

/* A copy of the elements of x; NULL if they cannot be worked out. */
static double *evaluated(problem *p, dyn_node x)
{
    if (x < 0 || interpret_run(&p->values, 1, &x) > 0)
        return NULL;
    double *v = numbers(size_of(p, x));
    memcpy(v, p->values.value[x], (size_t)size_of(p, x) * sizeof *v);
    return v;
}

double problem_number(problem *p, dyn_node scalar)
{
    double *v = evaluated(p, scalar), r = v ? v[0] : failed;

    free(v);
    return r;
}

static double largest(int64_t n, const double *v)
{
    double m = 0;

    for (int64_t i = 0; i < n; i++)
        m = isnan(v[i]) || fabs(v[i]) > m ? fabs(v[i]) : m;
    return m;
}

/* Largest |a - b| over max(1, scale), NaN if there is one. */
static double distance(int64_t n, const double *a, const double *b, double scale)
{
    double worst = 0;

    for (int64_t i = 0; i < n; i++) {
        const double d = fabs(a[i] - b[i]);
        if (isnan(d))
            return failed;
        worst = d > worst ? d : worst;
    }
    return worst / (scale > 1 ? scale : 1);
}

double problem_distance(problem *p, dyn_node a, dyn_node b)
{
    double *u = evaluated(p, a), *v = evaluated(p, b), r = failed;

    if (u && v && dyn__shape_equal(&dyn__at(p->g, a)->shape, &dyn__at(p->g, b)->shape))
        r = distance(size_of(p, a), u, v, largest(size_of(p, b), v));
    free(u);
    free(v);
    return r;
}

/* ---- the comparisons ---- */

/* Elements of f at x + h v. */
static double *moved(problem *p, const function *f, double *const *x, double *const *v, double h)
{
    for (int32_t i = 0; i < f->n; i++) {
        double *at = numbers(size_of(p, f->x[i]));
        for (int64_t k = 0; k < size_of(p, f->x[i]); k++)
            at[k] = x[i][k] + h * v[i][k];
        interpret_set(&p->values, f->x[i], at);
        free(at);
    }
    return evaluated(p, f->y);
}

/* (8 (y(h) - y(-h)) - (y(2h) - y(-2h))) / 12h, whose error is of order h^4. */
static double *difference(problem *p, const function *f, double *const *x, double *const *v)
{
    static const double step[4] = {1, -1, 2, -2}, weight[4] = {8, -8, -1, 1};
    const double h = 1e-4;
    double *sum = numbers(size_of(p, f->y));

    for (int k = 0; k < 4; k++) {
        double *y = moved(p, f, x, v, step[k] * h);
        for (int64_t i = 0; i < size_of(p, f->y); i++)
            sum[i] += weight[k] * (y ? y[i] : failed) / (12 * h);
        free(y);
    }
    return sum;
}

double tangent_error(problem *p, const function *f, const dyn_node *v, dyn_node dy)
{
    double *x[MAX_X] = {0}, *along[MAX_X] = {0}, r = failed;

    if (f->y < 0 || dy < 0 || !dyn__shape_equal(&dyn__at(p->g, dy)->shape, &dyn__at(p->g, f->y)->shape))
        return failed;
    double *y = evaluated(p, f->y), *claimed = evaluated(p, dy);
    for (int32_t i = 0; i < f->n; i++) {
        x[i] = evaluated(p, f->x[i]);
        along[i] = evaluated(p, v[i]);
    }
    if (y && claimed) {
        const int64_t n = size_of(p, dy);
        double *expected = difference(p, f, x, along);
        r = distance(n, claimed, expected, fmax(largest(n, expected), largest(n, y)));
        free(expected);
    }
    for (int32_t i = 0; i < f->n; i++) {
        interpret_set(&p->values, f->x[i], x[i]);
        free(x[i]);
        free(along[i]);
    }
    free(y);
    free(claimed);
    return r;
}

double adjoint_error(problem *p, const function *f, const dyn_node *v, dyn_node dy, dyn_node ct, const dyn_node *dx)
{
    const double forward = problem_number(p, problem_inner(p, 1, &ct, &dy));
    const double reverse = problem_number(p, problem_inner(p, f->n, dx, v));

    return fabs(forward - reverse) / fmax(1, fabs(forward));
}

double batch_error(problem *p, const function *f, uint32_t mask, int64_t size, const dyn_node *w, dyn_node out)
{
    double *x[MAX_X] = {0}, *block[MAX_X] = {0}, *all = evaluated(p, out), worst = all ? 0 : failed;
    const dyn__shape want = dyn__shape_lead(&dyn__at(p->g, f->y)->shape, size);

    if (out < 0 || !dyn__shape_equal(&dyn__at(p->g, out)->shape, &want))
        worst = failed;
    for (int32_t i = 0; i < f->n; i++) {
        x[i] = evaluated(p, f->x[i]);
        block[i] = mask >> i & 1 ? evaluated(p, w[i]) : NULL;
    }
    for (int64_t s = 0; s < size && worst <= 1; s++) {
        for (int32_t i = 0; i < f->n; i++)
            if (block[i])
                interpret_set(&p->values, f->x[i], block[i] + s * size_of(p, f->x[i]));
        double *y = evaluated(p, f->y);
        const int64_t n = size_of(p, f->y);
        const double e = y ? distance(n, all + s * n, y, largest(n, y)) : failed;
        worst = isnan(e) || e > worst ? e : worst;
        free(y);
    }
    for (int32_t i = 0; i < f->n; i++) {
        interpret_set(&p->values, f->x[i], x[i]);
        free(x[i]);
        free(block[i]);
    }
    free(all);
    return worst;
}
