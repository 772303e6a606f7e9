/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Outputs of the model and accuracy. The plan of the outputs stays with the objective; results leave it chunk by
 * chunk. */
#include "train/objective_parts.h"

/* Takes the outputs f [count, c], in the element type, of the samples from `first` on. */
typedef void (*output_fn)(void *user, const dyn_objective *o, int64_t first, int64_t count, const void *f);

static dyn_status make_part(void *user, dyn__part *p, dyn__budget *b)
{
    dyn_objective *o = user;

    DYN__TRY(dyn__loss_graph_make(o, p->samples, o->n, &p->graph));
    DYN__TRY(dyn__budget_exec(b, p->graph.g, 1, &p->graph.f, &(dyn__compile_options){.outer = 0}, &p->exec));
    DYN__TRY(dyn__budget_alloc(b, "outputs", p->samples * o->c, o->esize, &p->out));
    dyn__part_inputs(p, &p->graph);
    dyn__bind_theta(o, &p->graph, p->exec, o->theta);
    dyn__exec_set_output(p->exec, 0, p->out);
    return DYN_OK;
}

static dyn_status forward(dyn_objective *o, const double *theta, output_fn use, void *user)
{
    dyn__parts *parts = &o->forward;
    dyn__budget b = dyn__budget_of(o);

    if (parts->total == 0)
        DYN__TRY(dyn__parts_make(o, o->n, o->n, make_part, o, &b, parts));
    dyn__to_native(o, o->p, o->theta, theta);
    for (int64_t i = 0; i < o->n; i += parts->whole.samples) {
        dyn__part *p = dyn__part_at(parts, i);
        dyn__part_run(o, p, dyn_array_data(o->x), dyn_array_data(o->y), i);
        use(user, o, i, p->samples, p->out);
    }
    return DYN_OK;
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
    DYN__TRY(dyn__need_model(o));
    DYN__TRY(dyn__check_theta(o, theta, f));
    return forward(o, theta, copy_outputs, f);
}

/* ---- accuracy ---- */

typedef struct score {
    int64_t right;
    double *f, *y;              /* one sample's [c] */
} score;

static int64_t largest(int64_t n, const double *v)
{
    int64_t best = 0;
    for (int64_t i = 1; i < n; i++)
        if (v[i] > v[best])
            best = i;
    return best;
}

/* One output: f and y on the same side of the threshold; logits against probabilities for binary cross-entropy. */
static int is_right(const dyn_objective *o, const double *f, const double *y)
{
    if (o->c > 1)
        return largest(o->c, f) == largest(o->c, y);
    return (f[0] > (o->opt.loss == DYN_LOSS_BINARY_CROSS_ENTROPY ? 0.0 : 0.5)) == (y[0] > 0.5);
}

static void count_right(void *user, const dyn_objective *o, int64_t first, int64_t count, const void *f)
{
    score *s = user;
    const char *outputs = f, *targets = dyn_array_data(o->y);
    const int64_t row = o->c * o->esize;

    for (int64_t i = 0; i < count; i++) {
        dyn__from_native(o, o->c, s->f, outputs + i * row);
        dyn__from_native(o, o->c, s->y, targets + (first + i) * row);
        s->right += is_right(o, s->f, s->y);
    }
}

dyn_status dyn_objective_accuracy(dyn_objective *o, const double *theta, double *accuracy)
{
    score total = {.right = 0};

    if (!o)
        return DYN_EINVAL;
    DYN__ENTER(o->ctx);
    DYN__TRY(dyn__need_model(o));
    DYN__TRY(dyn__check_theta(o, theta, accuracy));
    total.f = dyn__alloc(o->ctx, 2 * (size_t)o->c, sizeof *total.f);
    if (!total.f)
        return DYN_ENOMEM;
    total.y = total.f + o->c;
    dyn_status s = forward(o, theta, count_right, &total);
    if (s == DYN_OK)
        *accuracy = (double)total.right / (double)o->n;
    dyn__free(o->ctx, total.f);
    return s;
}
