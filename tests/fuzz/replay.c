/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Runs a target over its committed corpus in the normal suite: every file of tests/fuzz/corpus/<its name>, each
 * from a block of its own size. */
#include <dirent.h>
#include <stdlib.h>
#include "target.h"
#include "test.h"

static int replay_file(const char *path)
{
    FILE *f = fopen(path, "rb");
    uint8_t *bytes;
    long n;

    if (!f || fseek(f, 0, SEEK_END) != 0 || (n = ftell(f)) < 0)
        return -1;
    rewind(f);
    bytes = malloc(n ? (size_t)n : 1);
    if (!bytes || fread(bytes, 1, (size_t)n, f) != (size_t)n)
        return -1;
    fclose(f);
    n = LLVMFuzzerTestOneInput(bytes, (size_t)n);
    free(bytes);
    return (int)n;
}

TEST(corpus)
{
    const char *root = getenv("DYN_TEST_SOURCE");
    char folder[1024], path[2048];
    struct dirent *entry;
    int files = 0;
    DIR *d;

    snprintf(folder, sizeof folder, "%s/tests/fuzz/corpus/%s", root ? root : ".", fuzz_name);
    d = opendir(folder);
    CHECK(d != NULL);
    while (d && (entry = readdir(d))) {
        if (entry->d_name[0] == '.')
            continue;
        snprintf(path, sizeof path, "%s/%s", folder, entry->d_name);
        CHECK(replay_file(path) == 0);
        files++;
    }
    if (d)
        closedir(d);
    CHECK(files > 0);
}

int main(void)
{
    RUN(corpus);
    return test_end();
}
