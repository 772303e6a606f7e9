/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Recurrent layers, unrolled. The inputs' share of all places is one product before the first step. */
#include "layer/layer.h"

enum { CELLS = 3 };
static const int64_t gates_of[CELLS] = {[DYN_CELL_SIMPLE] = 1, [DYN_CELL_GRU] = 3, [DYN_CELL_LSTM] = 4};

typedef struct layer {
    int32_t cell;
    int64_t n, places, width;
    dyn_node u, c;
    dyn_node h, memory;     /* the state */
} layer;

/* ---- cells: xw [n, G h] is the inputs' share of a step ---- */

static dyn_node gate(dyn_graph *g, const layer *l, dyn_node x, int64_t number)
{
    return dyn__part(g, x, 1, number * l->width, l->width);
}

static dyn_node one_minus(dyn_graph *g, dyn_node x) { return dyn_graph_sub(g, dyn__scalar(g, 1), x); }

static void gru(dyn_graph *g, layer *l, dyn_node xw, dyn_node hu)
{
    dyn_node r = dyn_graph_sigmoid(g, dyn_graph_add(g, gate(g, l, xw, 0), gate(g, l, hu, 0)));
    dyn_node z = dyn_graph_sigmoid(g, dyn_graph_add(g, gate(g, l, xw, 1), gate(g, l, hu, 1)));
    dyn_node n = dyn_graph_tanh(g, dyn_graph_add(g, gate(g, l, xw, 2), dyn_graph_mul(g, r, gate(g, l, hu, 2))));

    l->h = dyn_graph_add(g, dyn_graph_mul(g, one_minus(g, z), n), dyn_graph_mul(g, z, l->h));
}

static void lstm(dyn_graph *g, layer *l, dyn_node sum)
{
    dyn_node i = dyn_graph_sigmoid(g, gate(g, l, sum, 0)), f = dyn_graph_sigmoid(g, gate(g, l, sum, 1));
    dyn_node news = dyn_graph_tanh(g, gate(g, l, sum, 2)), o = dyn_graph_sigmoid(g, gate(g, l, sum, 3));

    l->memory = dyn_graph_add(g, dyn_graph_mul(g, f, l->memory), dyn_graph_mul(g, i, news));
    l->h = dyn_graph_mul(g, o, dyn_graph_tanh(g, l->memory));
}

static void step(dyn_graph *g, layer *l, dyn_node xw)
{
    dyn_node hu = dyn__plus(g, dyn_graph_matmul(g, l->h, l->u, 0, 0), l->c);

    if (l->cell == DYN_CELL_GRU)
        gru(g, l, xw, hu);
    else if (l->cell == DYN_CELL_LSTM)
        lstm(g, l, dyn_graph_add(g, xw, hu));
    else
        l->h = dyn_graph_tanh(g, dyn_graph_add(g, xw, hu));
}

/* ---- places ---- */

/* States after the places of xw [n, count, G h]: [n, count, h]. Cut and joined by halves: places cut off one by one from
 * the whole would give its gradient as a sum of as many tensors of the size of the whole. */
static dyn_node unroll(dyn_graph *g, layer *l, dyn_node xw, int64_t count)
{
    const int64_t half = count / 2;

    if (count > 1) {
        dyn_node a = unroll(g, l, dyn__part(g, xw, 1, 0, half), half);
        return a < 0 ? a : dyn_graph_concat(g, a, unroll(g, l, dyn__part(g, xw, 1, half, count - half), count - half), 1);
    }
    step(g, l, dyn_graph_reshape(g, xw, 2, (int64_t[]){l->n, gates_of[l->cell] * l->width}));
    return dyn_graph_reshape(g, l->h, 3, (int64_t[]){l->n, 1, l->width});
}

static dyn_status check(dyn_graph *g, int32_t cell, dyn_node x, dyn_node u)
{
    char p[128];

    if (cell < 0 || cell >= CELLS)
        return DYN__FAIL(g->ctx, DYN_EINVAL, "cell %d is outside [0, %d]", (int)cell, CELLS - 1);
    DYN__TRY(dyn__need_rank(g, "x", x, 3));
    DYN__TRY(dyn__need_rank(g, "u", u, 2));
    if (dyn__shape_of(g, x)->rank != 3)
        return DYN__FAIL(g->ctx, DYN_ESHAPE, "x has shape %s, expected [n, T, in]",
                         dyn__shape_text(dyn__shape_of(g, x), p));
    const dyn__shape *s = dyn__shape_of(g, u);
    if (s->rank != 2 || s->dim[1] != gates_of[cell] * s->dim[0])
        return DYN__FAIL(g->ctx, DYN_ESHAPE, "u has shape %s, expected [h, %d h]", dyn__shape_text(s, p),
                         (int)gates_of[cell]);
    return DYN_OK;
}

dyn_node dyn_layer_recurrent(dyn_graph *g, int32_t cell, dyn_node x, dyn_node w, dyn_node u, dyn_node b, dyn_node c)
{
    char p[128];

    DYN__ENTER_NODE(g, x);
    DYN__TRY(check(g, cell, x, u));
    DYN__TRY(dyn__check_optional(g, c));
    dyn_node xw = dyn_layer_linear(g, x, w, b);
    DYN__TRY(xw);
    const dyn__shape *s = dyn__shape_of(g, xw);
    layer l = {.cell = cell, .n = s->dim[0], .places = s->dim[1], .width = dyn__shape_of(g, u)->dim[0], .u = u, .c = c};
    if (s->dim[2] != gates_of[cell] * l.width)
        return DYN__FAIL(g->ctx, DYN_ESHAPE, "x w has shape %s, expected [n, T, %lld]", dyn__shape_text(s, p),
                         (long long)(gates_of[cell] * l.width));
    l.h = l.memory = dyn_graph_constant(g, 0, 2, (int64_t[]){l.n, l.width});
    return unroll(g, &l, xw, l.places);
}
