/* SPDX-License-Identifier: BSD-3-Clause
 *
 * One block of Philox 4x32-10, from the Random123 headers. */
#include "random/random.h"

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wconversion"
#pragma GCC diagnostic ignored "-Wundef"
#pragma GCC diagnostic ignored "-Wshadow"
#pragma GCC diagnostic ignored "-Wunused-function"
#include <Random123/philox.h>
#pragma GCC diagnostic pop

void dyn__random_block(dyn__key k, uint64_t block, uint32_t word[4])
{
    philox4x32_key_t key = { { (uint32_t)k.seed, (uint32_t)(k.seed >> 32) } };
    philox4x32_ctr_t counter = { { (uint32_t)block, k.site, k.step, k.stream | (uint32_t)(block >> 32) << 8 } };
    philox4x32_ctr_t r = philox4x32_R(10, counter, key);

    for (int i = 0; i < 4; i++)
        word[i] = r.v[i];
}
