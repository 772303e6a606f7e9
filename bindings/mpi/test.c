/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Over any number of ranks: members of a sweep and sums of objectives have the bits that one process gives them; what
 * fails on one rank is told to all; bytes received are those that MPI was given. Each rank checks what it can; the exit
 * status is the worst. */
#include "dyn/mpi.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { COUNT = 12, BLOCKS = 5, SAMPLES = 7, SIZE = 16 };    /* 1-5-1 tanh */
enum { FOUND = 3 * SIZE + 1 + SIZE * SIZE + 2 };

static int bad;
#define CHECK(x) ((x) ? (void)0 : (void)(bad++, printf("# %s:%d: %s\n", __FILE__, __LINE__, #x)))

/* In the place of MPI's own: what a rank gets from others is counted. */
static int64_t given;

static void count_received(MPI_Comm comm, const int counts[], MPI_Datatype type)
{
    int rank, ranks, size;

    MPI_Comm_rank(comm, &rank);
    MPI_Comm_size(comm, &ranks);
    MPI_Type_size(type, &size);
    for (int r = 0; r < ranks; r++)
        given += r == rank ? 0 : (int64_t)counts[r] * size;
}

int MPI_Allgatherv(const void *send, int count, MPI_Datatype type, void *receive, const int counts[],
                   const int places[], MPI_Datatype type_received, MPI_Comm comm)
{
    count_received(comm, counts, type_received);
    return PMPI_Allgatherv(send, count, type, receive, counts, places, type_received, comm);
}

int MPI_Alltoallv(const void *send, const int counts[], const int places[], MPI_Datatype type, void *receive,
                  const int counts_received[], const int places_received[], MPI_Datatype type_received, MPI_Comm comm)
{
    count_received(comm, counts_received, type_received);
    return PMPI_Alltoallv(send, counts, places, type, receive, counts_received, places_received, type_received, comm);
}

/* A block of samples of sin 3x, and its network. */
static dyn_status make_block(dyn_ctx *ctx, int64_t block, dyn_objective **out)
{
    const int64_t widths[3] = { 1, 5, 1 }, shape[2] = { SAMPLES, 1 };
    dyn_perceptron_options net = DYN_PERCEPTRON_OPTIONS_INIT;
    double numbers[2][SAMPLES];
    dyn_array *x = NULL, *y = NULL;
    dyn_model *model = NULL;
    dyn_status s;

    for (int i = 0; i < SAMPLES; i++) {
        numbers[0][i] = -1 + .05 * (double)(block * SAMPLES + i);
        numbers[1][i] = sin(3 * numbers[0][i]);
    }
    net.widths = widths, net.widths_count = 3, net.activation = DYN_TANH;
    s = dyn_model_perceptron(ctx, &net, &model);
    if (s >= 0)
        s = dyn_array_create(ctx, DYN_F64, 2, shape, numbers[0], &x);
    if (s >= 0)
        s = dyn_array_create(ctx, DYN_F64, 2, shape, numbers[1], &y);
    if (s >= 0)
        s = dyn_objective_create(ctx, model, x, y, NULL, out);
    dyn_array_unref(x);
    dyn_array_unref(y);
    dyn_model_unref(model);
    return s;
}

static void start(double *theta)
{
    for (int i = 0; i < SIZE; i++)
        theta[i] = .7 * sin(3.0 * i + 1);
}

static dyn_status make_run(void *user, dyn_ctx *ctx, int64_t member, const double *p, dyn_run **out)
{
    dyn_optimizer_options rule = DYN_OPTIMIZER_OPTIONS_INIT;
    dyn_run_options run = DYN_RUN_OPTIONS_INIT;
    dyn_objective *o = NULL;
    double theta[SIZE];
    dyn_status s;

    (void)user;
    if (p[0] < 0)
        return DYN_EINVAL;
    start(theta);
    rule.rate = p[0];
    run.steps = 40;
    s = make_block(ctx, member % BLOCKS, &o);
    if (s >= 0)
        s = dyn_run_create(o, &rule, &run, theta, out);
    dyn_objective_unref(o);
    return s;
}

static int32_t note(void *user, dyn_sweep *sweep, int64_t member, dyn_run *run)
{
    double theta[SIZE];

    (void)user;
    (void)member;
    return dyn_run_theta(run, theta) < 0 || dyn_sweep_result(sweep, "last", theta[SIZE - 1]) < 0;
}

static dyn_sweep *make_sweep(dyn_ctx *ctx)
{
    static const char *const names[] = { "rate" };
    static double rates[COUNT];
    dyn_sweep_options o = DYN_SWEEP_OPTIONS_INIT;
    dyn_sweep *w = NULL;

    for (int i = 0; i < COUNT; i++)
        rates[i] = i == 7 ? -1 : .01 * (1 + i);
    o.count = COUNT, o.parameters = 1, o.names = names, o.values = rates, o.make = make_run, o.ended = note;
    CHECK(dyn_sweep_create(ctx, &o, &w) == DYN_OK);
    return w;
}

