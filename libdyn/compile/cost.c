/* SPDX-License-Identifier: BSD-3-Clause
 *
 * What things cost, in estimated nanoseconds on one core: the only place that knows. Only ratios matter; they come from
 * the CPU with AVX-512 that docs/performance.md names and hold roughly for others. */
#include <math.h>
#include "compile/compile.h"

/* ---- instructions ---- */

static double element_cost(int kernel)
{
    const int is_tanh_of = kernel == DYN__K_TANH_ADD || kernel == DYN__K_TANH_FMA;

    return is_tanh_of || (kernel >= DYN__K_EXP && kernel <= DYN__K_POW) ? 0.25 : dyn__is_summed(kernel) ? 0.12 : 0.06;
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
        return flops * 0.006 * width;
    }
    for (int d = 1; d < q->ndim; d++)
        n *= (double)q->dim[d];
    return n * width * (q->own ? q->own->cost : element_cost(q->kernel)) + 0.5;
}

/* ---- clusters ---- */

/* Bytes of weights that stay in the second-level cache beside a tile; activations around a product that are few. */
enum { FEW_WEIGHT_BYTES = 320 << 10, FEW_ACTIVATIONS = 3 << 17 };

/* Through several layers a tile has few rows, since all their activations lie in it, and reads all weights and adds to
 * all their gradients anew: with weights beyond the cache it is cheaper to store the activations between the layers and
 * to have high tiles in each. (float32, one core: four layers of 1000 units on 2000 rows .9 s in one cluster, .5 s in
 * one for each; eight of 400 .23 and .18; twenty of 100 .026 and .034.) */
int dyn__is_costly_to_reread(int64_t in, int64_t out, int64_t rows, int64_t esize)
{
    return in * out * esize > FEW_WEIGHT_BYTES && rows * (in + out) > FEW_ACTIVATIONS;
}

/* ---- sharing out ---- */

/* Work that makes a chunk of rows, or a range of a group of strips, worth its own task. */
static const double task_work = 10e3;

/* Bytes of the sums of a chunk that stay in the second-level cache beside the parameters and a tile. */
enum { FEW_SUM_BYTES = 1 << 18 };

/* Of a byte that passes between groups, of a byte of the sums of a chunk that stay in the second-level cache or do not,
 * and of all threads for the end of a group. */
static const double byte_between = 0.02, byte_of_few_sums = 0.03, byte_of_sums = 0.1, end_of_group = 5e3;

double dyn__sum_bytes(const dyn__compiler *k, const dyn__step *step)
{
    double bytes = 1;

    for (int32_t i = 0; i < step->sums; i++)
        bytes += (double)(step->sum[i].size * k->plan->esize);
    return bytes;
}

/* A byte of partial sums costs about a tenth of a nanosecond to clear and to add: there is more than one of work. */
double dyn__worthwhile_chunks(double work, double sum_bytes) { return fmin(work / task_work, work / sum_bytes); }

int64_t dyn__worthwhile_ranges(double work) { return dyn__power_of_two(work / task_work); }

double dyn__cost_of_chunks(const dyn__step *step, double sum_bytes)
{
    const double byte = sum_bytes > (double)FEW_SUM_BYTES ? byte_of_sums : byte_of_few_sums;

    return step->chunks > 1 ? (double)step->chunks * sum_bytes * byte : step->work / 2;
}

double dyn__cost_of_ranges(int64_t between_bytes, int64_t groups)
{
    return (double)between_bytes * byte_between + (double)groups * end_of_group;
}
