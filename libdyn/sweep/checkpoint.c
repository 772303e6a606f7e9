/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Checkpoints of members in training, files beside the store: FOLDER/NUMBER.npz by the member's number in the store. */
#include "sweep/sweep.h"
#include "train/checkpoint.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define SUFFIX ".checkpoints"
enum { NUMBER = 32 };           /* letters of "/NUMBER.npz" */

/* The path of member i's file; to be freed. */
static char *path_of(dyn_sweep *w, int64_t i)
{
    const size_t size = strlen(w->path) + sizeof SUFFIX + NUMBER;
    char *path = dyn__alloc(w->ctx, size, 1);

    if (path)
        snprintf(path, size, "%s" SUFFIX "/%lld.npz", w->path, (long long)w->members[i].number);
    return path;
}

dyn_status dyn__checkpoint_folder(dyn_sweep *w)
{
    const size_t size = strlen(w->path) + sizeof SUFFIX;
    char *path = dyn__alloc(w->ctx, size, 1);
    dyn_status s = path ? DYN_OK : DYN_ENOMEM;

    if (path) {
        snprintf(path, size, "%s" SUFFIX, w->path);
        if (mkdir(path, 0777) != 0 && errno != EEXIST)
            s = dyn__fail_system(w->ctx, "make the folder", path);
    }
    dyn__free(w->ctx, path);
    return s;
}

void dyn__checkpoint_remove(dyn_sweep *w, int64_t i)
{
    char *path = w->path && w->opt.checkpoint_every > 0 ? path_of(w, i) : NULL;

    if (path)
        unlink(path);
    dyn__free(w->ctx, path);
}

/* As many steps at a time as fill a quarter of the seconds between two checkpoints, about; how many there are at once
 * changes no bit. */
static int64_t slice(int64_t steps, double taken, double every)
{
    const double better = taken > 0 ? (double)steps * every / (4 * taken) : 2.0 * (double)steps;

    return better < 1 ? 1 : better > 2.0 * (double)steps ? 2 * steps : (int64_t)better;
}

static int goes_on(const dyn_run *run)
{
    return dyn_run_reason(run) == DYN_RUN_READY || dyn_run_reason(run) == DYN_RUN_STOPPED;
}

/* To the end, saving it now and then, and where it is stopped. */
static dyn_status train(dyn_run *run, const char *path, double every)
{
    double saved = dyn__seconds(), begun;
    int64_t steps = 1;
    dyn_status s = DYN_OK;

    while (s == DYN_OK && goes_on(run)) {
        begun = dyn__seconds();
        const int64_t left = run->opt.steps - dyn_run_step(run);
        s = dyn_run_train(run, left < steps ? left : steps);
        const double now = dyn__seconds();
        steps = slice(steps, now - begun, every);
        if (s == DYN_STOPPED || (s == DYN_OK && now - saved >= every && goes_on(run))) {
            DYN__TRY(dyn_run_save(run, path));
            saved = now;
        }
    }
    return s;
}

dyn_status dyn__checkpoint_train(dyn_sweep *w, int64_t i, dyn_run *run)
{
    char *path = path_of(w, i);
    dyn_status s = path ? DYN_OK : DYN_ENOMEM;

    if (s == DYN_OK && run->opt.steps == INT64_MAX)
        s = dyn_run_train(run, DYN_TO_END);     /* which refuses it */
    run->opt.any_numerics |= w->opt.any_numerics;
    if (s == DYN_OK && access(path, F_OK) == 0)
        s = dyn__run_restore(run, path);
    if (s == DYN_OK)
        s = train(run, path, w->opt.checkpoint_every);
    dyn__free(w->ctx, path);
    return s;
}
