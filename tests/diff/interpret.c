/* SPDX-License-Identifier: BSD-3-Clause
 *
 * One function per primitive. Tensors are row-major; coordinates are worked out for every element anew, since
 * only clarity counts here. */
#include "tests/diff/interpret.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include "random/random.h"

static const double not_a_number = (double)NAN;

/* What a rule sees: the node, the elements of its operands, and where its own go. */
typedef struct frame {
    const dyn__node *n;
    const double *in[DYN__MAX_IN];
    const dyn__shape *shape[DYN__MAX_IN];   /* of the operands */
    double *out;
    int64_t size;
    int single;         /* float32 */
} frame;

/* ---- coordinates ---- */

static void coordinates(const dyn__shape *s, int64_t flat, int64_t at[DYN_MAX_RANK])
{
    for (int i = s->rank - 1; i >= 0; i--) {
        at[i] = flat % s->dim[i];
        flat /= s->dim[i];
    }
}

static int64_t flat_index(const dyn__shape *s, const int64_t at[DYN_MAX_RANK])
{
    int64_t flat = 0;

    for (int i = 0; i < s->rank; i++)
        flat = flat * s->dim[i] + at[i];
    return flat;
}

/* ---- elementwise ---- */

#define ELEMENTWISE(name, formula)                                                           \
    static void eval_##name(const frame *f)                                                  \
    {                                                                                        \
        for (int64_t i = 0; i < f->size; i++) {                                              \
            const double a = f->in[0][i];                                                    \
            const double b = f->n->nin > 1 ? f->in[1][i] : 0, c = f->n->nin > 2 ? f->in[2][i] : 0; \
            (void)a, (void)b, (void)c;                                                       \
            f->out[i] = (formula);                                                           \
        }                                                                                    \
    }
ELEMENTWISE(neg, -a)
ELEMENTWISE(add, a + b)
ELEMENTWISE(sub, a - b)
ELEMENTWISE(mul, a * b)
ELEMENTWISE(div, a / b)
ELEMENTWISE(exp, exp(a))
ELEMENTWISE(expm1, expm1(a))
ELEMENTWISE(log, log(a))
ELEMENTWISE(log1p, log1p(a))
ELEMENTWISE(tanh, tanh(a))
ELEMENTWISE(erf, erf(a))
ELEMENTWISE(sin, sin(a))
ELEMENTWISE(cos, cos(a))
ELEMENTWISE(sqrt, sqrt(a))
ELEMENTWISE(powi, pow(a, (double)f->n->attr.n))
ELEMENTWISE(pow, pow(a, f->n->attr.f))
ELEMENTWISE(max, isnan(a) || isnan(b) ? not_a_number : a > b ? a : b)
ELEMENTWISE(gt, a > b)
ELEMENTWISE(ge, a >= b)
ELEMENTWISE(eq, a == b)
ELEMENTWISE(select, a != 0 ? b : c)
ELEMENTWISE(stop, a)
ELEMENTWISE(identity, a)
ELEMENTWISE(reshape, a)

static void eval_constant(const frame *f)
{
    for (int64_t i = 0; i < f->size; i++)
        f->out[i] = f->n->attr.f;
}

/* ---- product and reductions ---- */

/* The elements of a row or a column of a matrix: the first, and from each to the next. */
typedef struct line { const double *first; int64_t step; } line;

/* Row (across = 0) or column `number` of the matrix that operand k has at the leading coordinates `at`, or everywhere
 * if it has no leading axes. */
static line matrix_line(const frame *f, int k, const int64_t *at, int64_t number, int across)
{
    const dyn__shape *s = f->shape[k];
    const int rows_stored = (f->n->attr.i[k] != 0) == across;     /* the line is one of the rows as they are stored */
    int64_t here[DYN_MAX_RANK];

    memcpy(here, at, sizeof here);
    here[s->rank - 2] = rows_stored ? number : 0;
    here[s->rank - 1] = rows_stored ? 0 : number;
    return (line){f->in[k] + flat_index(s, here), rows_stored ? 1 : s->dim[s->rank - 1]};
}

