/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The node array and its hash table: creation, insertion with validation and hash-consing, look-up. */
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include "graph/graph.h"

#define DYN__X(name) extern const dyn__op dyn__op_##name;
DYN__OP_LIST(DYN__X)
#undef DYN__X

const dyn__op *const dyn__ops[DYN__OP_COUNT] = {
#define DYN__X(name) &dyn__op_##name,
    DYN__OP_LIST(DYN__X)
#undef DYN__X
};

dyn_status dyn_graph_create(dyn_ctx *ctx, int32_t dtype, dyn_graph **out)
{
    dyn_graph *g;

    if (out)
        *out = NULL;
    if (!ctx)
        return DYN_EINVAL;
    DYN__ENTER(ctx);
    DYN__NEED(ctx, out);
    if (dtype != DYN_F64 && dtype != DYN_F32)
        return DYN__FAIL(ctx, DYN_EINVAL, "dtype %d is neither DYN_F64 nor DYN_F32", (int)dtype);
    g = dyn__alloc(ctx, 1, sizeof *g);
    if (!g)
        return DYN_ENOMEM;
    g->ctx = ctx;
    g->dtype = dtype;
    dyn__ctx_ref(ctx);
    *out = g;
    return DYN_OK;
}

void dyn_graph_free(dyn_graph *g)
{
    dyn_ctx *ctx;

    if (!g)
        return;
    ctx = g->ctx;
    dyn__names_free(ctx, &g->by_name);
    for (int64_t i = 0; i < g->names; i++)
        dyn__free(ctx, g->name[i].text);
    dyn__free(ctx, g->name);
    for (int64_t i = 0; i < g->arrays; i++)
        dyn__free(ctx, g->array[i]);
    dyn__free(ctx, g->array);
    dyn__free(ctx, g->table);
    dyn__free(ctx, g->node);
    dyn__free(ctx, g);
    dyn__ctx_unref(ctx);
}

int32_t dyn_graph_size(const dyn_graph *g) { return g ? g->count : 0; }
int32_t dyn_graph_dtype(const dyn_graph *g) { return g ? g->dtype : DYN_EINVAL; }

int32_t dyn_graph_shape(const dyn_graph *g, dyn_node x, int64_t *shape)
{
    DYN__ENTER_NODE(g, x);
    if (shape)
        memcpy(shape, g->node[x].shape.dim, (size_t)g->node[x].shape.rank * sizeof *shape);
    return g->node[x].shape.rank;
}

/* ---- shapes ---- */

int64_t dyn__shape_size(const dyn__shape *s)
{
    int64_t n = 1;
    for (int i = 0; i < s->rank; i++)
        n *= s->dim[i];
    return n;
}

int dyn__shape_equal(const dyn__shape *a, const dyn__shape *b)
{
    return a->rank == b->rank && !memcmp(a->dim, b->dim, (size_t)a->rank * sizeof a->dim[0]);
}

const char *dyn__shape_text(const dyn__shape *s, char buf[128])
{
    int n = snprintf(buf, 128, "[");
    for (int i = 0; i < s->rank && n < 100; i++)
        n += snprintf(buf + n, 128 - (size_t)n, i ? ", %lld" : "%lld", (long long)s->dim[i]);
    snprintf(buf + n, 128 - (size_t)n, "]");
    return buf;
}

dyn__shape dyn__shape_lead(const dyn__shape *s, int64_t size)
{
    dyn__shape r = {0};
    r.rank = s->rank + 1;
    r.dim[0] = size;
    for (int i = 0; i < s->rank && i + 1 < DYN_MAX_RANK; i++)
        r.dim[i + 1] = s->dim[i];
    return r;
}

/* ---- hash-consing ---- */

static uint64_t hash_node(const dyn__node *n)
{
    const unsigned char *p = (const unsigned char *)n;
    uint64_t h = 1469598103934665603u;
    for (size_t i = 0; i < offsetof(dyn__node, kind); i += 8) {
        uint64_t w;
        memcpy(&w, p + i, 8);
        h = (h ^ w) * 0x9E3779B97F4A7C15u;
        h ^= h >> 29;
    }
    return h;
}
_Static_assert(offsetof(dyn__node, kind) % 8 == 0 && offsetof(dyn__node, kind) + sizeof(void *) == sizeof(dyn__node),
               "hashed in words, without the pointer: places in the table are the same in every process");

/* Slot of an equal node, or the free slot where it belongs. */
static int64_t slot_of(const dyn_graph *g, const dyn__node *n)
{
    int64_t mask = g->table_size - 1, s = (int64_t)(hash_node(n) & (uint64_t)mask);
    while (g->table[s] && memcmp(&g->node[g->table[s] - 1], n, sizeof *n))
        s = (s + 1) & mask;
    return s;
}

