/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Layers found in the graph, and their inputs and gradients. A weight that is used twice, or otherwise than as the
 * right factor of a product of rows, belongs to no layer. */
#include <string.h>
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

/* input, gradient [count]; *given: the cotangent, or -1. */
static dyn_status write(dyn__layers *l, dyn__part *p, dyn_node *input, dyn_node *gradient, dyn_node *given)
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
        input[k] = layer[k].input;
        s = dyn_graph_vjp(g->g, 1, &g->f, given, 1, &layer[k].product, &gradient[k]);
    }
    dyn__free(l->o->ctx, layer);
    return s < 0 ? s : DYN_OK;
}

static dyn__way_back *back_of(dyn__layers *l, const dyn__part *p)
{
    return &l->back[p == &l->parts.tail];
}

/* Where input (or gradient) k of a part lies. */
static char *place_of(const dyn__layers *l, const dyn__part *p, int32_t k, int gradient)
{
    int64_t numbers = 0;

    for (int32_t i = 0; i < k; i++)
        numbers += l->layer[i].positions * (l->layer[i].in + l->layer[i].out);
    if (gradient)
        numbers += l->layer[k].positions * l->layer[k].in;
    return (char *)p->out + p->samples * numbers * l->o->esize;
}

/* node: inputs, then gradients or the cuts. */
static dyn_status compile_there(dyn__layers *l, dyn__part *p, dyn__budget *b, const dyn_node *node)
{
    const dyn__way_back *w = back_of(l, p);
    const int32_t rest = l->targets ? l->count : w->cuts;
    dyn_objective *o = l->o;

    DYN__TRY(dyn__budget_exec(b, p->graph.g, l->count + rest, node, &(dyn__compile_options){.outer = 0}, &p->exec));
    DYN__TRY(dyn__slots_find(o, &p->graph, p->exec, &p->slots));
    dyn__bind_theta(o, &p->graph, p->exec, l->theta);
    for (int32_t k = 0; k < l->count; k++)
        dyn__exec_set_output(p->exec, k, place_of(l, p, k, 0));
    for (int32_t k = 0; k < rest; k++)
        dyn__exec_set_output(p->exec, l->count + k, l->targets ? place_of(l, p, k, 1) : w->value[k]);
    return DYN_OK;
}

static dyn_status compile_back(dyn__layers *l, dyn__part *p, dyn__budget *b, const dyn_node *gradient, dyn_node given)
{
    dyn__way_back *w = back_of(l, p);
    const dyn__compile_options opt = {.cuts = w->cuts, .cut = w->cut};
    dyn_objective *o = l->o;

    DYN__TRY(dyn__budget_exec(b, p->graph.g, l->count, gradient, &opt, &w->exec));
    DYN__TRY(dyn__slots_find(o, &p->graph, w->exec, &w->slots));
    dyn__bind_theta(o, &p->graph, w->exec, l->theta);
    dyn__exec_set_input(w->exec, dyn__plan_find(dyn__exec_plan(w->exec), given), l->cotangent);
    for (int32_t i = 0; i < w->cuts; i++)
        dyn__exec_set_input(w->exec, dyn__plan_find(dyn__exec_plan(w->exec), w->cut[i]), w->value[i]);
    for (int32_t k = 0; k < l->count; k++)
        dyn__exec_set_output(w->exec, k, place_of(l, p, k, 1));
    return DYN_OK;
}

/* What the way back needs of the way there. */
static dyn_status choose_cuts(dyn__layers *l, dyn__part *p, dyn__budget *b, const dyn_node *gradient, dyn_node given)
{
    dyn__way_back *w = back_of(l, p);
    dyn_graph *g = p->graph.g;

    w->cut = dyn__alloc(l->o->ctx, (size_t)g->count + 1, sizeof *w->cut);
    if (!w->cut)
        return DYN_ENOMEM;
    const int32_t cuts = dyn__frontier(g, l->count, gradient, 1, &given, w->cut);
    DYN__TRY(cuts);
    w->value = dyn__alloc(l->o->ctx, (size_t)cuts + 1, sizeof *w->value);
    if (!w->value)
        return DYN_ENOMEM;
    for (w->cuts = 0; w->cuts < cuts; w->cuts++)
        DYN__TRY(dyn__budget_alloc(b, "values of layers", dyn__shape_size(&dyn__at(g, w->cut[w->cuts])->shape), l->o->esize,
                                   &w->value[w->cuts]));
    return DYN_OK;
}

