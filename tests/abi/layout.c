/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Layout of the option structs. Without arguments it tests that there is no implicit padding and that the INIT macros
 * give the size; with the argument "json" it prints sizes, offsets and enumerators, against which the
 * bindings of other languages compare theirs. The table is generated from the headers. */
#include "layout.h"
#include "test.h"

TEST(no_implicit_padding)
{
    for (size_t i = 0; i < LAYOUTS; i++) {
        const struct layout *l = &layouts[i];
        size_t end = 0;

        for (size_t j = 0; j < l->count; j++) {
            if (l->fields[j].offset != end)
                TEST_FAIL("%s: %zu bytes of padding before %s", l->name, l->fields[j].offset - end, l->fields[j].name);
            end = l->fields[j].offset + l->fields[j].size;
        }
        if (l->size != end)
            TEST_FAIL("%s: %zu bytes of padding at the end", l->name, l->size - end);
    }
}

TEST(init_gives_size_and_defaults)
{
    for (size_t i = 0; i < LAYOUTS; i++) {
        const struct layout *l = &layouts[i];
        unsigned char bytes[4096];
        uint32_t size;

        memcpy(&size, l->init, sizeof size);
        if (size != l->size)
            TEST_FAIL("%s: INIT gives struct_size %u of %zu", l->name, (unsigned)size, l->size);
        if (dyn_options_init(l->name, bytes, size) != DYN_OK || memcmp(bytes, l->init, size) != 0)
            TEST_FAIL("%s: dyn_options_init gives something else than INIT", l->name);
    }
}

/* An older program's struct gets as much as it has room for. */
TEST(defaults_for_a_part)
{
    dyn_run_options o;
    uint32_t size;

    memset(&o, 0xff, sizeof o);
    CHECK(dyn_options_init("dyn_run_options", &o, 24) == DYN_OK);
    memcpy(&size, &o, sizeof size);
    CHECK(size == 24 && o.steps == INT64_MAX && o.batch == INT64_MAX && o.seed == UINT64_MAX);
    CHECK(dyn_options_init("dyn_run_options", &o, 2) == DYN_EABI_SIZE);
    CHECK(dyn_options_init("dyn_run_options", &o, sizeof o + 4) == DYN_EABI_NEW);
    CHECK(dyn_options_init("dyn_options", &o, sizeof o) == DYN_EINVAL);
}

static void print_layout(const struct layout *l, int last)
{
    printf("    \"%s\": {\"size\": %zu, \"fields\": {", l->name, l->size);
    for (size_t j = 0; j < l->count; j++)
        printf("%s\"%s\": [\"%c\", %zu, %zu]", j ? ", " : "", l->fields[j].name, l->fields[j].kind, l->fields[j].offset,
               l->fields[j].size);
    printf("}}%s\n", last ? "" : ",");
}

static int print_json(void)
{
    printf("{\"version\": \"%s\",\n  \"structs\": {\n", dyn_version());
    for (size_t i = 0; i < LAYOUTS; i++)
        print_layout(&layouts[i], i + 1 == LAYOUTS);
    printf("  },\n  \"enumerators\": {\n");
    for (size_t i = 0; i < ENUMERATORS; i++)
        printf("    \"%s\": %d%s\n", enumerators[i].name, (int)enumerators[i].value, i + 1 == ENUMERATORS ? "" : ",");
    printf("  }\n}\n");
    return 0;
}

int main(int argc, char **argv)
{
    if (argc > 1 && strcmp(argv[1], "json") == 0)
        return print_json();
    RUN(no_implicit_padding);
    RUN(init_gives_size_and_defaults);
    RUN(defaults_for_a_part);
    return test_end();
}
