/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Tensors of several leading axes: a decoder block written naturally on [sequences, tokens, width], with positions,
 * normalised rows, masked attention of several heads and a residual, against the oracle: value, gradient, Hessian
 * product and a block of directions. One sequence has rows, too. Layers on [B, T, D] are planned as those on [B T, D]. */
#include "compile/compile.h"
#include "tests/diff/compiled.h"
#include "tests/test.h"

#include <stdlib.h>

enum { SETS = 2 };

static dyn_ctx *ctx;

typedef struct sizes { int64_t b, t, h, d; } sizes;     /* sequences, tokens, heads, width of a head */

static dyn_node input(problem *p, int32_t rank, int64_t i, int64_t j, int64_t k)
{
    return problem_input(p, &(dyn__shape){rank, {i, j, k}}, -1, 1);
}

/* Rows of norm about sqrt(width), and no mean. */
static dyn_node normalised(dyn_graph *g, dyn_node x)
{
    const dyn__shape s = dyn__at(g, x)->shape;
    const double width = (double)s.dim[s.rank - 1];
    int64_t column[DYN_MAX_RANK];
    const int32_t last = -1;

    memcpy(column, s.dim, sizeof column);
    column[s.rank - 1] = 1;
    dyn_node mean = dyn_graph_reshape(g, dyn_graph_scale(g, dyn_graph_sum(g, x, 1, &last), 1 / width), s.rank, column);
    dyn_node c = dyn_graph_sub(g, x, mean);
    dyn_node v = dyn_graph_scale(g, dyn_graph_sum(g, dyn_graph_mul(g, c, c), 1, &last), 1 / width);
    dyn_node scale = dyn_graph_sqrt(g, dyn_graph_add(g, v, dyn_graph_constant(g, 0.1, 0, NULL)));

    return dyn_graph_div(g, c, dyn_graph_reshape(g, scale, s.rank, column));
}

static dyn_node softmax(dyn_graph *g, dyn_node x)
{
    const dyn__shape s = dyn__at(g, x)->shape;
    int64_t column[DYN_MAX_RANK];

    memcpy(column, s.dim, sizeof column);
    column[s.rank - 1] = 1;
    return dyn_graph_exp(g, dyn_graph_sub(g, x, dyn_graph_reshape(g, dyn_graph_logsumexp(g, x), s.rank, column)));
}

/* [b, t, h d] to [b, h, t, d] */
static dyn_node heads(dyn_graph *g, const sizes *s, dyn_node x)
{
    x = dyn_graph_reshape(g, x, 4, (int64_t[]){s->b, s->t, s->h, s->d});
    return dyn_graph_permute(g, x, (int32_t[]){0, 2, 1, 3});
}

static dyn_node attention(problem *p, const sizes *s, dyn_node x, dyn_node w)
{
    dyn_graph *g = p->g;
    const int64_t width = s->h * s->d, size[] = {width, width};
    dyn_node qkv[3];

    for (int i = 0; i < 3; i++)
        qkv[i] = heads(g, s, dyn_graph_matmul(g, x, dyn_graph_slice(g, w, (int64_t[]){0, i * width}, size), 0, 0));
    dyn_node scores = dyn_graph_matmul(g, qkv[0], qkv[1], 0, 1);
    dyn_node mask = problem_input(p, &(dyn__shape){2, {s->t, s->t}}, -2, 0);
    scores = dyn_graph_add(g, dyn_graph_scale(g, scores, 1 / sqrt((double)s->d)), mask);
    dyn_node y = dyn_graph_matmul(g, softmax(g, scores), qkv[2], 0, 0);
    y = dyn_graph_permute(g, y, (int32_t[]){0, 2, 1, 3});
    return dyn_graph_reshape(g, y, 3, (int64_t[]){s->b, s->t, width});
}

/* As a function of positions, W of queries, keys and values, V and c. */
static function decoder(problem *p, const sizes *s)
{
    const int64_t width = s->h * s->d;
    dyn_graph *g = p->g;
    function f = {.n = 4, .x = {input(p, 2, s->t, width, 0), input(p, 2, width, 3 * width, 0),
                                input(p, 2, width, width + 1, 0), input(p, 1, width + 1, 0, 0)}};
    dyn_node x = dyn_graph_add(g, input(p, 3, s->b, s->t, width), f.x[0]);
    x = dyn_graph_add(g, x, attention(p, s, normalised(g, x), f.x[1]));
    dyn_node h = dyn_graph_tanh(g, dyn_graph_add(g, dyn_graph_matmul(g, normalised(g, x), f.x[2], 0, 0), f.x[3]));

    x = dyn_graph_add(g, x, dyn_graph_matmul(g, h, f.x[2], 0, 1));
    dyn_node squares = dyn_graph_scale(g, dyn_graph_sum(g, dyn_graph_mul(g, x, x), 1, (int32_t[]){-1}), 0.1);
    f.y = dyn_graph_mean(g, dyn_graph_sub(g, dyn_graph_logsumexp(g, x), squares));
    return f;
}

