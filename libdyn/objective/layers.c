/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Layers found in the graph, and their inputs and gradients. A weight that is used twice, or otherwise than as the
 * right factor of a product of rows, belongs to no layer. */
#include "objective/layers.h"

/* ---- finding them ---- */

typedef struct finder {
    const dyn__loss_graph *l;
    dyn__layer *layer;
    int32_t *uses;              /* of each tensor */
    int32_t count, nodes;
} finder;

/* The tensor that x is, but for shape; -1 = none. */
static int32_t tensor_of(const dyn__loss_graph *l, dyn_node x)
{
    const dyn__node *n = dyn__at(l->g, x);

    while (n->op == DYN__OP_reshape || n->op == DYN__OP_broadcast) {
        x = n->in[0];
        n = dyn__at(l->g, x);
    }
    for (int32_t i = 0; i < l->parameters; i++)
        if (l->parameter[i] == x)
            return i;
    return -1;
}

static void count_uses(finder *f)
{
    for (dyn_node x = 0; x < f->nodes; x++) {
        const dyn__node *n = dyn__at(f->l->g, x);
        for (int32_t i = 0; n->op != DYN__OP_reshape && n->op != DYN__OP_broadcast && i < n->nin; i++) {
            const int32_t t = tensor_of(f->l, n->in[i]);
            if (t >= 0)
                f->uses[t]++;
        }
    }
}

static int64_t last_of(const dyn_graph *g, dyn_node x)
{
    const dyn__shape *s = &dyn__at(g, x)->shape;

    return s->rank ? s->dim[s->rank - 1] : 1;
}

static void add_layer(finder *f, dyn_node x, int64_t samples)
{
    const dyn_graph *g = f->l->g;
    const dyn__node *n = dyn__at(g, x);
    const dyn__label label = f->l->label[x];

    if (n->op != DYN__OP_matmul || n->attr.i[0] || n->attr.i[1] || label.axis != 0 || label.outer != 1)
        return;
    const int32_t weight = tensor_of(f->l, n->in[1]);
    const int64_t in = last_of(g, n->in[0]), out = last_of(g, x), rows = dyn__shape_size(&n->shape) / out;
    if (weight < 0 || f->uses[weight] != 1 || rows % samples != 0 ||
        dyn__shape_size(&dyn__at(g, f->l->parameter[weight])->shape) != in * out)
        return;
    f->layer[f->count++] = (dyn__layer){weight, -1, in, out, rows / samples, n->in[0], x};
}

/* The bias of the layer whose product x is, but for shape, where y is another operand of the same sum. */
static void take_bias(finder *f, dyn_node x, dyn_node y)
{
    const int32_t bias = tensor_of(f->l, y);

    while (dyn__at(f->l->g, x)->op == DYN__OP_reshape)
        x = dyn__at(f->l->g, x)->in[0];
    for (int32_t k = 0; bias >= 0 && f->uses[bias] == 1 && k < f->count; k++)
        if (f->layer[k].product == x &&
            dyn__shape_size(&dyn__at(f->l->g, f->l->parameter[bias])->shape) == f->layer[k].out)
            f->layer[k].bias = bias;
}

static void find(finder *f, int64_t samples)
{
    count_uses(f);
    for (dyn_node x = 0; x < f->nodes; x++)
        add_layer(f, x, samples);
    for (dyn_node x = 0; x < f->nodes; x++) {
        const dyn__node *n = dyn__at(f->l->g, x);
        if (n->op == DYN__OP_add) {
            take_bias(f, n->in[0], n->in[1]);
            take_bias(f, n->in[1], n->in[0]);
        }
    }
}

static int64_t samples_of(const dyn_objective *o, const dyn__loss_graph *l)
{
    return dyn__shape_size(&dyn__at(l->g, l->f)->shape) / o->c;
}

dyn_status dyn__layers_find(dyn_objective *o, const dyn__loss_graph *l, dyn__layer **list, int32_t *count)
{
    finder f = {.l = l, .nodes = l->f + 1};     /* what the outputs are made of; later nodes have no labels */
    const size_t n = (size_t)l->parameters + 1;

    f.layer = dyn__alloc(o->ctx, n, sizeof *f.layer);
    f.uses = dyn__alloc(o->ctx, n, sizeof *f.uses);
    if (f.layer && f.uses)
        find(&f, samples_of(o, l));
    dyn__free(o->ctx, f.uses);
    *list = f.layer;
    *count = f.count;
    return f.layer && f.uses ? DYN_OK : DYN_ENOMEM;
}

/* ---- their values ---- */

/* Numbers of one sample, all layers together. */
static int64_t row_of(const dyn__layers *l)
{
    int64_t sum = 0;

    for (int32_t k = 0; k < l->count; k++)
        sum += l->layer[k].positions * (l->layer[k].in + l->layer[k].out);
    return sum;
}

/* node [2 count]: inputs and gradients; *given: the cotangent, or -1. */
static dyn_status write(dyn__layers *l, dyn__part *p, dyn_node *node, dyn_node *given)
{
    dyn__loss_graph *g = &p->graph;
    dyn__layer *layer = NULL;
    int32_t count = 0;
    const dyn__shape shape = dyn__at(g->g, g->f)->shape;
    dyn_status s = dyn__layers_find(l->o, g, &layer, &count);

    if (s == DYN_OK && l->targets)
        s = dyn_graph_gradient(g->g, g->fit, 1, &g->f, given);
    else if (s == DYN_OK)
        s = *given = dyn__tangent_input(g->g, g->g->dtype, &shape);
    for (int32_t k = 0; s >= 0 && k < l->count; k++) {
        node[2 * k] = layer[k].input;
        s = dyn_graph_vjp(g->g, 1, &g->f, given, 1, &layer[k].product, &node[2 * k + 1]);
    }
    dyn__free(l->o->ctx, layer);
    return s < 0 ? s : DYN_OK;
}

