/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Transformers: the problem of a decoder, key model=decoder (keys style, layers, heads, width, key_width, hidden,
 * vocabulary, length, samples), whose loss is the cross-entropy of the next token at all places; and the verb
 * attention (keys length, heads, key_width): causal attention of one sample, forward and backward. */
#include "bench.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- the decoder ---- */

static void make_decoder(problem *p, const spec *s)
{
    dyn_transformer_options opt;

    dyn_transformer_defaults((int32_t)spec_int(s, "style", DYN_TRANSFORMER_PAPER), &opt);
    opt.layers = (int32_t)spec_int(s, "layers", 4);
    opt.heads = (int32_t)spec_int(s, "heads", 4);
    opt.width = spec_int(s, "width", 400);
    opt.key_width = spec_int(s, "key_width", 64);
    opt.hidden = spec_int(s, "hidden", 1200);
    opt.vocabulary = spec_int(s, "vocabulary", 201);
    opt.length = spec_int(s, "length", 9);
    opt.bias = 1;
    opt.output_bias = opt.last = 0;
    must(p->ctx, dyn_model_transformer(p->ctx, &opt, &p->model));
}

static dyn_array *indices(const problem *p, int64_t samples, int64_t length, const int64_t *value)
{
    const int64_t shape[2] = { samples, length };
    dyn_array *a;

    must(p->ctx, dyn_array_create(p->ctx, DYN_I64, 2, shape, value, &a));
    return a;
}

/* Tokens [samples, length + 1]: all but the last are read, all but the first are to be told. */
static void make_tokens(problem *p, const spec *s)
{
    const int64_t n = p->samples = spec_int(s, "samples", 50), length = spec_int(s, "length", 9);
    const int64_t shape[2] = { n, length + 1 };
    double *token = must_alloc((size_t)(n * (length + 1)), sizeof *token);
    int64_t *x = must_alloc((size_t)(n * length), sizeof *x), *y = must_alloc((size_t)(n * length), sizeof *y);

    must(p->ctx, dyn_random_normal(p->ctx, 7, 1, 0, n * (length + 1), token));
    for (int64_t i = 0; i < n * (length + 1); i++)
        token[i] = fmod(floor(fabs(token[i]) * 1e4), (double)spec_int(s, "vocabulary", 201));
    for (int64_t i = 0; i < n * length; i++) {
        x[i] = (int64_t)token[i / length * (length + 1) + i % length];
        y[i] = (int64_t)token[i / length * (length + 1) + i % length + 1];
    }
    p->x = indices(p, n, length, x);
    p->y = indices(p, n, length, y);
    problem_export(p, s, "tokens", 2, shape, token);
    free(token);
    free(x);
    free(y);
}

void decoder_create(problem *p, const spec *s)
{
    make_decoder(p, s);
    make_tokens(p, s);
}

/* ---- attention ---- */

typedef struct attention_work {
    dyn_exec *exec;
    float *in[4], *gradient[3];         /* q, k, v and the weights of the sum [heads, length, key_width] */
} attention_work;

static const char *const inputs[4] = { "q", "k", "v", "w" };

static void attention_run(void *work, int64_t units)
{
    for (int64_t i = 0; i < units; i++)
        dyn_exec_run(((attention_work *)work)->exec);
}

/* Gradients of sum(w * y * y) / 2, y = attention(q, k, v), so that nothing of the backward pass can be done before y is
 * there, as in a network. */
static dyn_plan *attention_plan(const problem *p, const int64_t shape[4])
{
    dyn_node in[4], gradient[3];
    dyn_graph *g;
    dyn_plan *plan;

    must(p->ctx, dyn_graph_create(p->ctx, DYN_F32, &g));
    for (int i = 0; i < 4; i++)
        in[i] = dyn_graph_input(g, inputs[i], 4, shape);
    dyn_node y = dyn_layer_scaled_dot_product_attention(g, in[0], in[1], in[2], DYN_NO_NODE, 1, NAN, NULL);
    dyn_node loss = dyn_graph_scale(g, dyn_graph_mul(g, dyn_graph_mul(g, y, y), in[3]), 0.5);
    must(p->ctx, dyn_graph_gradient(g, dyn_graph_sum(g, loss, 4, (int32_t[]){ 0, 1, 2, 3 }), 3, in, gradient));
    must(p->ctx, dyn_plan_compile(g, 3, gradient, NULL, &plan));
    dyn_graph_free(g);
    return plan;
}

static void fill(const problem *p, const spec *s, int which, int64_t size, float *a)
{
    double *value = must_alloc((size_t)size, sizeof *value);

    must(p->ctx, dyn_random_normal(p->ctx, 17, (uint32_t)which, 0, size, value));
    problem_export(p, s, inputs[which], 1, &size, value);
    for (int64_t i = 0; i < size; i++)
        a[i] = (float)value[i];
    free(value);
}

static double norm_of(int64_t n, float *const a[3])
{
    double sum = 0;

    for (int j = 0; j < 3; j++)
        for (int64_t i = 0; i < n; i++)
            sum += (double)a[j][i] * (double)a[j][i];
    return sqrt(sum);
}

static void *attention_prepare(const problem *p, const spec *s)
{
    const int64_t shape[4] = { spec_int(s, "samples", 1), spec_int(s, "heads", 8), spec_int(s, "length", 512),
                               spec_int(s, "key_width", 64) };
    const int64_t size = shape[0] * shape[1] * shape[2] * shape[3];
    attention_work *w = must_alloc(1, sizeof *w);
    dyn_plan *plan = attention_plan(p, shape);

    must(p->ctx, dyn_exec_create(plan, &w->exec));
    for (int i = 0; i < 4; i++) {
        fill(p, s, i, size, w->in[i] = must_alloc((size_t)size, sizeof(float)));
        must(p->ctx, dyn_exec_bind(w->exec, inputs[i], DYN_F32, size, w->in[i]));
    }
    for (int i = 0; i < 3; i++) {
        w->gradient[i] = must_alloc((size_t)size, sizeof(float));
        must(p->ctx, dyn_exec_bind_output(w->exec, i, DYN_F32, size, w->gradient[i]));
    }
    attention_run(w, 1);
    show("gradient_norm", norm_of(size, w->gradient), "-");
    show("plan", (double)dyn_plan_bytes(plan) / (1 << 20), "MiB");
    dyn_plan_unref(plan);
    return w;
}

static void attention_free(void *work)
{
    attention_work *w = work;

    dyn_exec_free(w->exec);
    for (int i = 0; i < 4; i++)
        free(w->in[i]);
    for (int i = 0; i < 3; i++)
        free(w->gradient[i]);
    free(w);
}

const verb verb_attention = { "attention", attention_prepare, attention_run, attention_free };