static void a_sweep(dyn_ctx *ctx, int rank)
{
    dyn_sweep *shared = make_sweep(ctx), *alone = make_sweep(ctx);
    double found[COUNT], expected[COUNT];

    CHECK(dyn_mpi_sweep_train(shared, MPI_COMM_WORLD) == DYN_OK);
    if (rank == 0) {
        CHECK(dyn_sweep_train(alone) == DYN_OK);
        for (int i = 0; i < COUNT; i++) {
            CHECK(dyn_sweep_status(shared, i) == (i == 7 ? DYN_MEMBER_FAILED : DYN_MEMBER_DONE));
            CHECK(strcmp(dyn_sweep_message(shared, i), dyn_sweep_message(alone, i)) == 0);
        }
        for (int c = 0; c < 2; c++) {
            CHECK(dyn_sweep_column(shared, c ? "loss" : "last", found) == DYN_OK);
            CHECK(dyn_sweep_column(alone, c ? "loss" : "last", expected) == DYN_OK);
            for (int i = 0; i < COUNT; i++)
                CHECK(found[i] == expected[i] || (isnan(found[i]) && isnan(expected[i])));
        }
    }
    CHECK(dyn_mpi_sweep_train(shared, MPI_COMM_WORLD) == DYN_OK);   /* nothing is left, and nobody waits for ever */
    dyn_sweep_free(shared);
    dyn_sweep_free(alone);
}

/* How many rows a tile has, and the sum of its first column. */
static int32_t tile(void *user, int64_t block, int64_t rows, const double *jacobian, double *numbers)
{
    if (block == *(const int64_t *)user)
        return 1;
    numbers[0] = (double)rows;
    numbers[1] = 0;
    for (int64_t r = 0; r < rows; r++)
        numbers[1] += jacobian[r * SIZE];
    return 0;
}

/* Whole subtrees of five blocks on each of 1, 2 or 4 ranks: {0 .. 4} is four and one; {0, 1} and {2, 3}, {4}; {0}, {1},
 * {2} and {3}, {4}, as 3 is the second half of {2, 3}. */
static int64_t subtrees(int ranks, int rank)
{
    return ranks == 1 ? 2 : rank == ranks - 1 ? 2 : 1;
}

static int64_t bytes_of(int ranks, int rank, int64_t n)
{
    const int64_t slice = n * (rank + 1) / ranks - n * rank / ranks;
    int64_t others = 0;

    for (int r = 0; r < ranks; r++)
        others += r == rank ? 0 : subtrees(ranks, r);
    return 8 * (others * slice + n - slice);
}

/* What steps + 2 gradients, a product of one direction, a Gram matrix and tiles of 2 send. */
static int64_t expected_bytes(MPI_Comm comm, int64_t steps)
{
    int rank, ranks;

    MPI_Comm_rank(comm, &rank);
    MPI_Comm_size(comm, &ranks);
    return (steps + 2) * bytes_of(ranks, rank, SIZE + 1) + bytes_of(ranks, rank, SIZE)
         + bytes_of(ranks, rank, SIZE * SIZE) + bytes_of(ranks, rank, 2);
}

/* The sum over the ranks of a communicator: value, gradient, a product, theta after some steps, Gram matrix, tiles. */
static void look_at(dyn_ctx *ctx, MPI_Comm comm, double found[FOUND])
{
    int64_t none = -1, third = 3;
    double weights[BLOCKS], theta[SIZE], v[SIZE] = { 0 };
    dyn_objective *mine[BLOCKS] = { NULL };
    dyn_mpi_sum *sum = NULL;
    dyn_operator *h = NULL;
    dyn_run *run = NULL;
    int64_t first, count;

    dyn_mpi_blocks(comm, BLOCKS, &first, &count);
    for (int64_t i = 0; i < count; i++)
        CHECK(make_block(ctx, first + i, &mine[i]) == DYN_OK);
    for (int b = 0; b < BLOCKS; b++)
        weights[b] = 1.0 / BLOCKS;
    start(theta);
    v[2] = 1, v[9] = -2;
    CHECK(dyn_mpi_sum_create(ctx, comm, BLOCKS, mine, weights, &sum) == DYN_OK);
    CHECK(dyn_objective_gradient(dyn_mpi_sum_objective(sum), theta, found + 1, found) == DYN_OK);
    CHECK(dyn_objective_hessian(dyn_mpi_sum_objective(sum), theta, &h) == DYN_OK);
    CHECK(dyn_operator_apply(h, 1, v, found + 1 + SIZE) == DYN_OK);
    CHECK(dyn_run_create(dyn_mpi_sum_objective(sum), NULL, NULL, theta, &run) == DYN_OK);
    CHECK(dyn_run_train(run, 20) == DYN_OK);
    CHECK(dyn_run_theta(run, found + 1 + 2 * SIZE) == DYN_OK);
    CHECK(dyn_mpi_sum_gram(sum, theta, found + 1 + 3 * SIZE) == DYN_OK);
    CHECK(dyn_mpi_sum_tiles(sum, theta, 2, tile, &none, found + FOUND - 2) == DYN_OK);
    CHECK(dyn_mpi_sum_received(sum) == given && given == expected_bytes(comm, 20));
    CHECK(dyn_mpi_sum_tiles(sum, theta, 2, tile, &third, found) == DYN_EUSER);      /* on every rank */
    CHECK(dyn_mpi_sum_tiles(sum, theta, 0, tile, &none, found) == DYN_EINVAL);
    dyn_run_free(run);
    dyn_operator_unref(h);
    dyn_mpi_sum_free(sum);
    for (int64_t i = 0; i < count; i++)
        dyn_objective_unref(mine[i]);
}

