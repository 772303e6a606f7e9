/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The IDX reader. */
#include "target.h"

const char fuzz_name[] = "idx";

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    return fuzz_reader(dyn__parse_idx, data, size);
}
