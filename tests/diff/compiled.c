/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Leaves are handed to the executor in the element type of the graph; results come back as doubles. Results are
 * surrounded by a fence, which the plan must not touch. */
#include "tests/diff/compiled.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { FENCE = 8 };
static const double fence = 12345;

static void *block(int64_t size)
{
    void *p = malloc((size_t)size * sizeof(double));

    if (!p)
        abort();
    return p;
}

static void *narrowed(int32_t dtype, int64_t n, const double *v)
{
    void *data = block(n + 1);

    for (int64_t i = 0; i < n; i++)
        if (dtype == DYN_F64)
            ((double *)data)[i] = v[i];
        else if (dtype == DYN_F32)
            ((float *)data)[i] = (float)v[i];
        else
            ((int64_t *)data)[i] = (int64_t)v[i];
    return data;
}

static double element(int32_t dtype, const void *data, int64_t i)
{
    return dtype == DYN_F64 ? ((const double *)data)[i] : (double)((const float *)data)[i];
}

static void fill(int32_t dtype, void *data, int64_t n)
{
    for (int64_t i = 0; i < n; i++)
        if (dtype == DYN_F64)
            ((double *)data)[i] = fence;
        else
            ((float *)data)[i] = (float)fence;
}

static int64_t size_of(const problem *p, dyn_node x) { return dyn__shape_size(&dyn__at(p->g, x)->shape); }

/* Buffers of one run: inputs of the plan, outputs with their fences. */
typedef struct buffers {
    int32_t inputs, outputs;
    void **in, **out;
} buffers;

static dyn_status bind(problem *p, dyn_plan *plan, dyn_exec *e, int32_t count, const dyn_node *outputs, buffers *b)
{
    const int32_t dtype = p->g->dtype;
    const size_t width = dtype == DYN_F64 ? sizeof(double) : sizeof(float);

    for (int32_t i = 0; i < b->inputs; i++) {
        dyn_node x = dyn_graph_find(p->g, dyn_plan_input_name(plan, i));
        if (x < 0)
            return x;
        b->in[i] = narrowed(dyn__at(p->g, x)->dtype, size_of(p, x), p->values.value[x]);
        DYN__TRY(dyn_exec_bind(e, dyn_plan_input_name(plan, i), dyn__at(p->g, x)->dtype, size_of(p, x), b->in[i]));
    }
    for (int32_t i = 0; i < count; i++) {
        const int64_t n = size_of(p, outputs[i]) + 2 * FENCE;
        b->out[i] = block(n);
        fill(dtype, b->out[i], n);
        DYN__TRY(dyn_exec_bind_output(e, i, dtype, size_of(p, outputs[i]), (char *)b->out[i] + FENCE * width));
    }
    return DYN_OK;
}

static double output_error(problem *p, dyn_node x, const void *out)
{
    const int32_t dtype = p->g->dtype;
    const int64_t n = size_of(p, x);
    const double *expected = p->values.value[x];
    double scale = 1, worst = 0;

    for (int64_t i = 0; i < FENCE; i++)
        if (element(dtype, out, i) != fence || element(dtype, out, n + FENCE + i) != fence)
            return (double)NAN;
    for (int64_t i = 0; i < n; i++) {
        const double d = fabs(element(dtype, out, FENCE + i) - expected[i]);
        if (isnan(d))
            return d;
        worst = fmax(worst, d);
        scale = fmax(scale, fabs(expected[i]));
    }
    return worst / scale;
}

static double compared(problem *p, int32_t count, const dyn_node *outputs, dyn_plan *plan, buffers *b)
{
    dyn_exec *e = NULL;
    double worst = 0;
    dyn_status s = dyn_exec_create(plan, &e);

    if (s == DYN_OK)
        s = bind(p, plan, e, count, outputs, b);
    for (int run = 0; s == DYN_OK && run < 2; run++)    /* the second run must not depend on the first */
        s = dyn_exec_run(e);
    for (int32_t i = 0; s == DYN_OK && i < count; i++) {
        const double error = output_error(p, outputs[i], b->out[i]);
        worst = isnan(error) || error > worst ? error : worst;
        if (isnan(worst))
            break;
    }
    dyn_exec_free(e);
    return s == DYN_OK ? worst : (double)NAN;
}

double compiled_error(problem *p, int32_t count, const dyn_node *outputs, const dyn_plan_options *opt)
{
    dyn_plan *plan = NULL;
    double error;

    interpret_run(&p->values, count, outputs);
    if (dyn_plan_compile(p->g, count, outputs, opt, &plan) != DYN_OK)
        return (double)NAN;
    buffers b = {dyn_plan_inputs(plan), count, NULL, NULL};
    b.in = calloc((size_t)b.inputs + 1, sizeof *b.in);
    b.out = calloc((size_t)b.outputs + 1, sizeof *b.out);
    error = b.in && b.out ? compared(p, count, outputs, plan, &b) : (double)NAN;
    for (int32_t i = 0; b.in && i < b.inputs; i++)
        free(b.in[i]);
    for (int32_t i = 0; b.out && i < b.outputs; i++)
        free(b.out[i]);
    free(b.in);
    free(b.out);
    dyn_plan_unref(plan);
    return error;
}