static void bind(const dyn__layers *l, dyn__part *p)
{
    char *at = p->out;

    dyn__bind_theta(l->o, &p->graph, p->exec, l->theta);
    for (int32_t k = 0; k < 2 * l->count; k++) {
        const dyn__layer *layer = &l->layer[k / 2];
        dyn__exec_set_output(p->exec, k, at);
        at += p->samples * layer->positions * (k % 2 ? layer->out : layer->in) * l->o->esize;
    }
}

static dyn_status compile(dyn__layers *l, dyn__part *p, dyn__budget *b, dyn_node *node)
{
    dyn_objective *o = l->o;
    dyn_node given = -1;

    DYN__TRY(dyn__loss_graph_make(o, p->samples, o->n, 0, &p->graph));
    DYN__TRY(write(l, p, node, &given));
    DYN__TRY(dyn__budget_exec(b, p->graph.g, 2 * l->count, node, &(dyn__compile_options){.outer = 0}, &p->exec));
    DYN__TRY(dyn__budget_alloc(b, "layers", p->samples * row_of(l), o->esize, &p->out));
    DYN__TRY(dyn__slots_find(o, &p->graph, p->exec, &p->slots));
    p->input = l->targets ? -1 : dyn__plan_find(dyn__exec_plan(p->exec), given);
    bind(l, p);
    return DYN_OK;
}

static dyn_status make_part(void *user, dyn__part *p, dyn__budget *b)
{
    dyn__layers *l = user;
    dyn_node *node = dyn__alloc(l->o->ctx, 2 * (size_t)l->count + 1, sizeof *node);

    if (!node)
        return DYN_ENOMEM;
    const dyn_status s = compile(l, p, b, node);
    dyn__free(l->o->ctx, node);
    return s;
}

static dyn_status list_layers(dyn__layers *l)
{
    dyn__loss_graph g;

    DYN__TRY(dyn__loss_graph_make(l->o, l->o->n < 2 ? l->o->n : 2, l->o->n, 0, &g));
    const dyn_status s = dyn__layers_find(l->o, &g, &l->layer, &l->count);
    dyn__loss_graph_free(l->o, &g);
    return s;
}

/* Samples at once: some that stay within 2^24 numbers, at least one. */
static int64_t chunk_of(const dyn__layers *l)
{
    const int64_t most = (INT64_C(1) << 24) / (row_of(l) + 1);

    return most < 1 ? 1 : most < l->o->n ? most : l->o->n;
}

static dyn_status open_layers(dyn__layers *l, const double *theta)
{
    dyn_objective *o = l->o;
    dyn__budget b = dyn__budget_of(o);

    DYN__TRY(list_layers(l));
    if (l->count == 0)
        return DYN__FAIL(o->ctx, DYN_ENOTSUP, "the model has no layer: no weight that multiplies rows and is used once");
    DYN__TRY(dyn__budget_alloc(&b, "theta", o->p, o->esize, &l->theta));
    DYN__TRY(dyn__budget_alloc(&b, "cotangents", o->n * o->c, o->esize, &l->cotangent));
    dyn__to_native(o, o->p, l->theta, theta);
    return dyn__parts_make(o, o->n, chunk_of(l), make_part, l, &b, &l->parts);
}

dyn_status dyn__layers_open(dyn_objective *o, const double *theta, int targets, dyn__layers *out)
{
    *out = (dyn__layers){.o = o, .targets = targets};
    const dyn_status s = open_layers(out, theta);
    if (s < 0)
        dyn__layers_close(out);
    return s;
}

void dyn__layers_close(dyn__layers *l)
{
    dyn__parts_free(l->o, &l->parts);
    dyn__free(l->o->ctx, l->cotangent);
    dyn__free(l->o->ctx, l->theta);
    dyn__free(l->o->ctx, l->layer);
    l->layer = NULL;
    l->cotangent = l->theta = NULL;
}

static void hand_out(const dyn__layers *l, const dyn__part *p, dyn__layers_fn use, void *user)
{
    const char *at = p->out;

    for (int32_t k = 0; k < l->count; k++) {
        const int64_t rows = p->samples * l->layer[k].positions;
        const char *gradient = at + rows * l->layer[k].in * l->o->esize;
        use(user, k, p->samples, at, gradient);
        at = gradient + rows * l->layer[k].out * l->o->esize;
    }
}

dyn_status dyn__layers_run(dyn__layers *l, dyn__layers_fn use, void *user)
{
    dyn_objective *o = l->o;

    for (int64_t i = 0; i < o->n; i += l->parts.whole.samples) {
        dyn__part *p = dyn__part_at(&l->parts, i);
        const dyn__inputs in = dyn__measured_inputs(o, i);
        if (p->input >= 0)
            dyn__exec_set_input(p->exec, p->input, (const char *)l->cotangent + i * o->c * o->esize);
        dyn__part_run(o, p, &in);
        DYN__TRY(dyn__check_interrupt(o->ctx));
        hand_out(l, p, use, user);
    }
    return DYN_OK;
}
