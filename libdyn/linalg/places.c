/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Places in the order of a key: Shell's sort, without memory of its own. */
#include "linalg/dense.h"

void dyn__sort_places(int64_t a, int64_t c, const double *key, int64_t *place)
{
    int64_t gap = 1;

    for (int64_t i = a; i < c; i++)
        place[i] = i;
    while (3 * gap < c - a)
        gap = 3 * gap + 1;
    for (; gap > 0; gap /= 3)
        for (int64_t i = a + gap; i < c; i++) {
            int64_t p = place[i], k = i;

            for (; k >= a + gap && (key[place[k - gap]] > key[p] || (key[place[k - gap]] == key[p] && place[k - gap] > p));
                 k -= gap)
                place[k] = place[k - gap];
            place[k] = p;
        }
}
