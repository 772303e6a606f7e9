/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The reference as a backend: the lowered graph node by node, each by the definition of its primitive
 * (graph/evaluate.h), in doubles, on the calling thread. Of a float32 graph the result of every node is rounded. Slow,
 * and simple: what the compiler makes of a graph is compared with it. It keeps all values, in memory of its own. */
#include <stdio.h>
#include "compile/backend.h"
#include "graph/evaluate.h"

/* What it makes of a graph. Elements take eight bytes, indices as well. */
typedef struct program {
    dyn_graph *g;
    dyn_node *output;
    dyn__place *leaf;       /* by node: where a leaf lies, base NONE for others */
    int64_t *at;            /* by node: where its value begins, -1 = not needed */
    int64_t elements;       /* of all values */
} program;

/* ---- compile ---- */

static void forget(dyn_plan *p)
{
    program *o = p->own;

    if (!o)
        return;
    dyn__free(p->ctx, o->at);
    dyn__free(p->ctx, o->leaf);
    dyn__free(p->ctx, o->output);
    dyn_graph_free(o->g);
    dyn__free(p->ctx, o);
    p->own = NULL;
}

static dyn_status give_places(const dyn__compiler *k, program *o)
{
    uint8_t *need = dyn__alloc(k->ctx, (size_t)k->count + 1, 1);

    if (!need)
        return DYN_ENOMEM;
    dyn__mark_needed(k->g, k->outputs, k->output, need);
    for (dyn_node x = 0; x < k->count; x++) {
        o->leaf[x] = k->node[x].place;
        o->at[x] = need[x] ? o->elements : -1;
        o->elements += need[x] ? dyn__shape_size(dyn__shape_of(k, x)) : 0;
    }
    dyn__free(k->ctx, need);
    return DYN_OK;
}

/* The lowered graph is the program. */
static dyn_status compile(dyn__compiler *k)
{
    program *o = k->plan->own = dyn__alloc(k->ctx, 1, sizeof *o);

    if (!o)
        return DYN_ENOMEM;
    o->output = dyn__alloc(k->ctx, (size_t)k->outputs + 1, sizeof *o->output);
    o->leaf = dyn__alloc(k->ctx, (size_t)k->count + 1, sizeof *o->leaf);
    o->at = dyn__alloc(k->ctx, (size_t)k->count + 1, sizeof *o->at);
    if (!o->output || !o->leaf || !o->at)
        return DYN_ENOMEM;
    memcpy(o->output, k->output, (size_t)k->outputs * sizeof *o->output);
    DYN__TRY(give_places(k, o));
    if ((double)o->elements * 8 >= 0x1p47)
        return DYN__FAIL(k->ctx, DYN_EFULL, "the values have %.4g bytes in all", (double)o->elements * 8);
    o->g = k->g;
    k->g = NULL;
    return DYN_OK;
}

/* ---- memory ---- */

static int64_t bound_elements(const dyn_plan *p)
{
    int64_t n = 0;

    for (int32_t i = 0; i < p->inputs; i++)
        n += p->input[i].size;
    for (int32_t j = 0; j < p->outputs; j++)
        n += p->output_size[j];
    return n;
}

static int64_t bytes(const dyn_plan *p, int64_t workers)
{
    const program *o = p->own;

    (void)workers;
    return dyn__exec_bytes(p) + (o->elements + bound_elements(p)) * 8;
}

static dyn_status prepare(dyn_exec *e)
{
    const program *o = e->plan->own;

    e->own = dyn__alloc(e->ctx, (size_t)o->elements + 1, sizeof(double));
    return e->own ? DYN_OK : DYN_ENOMEM;
}

static void release(dyn_exec *e) { dyn__free(e->ctx, e->own); }

static void *allocate(dyn_exec *e, int64_t size, int32_t dtype)
{
    (void)dtype;
    return dyn__alloc(e->ctx, (size_t)size + 1, sizeof(double));
}

static void give_back(dyn_exec *e, void *p) { dyn__free(e->ctx, p); }

static void copy_in(const dyn_exec *e, void *to, const void *from, int64_t size, int32_t dtype)
{
    (void)e;
    if (dtype == DYN_F32)
        dyn__widen(size, to, from);
    else
        memcpy(to, from, (size_t)size * 8);
}

static void copy_out(const dyn_exec *e, void *to, const void *from, int64_t size, int32_t dtype)
{
    (void)e;
    if (dtype == DYN_F32)
        dyn__narrow(size, to, from);
    else
        memcpy(to, from, (size_t)size * 8);
}

/* ---- run ---- */

static double *value_of(const dyn_exec *e, dyn_node x)
{
    const program *o = e->plan->own;

    return (double *)e->own + o->at[x];
}

/* Bound, or a constant. */
static void load(const dyn_exec *e, dyn_node x)
{
    const program *o = e->plan->own;
    const dyn__node *n = dyn__at(o->g, x);
    const int64_t size = dyn__shape_size(&n->shape);
    const dyn__place p = o->leaf[x];

    if (p.base >= DYN__BASE_BOUND)
        memcpy(value_of(e, x), e->memory[p.base - DYN__BASE_BOUND], (size_t)size * 8);
    else
        copy_in(e, value_of(e, x), (const char *)e->plan->constant + p.offset * e->plan->esize, size, n->dtype);
}

static void evaluate(const dyn_exec *e, dyn_node x)
{
    const program *o = e->plan->own;
    const dyn__node *n = dyn__at(o->g, x);
    dyn__frame f = {.n = n, .size = dyn__shape_size(&n->shape), .out = value_of(e, x),
                    .single = e->plan->dtype == DYN_F32};

    for (int i = 0; i < n->nin; i++) {
        const int is_index = dyn__at(o->g, n->in[i])->dtype == DYN_I64;
        f.in[i] = value_of(e, n->in[i]);
        f.index[i] = is_index ? (const int64_t *)(const void *)f.in[i] : NULL;
        f.shape[i] = &dyn__at(o->g, n->in[i])->shape;
    }
    dyn__op_of(n)->evaluate(&f);
    for (int64_t i = 0; f.single && n->dtype != DYN_I64 && i < f.size; i++)
        f.out[i] = (double)(float)f.out[i];
}

static void run(const dyn_exec *e)
{
    const program *o = e->plan->own;

    for (dyn_node x = 0; x < o->g->count && !dyn__interrupted(e->ctx); x++) {
        if (o->at[x] < 0)
            continue;
        if (dyn__at(o->g, x)->op == DYN__OP_input)
            load(e, x);
        else
            evaluate(e, x);
    }
    for (int32_t j = 0; j < e->plan->outputs; j++)
        memcpy(e->memory[e->plan->inputs + j], value_of(e, o->output[j]), (size_t)e->plan->output_size[j] * 8);
}

static int64_t print(const dyn_plan *p, char *buffer, int64_t size)
{
    const program *o = p->own;
    int64_t total = 0;

    for (dyn_node x = 0; x < o->g->count; x++)
        if (o->at[x] >= 0)
            total += snprintf(total < size ? buffer + total : NULL, total < size ? (size_t)(size - total) : 0,
                              "step %d: %s\n", (int)x, dyn__op_of(dyn__at(o->g, x))->name);
    return total;
}

const dyn__backend dyn__reference_backend = {
    .name = "reference", .compile = compile, .forget = forget, .bytes = bytes, .prepare = prepare, .release = release,
    .run = run, .print = print, .allocate = allocate, .give_back = give_back, .copy_in = copy_in, .copy_out = copy_out,
};
