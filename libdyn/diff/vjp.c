/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Reverse mode: linearise at fresh tangent inputs, then transpose. The nodes between the tangent inputs and the tangent
 * outputs are linear in the former by construction, each through operands its primitive declares linear. */
#include "diff/diff.h"

static int has_op(const dyn_graph *g, dyn_node x, int op) { return x >= 0 && dyn__at(g, x)->op == op; }

/* Of one slice after the other, the parts are set into one tensor of zeros. */
static dyn_node accumulate(dyn_graph *g, dyn_node old, dyn_node more)
{
    if (old == DYN__ZERO)
        return more;
    if (has_op(g, more, DYN__OP_pad) && (has_op(g, old, DYN__OP_pad) || has_op(g, old, DYN__OP_inset))) {
        const dyn__attr attr = dyn__at(g, more)->attr;
        const dyn_node in[2] = {old, dyn__at(g, more)->in[0]};
        return dyn__insert(g, DYN__OP_inset, 2, in, &attr, NULL);
    }
    return dyn_graph_add(g, old, more);
}

/* Hand the cotangent of node y to its operands that depend on the inputs. */
static dyn_status pull_back(dyn_graph *g, dyn_node y, const uint8_t *dep, dyn_node *ct)
{
    const dyn__node n = *dyn__at(g, y);
    const dyn__op *op = dyn__op_of(&n);

    for (int i = 0; i < n.nin; i++) {
        if (!dep[n.in[i]])
            continue;
        if (!(op->linear >> i & 1))
            return DYN__FAIL(g->ctx, DYN_EINTERNAL, "%s is not linear in operand %d", op->name, i);
        dyn_node c = op->transpose(g, y, i, ct[y]);
        DYN__TRY(c);
        DYN__TRY(ct[n.in[i]] = accumulate(g, ct[n.in[i]], c));
    }
    return DYN_OK;
}

static dyn_status walk_back(dyn_graph *g, int32_t count, const uint8_t *dep, const uint8_t *leaf, dyn_node *ct)
{
    for (int32_t y = count - 1; y >= 0; y--)
        if (dep[y] && !leaf[y] && ct[y] != DYN__ZERO)
            DYN__TRY(pull_back(g, y, dep, ct));
    return DYN_OK;
}

dyn_status dyn__transpose(dyn_graph *g, int32_t n_out, const dyn_node *outputs, const dyn_node *cotangents,
                          int32_t n_in, const dyn_node *inputs, dyn_node *out)
{
    const int32_t count = g->count;
    uint8_t *dep = dyn__alloc(g->ctx, 2 * (size_t)count + 1, 1);
    dyn_node *ct = dyn__alloc(g->ctx, (size_t)count + 1, sizeof *ct);
    dyn_status s = dep && ct ? DYN_OK : DYN_ENOMEM;

    for (int32_t i = 0; s == DYN_OK && i < count; i++)
        ct[i] = DYN__ZERO;
    if (s == DYN_OK)
        dyn__mark_dependent(g, count, n_in, inputs, dep);
    for (int32_t j = 0; s == DYN_OK && j < n_out; j++)
        if (outputs[j] != DYN__ZERO && cotangents[j] != DYN__ZERO && dep[outputs[j]]) {
            ct[outputs[j]] = accumulate(g, ct[outputs[j]], cotangents[j]);
            s = ct[outputs[j]] < 0 ? ct[outputs[j]] : DYN_OK;
        }
    for (int32_t i = 0; s == DYN_OK && i < n_in; i++)
        dep[count + inputs[i]] = 1;
    if (s == DYN_OK)
        s = walk_back(g, count, dep, dep + count, ct);
    for (int32_t i = 0; s == DYN_OK && i < n_in; i++)
        out[i] = ct[inputs[i]];
    dyn__free(g->ctx, ct);
    dyn__free(g->ctx, dep);
    return s;
}

static dyn_status vjp(dyn_graph *g, int32_t n_out, const dyn_node *outputs, const dyn_node *cotangents, int32_t n_in,
                      const dyn_node *inputs, dyn_node *tangent, dyn_node *moved, dyn_node *out)
{
    for (int32_t i = 0; i < n_in; i++) {
        const dyn__shape shape = dyn__at(g, inputs[i])->shape;
        DYN__TRY(tangent[i] = dyn__tangent_input(g, g->dtype, &shape));
    }
    DYN__TRY(dyn__jvp(g, n_out, outputs, n_in, inputs, tangent, 0, moved));
    DYN__TRY(dyn__transpose(g, n_out, moved, cotangents, n_in, tangent, out));
    for (int32_t i = 0; i < n_in; i++)
        DYN__TRY(out[i] = out[i] == DYN__ZERO ? dyn__like(g, 0, inputs[i]) : out[i]);
    return DYN_OK;
}

dyn_status dyn_graph_vjp(dyn_graph *g, int32_t n_out, const dyn_node *outputs, const dyn_node *cotangents, int32_t n_in,
                         const dyn_node *inputs, dyn_node *out)
{
    if (!g)
        return DYN_EINVAL;
    DYN__ENTER(g->ctx);
    DYN__NEED(g->ctx, out);
    DYN__TRY(dyn__check_nodes(g, "output", n_out, outputs));
    DYN__TRY(dyn__check_nodes(g, "cotangent", n_out, cotangents));
    DYN__TRY(dyn__check_nodes(g, "input", n_in, inputs));
    for (int32_t j = 0; j < n_out; j++)
        DYN__TRY(dyn__check_shape(g, "cotangent", j, cotangents[j], &dyn__at(g, outputs[j])->shape));
    dyn_node *work = dyn__alloc(g->ctx, (size_t)n_in + (size_t)n_out + 1, sizeof *work);
    if (!work)
        return DYN_ENOMEM;
    dyn_status s = vjp(g, n_out, outputs, cotangents, n_in, inputs, work, work + n_in, out);
    dyn__free(g->ctx, work);
    return s;
}

dyn_status dyn_graph_gradient(dyn_graph *g, dyn_node scalar, int32_t n_in, const dyn_node *inputs, dyn_node *out)
{
    char text[128];

    if (!g)
        return DYN_EINVAL;
    DYN__ENTER(g->ctx);
    DYN__NEED(g->ctx, out);
    DYN__TRY(dyn__check_nodes(g, "output", 1, &scalar));
    if (dyn__shape_size(&dyn__at(g, scalar)->shape) != 1)
        return DYN__FAIL(g->ctx, DYN_ESHAPE, "the function has shape %s, a scalar is needed",
                         dyn__shape_text(&dyn__at(g, scalar)->shape, text));
    dyn_node one = dyn__like(g, 1, scalar);
    return dyn_graph_vjp(g, 1, &scalar, &one, n_in, inputs, out);
}
