/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The CSV reader. */
#include "target.h"

const char fuzz_name[] = "csv";

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    return fuzz_reader(dyn__parse_csv, data, size);
}
