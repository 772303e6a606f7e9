/* SPDX-License-Identifier: BSD-3-Clause
 *
 * What things cost, in estimated nanoseconds on one core, from the description of the machine (kernel/machine.h): the
 * only place that knows. Only ratios matter. */
#include <math.h>
#include "compile/compile.h"

/* ---- instructions ---- */

static double element_cost(const dyn__machine *m, int kernel)
{
    const int is_tanh_of = kernel == DYN__K_TANH_ADD || kernel == DYN__K_TANH_FMA;

    return is_tanh_of || (kernel >= DYN__K_EXP && kernel <= DYN__K_POW) ? m->function
         : dyn__is_summed(kernel) ? 2 * m->element : m->element;
}

double dyn__row_cost(const dyn__compiler *k, const dyn__instr *q)
{
    double width = k->g->dtype == DYN_F32 ? 1 : 2, n = (double)q->multiple;

    if (q->kernel < 0) {
        double flops = 2.0 * (double)q->whole.m * (double)q->whole.n * (double)q->whole.k;
        if (!q->per_row)
            flops /= (double)k->node[q->node].R;
        for (int d = 1; d < q->ndim; d++)
            flops *= (double)q->dim[d];
        return flops * k->machine.flop * width;
    }
    for (int d = 1; d < q->ndim; d++)
        n *= (double)q->dim[d];
    return n * width * (q->own ? q->own->cost : element_cost(&k->machine, q->kernel)) + 0.5;
}

/* ---- clusters ---- */

/* Rows of a tile at most; activations around a product that are few. */
enum { MOST_ROWS = 128, FEW_ACTIVATIONS = 3 << 17 };

/* Of all threads, for the end of a group or of a step. */
static const double end_of_group = 5e3;

/* A byte of so many that are read again and again. */
static double byte_cost(const dyn__machine *m, int64_t bytes)
{
    return bytes <= m->second ? m->near : bytes <= 8 * m->second ? m->middle : m->far;
}

/* To read `whole` bytes for every tile of so many rows, which keep so many bytes each. */
static double cost_of_streams(const dyn__machine *m, int64_t rows, int64_t whole, int64_t row)
{
    const int64_t fitting = m->second / 8 * 5 / (row + 1), most = rows < MOST_ROWS ? rows : MOST_ROWS;
    const int64_t height = fitting < 1 ? 1 : fitting < most ? fitting : most;

    return (double)(dyn__divide_up(rows, height) * whole) * byte_cost(m, whole + height * row);
}

/* A gradient's work on so many rows takes less than its weights' sums: with few activations these are shared out by
 * columns (across.c), in one cluster. */
static int goes_by_columns(const dyn__compiler *k, int64_t rows, int64_t in, int64_t out)
{
    const double width = k->g->dtype == DYN_F32 ? 1 : 2;

    return in * out * k->plan->esize > k->machine.second / 16 * 5 && rows * (in + out) <= FEW_ACTIVATIONS
        && 6 * (double)rows * k->machine.flop * width < 2 * (double)k->plan->esize;
}

/* In one cluster of several layers a tile has few rows, since all their activations lie in it, and reads all weights
 * and adds to all their gradients anew. In clusters of their own tiles are high, and what passes between is stored and read
 * again. */
int dyn__is_cheaper_apart(const dyn__compiler *k, const dyn__load *load, int64_t rows, int64_t in, int64_t out)
{
    const dyn__machine *m = &k->machine;
    const int64_t esize = k->plan->esize, weights = in * out * esize, between = rows * in * esize;

    if (in == 1 || out == 1)        /* elementwise, a dot product (product.c): what stands beside it would have to be stored */
        return 0;
    if (load->whole == 0 || goes_by_columns(k, rows, in, out))
        return 0;
    const double joined = cost_of_streams(m, rows, load->whole + weights, load->row + out * esize);
    const double apart = cost_of_streams(m, rows, load->whole, load->row)
                       + cost_of_streams(m, rows, weights, out * esize);
    return joined > apart + 2 * (double)between * m->far + end_of_group;
}

/* ---- sharing out ---- */

/* Work that makes a chunk of rows, or a range of a group of strips, worth its own task. */
static const double task_work = 10e3;

double dyn__sum_bytes(const dyn__compiler *k, const dyn__step *step)
{
    double bytes = 1;

    for (int32_t i = 0; i < step->sums; i++)
        bytes += step->sum[i].deferred ? 0 : (double)(step->sum[i].size * k->plan->esize);
    return bytes;
}

/* Bytes of the partial sums of all chunks of a step. */
static const double most_sum_bytes = 1 << 26;

/* To write and to read partial sums is to take less than a tenth of the work; they have a limit. */
double dyn__worthwhile_chunks(const dyn__compiler *k, double work, double sum_bytes)
{
    return fmin(fmin(work / task_work, most_sum_bytes / sum_bytes), work / (sum_bytes * 20 * k->machine.far));
}

int64_t dyn__worthwhile_ranges(double work) { return dyn__power_of_two(work / task_work); }

/* Sums of a chunk that stay in the second-level cache beside the parameters and a tile are near: cleared, added to and
 * read there; others are written and read. */
double dyn__cost_of_chunks(const dyn__compiler *k, const dyn__step *step, double sum_bytes)
{
    const int far = sum_bytes > (double)(k->machine.second / 4);
    const double byte = far ? 2 * k->machine.far : 3 * k->machine.near;

    return step->chunks > 1 ? (double)step->chunks * sum_bytes * byte : step->work / 2;
}

double dyn__cost_of_ranges(const dyn__compiler *k, int64_t between_bytes, int64_t groups)
{
    return (double)between_bytes * 2 * k->machine.near + (double)groups * end_of_group;
}
