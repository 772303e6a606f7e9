/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Outputs of the model and accuracy. The plan of the outputs stays with the objective; results leave it chunk by
 * chunk. */
#include "data/data.h"
#include "objective/losses.h"
#include "objective/parts.h"

/* Takes the outputs f [count, c], in the element type, of the samples from `first` on. */
typedef void (*output_fn)(void *user, const dyn_objective *o, int64_t first, int64_t count, const void *f);

static dyn_status make_part(void *user, dyn__part *p, dyn__budget *b)
{
    dyn_objective *o = user;

    DYN__TRY(dyn__loss_graph_make(o, p->samples, o->n, 0, &p->graph));
    DYN__TRY(dyn__budget_exec(b, p->graph.g, 1, &p->graph.f, &(dyn__compile_options){.outer = 0}, &p->exec));
    DYN__TRY(dyn__budget_alloc(b, "outputs", p->samples * o->c, o->esize, &p->out));
    DYN__TRY(dyn__slots_find(o, &p->graph, p->exec, &p->slots));
    dyn__bind_theta(o, &p->graph, p->exec, o->theta);
    dyn__exec_set_output(p->exec, 0, p->out);
    return DYN_OK;
}

void dyn__forward_free(dyn_objective *o)
{
    if (!o->forward)
        return;
    dyn__parts_free(o, o->forward);
    dyn__free(o->ctx, o->forward);
}

static dyn_status open_forward(dyn_objective *o)
{
    dyn__budget b = dyn__budget_of(o);

    if (!o->forward)
        o->forward = dyn__alloc(o->ctx, 1, sizeof *o->forward);
    if (!o->forward || o->forward->total > 0)
        return o->forward ? DYN_OK : DYN_ENOMEM;
    return dyn__parts_make(o, o->n, o->n, make_part, o, &b, o->forward);
}

static dyn_status forward(dyn_objective *o, const double *theta, output_fn use, void *user)
{
    DYN__TRY(open_forward(o));
    dyn__to_native(o, o->p, o->theta, theta);
    for (int64_t i = 0; i < o->n; i += o->forward->whole.samples) {
        dyn__part *p = dyn__part_at(o->forward, i);
        const dyn__inputs in = dyn__measured_inputs(o, i);
        dyn__part_run(o, p, &in);
        DYN__TRY(dyn__check_interrupt(o->ctx));
        use(user, o, i, p->samples, p->out);
    }
    return DYN_OK;
}

dyn_status dyn__need_outputs(dyn_objective *o)
{
    DYN__TRY(dyn__need_graph(o));
    if (o->c > 0)
        return DYN_OK;
    return DYN__FAIL(o->ctx, DYN_ENOTSUP, "the objective calls several models, or none: which outputs are meant is open");
}

/* ---- outputs ---- */

static void copy_outputs(void *user, const dyn_objective *o, int64_t first, int64_t count, const void *f)
{
    dyn__from_native(o, count * o->c, (double *)user + first * o->c, f);
}

dyn_status dyn_objective_predict(dyn_objective *o, const double *theta, double *f)
{
    if (!o)
        return DYN_EINVAL;
    DYN__ENTER(o->ctx);
    DYN__TRY(dyn__need_outputs(o));
    DYN__TRY(dyn__check_theta(o, theta, f));
    return forward(o, theta, copy_outputs, f);
}

/* ---- accuracy ---- */

typedef struct score {
    int64_t right, all;
    int64_t classes;            /* outputs of a position, of which the largest is the answer; 1: each is an answer */
    int64_t targets;            /* per position: as many, or the number of the class */
    double cut_f, cut_y;        /* single answers: on the same side of these */
    double *f, *y;              /* one sample's */
} score;

static int64_t largest(int64_t n, const double *v)
{
    int64_t best = 0;
    for (int64_t i = 1; i < n; i++)
        if (v[i] > v[best])
            best = i;
    return best;
}

static int is_right(const score *s, const double *f, const double *y)
{
    if (s->classes > 1)
        return largest(s->classes, f) == (s->targets > 1 ? largest(s->targets, y) : (int64_t)y[0]);
    return (f[0] > s->cut_f) == (y[0] > s->cut_y);
}

static void count_right(void *user, const dyn_objective *o, int64_t first, int64_t count, const void *f)
{
    score *s = user;
    const dyn__datum *target = &o->datum[o->target];
    const char *outputs = f, *targets = dyn_array_data(target->array);
    const int64_t positions = o->c / s->classes;

    for (int64_t i = 0; i < count; i++) {
        dyn__from_native(o, o->c, s->f, outputs + i * o->c * o->esize);
        dyn__from_native(o, target->row, s->y, targets + (first + i) * target->row * o->esize);
        for (int64_t k = 0; k < positions; k++)
            s->right += is_right(s, s->f + k * s->classes, s->y + k * s->targets);
    }
    s->all += count * positions;
}

static double target_at(const dyn_objective *o, int64_t i)
{
    const void *y = dyn_array_data(o->datum[o->target].array);

    return o->opt.dtype == DYN_F32 ? (double)((const float *)y)[i] : ((const double *)y)[i];
}

/* The middle of two labels; 1/2 where there are not just two. */
static double middle(const dyn_objective *o)
{
    const int64_t n = dyn_array_size(o->datum[o->target].array);
    double low = target_at(o, 0), high = low;

    for (int64_t i = 1; i < n; i++) {
        low = target_at(o, i) < low ? target_at(o, i) : low;
        high = target_at(o, i) > high ? target_at(o, i) : high;
    }
    for (int64_t i = 0; i < n; i++)
        if (target_at(o, i) != low && target_at(o, i) != high)
            return 0.5;
    return low < high ? (low + high) / 2 : 0.5;
}

static dyn_status open_score(dyn_objective *o, score *s)
{
    const int64_t c = dyn__loss_classes(o);
    const int separate = o->opt.loss == DYN_LOSS_BINARY_CROSS_ENTROPY || o->opt.loss == DYN_LOSS_HINGE || c == 1;

    s->classes = separate ? 1 : c;
    s->targets = separate ? 1 : o->datum[o->target].row / (o->c / c);
    s->cut_y = separate ? middle(o) : 0;
    s->cut_f = o->opt.loss == DYN_LOSS_BINARY_CROSS_ENTROPY ? 0 : s->cut_y;
    s->f = dyn__alloc(o->ctx, 2 * (size_t)o->c, sizeof *s->f);
    s->y = s->f ? s->f + o->c : NULL;
    return s->f ? DYN_OK : DYN_ENOMEM;
}

dyn_status dyn_objective_accuracy(dyn_objective *o, const double *theta, double *accuracy)
{
    score total = {.right = 0};

    if (!o)
        return DYN_EINVAL;
    DYN__ENTER(o->ctx);
    DYN__TRY(dyn__need_outputs(o));
    if (o->target < 0)
        return DYN__FAIL(o->ctx, DYN_ENOTSUP, "the objective is a function of its own, its targets are not known");
    DYN__TRY(dyn__check_theta(o, theta, accuracy));
    DYN__TRY(open_score(o, &total));
    dyn_status s = forward(o, theta, count_right, &total);
    if (s == DYN_OK)
        *accuracy = (double)total.right / (double)total.all;
    dyn__free(o->ctx, total.f);
    return s;
}
