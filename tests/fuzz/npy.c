/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The .npy reader. */
#include "target.h"

const char fuzz_name[] = "npy";

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    return fuzz_reader(dyn__parse_npy, data, size);
}