static void eval_matmul(const frame *f)
{
    const dyn__shape *a = f->shape[0], *y = &f->n->shape;
    const int64_t inner = a->dim[a->rank - (f->n->attr.i[0] ? 2 : 1)];
    int64_t at[DYN_MAX_RANK] = {0};

    for (int64_t i = 0; i < f->size; i++) {
        double sum = 0;
        coordinates(y, i, at);
        const line row = matrix_line(f, 0, at, at[y->rank - 2], 0), col = matrix_line(f, 1, at, at[y->rank - 1], 1);
        for (int64_t k = 0; k < inner; k++)
            sum += row.first[k * row.step] * col.first[k * col.step];
        f->out[i] = sum;
    }
}

/* Where element i of the operand goes when the axes of the attribute disappear. */
static int64_t reduced_index(const frame *f, int64_t i)
{
    int64_t at[DYN_MAX_RANK], kept[DYN_MAX_RANK] = {0}, k = 0;
    int rank = 0;

    coordinates(f->shape[0], i, at);
    for (int axis = 0; axis < f->shape[0]->rank; axis++)
        if (k < f->n->attr.n && f->n->attr.i[k] == axis)
            k++;
        else
            kept[rank++] = at[axis];
    return flat_index(&f->n->shape, kept);
}

static void eval_sum(const frame *f)
{
    memset(f->out, 0, (size_t)f->size * sizeof *f->out);
    for (int64_t i = 0; i < dyn__shape_size(f->shape[0]); i++)
        f->out[reduced_index(f, i)] += f->in[0][i];
}

static void eval_amax(const frame *f)
{
    for (int64_t i = 0; i < f->size; i++)
        f->out[i] = -INFINITY;
    for (int64_t i = 0; i < dyn__shape_size(f->shape[0]); i++) {
        double *y = &f->out[reduced_index(f, i)], x = f->in[0][i];
        *y = isnan(x) || isnan(*y) ? not_a_number : x > *y ? x : *y;
    }
}

/* ---- shape and place ---- */

static void eval_broadcast(const frame *f)
{
    int64_t at[DYN_MAX_RANK], from[DYN_MAX_RANK] = {0};

    for (int64_t i = 0; i < f->size; i++) {
        coordinates(&f->n->shape, i, at);
        for (int k = 0; k < f->shape[0]->rank; k++)
            from[k] = at[f->n->attr.i[k]];
        f->out[i] = f->in[0][flat_index(f->shape[0], from)];
    }
}

static void eval_permute(const frame *f)
{
    int64_t at[DYN_MAX_RANK], from[DYN_MAX_RANK] = {0};

    for (int64_t i = 0; i < f->size; i++) {
        coordinates(&f->n->shape, i, at);
        for (int k = 0; k < f->n->shape.rank; k++)
            from[f->n->attr.i[k]] = at[k];
        f->out[i] = f->in[0][flat_index(f->shape[0], from)];
    }
}

static void eval_slice(const frame *f)
{
    int64_t at[DYN_MAX_RANK];

    for (int64_t i = 0; i < f->size; i++) {
        coordinates(&f->n->shape, i, at);
        for (int k = 0; k < f->n->shape.rank; k++)
            at[k] += f->n->attr.i[k];
        f->out[i] = f->in[0][flat_index(f->shape[0], at)];
    }
}

static void eval_pad(const frame *f)
{
    int64_t at[DYN_MAX_RANK];

    memset(f->out, 0, (size_t)f->size * sizeof *f->out);
    for (int64_t i = 0; i < dyn__shape_size(f->shape[0]); i++) {
        coordinates(f->shape[0], i, at);
        for (int k = 0; k < f->n->shape.rank; k++)
            at[k] += f->n->attr.i[k];
        f->out[flat_index(&f->n->shape, at)] = f->in[0][i];
    }
}

static void eval_inset(const frame *f)
{
    int64_t at[DYN_MAX_RANK];

    memcpy(f->out, f->in[0], (size_t)f->size * sizeof *f->out);
    for (int64_t i = 0; i < dyn__shape_size(f->shape[1]); i++) {
        coordinates(f->shape[1], i, at);
        for (int k = 0; k < f->n->shape.rank; k++)
            at[k] += f->n->attr.i[k];
        f->out[flat_index(&f->n->shape, at)] += f->in[1][i];
    }
}

