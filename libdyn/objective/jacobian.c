/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The Jacobian of the outputs as a map: J v by a forward derivative, J^T u by a reverse one, each a plan of its own for
 * chunks of samples, made when it is first asked for. */
#include <string.h>
#include "linalg/operator.h"
#include "objective/parts.h"

typedef struct jacobian {
    dyn_objective *o;
    void *theta, *vector;       /* [p], of the element type */
    void *part, *f;             /* J^T u of a chunk [p]; outputs of all samples [n, c] */
    dyn__parts forward, adjoint;
    dyn_node u[2];              /* input of the adjoint's whole and last part */
} jacobian;

/* ---- plans ---- */

static dyn_node tangent_of(dyn_graph *g, dyn_node x)
{
    const dyn__shape shape = dyn__at(g, x)->shape;

    return dyn__tangent_input(g, g->dtype, &shape);
}

static dyn_status bind_tangents(jacobian *j, dyn__part *p, const dyn_node *tangent)
{
    int64_t offset;

    for (int32_t i = 0; i < p->graph.parameters; i++) {
        dyn__objective_tensor(j->o, i, &offset, NULL);
        dyn__exec_set_input(p->exec, dyn__plan_find(dyn__exec_plan(p->exec), tangent[i]),
                            (const char *)j->vector + offset * j->o->esize);
    }
    return dyn__slots_find(j->o, &p->graph, p->exec, &p->slots);
}

static dyn_status write_forward(jacobian *j, dyn__part *p, dyn__budget *b, dyn_node *tangent)
{
    dyn__loss_graph *l = &p->graph;
    dyn_node f;

    for (int32_t i = 0; i < l->parameters; i++)
        DYN__TRY(tangent[i] = tangent_of(l->g, l->parameter[i]));
    DYN__TRY(dyn_graph_jvp(l->g, 1, &l->f, l->parameters, l->parameter, tangent, &f));
    DYN__TRY(dyn__budget_exec(b, l->g, 1, &f, &(dyn__compile_options){.outer = 0}, &p->exec));
    dyn__bind_theta(j->o, l, p->exec, j->theta);
    return bind_tangents(j, p, tangent);
}

static dyn_status make_forward(void *user, dyn__part *p, dyn__budget *b)
{
    jacobian *j = user;
    dyn_node *tangent;

    DYN__TRY(dyn__loss_graph_make(j->o, p->samples, j->o->n, 0, &p->graph));
    tangent = dyn__alloc(j->o->ctx, (size_t)p->graph.parameters + 1, sizeof *tangent);
    dyn_status s = tangent ? write_forward(j, p, b, tangent) : DYN_ENOMEM;
    dyn__free(j->o->ctx, tangent);
    return s;
}

static dyn_status write_adjoint(jacobian *j, dyn__part *p, dyn__budget *b, dyn_node u, dyn_node *out)
{
    dyn__loss_graph *l = &p->graph;

    DYN__TRY(u);
    DYN__TRY(dyn_graph_vjp(l->g, 1, &l->f, &u, l->parameters, l->parameter, out));
    DYN__TRY(dyn__budget_exec(b, l->g, l->parameters, out, &(dyn__compile_options){.outer = 0}, &p->exec));
    dyn__bind_theta(j->o, l, p->exec, j->theta);
    dyn__bind_gradient(j->o, p->exec, 0, j->part);
    return dyn__slots_find(j->o, l, p->exec, &p->slots);
}

static dyn_status make_adjoint(void *user, dyn__part *p, dyn__budget *b)
{
    jacobian *j = user;
    dyn_node *out, *u = &j->u[p == &j->adjoint.tail];

    DYN__TRY(dyn__loss_graph_make(j->o, p->samples, j->o->n, 0, &p->graph));
    out = dyn__alloc(j->o->ctx, (size_t)p->graph.parameters + 1, sizeof *out);
    *u = tangent_of(p->graph.g, p->graph.f);
    dyn_status s = out ? write_adjoint(j, p, b, *u, out) : DYN_ENOMEM;
    dyn__free(j->o->ctx, out);
    return s;
}

/* What joins samples has no parts. */
static dyn_status open_parts(jacobian *j, dyn__parts *p, dyn__part_fn make)
{
    dyn_objective *o = j->o;
    dyn__budget b = dyn__budget_of(o);

    if (p->total > 0)
        return DYN_OK;
    return o->coupling[0] ? dyn__parts_try(o, o->n, o->n, make, j, &b, p) : dyn__parts_make(o, o->n, o->n, make, j, &b, p);
}

