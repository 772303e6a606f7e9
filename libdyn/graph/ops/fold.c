/* SPDX-License-Identifier: BSD-3-Clause
 *
 * fold: two axes, windows and the elements of each, become one of attr.n elements, each the sum of those that stand for
 * it; what stands for none is dropped. Linear. transpose: unfold. */
#include "graph/ops/op.h"

static dyn_status infer(dyn_graph *g, dyn__node *n)
{
    const dyn__shape x = dyn__at(g, n->in[0])->shape;
    const int64_t axis = n->attr.i[DYN__WINDOW_AXIS], *w = n->attr.i;
    char p[128];

    DYN__TRY(dyn__check_windows(g, n, 2));
    if (x.dim[axis] != w[DYN__WINDOWS] || x.dim[axis + 1] != w[DYN__WINDOW_SIZE] || n->attr.n < 1)
        return DYN__FAIL(g->ctx, DYN_ESHAPE,
                         "fold of %s to an axis of %lld: axes %lld and %lld are not %lld windows of %lld elements",
                         dyn__shape_text(&x, p), (long long)n->attr.n, (long long)axis, (long long)axis + 1,
                         (long long)w[DYN__WINDOWS], (long long)w[DYN__WINDOW_SIZE]);
    n->shape = (dyn__shape){.rank = x.rank - 1};
    for (int k = 0; k < n->shape.rank; k++)
        n->shape.dim[k] = x.dim[k + (k > axis)];
    n->shape.dim[axis] = n->attr.n;
    return DYN_OK;
}

static dyn_node transpose(dyn_graph *g, dyn_node y, int i, dyn_node ct)
{
    dyn__attr attr = dyn__at(g, y)->attr;

    (void)i;
    attr.n = 0;
    return dyn__insert1(g, DYN__OP_unfold, ct, &attr, NULL);
}

static dyn_node batch(dyn_graph *g, dyn_node y, const dyn_node *in, const int *batched, int64_t size)
{
    const dyn__attr attr = dyn__windows_behind_lead(g, y);

    (void)batched, (void)size;
    return dyn__insert1(g, DYN__OP_fold, in[0], &attr, NULL);
}

static dyn__label label(const dyn_graph *g, const dyn__node *n, const dyn__label *in, int64_t samples)
{
    const int64_t axis = n->attr.i[DYN__WINDOW_AXIS], k = in[0].axis;

    (void)g, (void)samples;
    return k == axis || k == axis + 1 ? dyn__coupled_label() : dyn__label_at(in[0], k - (k > axis));
}

static dyn_node sample(dyn_graph *g, int k)
{
    dyn__attr attr;

    if (!dyn__sample_windows(k, &attr))
        return DYN_ENOTSUP;
    int64_t shape[4] = {4, 6, 2, 2};
    shape[attr.i[DYN__WINDOW_AXIS]] = attr.i[DYN__WINDOWS];
    shape[attr.i[DYN__WINDOW_AXIS] + 1] = attr.i[DYN__WINDOW_SIZE];
    attr.n = 6;
    return dyn__insert1(g, DYN__OP_fold, dyn_graph_input(g, "a", 4, shape), &attr, NULL);
}

/* The windows p of `begin` <= p < `end` whose element k stands for an index of the axis. */
static void windows_inside(const dyn__attr *attr, int64_t k, int64_t *begin, int64_t *end)
{
    const int64_t first = attr->i[DYN__WINDOW_START] + k * attr->i[DYN__WINDOW_DILATION];
    const int64_t stride = attr->i[DYN__WINDOW_STRIDE];

    for (*begin = 0; *begin < attr->i[DYN__WINDOWS]; ++*begin)
        if (first + *begin * stride >= 0 && first + *begin * stride < attr->n)
            break;
    for (*end = *begin; *end < attr->i[DYN__WINDOWS]; ++*end)
        if (first + *end * stride < 0 || first + *end * stride >= attr->n)
            break;
}

/* No element of the axis is in two windows; and each is in one. */
static int are_apart(const dyn__attr *attr)
{
    return attr->i[DYN__WINDOW_STRIDE] > (attr->i[DYN__WINDOW_SIZE] - 1) * attr->i[DYN__WINDOW_DILATION];
}

