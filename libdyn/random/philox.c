/* SPDX-License-Identifier: BSD-3-Clause
 *
 * One block of the generator. */
#include "random/fill.h"

void dyn__random_block(dyn__key k, uint64_t block, uint32_t word[4])
{
    dyn__random_blocks(k, block, 1, (uint32_t (*)[4])word);
}
