/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The elementwise builders: NumPy broadcasting, then the identities that keep derivative graphs small: x+0, x*1, x*0,
 * -(-x), arithmetic of constants. 0*x is taken as 0 also where x could be infinite: a structural zero, not a computed
 * one. */
#include <math.h>
#include <string.h>
#include "graph/graph.h"

static int is_value(const dyn_graph *g, dyn_node x, double v)
{
    double c;
    return dyn__is_constant(g, x, &c) && c == v;
}

/* ---- broadcasting ---- */

static dyn_status common_shape(dyn_graph *g, const dyn__shape *s, const dyn__shape *t, dyn__shape *out)
{
    char p[128], q[128];

    memset(out, 0, sizeof *out);
    out->rank = s->rank > t->rank ? s->rank : t->rank;
    for (int i = 1; i <= out->rank; i++) {
        int64_t d = i <= s->rank ? s->dim[s->rank - i] : 1, e = i <= t->rank ? t->dim[t->rank - i] : 1;
        if (d != e && d != 1 && e != 1)
            return DYN__FAIL(g->ctx, DYN_ESHAPE, "shapes %s and %s do not broadcast", dyn__shape_text(s, p),
                             dyn__shape_text(t, q));
        out->dim[out->rank - i] = d == 1 ? e : d;
    }
    return DYN_OK;
}

/* Size-1 axes that must grow are dropped first, then the primitive broadcast inserts axes. */
static dyn_node stretch(dyn_graph *g, dyn_node x, const dyn__shape *to)
{
    dyn__shape s = dyn__at(g, x)->shape, kept = {0};
    int64_t axes[DYN_MAX_RANK];
    double c;

    if (dyn__shape_equal(&s, to))
        return x;
    if (dyn__is_constant(g, x, &c))
        return dyn__splat(g, c, to);
    for (int i = 0; i < s.rank; i++) {
        int64_t d = to->dim[to->rank - s.rank + i];
        if (s.dim[i] == d) {
            axes[kept.rank] = to->rank - s.rank + i;
            kept.dim[kept.rank++] = d;
        }
    }
    return dyn__broadcast(g, dyn__reshape_to(g, x, &kept), to, axes);
}

dyn_node dyn_graph_broadcast_to(dyn_graph *g, dyn_node x, int32_t rank, const int64_t *dim)
{
    dyn__shape to = {0}, common;
    char p[128], q[128];

    DYN__ENTER_NODE(g, x);
    if (rank < 0 || rank > DYN_MAX_RANK || (rank > 0 && !dim))
        return DYN__FAIL(g->ctx, DYN_ESHAPE, "rank %d is outside [0, %d] or the shape is missing", (int)rank,
                         DYN_MAX_RANK);
    to.rank = rank;
    for (int i = 0; i < rank; i++)
        to.dim[i] = dim[i];
    DYN__TRY(common_shape(g, &dyn__at(g, x)->shape, &to, &common));
    if (!dyn__shape_equal(&common, &to))
        return DYN__FAIL(g->ctx, DYN_ESHAPE, "shape %s does not broadcast to %s",
                         dyn__shape_text(&dyn__at(g, x)->shape, p),
                         dyn__shape_text(&to, q));
    return stretch(g, x, &to);
}

static dyn_status align(dyn_graph *g, dyn_node *a, dyn_node *b)
{
    dyn__shape s;

    if (!g)
        return DYN_EINVAL;
    if (*a < 0 || *b < 0)
        return *a < 0 ? *a : *b;
    if (*a >= g->count || *b >= g->count)
        return DYN__FAIL(g->ctx, DYN_EINVAL, "nodes %d and %d: the graph has %d", (int)*a, (int)*b, (int)g->count);
    DYN__TRY(common_shape(g, &dyn__at(g, *a)->shape, &dyn__at(g, *b)->shape, &s));
    *a = stretch(g, *a, &s);
    *b = stretch(g, *b, &s);
    return *a < 0 ? *a : *b < 0 ? *b : DYN_OK;
}

/* ---- arithmetic ---- */

static dyn_node operand_of(const dyn_graph *g, dyn_node x, int op)
{
    return dyn__at(g, x)->op == op ? dyn__at(g, x)->in[0] : -1;
}

