/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Recurrent layers of one unit against their formulas, the order of their gates, what is refused. */
#include "layer_fixture.h"

static const double x[] = {.5, -1}, w[] = {.1, .2, .3, .4}, u[] = {.5, .6, .7, .8}, b[] = {.01, .02, .03, .04},
                    c[] = {.05, .06, .07, .08};

static double sigma(double z) { return 1 / (1 + exp(-z)); }

static dyn_node layer(int32_t cell, int64_t gates)
{
    return dyn_layer_recurrent(g, cell, NUMBERS(x, 1, 2, 1), NUMBERS(w, 1, gates), NUMBERS(u, 1, gates),
                               NUMBERS(b, gates), NUMBERS(c, gates));
}

TEST(simple)
{
    const double h1 = tanh(.1 * x[0] + .06), h2 = tanh(.1 * x[1] + .5 * h1 + .06);

    begin(DYN_F64);
    IS(layer(DYN_CELL_SIMPLE, 1), 1e-15, h1, h2);
    finish();
}

TEST(gru)
{
    double h = 0, all[2];

    for (int t = 0; t < 2; t++) {
        const double r = sigma(w[0] * x[t] + b[0] + u[0] * h + c[0]), z = sigma(w[1] * x[t] + b[1] + u[1] * h + c[1]);
        const double n = tanh(w[2] * x[t] + b[2] + r * (u[2] * h + c[2]));
        all[t] = h = (1 - z) * n + z * h;
    }
    begin(DYN_F64);
    is(layer(DYN_CELL_GRU, 3), 2, all, 1e-15);
    finish();
}

TEST(lstm)
{
    double h = 0, memory = 0, all[2], gate[4];

    for (int t = 0; t < 2; t++) {
        for (int k = 0; k < 4; k++)
            gate[k] = w[k] * x[t] + b[k] + u[k] * h + c[k];
        memory = sigma(gate[1]) * memory + sigma(gate[0]) * tanh(gate[2]);
        all[t] = h = sigma(gate[3]) * tanh(memory);
    }
    begin(DYN_F64);
    is(layer(DYN_CELL_LSTM, 4), 2, all, 1e-15);
    finish();
}

TEST(refused)
{
    begin(DYN_F64);
    dyn_node in = NUMBERS(x, 1, 2, 1), m = NUMBERS(w, 1, 4), n = NUMBERS(u, 1, 4);
    REFUSED(dyn_layer_recurrent(g, 3, in, m, n, DYN_NO_NODE, DYN_NO_NODE), DYN_EINVAL, "cell 3 is outside [0, 2]");
    REFUSED(dyn_layer_recurrent(g, DYN_CELL_GRU, in, m, n, DYN_NO_NODE, DYN_NO_NODE), DYN_ESHAPE,
            "u has shape [1, 4], expected [h, 3 h]");
    REFUSED(dyn_layer_recurrent(g, DYN_CELL_SIMPLE, in, m, NUMBERS(u, 1, 1), DYN_NO_NODE, DYN_NO_NODE), DYN_ESHAPE,
            "x w has shape [1, 2, 4], expected [n, T, 1]");
    REFUSED(dyn_layer_recurrent(g, DYN_CELL_LSTM, m, m, n, DYN_NO_NODE, DYN_NO_NODE), DYN_ESHAPE, "x has shape [1, 4]");
    finish();
}

int main(void)
{
    if (dyn_ctx_create(NULL, &ctx) != DYN_OK)
        return 1;
    RUN(simple);
    RUN(gru);
    RUN(lstm);
    RUN(refused);
    dyn_ctx_free(ctx);
    return test_end();
}
