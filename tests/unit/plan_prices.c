/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Fused against unfused plans over a table of shapes: what a run is counted to cost, arithmetic and bytes at the prices
 * of the machine's description, and what an executor takes. Counted from the finished steps, by rules of this file
 * alone; no time is measured. And how much of that work two cores can share. */
#include "compile/compile.h"
#include "test.h"

static dyn_ctx *ctx;
static dyn__machine machine;

/* ---- the count ---- */

enum { BLOCK_ROWS = 128 };       /* of a product that takes many rows at once */

static double most(double a, double b) { return a > b ? a : b; }

/* Elements of an operand of a product, of a full tile, all strips of it. */
static double elements_of_product(const dyn__instr *q, int a, double rows)
{
    const dyn__gemm *g = &q->gemm[0];
    const int is_term = q->arg[0].row == 0 && q->arg[0].place.base != DYN__BASE_TILE;
    const int cuts_rows = is_term && dyn__cuts_rows(&q->whole);
    const double m = (double)(q->strip && cuts_rows ? q->columns : g->m);
    const double n = (double)(q->strip && !cuts_rows ? q->columns : g->n), k = (double)g->k;
    double calls = q->per_row && q->arg[a].stride[0] ? rows : 1;

    for (int d = 1; q->per_row && d < q->ndim; d++)
        calls *= q->arg[a].stride[d] ? (double)q->dim[d] : 1;
    return calls * (a == 0 ? m * n : a == 1 ? m * k : k * n);
}

/* Elements of the operand that one tile of so many rows reads or writes. */
static double elements(const dyn__instr *q, int a, double rows)
{
    double n = 1;

    if (q->kernel < 0)
        return elements_of_product(q, a, rows);
    for (int d = 0; d < q->ndim; d++)
        if (q->arg[a].stride[d])
            n *= d == 0 ? rows * (double)q->multiple : (double)q->dim[d];
    return n;
}

static double byte_price(double bytes)
{
    const double second = (double)machine.second;

    return bytes <= second ? machine.near : bytes <= 8 * second ? machine.middle : machine.far;
}

static int is_whole(const dyn__instr *q, int a)
{
    return q->arg[a].row == 0 && q->arg[a].place.base != DYN__BASE_TILE && q->arg[a].place.base != DYN__BASE_NONE;
}

/* Bytes of weights and sums that every tile reads. */
static double whole_bytes(const dyn_plan *p, const dyn__step *step)
{
    double bytes = 0;

    for (int32_t i = 0; i < step->instrs; i++)
        for (int a = 0; a < step->instr[i].nargs; a++)
            bytes += is_whole(&step->instr[i], a) ? elements(&step->instr[i], a, (double)step->tile) * p->esize : 0;
    return bytes;
}

/* Of an operand in all tiles. What is the same for all rows is read from memory, and read anew by every tile, of a product
 * at least for every BLOCK_ROWS of its rows, from where the step's weights and sums find room; a sum is written too.
 * What differs by row comes from memory, or if it is less from a cache, and so do the tile's buffers. */
static double price_of_operand(const dyn_plan *p, const dyn__step *step, const dyn__instr *q, int a, double whole)
{
    const double tile = elements(q, a, (double)step->tile) * p->esize, all = tile * (double)(step->tiles * step->V);

    if (q->arg[a].place.base == DYN__BASE_NONE)
        return 0;
    if (is_whole(q, a)) {
        const double blocks = q->kernel < 0 ? most(1, (double)step->tile / BLOCK_ROWS) : 1;
        const double again = (all * blocks - tile) * byte_price(whole + (double)step->scratch);
        return (tile * machine.far + again) * (dyn__is_result(q, a) ? 2 : 1);
    }
    return all * byte_price(q->arg[a].place.base == DYN__BASE_TILE ? (double)step->scratch : all);
}

/* On one core: the sums of chunks are the price of more, which an unfused plan does not know what to do with. */
static double price_of_tiles(const dyn_plan *p, const dyn__step *step)
{
    const double whole = whole_bytes(p, step);
    double sum = step->work;

    for (int32_t i = 0; i < step->instrs; i++)
        for (int a = 0; a < step->instr[i].nargs; a++)
            sum += price_of_operand(p, step, &step->instr[i], a, whole);
    return sum;
}

