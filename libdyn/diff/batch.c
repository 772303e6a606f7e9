/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Batching: every node that depends on an input is made again with a leading axis. What does not depend on one stays
 * single and is evaluated once; that is how a block of vectors becomes one matrix product. */
#include <string.h>
#include "diff/diff.h"

static dyn_node lead_all(dyn_graph *g, dyn_node y, dyn_node *in, const int *batched, int64_t size)
{
    for (int i = 0; i < dyn__at(g, y)->nin; i++)
        if (!batched[i])
            in[i] = dyn__lead(g, in[i], size);
    return dyn__again(g, y, in);
}

static dyn_node batched_node(dyn_graph *g, dyn_node y, const dyn_node *image, int64_t size)
{
    const dyn__node n = *dyn__at(g, y);
    dyn_node in[DYN__MAX_IN] = {0};
    int batched[DYN__MAX_IN] = {0}, any = 0;

    for (int i = 0; i < n.nin; i++) {
        batched[i] = image[n.in[i]] != DYN__ZERO;
        in[i] = batched[i] ? image[n.in[i]] : n.in[i];
        any |= batched[i];
    }
    if (!any)
        return DYN__ZERO;
    return dyn__op_of(&n)->batch ? dyn__op_of(&n)->batch(g, y, in, batched, size) : lead_all(g, y, in, batched, size);
}

static dyn_status batch_all(dyn_graph *g, int64_t size, int32_t n_out, const dyn_node *outputs, int32_t n_in,
                            const dyn_node *inputs,
                            const dyn_node *batched, uint8_t *need, dyn_node *image, dyn_node *out)
{
    const int32_t count = g->count;

    dyn__mark_needed(g, n_out, outputs, need);
    for (int32_t x = 0; x < count; x++)
        image[x] = DYN__ZERO;
    for (int32_t i = 0; i < n_in; i++) {
        need[inputs[i]] = 0;
        image[inputs[i]] = batched[i];
    }
    for (int32_t y = 0; y < count; y++)
        if (need[y]) {
            image[y] = batched_node(g, y, image, size);
            if (image[y] < 0 && image[y] != DYN__ZERO)
                return image[y];
        }
    for (int32_t j = 0; j < n_out; j++) {
        dyn_node x = image[outputs[j]];
        DYN__TRY(out[j] = x == DYN__ZERO ? dyn__lead(g, outputs[j], size) : x);
    }
    return DYN_OK;
}

static dyn_status check_batched(dyn_graph *g, int64_t size, int32_t n_in, const dyn_node *inputs,
                                const dyn_node *batched)
{
    for (int32_t i = 0; i < n_in; i++) {
        const dyn__shape *s = &dyn__at(g, inputs[i])->shape, want = dyn__shape_lead(s, size);
        if (s->rank == DYN_MAX_RANK)
            return DYN__FAIL(g->ctx, DYN_ESHAPE, "input %d has rank %d already: no axis is left for the batch", (int)i,
                             DYN_MAX_RANK);
        DYN__TRY(dyn__check_shape(g, "batched input", i, batched[i], &want));
    }
    return DYN_OK;
}

dyn_status dyn_graph_batch(dyn_graph *g, int64_t size, int32_t n_out, const dyn_node *outputs, int32_t n_in,
                           const dyn_node *inputs, const dyn_node *batched, dyn_node *out)
{
    if (!g)
        return DYN_EINVAL;
    DYN__ENTER(g->ctx);
    DYN__NEED(g->ctx, out);
    DYN__TRY(dyn__check_nodes(g, "output", n_out, outputs));
    DYN__TRY(dyn__check_nodes(g, "input", n_in, inputs));
    DYN__TRY(dyn__check_nodes(g, "batched input", n_in, batched));
    if (size < 1)
        return DYN__FAIL(g->ctx, DYN_EINVAL, "a batch of size %lld", (long long)size);
    DYN__TRY(check_batched(g, size, n_in, inputs, batched));
    dyn_node *image = dyn__alloc(g->ctx, (size_t)g->count + 1, sizeof *image);
    uint8_t *need = dyn__alloc(g->ctx, (size_t)g->count + 1, 1);
    dyn_status s = image && need ? batch_all(g, size, n_out, outputs, n_in, inputs, batched, need, image, out)
        : DYN_ENOMEM;
    dyn__free(g->ctx, need);
    dyn__free(g->ctx, image);
    return s;
}