dyn_node dyn_graph_neg(dyn_graph *g, dyn_node x)
{
    double c;

    DYN__ENTER_NODE(g, x);
    if (dyn__is_constant(g, x, &c))
        return dyn__like(g, -c, x);
    if (operand_of(g, x, DYN__OP_neg) >= 0)
        return operand_of(g, x, DYN__OP_neg);
    return dyn__insert1(g, DYN__OP_neg, x, NULL, NULL);
}

dyn_node dyn_graph_add(dyn_graph *g, dyn_node a, dyn_node b)
{
    double c, d;

    if (!g)
        return DYN_EINVAL;
    DYN__ENTER(g->ctx);
    DYN__TRY(align(g, &a, &b));
    if (is_value(g, a, 0))
        return b;
    if (is_value(g, b, 0))
        return a;
    if (dyn__is_constant(g, a, &c) && dyn__is_constant(g, b, &d))
        return dyn__like(g, c + d, a);
    if (operand_of(g, b, DYN__OP_neg) >= 0)
        return dyn_graph_sub(g, a, operand_of(g, b, DYN__OP_neg));
    if (operand_of(g, a, DYN__OP_neg) >= 0)
        return dyn_graph_sub(g, b, operand_of(g, a, DYN__OP_neg));
    return dyn__insert2(g, DYN__OP_add, a, b);
}

dyn_node dyn_graph_sub(dyn_graph *g, dyn_node a, dyn_node b)
{
    double c, d;

    if (!g)
        return DYN_EINVAL;
    DYN__ENTER(g->ctx);
    DYN__TRY(align(g, &a, &b));
    if (is_value(g, b, 0))
        return a;
    if (is_value(g, a, 0))
        return dyn_graph_neg(g, b);
    if (dyn__is_constant(g, a, &c) && dyn__is_constant(g, b, &d))
        return dyn__like(g, c - d, a);
    if (operand_of(g, b, DYN__OP_neg) >= 0)
        return dyn_graph_add(g, a, operand_of(g, b, DYN__OP_neg));
    return dyn__insert2(g, DYN__OP_sub, a, b);
}

/* c * x for a constant node c: constants meet, signs come out. */
static dyn_node scaled(dyn_graph *g, dyn_node constant, double c, dyn_node x)
{
    const dyn__node *n = dyn__at(g, x);
    double d;

    if (c == 0)
        return constant;
    if (c == 1)
        return x;
    if (c == -1)
        return dyn_graph_neg(g, x);
    if (dyn__is_constant(g, x, &d))
        return dyn__like(g, c * d, x);
    if (n->op == DYN__OP_neg)
        return scaled(g, dyn__like(g, -c, x), -c, dyn__at(g, x)->in[0]);
    if (n->op == DYN__OP_mul)
        for (int i = 0; i < 2; i++)
            if (dyn__is_constant(g, n->in[i], &d)) {
                dyn_node rest = n->in[1 - i];
                return scaled(g, dyn__like(g, c * d, x), c * d, rest);
            }
    return dyn__insert2(g, DYN__OP_mul, constant, x);
}

dyn_node dyn_graph_mul(dyn_graph *g, dyn_node a, dyn_node b)
{
    double c;

    if (!g)
        return DYN_EINVAL;
    DYN__ENTER(g->ctx);
    DYN__TRY(align(g, &a, &b));
    if (dyn__is_constant(g, a, &c))
        return scaled(g, a, c, b);
    if (dyn__is_constant(g, b, &c))
        return scaled(g, b, c, a);
    if (operand_of(g, a, DYN__OP_neg) >= 0)
        return dyn_graph_neg(g, dyn_graph_mul(g, operand_of(g, a, DYN__OP_neg), b));
    if (operand_of(g, b, DYN__OP_neg) >= 0)
        return dyn_graph_neg(g, dyn_graph_mul(g, a, operand_of(g, b, DYN__OP_neg)));
    return dyn__insert2(g, DYN__OP_mul, a, b);
}

dyn_node dyn_graph_scale(dyn_graph *g, dyn_node x, double c)
{
    DYN__ENTER_NODE(g, x);
    return dyn_graph_mul(g, dyn_graph_constant(g, c, 0, NULL), x);
}