static void eval_concat(const frame *f)
{
    const int64_t axis = f->n->attr.n, first = f->shape[0]->dim[axis];
    int64_t at[DYN_MAX_RANK];

    for (int64_t i = 0; i < f->size; i++) {
        coordinates(&f->n->shape, i, at);
        const int k = at[axis] >= first;
        at[axis] -= k ? first : 0;
        f->out[i] = f->in[k][flat_index(f->shape[k], at)];
    }
}

/* Of a table and its indices, which have the first axes in common: the element of the table that belongs to element i
 * of the rows, a tensor of the shape of the indices and then that of a row; -1 if its index is out of range. */
static int64_t table_element(const frame *f, const dyn__shape *table, const dyn__shape *rows, int64_t i)
{
    const int64_t lead = f->n->attr.i[0];
    const dyn__shape *index = f->shape[1];
    int64_t at[DYN_MAX_RANK] = {0}, to[DYN_MAX_RANK] = {0};

    coordinates(rows, i, at);
    const double row = f->in[1][flat_index(index, at)];
    memcpy(to, at, (size_t)lead * sizeof *to);
    to[lead] = (int64_t)row;
    for (int64_t k = lead + 1; k < table->rank; k++)
        to[k] = at[k + index->rank - lead - 1];
    return row >= 0 && row < (double)table->dim[lead] ? flat_index(table, to) : -1;
}

static void eval_gather(const frame *f)
{
    for (int64_t i = 0; i < f->size; i++) {
        const int64_t from = table_element(f, f->shape[0], &f->n->shape, i);
        f->out[i] = from >= 0 ? f->in[0][from] : not_a_number;
    }
}

static void eval_scatter_add(const frame *f)
{
    memset(f->out, 0, (size_t)f->size * sizeof *f->out);
    for (int64_t i = 0; i < dyn__shape_size(f->shape[0]); i++) {
        const int64_t to = table_element(f, &f->n->shape, f->shape[0], i);
        if (to >= 0)
            f->out[to] += f->in[0][i];
    }
}

/* The index along the axis that the element of a window at these coordinates stands for. */
static int64_t window_index(const frame *f, const int64_t *at)
{
    const int64_t axis = f->n->attr.i[0], start = f->n->attr.i[1], stride = f->n->attr.i[2], dilation = f->n->attr.i[3];

    return start + at[axis] * stride + at[axis + 1] * dilation;
}

/* Element of `whole` that element i of the windows stands for; -1 outside. */
static int64_t whole_element(const frame *f, const dyn__shape *windows, const dyn__shape *whole, int64_t i)
{
    const int64_t axis = f->n->attr.i[0];
    int64_t at[DYN_MAX_RANK] = {0}, to[DYN_MAX_RANK] = {0};

    coordinates(windows, i, at);
    for (int k = 0; k < whole->rank; k++)
        to[k] = at[k + (k > axis)];
    to[axis] = window_index(f, at);
    return to[axis] >= 0 && to[axis] < whole->dim[axis] ? flat_index(whole, to) : -1;
}

static void eval_unfold(const frame *f)
{
    for (int64_t i = 0; i < f->size; i++) {
        const int64_t from = whole_element(f, &f->n->shape, f->shape[0], i);
        f->out[i] = from >= 0 ? f->in[0][from] : 0;
    }
}

static void eval_fold(const frame *f)
{
    memset(f->out, 0, (size_t)f->size * sizeof *f->out);
    for (int64_t i = 0; i < dyn__shape_size(f->shape[0]); i++) {
        const int64_t to = whole_element(f, f->shape[0], &f->n->shape, i);
        if (to >= 0)
            f->out[to] += f->in[0][i];
    }
}

