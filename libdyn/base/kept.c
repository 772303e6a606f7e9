/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Blocks of a context that were given back, kept for the next of exactly their size. Asking the system for some MiB of
 * pages, and clearing and returning them, can take longer than the work on them: a third of the time of a rank of 250
 * parameters. The oldest make room. Of the C library's memory only: a caller's own allocator sees every block. */
#include "base/context.h"

#include <stdlib.h>
#include <string.h>

enum { LEAST_KEPT = 1 << 16, MOST_KEPT = 1 << 26 };

#if defined(__SANITIZE_ADDRESS__)
enum { KEEPS = 0 };     /* which is to see what is used after it was given back */
#else
enum { KEEPS = 1 };
#endif

void dyn__kept_init(dyn__kept *k)
{
    k->on = KEEPS && pthread_mutex_init(&k->lock, NULL) == 0;
}

static char *remove_at(dyn__kept *k, int i)
{
    char *block = k->block[i];

    k->bytes -= k->size[i];
    k->count--;
    memmove(&k->block[i], &k->block[i + 1], (size_t)(k->count - i) * sizeof *k->block);
    memmove(&k->size[i], &k->size[i + 1], (size_t)(k->count - i) * sizeof *k->size);
    return block;
}

char *dyn__kept_take(dyn__kept *k, size_t size)
{
    char *block = NULL;

    if (!k->on || size < LEAST_KEPT)
        return NULL;
    pthread_mutex_lock(&k->lock);
    for (int i = k->count - 1; i >= 0 && !block; i--)
        if (k->size[i] == size)
            block = remove_at(k, i);
    pthread_mutex_unlock(&k->lock);
    return block;
}

int dyn__kept_give(dyn__kept *k, char *block, size_t size)
{
    if (!k->on || size < LEAST_KEPT || size > MOST_KEPT)
        return 0;
    pthread_mutex_lock(&k->lock);
    while (k->count == DYN__KEPT_BLOCKS || k->bytes + size > MOST_KEPT)
        free(remove_at(k, 0));
    k->block[k->count] = block;
    k->size[k->count++] = size;
    k->bytes += size;
    pthread_mutex_unlock(&k->lock);
    return 1;
}

int dyn__kept_clear(dyn__kept *k)
{
    int had;

    if (!k->on)
        return 0;
    pthread_mutex_lock(&k->lock);
    had = k->count > 0;
    while (k->count > 0)
        free(remove_at(k, 0));
    pthread_mutex_unlock(&k->lock);
    return had;
}

void dyn__kept_end(dyn__kept *k)
{
    dyn__kept_clear(k);
    if (k->on)
        pthread_mutex_destroy(&k->lock);
    k->on = 0;
}
