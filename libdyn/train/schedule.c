/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Schedules of measurements: the next step that one of the rules names. */
#include "train/run.h"

#include <math.h>

static int64_t least(int64_t a, int64_t b) { return a < b ? a : b; }

static int64_t next_multiple(int64_t every, int64_t from)
{
    const int64_t behind = from % every, up = behind ? every - behind : 0;

    return from > INT64_MAX - up ? INT64_MAX : from + up;
}

/* Rounded powers 10^(j / n). The search begins safely below `from`. */
static int64_t next_of_decades(int n, int64_t from)
{
    const double start = from > 1 ? floor(n * log10((double)from)) - 1 : 0;

    for (double j = fmax(start, 0); j <= 18.0 * n; j++) {
        const int64_t step = llround(pow(10, j / n));
        if (step >= from)
            return step;
    }
    return INT64_MAX;
}

static int64_t next_of_list(int64_t count, const int64_t *sorted, int64_t from)
{
    int64_t low = 0, high = count;

    while (low < high) {
        const int64_t middle = low + (high - low) / 2;
        if (sorted[middle] < from)
            low = middle + 1;
        else
            high = middle;
    }
    return low < count ? sorted[low] : INT64_MAX;
}

int64_t dyn__schedule_next(const dyn_schedule *when, int64_t from)
{
    int64_t next = when->at_start && from == 0 ? 0 : INT64_MAX;

    if (when->every)
        next = least(next, next_multiple(when->every, from));
    if (when->per_decade)
        next = least(next, next_of_decades(when->per_decade, from));
    return least(next, next_of_list(when->count, when->steps, from));
}
