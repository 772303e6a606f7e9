/* SPDX-License-Identifier: BSD-3-Clause
 *
 * First fit in a tree of gaps against a map of cells: random pieces are taken and given back in random order, and each
 * must lie at the lowest offset that is free. A million pieces with a gap behind each, which a walk over pieces or gaps
 * could not pass in the time of a test. */
#include <stdlib.h>
#include "compile/gaps.h"
#include "tests/diff/draw.h"
#include "tests/test.h"

enum { LINE = 16, CELLS = 4096, PIECES = 100, ROUNDS = 20000, MANY = 1000000 };

typedef struct piece { int64_t offset, size; } piece;

static dyn_ctx *ctx;
static uint8_t used[CELLS];

static int64_t draw(int64_t limit)
{
    static drawing d = {.seed = 5};

    return draw_from(&d, limit);
}

static int64_t lowest(int64_t size)
{
    int64_t free = 0;

    for (int64_t i = 0; i < CELLS; i++) {
        free = used[i] ? 0 : free + 1;
        const int64_t start = i + 1 - size;
        if (free >= size && (size < LINE || start % LINE == 0))
            return start;
    }
    return -1;
}

static void mark(const piece *p, uint8_t value)
{
    for (int64_t i = p->offset; i < p->offset + p->size; i++) {
        CHECK(used[i] != value);
        used[i] = value;
    }
}

TEST(lowest_offset)
{
    dyn__gaps g = {.ctx = ctx, .line = LINE};
    piece p[PIECES];
    int64_t count = 0, top = 0;

    for (int i = 0; i < ROUNDS; i++)
        if (count == 0 || (count < PIECES && draw(2))) {
            piece *new = &p[count++];
            new->size = 1 + draw(draw(2) ? LINE : 2 * LINE);
            const int64_t expected = lowest(new->size);
            CHECK_OK(ctx, dyn__gaps_take(&g, new->size, &new->offset));
            if (new->offset != expected) {
                TEST_FAIL("round %d: at %lld, expected %lld", i, (long long)new->offset, (long long)expected);
                break;
            }
            mark(new, 1);
            top = new->offset + new->size > top ? new->offset + new->size : top;
            CHECK(g.top == top);
        } else {
            piece *old = &p[draw(count)];
            dyn__gaps_give(&g, old->offset, old->size);
            mark(old, 0);
            *old = p[--count];
        }
    CHECK(g.capacity < 3 * PIECES);     /* gaps are used again */
    dyn__free(ctx, g.gap);
}

/* Nothing is taken for it, whatever is there, and giving it back frees nothing. */
TEST(no_size)
{
    dyn__gaps g = {.ctx = ctx, .line = LINE};
    int64_t nothing = -1, first = -1, second = -1;

    CHECK_OK(ctx, dyn__gaps_take(&g, 0, &nothing));
    CHECK_OK(ctx, dyn__gaps_take(&g, 3, &first));
    CHECK(nothing == 0 && first == 0);
    CHECK_OK(ctx, dyn__gaps_take(&g, 0, &nothing));
    dyn__gaps_give(&g, nothing, 0);
    CHECK_OK(ctx, dyn__gaps_take(&g, 2, &second));
    CHECK(nothing == 0 && second == 3 && g.top == 5);
    dyn__free(ctx, g.gap);
}

/* Pieces of a line and a bit leave gaps of less than a line. Every other piece goes, from the last to the first; then
 * what is too large for these holes, what just fits, and what fits between the pieces. */
TEST(many)
{
    dyn__gaps g = {.ctx = ctx, .line = LINE};
    int64_t offset = -1;

    for (int64_t i = 0; i < MANY; i++) {
        CHECK_OK(ctx, dyn__gaps_take(&g, LINE + 4, &offset));
        CHECK(offset == 2 * LINE * i);
    }
    for (int64_t i = MANY - 2; i >= 0; i -= 2)
        dyn__gaps_give(&g, 2 * LINE * i, LINE + 4);
    for (int64_t i = 0; i < MANY / 4; i++) {
        CHECK_OK(ctx, dyn__gaps_take(&g, 3 * LINE, &offset));
        CHECK(offset == 2 * LINE * MANY + 3 * LINE * i);
    }
    for (int64_t i = 0; i < MANY / 2; i++) {
        CHECK_OK(ctx, dyn__gaps_take(&g, 2 * LINE, &offset));
        CHECK(offset == 4 * LINE * i);
    }
    for (int64_t i = 0; i < MANY / 2; i++) {
        CHECK_OK(ctx, dyn__gaps_take(&g, LINE - 4, &offset));
        CHECK(offset == 4 * LINE * i + 3 * LINE + 4);
    }
    dyn__free(ctx, g.gap);
}

int main(void)
{
    if (dyn_ctx_create(NULL, &ctx) != DYN_OK)
        return 1;
    RUN(lowest_offset);
    RUN(no_size);
    RUN(many);
    dyn_ctx_free(ctx);
    return test_end();
}