static double price_of_copies(const dyn_plan *p, const dyn__step *step)
{
    double bytes = 0;

    for (int32_t i = 0; i < step->instrs; i++) {
        double n = 1;
        for (int d = 0; d < step->instr[i].ndim; d++)
            n *= (double)step->instr[i].dim[d];
        bytes += n * step->instr[i].nargs * p->esize;
    }
    return bytes * byte_price(bytes);
}

static double price(const dyn_plan *p)
{
    double sum = 0;

    for (int32_t s = 0; s < p->steps; s++)
        sum += p->step[s].kind == &dyn__step_tiles ? price_of_tiles(p, &p->step[s]) : price_of_copies(p, &p->step[s]);
    return sum;
}

/* ---- the table ---- */

enum { MOST_LAYERS = 260 };

/* A count has steps where times have slopes: bytes that just do not fit a cache cost several times as much. With a
 * second-level cache of 1 MiB only layers of 1000 units on 256 and 2000 samples are counted above 1, at 1.01 to 1.05:
 * their clusters stream W and the sum for it, 16 MB in float64, the unfused plan's products 8 MB each, which is where
 * the price steps; and beside what a row keeps in the tile only 64 rows fit, for 125. */
static const double count_error = 1.15;

typedef struct shape { int32_t dtype; int layers; int64_t width, outputs, samples; } shape;

/* Mean square of a tanh network, with its gradients; returns how many outputs. */
static int32_t network(dyn_graph *g, const shape *s, dyn_node *out)
{
    dyn_node w[2 * MOST_LAYERS], h = dyn_graph_input(g, "x", 2, (int64_t[]){s->samples, s->width});
    char name[16];

    for (int i = 0; i <= s->layers; i++) {
        const int64_t columns = i < s->layers ? s->width : s->outputs;
        snprintf(name, sizeof name, "w%d", i);
        w[2 * i] = dyn_graph_parameter(g, name, 2, (int64_t[]){s->width, columns});
        snprintf(name, sizeof name, "b%d", i);
        w[2 * i + 1] = dyn_graph_parameter(g, name, 1, &columns);
        h = dyn_graph_add(g, dyn_graph_matmul(g, h, w[2 * i], 0, 0), w[2 * i + 1]);
        h = i < s->layers ? dyn_graph_tanh(g, h) : h;
    }
    h = dyn_graph_sub(g, h, dyn_graph_input(g, "y", 2, (int64_t[]){s->samples, s->outputs}));
    out[0] = dyn_graph_mean(g, dyn_graph_mul(g, h, h));
    CHECK_OK(ctx, dyn_graph_gradient(g, out[0], 2 * (s->layers + 1), w, out + 1));
    return 1 + 2 * (s->layers + 1);
}

static dyn_plan *compiled(dyn_graph *g, int32_t count, const dyn_node *out, int32_t unfused)
{
    dyn_plan_options opt = DYN_PLAN_OPTIONS_INIT;
    dyn_plan *plan = NULL;

    opt.unfused = unfused;
    opt.threads = 1;
    CHECK_OK(ctx, dyn_plan_compile(g, count, out, &opt, &plan));
    return plan;
}

static void compare(const shape *s)
{
    dyn_node out[2 * MOST_LAYERS + 1];
    dyn_graph *g = NULL;

    CHECK_OK(ctx, dyn_graph_create(ctx, s->dtype, &g));
    const int32_t count = network(g, s, out);
    dyn_plan *fused = compiled(g, count, out, 0), *unfused = compiled(g, count, out, 1);
    const double ratio = price(fused) / price(unfused);
    const double size = (double)dyn_plan_bytes(fused) / (double)dyn_plan_bytes(unfused);
    if (!(ratio <= count_error && size <= 1))
        TEST_FAIL("%d layers of %lld, %lld samples: counted price %.3g, memory %.3g of the unfused plan's", s->layers,
                  (long long)s->width, (long long)s->samples, ratio, size);
    dyn_plan_unref(fused);
    dyn_plan_unref(unfused);
    dyn_graph_free(g);
}