/* ---- products ---- */

static dyn_status forward_one(jacobian *j, const double *v, double *y)
{
    dyn_objective *o = j->o;

    dyn__to_native(o, o->p, j->vector, v);
    for (int64_t i = 0; i < o->n; i += j->forward.whole.samples) {
        dyn__part *p = dyn__part_at(&j->forward, i);
        const dyn__inputs in = dyn__measured_inputs(o, i);
        dyn__exec_set_output(p->exec, 0, (char *)j->f + i * o->c * o->esize);
        dyn__part_run(o, p, &in);
        DYN__TRY(dyn__check_interrupt(o->ctx));
    }
    dyn__from_native(o, o->n * o->c, y, j->f);
    return DYN_OK;
}

static dyn_status adjoint_one(jacobian *j, const double *u, double *x)
{
    dyn_objective *o = j->o;

    dyn__to_native(o, o->n * o->c, j->f, u);
    memset(x, 0, (size_t)o->p * sizeof *x);
    for (int64_t i = 0; i < o->n; i += j->adjoint.whole.samples) {
        dyn__part *p = dyn__part_at(&j->adjoint, i);
        const dyn__inputs in = dyn__measured_inputs(o, i);
        dyn__exec_set_input(p->exec, dyn__plan_find(dyn__exec_plan(p->exec), j->u[p == &j->adjoint.tail]),
                            (const char *)j->f + i * o->c * o->esize);
        dyn__part_run(o, p, &in);
        dyn__add_native(o, o->p, x, j->part);
        DYN__TRY(dyn__check_interrupt(o->ctx));
    }
    return DYN_OK;
}

static dyn_status apply(void *user, int64_t count, const double *x, double *y)
{
    jacobian *j = user;

    DYN__TRY(open_parts(j, &j->forward, make_forward));
    for (int64_t k = 0; k < count; k++)
        DYN__TRY(forward_one(j, x + k * j->o->p, y + k * j->o->n * j->o->c));
    return DYN_OK;
}

static dyn_status apply_adjoint(void *user, int64_t count, const double *y, double *x)
{
    jacobian *j = user;

    DYN__TRY(open_parts(j, &j->adjoint, make_adjoint));
    for (int64_t k = 0; k < count; k++)
        DYN__TRY(adjoint_one(j, y + k * j->o->n * j->o->c, x + k * j->o->p));
    return DYN_OK;
}

/* ---- life ---- */

static void destroy(void *user)
{
    jacobian *j = user;
    dyn_objective *o = j->o;

    dyn__parts_free(o, &j->forward);
    dyn__parts_free(o, &j->adjoint);
    dyn__free(o->ctx, j->theta);
    dyn__free(o->ctx, j->vector);
    dyn__free(o->ctx, j->part);
    dyn__free(o->ctx, j->f);
    dyn__free(o->ctx, j);
    dyn_objective_unref(o);
}

static dyn_status fill(jacobian *j, const double *theta)
{
    dyn_objective *o = j->o;

    j->theta = dyn__alloc(o->ctx, (size_t)o->p, (size_t)o->esize);
    j->vector = dyn__alloc(o->ctx, (size_t)o->p, (size_t)o->esize);
    j->part = dyn__alloc(o->ctx, (size_t)o->p, (size_t)o->esize);
    j->f = dyn__alloc(o->ctx, (size_t)(o->n * o->c), (size_t)o->esize);
    if (!j->theta || !j->vector || !j->part || !j->f)
        return DYN_ENOMEM;
    dyn__to_native(o, o->p, j->theta, theta);
    return DYN_OK;
}

dyn_status dyn_objective_jacobian_map(dyn_objective *o, const double *theta, dyn_operator **out)
{
    jacobian *j;

    if (out)
        *out = NULL;
    if (!o)
        return DYN_EINVAL;
    DYN__ENTER(o->ctx);
    DYN__TRY(dyn__need_outputs(o));
    DYN__TRY(dyn__check_theta(o, theta, out));
    j = dyn__alloc(o->ctx, 1, sizeof *j);
    if (!j)
        return DYN_ENOMEM;
    j->o = dyn_objective_ref(o);
    dyn_status s = fill(j, theta);
    if (s == DYN_OK)
        s = dyn__operator_create_map(o->ctx, o->n * o->c, o->p, apply, apply_adjoint, j, destroy, out);
    if (s < 0)
        destroy(j);
    return s;
}
