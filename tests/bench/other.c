/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Verbs singular (the Jacobian and all its singular values; route=exact or gram, which shows its error bound) and call
 * (one run of a plan that adds two numbers: what a call costs by itself). */
#include "bench.h"

#include <stdlib.h>
#include <string.h>

typedef struct singular_work {
    const problem *p;
    int gram;
    int64_t rows;
    double *jacobian, *values, *bound;
} singular_work;

static void singular_run(void *work, int64_t units)
{
    singular_work *w = work;
    const problem *p = w->p;

    for (int64_t i = 0; i < units; i++) {
        must(p->ctx, dyn_objective_jacobian(p->objective, p->theta, w->jacobian));
        must(p->ctx, w->gram ? dyn_dense_svd_values_gram(p->ctx, w->rows, p->size, w->jacobian, w->values, w->bound)
                             : dyn_dense_svd_values(p->ctx, w->rows, p->size, w->jacobian, w->values));
    }
}

static void *singular_prepare(const problem *p, const spec *s)
{
    singular_work *w = must_alloc(1, sizeof *w);

    w->p = p;
    w->gram = !strcmp(spec_text(s, "route", "exact"), "gram");
    w->rows = p->samples * p->outputs;
    w->jacobian = must_alloc((size_t)(w->rows * p->size), sizeof *w->jacobian);
    w->values = must_alloc((size_t)p->size, sizeof *w->values);
    w->bound = must_alloc((size_t)p->size, sizeof *w->bound);
    singular_run(w, 1);
    show("largest", w->values[0], "-");
    show("values_norm", norm(p->size, w->values), "-");
    if (w->gram)
        show("largest_error_bound", w->bound[p->size - 1], "-");
    return w;
}

static void singular_free(void *work)
{
    singular_work *w = work;

    free(w->jacobian);
    free(w->values);
    free(w->bound);
    free(w);
}

const verb verb_singular = { "singular", singular_prepare, singular_run, singular_free };

typedef struct call_work {
    dyn_exec *exec;
    double a, b, sum;
} call_work;

static void call_run(void *work, int64_t units)
{
    call_work *w = work;

    for (int64_t i = 0; i < units; i++)
        dyn_exec_run(w->exec);
}

static void *call_prepare(const problem *p, const spec *s)
{
    call_work *w = must_alloc(1, sizeof *w);
    dyn_graph *g;
    dyn_plan *plan;
    dyn_node sum;

    (void)s;
    must(p->ctx, dyn_graph_create(p->ctx, DYN_F64, &g));
    sum = dyn_graph_add(g, dyn_graph_input(g, "a", 0, NULL), dyn_graph_input(g, "b", 0, NULL));
    must(p->ctx, dyn_plan_compile(g, 1, &sum, NULL, &plan));
    must(p->ctx, dyn_exec_create(plan, &w->exec));
    must(p->ctx, dyn_exec_bind(w->exec, "a", DYN_F64, 1, &w->a));
    must(p->ctx, dyn_exec_bind(w->exec, "b", DYN_F64, 1, &w->b));
    must(p->ctx, dyn_exec_bind_output(w->exec, 0, DYN_F64, 1, &w->sum));
    w->a = 1;
    w->b = 2;
    call_run(w, 1);
    show("sum", w->sum, "-");
    dyn_plan_unref(plan);
    dyn_graph_free(g);
    return w;
}

static void call_free(void *work)
{
    dyn_exec_free(((call_work *)work)->exec);
    free(work);
}

const verb verb_call = { "call", call_prepare, call_run, call_free };
