/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Stands for store.c where SQLite is missing at build time: sweeps work, but keep nothing on disk. */
#include "sweep/sweep.h"

dyn_status dyn__store_open(dyn_sweep *w)
{
    return DYN__FAIL(w->ctx, DYN_ENOTSUP, "%s: a store needs SQLite, which this library was built without", w->path);
}

dyn_status dyn__store_put(dyn_sweep *w, const dyn__outcome *o)
{
    (void)w;
    (void)o;
    return DYN_OK;
}

dyn_status dyn__store_commit(dyn_sweep *w)
{
    (void)w;
    return DYN_OK;
}

void dyn__store_settle(dyn_sweep *w) { (void)w; }

void dyn__store_close(dyn_sweep *w) { (void)w; }