static dyn_status grow_table(dyn_graph *g)
{
    int64_t size = g->table_size ? 2 * g->table_size : 256;
    int32_t *old = g->table;

    if (2 * (int64_t)g->count < g->table_size)
        return DYN_OK;
    int32_t *table = dyn__alloc(g->ctx, (size_t)size, sizeof *table);
    if (!table)
        return DYN_ENOMEM;
    g->table = table;
    g->table_size = size;
    for (int32_t i = 0; i < g->count; i++)
        table[slot_of(g, &g->node[i])] = i + 1;
    dyn__free(g->ctx, old);
    return DYN_OK;
}

static dyn_node intern(dyn_graph *g, const dyn__node *n)
{
    DYN__TRY(grow_table(g));
    DYN__TRY(dyn__grow(g->ctx, (void **)&g->node, &g->capacity, (int64_t)g->count + 1, sizeof *g->node));
    int64_t s = slot_of(g, n);
    if (g->table[s])
        return g->table[s] - 1;
    if (g->count == INT32_MAX - 1)
        return DYN__FAIL(g->ctx, DYN_EFULL, "the graph has %d nodes, which is the limit", (int)g->count);
    g->node[g->count] = *n;
    g->table[s] = ++g->count;
    return g->count - 1;
}

/* ---- insertion ---- */

dyn_status dyn__check_node(const dyn_graph *g, dyn_node x)
{
    if (x < 0)
        return x;
    if (x >= g->count)
        return DYN__FAIL(g->ctx, DYN_EINVAL, "node %d: the graph has %d", (int)x, (int)g->count);
    return DYN_OK;
}

static dyn_status check_shape(dyn_graph *g, const dyn__shape *s)
{
    int64_t size = 1;
    char buf[128];

    if (s->rank < 0 || s->rank > DYN_MAX_RANK)
        return DYN__FAIL(g->ctx, DYN_ESHAPE, "rank %d is outside [0, %d]", (int)s->rank, DYN_MAX_RANK);
    for (int i = 0; i < s->rank; i++)
        if (s->dim[i] < 1 || __builtin_mul_overflow(size, s->dim[i], &size) || size > INT64_MAX / 16)
            return DYN__FAIL(g->ctx, DYN_ESHAPE,
                             "shape %s: every size must be at least 1 and the whole must fit in memory",
                             dyn__shape_text(s, buf));
    return DYN_OK;
}

/* Commutative operands in ascending order, so that a+b and b+a are one node. */
static void order_operands(dyn__node *n)
{
    if (n->kind->commutative && n->in[0] > n->in[1]) {
        dyn_node t = n->in[0];
        n->in[0] = n->in[1];
        n->in[1] = t;
    }
}

static dyn_node insert(dyn_graph *g, int op, const dyn__op *kind, int nin, const dyn_node *in, const dyn__attr *attr,
                       const dyn__shape *shape)
{
    dyn__node n;

    if (!g)
        return DYN_EINVAL;
    memset(&n, 0, sizeof n);
    n.op = op;
    n.kind = kind;
    n.nin = nin;
    n.dtype = g->dtype;
    for (int i = 0; i < nin; i++) {
        if (in[i] < 0)
            return in[i];
        if (in[i] >= g->count)
            return DYN__FAIL(g->ctx, DYN_EINVAL, "node %d is not in this graph of %d nodes", (int)in[i], (int)g->count);
        n.in[i] = in[i];
    }
    if (attr)
        n.attr = *attr;
    if (shape) {
        DYN__TRY(check_shape(g, shape));
        n.shape.rank = shape->rank;
        memcpy(n.shape.dim, shape->dim, (size_t)shape->rank * sizeof shape->dim[0]);
    }
    order_operands(&n);
    DYN__TRY(kind->infer(g, &n));
    DYN__TRY(check_shape(g, &n.shape));
    return intern(g, &n);
}

dyn_node dyn__insert(dyn_graph *g, int op, int nin, const dyn_node *in, const dyn__attr *attr, const dyn__shape *shape)
{
    return insert(g, op, dyn__ops[op], nin, in, attr, shape);
}

static int number_of(const dyn__op *kind)
{
    int op = 0;

    while (op < DYN__OP_COUNT && dyn__ops[op] != kind)
        op++;
    return op;
}

dyn_node dyn__insert_like(dyn_graph *g, const dyn__node *n, const dyn_node *in)
{
    return insert(g, n->op, n->kind, n->nin, in, &n->attr, n->kind->shaped ? &n->shape : NULL);
}

dyn_node dyn__insert_kind(dyn_graph *g, const dyn__op *kind, const dyn_node *in, const dyn__attr *attr,
                          const dyn__shape *shape)
{
    return insert(g, number_of(kind), kind, kind->nin, in, attr, shape);
}

dyn_node dyn__insert1(dyn_graph *g, int op, dyn_node a, const dyn__attr *attr, const dyn__shape *shape)
{
    return dyn__insert(g, op, 1, &a, attr, shape);
}

