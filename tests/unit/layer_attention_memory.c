/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Attention of many places: what its plan stores grows with the places, not with their pairs. */
#include <math.h>
#include <dyn/dyn.h>
#include "test.h"

static dyn_ctx *ctx;

/* Bytes of the plan of the gradient of sum(y^2), or of its derivative along a direction, of causal attention of so many
 * places. */
static int64_t bytes_of_attention(int64_t places, int along)
{
    static const int32_t axes[] = {0, 1, 2};
    static const char *const names[] = {"q", "k", "v", "along q", "along k", "along v"};
    const int64_t shape[3] = {8, places, 4};
    dyn_node in[6], out[3] = {0}, product[3] = {0};
    dyn_graph *g = NULL;
    dyn_plan *p = NULL;

    CHECK_OK(ctx, dyn_graph_create(ctx, DYN_F32, &g));
    for (int i = 0; i < 6; i++)
        in[i] = dyn_graph_input(g, names[i], 3, shape);
    dyn_node y = dyn_layer_scaled_dot_product_attention(g, in[0], in[1], in[2], DYN_NO_NODE, 1, (double)NAN, NULL);
    CHECK_OK(ctx, dyn_graph_gradient(g, dyn_graph_sum(g, dyn_graph_mul(g, y, y), 3, axes), 3, in, out));
    CHECK_OK(ctx, dyn_graph_jvp(g, 3, out, 3, in, in + 3, product));
    CHECK_OK(ctx, dyn_plan_compile(g, 3, along ? product : out, NULL, &p));
    const int64_t bytes = dyn_plan_bytes(p);
    dyn_plan_unref(p);
    dyn_graph_free(g);
    return bytes;
}

TEST(memory_grows_with_the_places)
{
    for (int along = 0; along < 2; along++)
        CHECK((double)bytes_of_attention(4096, along) < 2.2 * (double)bytes_of_attention(2048, along));
}

int main(void)
{
    if (dyn_ctx_create(NULL, &ctx) != DYN_OK)
        return 1;
    RUN(memory_grows_with_the_places);
    dyn_ctx_free(ctx);
    return test_end();
}