/* One draw at a time, each by its own number. */
static void eval_random(const frame *f)
{
    const int32_t lead = f->shape[0]->rank - 1;
    int64_t keys = 1;

    for (int32_t k = 0; k < lead; k++)
        keys *= f->n->shape.dim[k];
    const int64_t per_key = f->size / keys, cols = f->n->shape.rank > lead ? per_key / f->n->shape.dim[lead] : 1;
    for (int64_t i = 0; i < f->size; i++) {
        const double *key = f->in[0] + i / per_key * 3;
        const dyn__key k = {(uint64_t)key[0], DYN__STREAM_NODE, (uint32_t)key[1], (uint32_t)f->n->attr.n};
        float narrow;
        dyn__uniform_f64(k, (int64_t)key[2] * cols + i % per_key, 1, &f->out[i]);
        if (f->single) {
            dyn__uniform_f32(k, (int64_t)key[2] * cols + i % per_key, 1, &narrow);
            f->out[i] = (double)narrow;
        }
    }
}

/* ---- evaluation ---- */

/* No value can be worked out: the caller did not set this leaf. */
static void eval_input(const frame *f)
{
    for (int64_t i = 0; i < f->size; i++)
        f->out[i] = not_a_number;
}

static void (*const rules[DYN__OP_COUNT])(const frame *f) = {
#define RULE(name) eval_##name,
    DYN__OP_LIST(RULE)
#undef RULE
};

void interpret_new(interpreter *p, const dyn_graph *g)
{
    *p = (interpreter){.g = g};
}

static void forget(interpreter *p, int32_t x)
{
    free(p->value[x]);
    p->value[x] = NULL;
}

void interpret_free(interpreter *p)
{
    for (int32_t x = 0; x < p->capacity; x++)
        forget(p, x);
    free(p->value);
    free(p->given);
    *p = (interpreter){0};
}

static void make_room(interpreter *p)
{
    const int32_t count = p->g->count;

    if (count <= p->capacity)
        return;
    p->value = realloc(p->value, (size_t)count * sizeof *p->value);
    p->given = realloc(p->given, (size_t)count);
    for (int32_t x = p->capacity; x < count; x++) {
        p->value[x] = NULL;
        p->given[x] = 0;
    }
    p->capacity = count;
}

/* A block of at least one element, so that a NULL means out of memory, which no test survives. */
static double *block(int64_t size)
{
    double *p = malloc((size_t)(size + !size) * sizeof *p);

    if (!p)
        abort();
    return p;
}

void interpret_set(interpreter *p, dyn_node x, const double *data)
{
    const int64_t size = dyn__shape_size(&dyn__at(p->g, x)->shape);

    make_room(p);
    forget(p, x);
    p->value[x] = block(size);
    memcpy(p->value[x], data, (size_t)size * sizeof *data);
    p->given[x] = 1;
}

static void evaluate(interpreter *p, int32_t x)
{
    const dyn__node *n = dyn__at(p->g, x);
    frame f = {.n = n, .size = dyn__shape_size(&n->shape), .single = p->g->dtype == DYN_F32};

    for (int k = 0; k < n->nin; k++) {
        f.in[k] = p->value[n->in[k]];
        f.shape[k] = &dyn__at(p->g, n->in[k])->shape;
    }
    f.out = p->value[x] = block(f.size);
    rules[n->op](&f);
    for (int64_t i = 0; p->g->dtype == DYN_F32 && i < f.size; i++)
        f.out[i] = (double)(float)f.out[i];
}

int interpret_run(interpreter *p, int32_t count, const dyn_node *outputs)
{
    uint8_t *need = malloc((size_t)p->g->count);
    int unset = 0;

    if (!need)
        abort();
    make_room(p);
    for (int32_t x = 0; x < p->g->count; x++)
        if (!p->given[x])
            forget(p, x);
    dyn__mark_needed(p->g, count, outputs, need);
    for (int32_t x = 0; x < p->g->count; x++)
        if (need[x] && !p->given[x]) {
            unset += dyn__at(p->g, x)->op == DYN__OP_input;
            evaluate(p, x);
        }
    free(need);
    return unset;
}

const double *interpret_value(interpreter *p, dyn_node x)
{
    interpret_run(p, 1, &x);
    return p->value[x];
}