dyn_node dyn__insert2(dyn_graph *g, int op, dyn_node a, dyn_node b)
{
    dyn_node in[2] = {a, b};
    return dyn__insert(g, op, 2, in, NULL, NULL);
}

/* ---- names ---- */

dyn_node dyn_graph_find(const dyn_graph *g, const char *name)
{
    if (!g)
        return DYN_EINVAL;
    DYN__ENTER(g->ctx);
    DYN__NEED(g->ctx, name);
    const int32_t found = dyn__names_find(&g->by_name, name);
    if (found >= 0)
        return g->name[found].node;
    return DYN__FAIL(g->ctx, DYN_EINVAL, "no parameter or input is called \"%s\"", name);
}

const char *dyn__name_of(const dyn_graph *g, dyn_node x)
{
    const dyn__node *n = dyn__at(g, x);
    const int named = n->op == DYN__OP_input && n->attr.i[0] != DYN__TANGENT && n->attr.i[1] < g->names;

    return named ? g->name[n->attr.i[1]].text : "";
}

int32_t dyn__parameters(const dyn_graph *g, dyn_node *out)
{
    int32_t n = 0;
    for (int32_t i = 0; i < g->count; i++)
        if (g->node[i].op == DYN__OP_input && g->node[i].attr.i[0] == DYN__PARAMETER) {
            if (out)
                out[n] = i;
            n++;
        }
    return n;
}

static dyn_node named_leaf(dyn_graph *g, int kind, int dtype, const char *name, int32_t rank, const int64_t *dim)
{
    dyn__shape shape = {0};
    dyn__attr attr = {{kind, (int64_t)g->names, dtype}, 0, 0};

    if (!name || !name[0] || (rank > 0 && !dim))
        return DYN__FAIL(g->ctx, DYN_EINVAL, "a name and a shape are needed");
    if (dyn__names_find(&g->by_name, name) >= 0)
        return DYN__FAIL(g->ctx, DYN_EINVAL, "the name \"%s\" is taken", name);
    shape.rank = rank;
    for (int i = 0; i < rank && i < DYN_MAX_RANK; i++)
        shape.dim[i] = dim[i];
    DYN__TRY(dyn__grow(g->ctx, (void **)&g->name, &g->names_capacity, g->names + 1, sizeof *g->name));
    char *text = dyn__strdup(g->ctx, name);
    if (!text)
        return DYN_ENOMEM;
    dyn_node x = dyn__insert(g, DYN__OP_input, 0, NULL, &attr, &shape);
    const dyn_status s = x < 0 ? x : dyn__names_add(g->ctx, &g->by_name, text, (int32_t)g->names);
    if (s < 0) {
        dyn__free(g->ctx, text);
        return s;
    }
    g->name[g->names++] = (dyn__name){text, x};
    return x;
}

dyn_node dyn_graph_parameter(dyn_graph *g, const char *name, int32_t rank, const int64_t *shape)
{
    if (!g)
        return DYN_EINVAL;
    DYN__ENTER(g->ctx);
    if (g->tensors && g->tensors->parameter)
        return g->tensors->parameter(g->tensors->user, g, name, rank, shape);
    return named_leaf(g, DYN__PARAMETER, g->dtype, name, rank, shape);
}

dyn_node dyn__parameter(dyn_graph *g, const char *name, const dyn__shape *shape)
{
    return named_leaf(g, DYN__PARAMETER, g->dtype, name, shape->rank, shape->dim);
}

dyn_node dyn_graph_input(dyn_graph *g, const char *name, int32_t rank, const int64_t *shape)
{
    if (!g)
        return DYN_EINVAL;
    DYN__ENTER(g->ctx);
    return named_leaf(g, DYN__INPUT, g->dtype, name, rank, shape);
}

dyn_node dyn_graph_indices(dyn_graph *g, const char *name, int32_t rank, const int64_t *shape)
{
    if (!g)
        return DYN_EINVAL;
    DYN__ENTER(g->ctx);
    return named_leaf(g, DYN__INPUT, DYN_I64, name, rank, shape);
}

dyn_node dyn__tangent_input(dyn_graph *g, int dtype, const dyn__shape *shape)
{
    dyn__attr attr = {{DYN__TANGENT, g->tangents++, dtype}, 0, 0};
    return dyn__insert(g, DYN__OP_input, 0, NULL, &attr, shape);
}

void dyn__mark_needed(const dyn_graph *g, int32_t count, const dyn_node *outputs, uint8_t *need)
{
    memset(need, 0, (size_t)g->count);
    for (int32_t i = 0; i < count; i++)
        need[outputs[i]] = 1;
    for (int32_t i = g->count - 1; i >= 0; i--)
        if (need[i])
            for (int k = 0; k < g->node[i].nin; k++)
                need[g->node[i].in[k]] = 1;
}