TEST(fused_is_never_dearer_nor_larger)
{
    static const struct { int layers; int64_t width, outputs, samples; } table[] = {
        {1, 10, 1, 100}, {2, 50, 10, 1000}, {2, 100, 10, 10000}, {3, 200, 10, 256}, {2, 300, 1, 5000},
        {4, 512, 10, 256}, {4, 1000, 10, 2000}, {4, 1000, 10, 256}, {3, 2000, 10, 1000}, {8, 400, 10, 2000}, {20, 100, 10, 2000},
        {3, 1000, 10, 2000}, {2, 1000, 1000, 64}, {2, 3000, 3000, 64}, {128, 100, 10, 64}, {256, 100, 10, 64},
        {2, 2000, 1, 64}, {2, 700, 10, 50000},
    };

    for (size_t i = 0; i < sizeof table / sizeof *table; i++)
        for (int32_t dtype = DYN_F64; dtype <= DYN_F32; dtype++)
            compare(&(shape){dtype, table[i].layers, table[i].width, table[i].outputs, table[i].samples});
}

/* Of a step, for the busier of two cores: its chunks or ranges are as good as equal. */
static double part_of_two(const dyn__step *step) { return step->chunks > 1 || step->ranges > 1 ? .5 : 1; }

/* Mini-batches of narrow and of wide layers: of what a step of training is counted to cost, the busier of two cores has
 * five eighths at most. */
TEST(two_cores_share_few_rows)
{
    static const struct { int layers; int64_t width, outputs, samples; } table[] = {
        {2, 100, 10, 64}, {3, 100, 100, 64}, {15, 100, 100, 64}, {63, 100, 100, 64}, {127, 100, 100, 64},
        {255, 100, 100, 64}, {2, 300, 300, 64}, {2, 1000, 1000, 64}, {4, 512, 10, 256}, {4, 1000, 10, 2000},
    };

    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        dyn_node out[2 * MOST_LAYERS + 1];
        dyn_graph *g = NULL;
        double all = 0, busier = 0;

        CHECK_OK(ctx, dyn_graph_create(ctx, DYN_F32, &g));
        const int32_t count = network(g, &(shape){DYN_F32, table[i].layers, table[i].width, table[i].outputs,
                                                  table[i].samples}, out);
        dyn_plan *plan = compiled(g, count, out, 0);
        for (int32_t s = 0; s < plan->steps; s++) {
            all += plan->step[s].work;
            busier += plan->step[s].work * part_of_two(&plan->step[s]);
        }
        if (busier > .625 * all)
            TEST_FAIL("%d layers of %lld, %lld samples: %.3g of the work on one core", table[i].layers,
                      (long long)table[i].width, (long long)table[i].samples, busier / all);
        dyn_plan_unref(plan);
        dyn_graph_free(g);
    }
}

/* Classes: powers of two below, within limits; what the system does not know is 32 KiB and 1 MiB. */
TEST(caches_are_classes)
{
    CHECK(dyn__first_class(48 << 10) == 32 << 10 && dyn__first_class(64 << 10) == 64 << 10);
    CHECK(dyn__first_class(0) == 32 << 10 && dyn__first_class(1) == 16 << 10 && dyn__first_class(1 << 20) == 64 << 10);
    CHECK(dyn__second_class(5 << 18) == 1 << 20 && dyn__second_class(2 << 20) == 2 << 20);
    CHECK(dyn__second_class(0) == 1 << 20 && dyn__second_class(1) == 256 << 10);
    CHECK(dyn__second_class(1 << 26) == 4 << 20);
    CHECK(machine.first == dyn__first_class(machine.first) && machine.second == dyn__second_class(machine.second));
    CHECK(machine.flop > 0 && machine.near > 0 && machine.far >= machine.middle && machine.middle >= machine.near);
    CHECK_STR(dyn_ctx_report(ctx), "caches: ");
}

int main(void)
{
    if (dyn_ctx_create(NULL, &ctx) != DYN_OK)
        return 1;
    machine = dyn__machine_of(dyn__kernels_of(ctx));
    RUN(caches_are_classes);
    RUN(fused_is_never_dearer_nor_larger);
    RUN(two_cores_share_few_rows);
    dyn_ctx_free(ctx);
    return test_end();
}