dyn_node dyn_graph_div(dyn_graph *g, dyn_node a, dyn_node b)
{
    double c, d;

    if (!g)
        return DYN_EINVAL;
    DYN__ENTER(g->ctx);
    DYN__TRY(align(g, &a, &b));
    if (is_value(g, a, 0) || is_value(g, b, 1))
        return a;
    if (dyn__is_constant(g, a, &c) && dyn__is_constant(g, b, &d))
        return dyn__like(g, c / d, a);
    return dyn__insert2(g, DYN__OP_div, a, b);
}

static dyn_node binary(dyn_graph *g, int op, dyn_node a, dyn_node b)
{
    DYN__TRY(align(g, &a, &b));
    return dyn__insert2(g, op, a, b);
}

#define BINARY(name, op)                                             \
    dyn_node dyn_graph_##name(dyn_graph *g, dyn_node a, dyn_node b)  \
    {                                                                \
        if (!g)                                                      \
            return DYN_EINVAL;                                       \
        DYN__ENTER(g->ctx);                                          \
        return binary(g, DYN__OP_##op, a, b);                        \
    }
BINARY(max, max)
BINARY(greater, gt)
BINARY(greater_equal, ge)
BINARY(equal, eq)

#define UNARY(name)                                                  \
    dyn_node dyn_graph_##name(dyn_graph *g, dyn_node x)              \
    {                                                                \
        DYN__ENTER_NODE(g, x);                                       \
        return dyn__insert1(g, DYN__OP_##name, x, NULL, NULL);       \
    }
UNARY(exp) UNARY(expm1) UNARY(log) UNARY(log1p) UNARY(tanh) UNARY(erf) UNARY(sin) UNARY(cos) UNARY(sqrt)

dyn_node dyn_graph_stop(dyn_graph *g, dyn_node x)
{
    DYN__ENTER_NODE(g, x);
    return dyn__at(g, x)->op == DYN__OP_constant ? x : dyn__insert1(g, DYN__OP_stop, x, NULL, NULL);
}

dyn_node dyn_graph_identity(dyn_graph *g, dyn_node x)
{
    DYN__ENTER_NODE(g, x);
    return dyn__insert1(g, DYN__OP_identity, x, NULL, NULL);
}

dyn_node dyn_graph_powi(dyn_graph *g, dyn_node x, int64_t n)
{
    dyn__attr attr = {{0}, 0, n};

    DYN__ENTER_NODE(g, x);
    if (n < -64 || n > 64)
        return DYN__FAIL(g->ctx, DYN_EINVAL, "exponent %lld is outside [-64, 64]; use dyn_graph_pow", (long long)n);
    if (n == 0)
        return dyn__like(g, 1, x);
    if (n == 1)
        return x;
    if (n == 2)
        return dyn_graph_mul(g, x, x);
    return dyn__insert1(g, DYN__OP_powi, x, &attr, NULL);
}

dyn_node dyn_graph_pow(dyn_graph *g, dyn_node x, double c)
{
    dyn__attr attr = {{0}, c, 0};

    DYN__ENTER_NODE(g, x);
    if (!isfinite(c))
        return DYN__FAIL(g->ctx, DYN_EINVAL, "exponent %g is not finite", c);
    if (c == floor(c) && fabs(c) <= 64)
        return dyn_graph_powi(g, x, (int64_t)c);
    return dyn__insert1(g, DYN__OP_pow, x, &attr, NULL);
}

dyn_node dyn_graph_select(dyn_graph *g, dyn_node cond, dyn_node a, dyn_node b)
{
    double c;

    if (!g)
        return DYN_EINVAL;
    DYN__ENTER(g->ctx);
    DYN__TRY(align(g, &a, &b));
    DYN__TRY(align(g, &cond, &a));
    DYN__TRY(align(g, &cond, &b));
    if (a == b)
        return a;
    if (dyn__is_constant(g, cond, &c))
        return c != 0 ? a : b;
    dyn_node in[3] = {cond, a, b};
    return dyn__insert(g, DYN__OP_select, 3, in, NULL, NULL);
}