/* G = J^T J of all samples, by definition, from one Jacobian of each block. */
static void check_gram(dyn_ctx *ctx, const double *theta, const double *found)
{
    double jacobian[BLOCKS * SAMPLES * SIZE], worst = 0, column = 0;

    for (int b = 0; b < BLOCKS; b++) {
        dyn_objective *o = NULL;
        CHECK(make_block(ctx, b, &o) == DYN_OK);
        CHECK(dyn_objective_jacobian(o, theta, jacobian + b * SAMPLES * SIZE) == DYN_OK);
        dyn_objective_unref(o);
    }
    for (int i = 0; i < SIZE; i++)
        for (int j = 0; j < SIZE; j++) {
            double sum = 0;
            for (int r = 0; r < BLOCKS * SAMPLES; r++)
                sum += jacobian[r * SIZE + i] * jacobian[r * SIZE + j];
            worst = fmax(worst, fabs(sum / BLOCKS - found[i * SIZE + j]));
        }
    for (int r = 0; r < BLOCKS * SAMPLES; r++)
        column += jacobian[r * SIZE];
    CHECK(worst < 1e-12);
    CHECK(fabs(found[SIZE * SIZE] - SAMPLES) < 1e-13 && fabs(found[SIZE * SIZE + 1] - column / BLOCKS) < 1e-13);
}

static void a_sum(dyn_ctx *ctx)
{
    double together[FOUND], alone[FOUND], theta[SIZE], gradient[SIZE], value, mean = 0, first = 0;

    given = 0;
    look_at(ctx, MPI_COMM_WORLD, together);
    given = 0;
    look_at(ctx, MPI_COMM_SELF, alone);
    CHECK(memcmp(together, alone, sizeof alone) == 0);
    start(theta);
    for (int b = 0; b < BLOCKS; b++) {      /* and it is the mean of the blocks */
        dyn_objective *o = NULL;
        CHECK(make_block(ctx, b, &o) == DYN_OK);
        CHECK(dyn_objective_gradient(o, theta, gradient, &value) == DYN_OK);
        mean += value / BLOCKS;
        first += gradient[0] / BLOCKS;
        dyn_objective_unref(o);
    }
    check_gram(ctx, theta, together + 1 + 3 * SIZE);
    CHECK(fabs(together[0] / mean - 1) < 1e-14 && fabs(together[1] / first - 1) < 1e-13);
}

/* A sum over blocks of different sizes, or none, is refused on every rank. */
static void refused(dyn_ctx *ctx, int rank)
{
    dyn_objective *mine[BLOCKS] = { NULL };
    dyn_mpi_sum *sum;
    int64_t first, count;

    dyn_mpi_blocks(MPI_COMM_WORLD, BLOCKS, &first, &count);
    for (int64_t i = rank == 0; i < count; i++)
        CHECK(make_block(ctx, i, &mine[i]) == DYN_OK);
    CHECK(dyn_mpi_sum_create(ctx, MPI_COMM_WORLD, BLOCKS, mine, NULL, &sum) == DYN_EINVAL && !sum);
    CHECK(dyn_mpi_sweep_train(NULL, MPI_COMM_WORLD) == DYN_EINVAL);
    for (int64_t i = 0; i < count; i++)
        dyn_objective_unref(mine[i]);
}

int main(int argc, char **argv)
{
    dyn_ctx *ctx = NULL;
    int rank, all;

    MPI_Init(&argc, &argv);
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    CHECK(dyn_ctx_create(NULL, &ctx) == DYN_OK);
    a_sweep(ctx, rank);
    a_sum(ctx);
    refused(ctx, rank);
    dyn_ctx_free(ctx);
    MPI_Allreduce(&bad, &all, 1, MPI_INT, MPI_SUM, MPI_COMM_WORLD);
    if (rank == 0)
        printf("%d passed, %d failed\n", 3 - (all > 0), all > 0);
    MPI_Finalize();
    return all > 0;
}