static int cover(const dyn__attr *attr)
{
    const int64_t size = attr->i[DYN__WINDOW_SIZE];

    return are_apart(attr) && attr->i[DYN__WINDOW_STRIDE] == size && attr->i[DYN__WINDOW_START] == 0
        && attr->i[DYN__WINDOWS] * size >= attr->n;
}

/* Add element k of the windows to the elements of y that it stands for, or, where there is nothing else, copy it; 0 if
 * there are none. */
static int set_fold(const dyn__compiler *k, dyn__instr *q, dyn_node y, int64_t element)
{
    const dyn__node *n = dyn__at(k->g, y);
    const int64_t axis = n->attr.i[DYN__WINDOW_AXIS], *w = n->attr.i;
    int64_t begin, end;

    windows_inside(&n->attr, element, &begin, &end);
    if (begin == end)
        return 0;
    dyn__operand_ref x = dyn__ref_of(k, n->in[0], 0, 1);
    x.offset += begin * x.stride[axis] + element * x.stride[axis + 1];
    for (int i = (int)axis + 1; i < n->shape.rank; i++)
        x.stride[i] = x.stride[i + 1];
    q->arg[0] = dyn__ref_of(k, y, 0, 1);
    q->arg[0].offset += (w[DYN__WINDOW_START] + begin * w[DYN__WINDOW_STRIDE] + element * w[DYN__WINDOW_DILATION])
                      * q->arg[0].stride[axis];
    q->arg[0].stride[axis] *= w[DYN__WINDOW_STRIDE];
    q->arg[1] = x;
    if (!are_apart(&n->attr)) {
        q->kernel = DYN__K_ADD;
        q->nargs = 3;
        q->arg[1] = q->arg[0];
        q->arg[2] = x;
    }
    dyn__space_of(q, &n->shape, 0, 1);
    q->dim[axis] = end - begin;
    dyn__canonical(q);
    return 1;
}

static dyn_status move(dyn__compiler *k, dyn__step *step, dyn_node y)
{
    const dyn__node *n = dyn__at(k->g, y);
    const int64_t size = n->attr.i[DYN__WINDOW_SIZE];
    dyn__instr *q = size < INT32_MAX ? dyn__new_instrs(k, step, (int32_t)size + 1, y) : NULL;

    if (!q)
        return DYN_ENOMEM;
    step->leading = n->attr.i[DYN__WINDOW_AXIS] > 0 ? n->shape.dim[0] : 0;
    step->instrs = !cover(&n->attr);
    if (step->instrs)
        dyn__set_clear(k, &q[0], y);
    for (int64_t i = 0; i < size; i++)
        step->instrs += set_fold(k, &q[step->instrs], y, i);
    return DYN_OK;
}

static void evaluate(const dyn__frame *f)
{
    memset(f->out, 0, (size_t)f->size * sizeof *f->out);
    for (int64_t i = 0; i < dyn__shape_size(f->shape[0]); i++) {
        const int64_t to = dyn__whole_element(f, f->shape[0], &f->n->shape, i);
        if (to >= 0)
            f->out[to] += f->in[0][i];
    }
}

/* What is permuted before is read where it lies. */
static dyn_node lower(dyn__lowering *l, const dyn__node *n, const dyn_node *in)
{
    const dyn__node x = *dyn__at(l->to, in[0]);
    dyn__attr strides = x.attr;

    strides.f = 1;
    return dyn__insert1(l->to, DYN__OP_fold,
                        x.op == DYN__OP_permute ? dyn__insert1(l->to, DYN__OP_permute, x.in[0], &strides, NULL) : in[0],
                        &n->attr, NULL);
}

static const dyn__form form = {.role = DYN__MOVE, .lower = lower, .move = move};

const dyn__op dyn__op_fold = {
    .name = "fold", .nin = 1, .linear = 1, .kernel = -1,
    .infer = infer, .label = label, .transpose = transpose, .batch = batch, .sample = sample,
    .evaluate = evaluate, .form = &form,
};