static void check(const sizes *s, int32_t dtype)
{
    dyn_node v[MAX_X], w[MAX_X], out[1 + 3 * MAX_X];
    problem p;

    problem_new(&p, ctx, dtype);
    function f = decoder(&p, s);
    problem_directions(&p, &f, v);
    out[0] = f.y;
    CHECK_OK(ctx, dyn_graph_gradient(p.g, f.y, f.n, f.x, out + 1));
    CHECK_OK(ctx, dyn_graph_hvp(p.g, f.y, f.n, f.x, v, out + 5));
    for (int i = 0; i < f.n; i++) {
        const dyn__shape block = dyn__shape_lead(&dyn__at(p.g, v[i])->shape, SETS);
        w[i] = problem_input(&p, &block, -1, 1);
    }
    CHECK_OK(ctx, dyn_graph_batch(p.g, SETS, f.n, out + 5, f.n, v, w, out + 9));
    for (int unfused = 0; unfused < 2; unfused++) {
        dyn_plan_options opt = DYN_PLAN_OPTIONS_INIT;
        opt.unfused = unfused;
        const double error = compiled_error(&p, 13, out, &opt);
        if (!(error <= (dtype == DYN_F64 ? 1e-12 : 2e-4)))
            TEST_FAIL("%d x %d tokens, %d heads of %d, unfused %d: error %.3g: %s", (int)s->b, (int)s->t, (int)s->h,
                      (int)s->d, unfused, error, dyn_ctx_message(ctx));
    }
    problem_free(&p);
}

TEST(decoders)
{
    static const sizes all[] = {{3, 5, 2, 4}, {1, 9, 3, 5}, {4, 1, 2, 8}, {2, 17, 1, 16}, {1, 1, 1, 3}};

    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) {
        check(&all[i], DYN_F64);
        check(&all[i], DYN_F32);
    }
}

/* ---- plans ---- */

enum { PARAMETERS = 4 };
enum derivative { GRADIENT, PRODUCT, LINEARISED };  /* the last is given what does not depend on the direction */

/* The mean square of a network, the slope of whose activation is made anew from what a linearised plan is given. */
static dyn_node network(dyn_graph *g, dyn_node x, dyn_node *p)
{
    p[0] = dyn_graph_input(g, "W", 2, (int64_t[]){40, 70});
    p[1] = dyn_graph_input(g, "b", 1, (int64_t[]){70});
    p[2] = dyn_graph_input(g, "V", 2, (int64_t[]){70, 30});
    p[3] = dyn_graph_input(g, "c", 1, (int64_t[]){30});
    dyn_node h = dyn_graph_tanh(g, dyn_graph_add(g, dyn_graph_matmul(g, x, p[0], 0, 0), p[1]));
    h = dyn_graph_mul(g, dyn_graph_mul(g, h, h), h);
    dyn_node y = dyn_graph_add(g, dyn_graph_matmul(g, h, p[2], 0, 0), p[3]);
    return dyn_graph_mean(g, dyn_graph_mul(g, y, y));
}

static dyn_plan *compiled(dyn_graph *g, int32_t count, const dyn_node *out, int32_t varying, const dyn_node *v)
{
    dyn_node cut[256];
    dyn_plan *plan = NULL;
    dyn__compile_options opt = {.threads = 1, .cut = cut};

    if (varying)
        opt.cuts = dyn__frontier(g, count, out, varying, v, cut);
    CHECK(opt.cuts >= 0 && g->count <= 256);
    CHECK_OK(ctx, dyn__compile(g, count, out, &opt, &plan));
    return plan;
}

/* The plan's text without the numbers of the nodes. */
static char *text_of(const dyn_plan *plan)
{
    const int64_t length = dyn_plan_print(plan, NULL, 0) + 1;
    char *text = malloc((size_t)length), *from, *to;

    if (!text)
        abort();
    dyn_plan_print(plan, text, length);
    for (from = to = text; *from; from++)
        if (*from == '%')
            from += strspn(from + 1, "0123456789");
        else
            *to++ = *from;
    *to = 0;
    return text;
}

/* Derivatives of the network on x of this shape; the plan as text. */
static char *plan_of(int32_t rank, const int64_t *shape, enum derivative which)
{
    dyn_node out[PARAMETERS], p[PARAMETERS], v[PARAMETERS];
    dyn_graph *g = NULL;

    CHECK_OK(ctx, dyn_graph_create(ctx, DYN_F32, &g));
    const dyn_node y = network(g, dyn_graph_input(g, "x", rank, shape), p);
    for (int i = 0; i < PARAMETERS; i++)
        v[i] = dyn__tangent_input(g, DYN_F32, &dyn__at(g, p[i])->shape);
    if (which == GRADIENT)
        CHECK_OK(ctx, dyn_graph_gradient(g, y, PARAMETERS, p, out));
    else
        CHECK_OK(ctx, dyn_graph_hvp(g, y, PARAMETERS, p, v, out));
    dyn_plan *plan = compiled(g, PARAMETERS, out, which == LINEARISED ? PARAMETERS : 0, v);
    char *text = text_of(plan);
    dyn_plan_unref(plan);
    dyn_graph_free(g);
    return text;
}

TEST(leading_axes_are_rows)
{
    for (int which = GRADIENT; which <= LINEARISED; which++) {
        char *flat = plan_of(2, (int64_t[]){450, 40}, which);
        char *natural = plan_of(3, (int64_t[]){50, 9, 40}, which);
        char *deep = plan_of(4, (int64_t[]){5, 1, 90, 40}, which);

        CHECK_STR(flat, "1 x 450 rows");
        if (strcmp(flat, natural) || strcmp(flat, deep))
            TEST_FAIL("plans differ:\n%s\n%s\n%s", flat, natural, deep);
        free(flat);
        free(natural);
        free(deep);
    }
}

int main(void)
{
    if (dyn_ctx_create(NULL, &ctx) != DYN_OK)
        return 1;
    RUN(decoders);
    RUN(leading_axes_are_rows);
    dyn_ctx_free(ctx);
    return test_end();
}