/* node [2 count + nodes of the graph] is room. */
static dyn_status compile(dyn__layers *l, dyn__part *p, dyn__budget *b, dyn_node *gradient, dyn_node given, dyn_node *node)
{
    dyn__way_back *w = back_of(l, p);

    if (!l->targets)
        DYN__TRY(choose_cuts(l, p, b, gradient, given));
    memcpy(node + l->count, l->targets ? gradient : w->cut, (size_t)(l->targets ? l->count : w->cuts) * sizeof *node);
    DYN__TRY(dyn__budget_alloc(b, "layers", p->samples * row_of(l), l->o->esize, &p->out));
    DYN__TRY(compile_there(l, p, b, node));
    return l->targets ? DYN_OK : compile_back(l, p, b, gradient, given);
}

static void free_back(dyn_objective *o, dyn__way_back *w)
{
    dyn_exec_free(w->exec);
    dyn__slots_free(o, &w->slots);
    for (int32_t i = 0; i < w->cuts; i++)
        dyn__free(o->ctx, w->value[i]);
    dyn__free(o->ctx, w->value);
    dyn__free(o->ctx, w->cut);
    *w = (dyn__way_back){.exec = NULL};
}

/* A part may be made again, of fewer samples. */
static dyn_status make_part(void *user, dyn__part *p, dyn__budget *b)
{
    dyn__layers *l = user;
    dyn_node *gradient, *node = NULL, given = -1;
    dyn_status s;

    free_back(l->o, back_of(l, p));
    DYN__TRY(dyn__loss_graph_make(l->o, p->samples, l->o->n, 0, &p->graph));
    gradient = dyn__alloc(l->o->ctx, 2 * (size_t)l->count + 1, sizeof *gradient);
    s = gradient ? write(l, p, gradient + l->count, gradient, &given) : DYN_ENOMEM;
    if (s == DYN_OK)
        node = dyn__alloc(l->o->ctx, 2 * (size_t)l->count + (size_t)p->graph.g->count, sizeof *node);
    if (node) {
        memcpy(node, gradient + l->count, (size_t)l->count * sizeof *node);
        s = compile(l, p, b, gradient, given, node);
    } else if (s == DYN_OK) {
        s = DYN_ENOMEM;
    }
    dyn__free(l->o->ctx, node);
    dyn__free(l->o->ctx, gradient);
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
    for (int i = 0; i < 2; i++)
        free_back(l->o, &l->back[i]);
    dyn__parts_free(l->o, &l->parts);
    dyn__free(l->o->ctx, l->cotangent);
    dyn__free(l->o->ctx, l->theta);
    dyn__free(l->o->ctx, l->layer);
    l->layer = NULL;
    l->cotangent = l->theta = NULL;
}

static void hand_out(const dyn__layers *l, const dyn__part *p, dyn__layers_fn use, void *user)
{
    for (int32_t k = 0; k < l->count; k++)
        use(user, k, p->samples, place_of(l, p, k, 0), place_of(l, p, k, 1));
}

dyn_status dyn__layers_run(dyn__layers *l, int64_t columns, dyn__cotangent_fn fill, dyn__layers_fn use, void *user)
{
    dyn_objective *o = l->o;

    for (int64_t i = 0; i < o->n; i += l->parts.whole.samples) {
        dyn__part *p = dyn__part_at(&l->parts, i);
        dyn__way_back *w = back_of(l, p);
        const dyn__inputs in = dyn__measured_inputs(o, i);

        dyn__part_run(o, p, &in);
        for (int64_t column = 0; column < columns; column++) {
            fill(user, column, i, p->samples);
            if (w->exec) {
                dyn__slots_bind(o, &w->slots, w->exec, &in);
                dyn__exec_go(w->exec);
            }
            DYN__TRY(dyn__check_interrupt(o->ctx));
            hand_out(l, p, use, user);
        }
    }
    return DYN_OK;
}
