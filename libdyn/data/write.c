/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Arrays to .npy and CSV files. Text has as few digits, 15 to 17 (float32: 6 to 9), as give the same number back. */
#include "data/data.h"

#include <inttypes.h>
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static dyn_status write_npy(void *arg, dyn__file *f)
{
    const dyn_array *a = arg;
    unsigned char header[DYN__NPY_HEADER];

    DYN__TRY(dyn__file_put(f, header, (size_t)dyn__npy_header(a, header)));
    return a->size ? dyn__file_put(f, a->data, (size_t)a->size * dyn__dtype_size(a->dtype)) : DYN_OK;
}

dyn_status dyn_array_write_npy(const dyn_array *a, const char *path)
{
    if (!a)
        return DYN_EINVAL;
    DYN__ENTER(a->ctx);
    DYN__NEED(a->ctx, path);
    return dyn__file_replace(a->ctx, path, write_npy, (void *)(uintptr_t)a);
}

typedef struct table {
    const dyn_array *a;
    const char *const *header;
} table;

enum { CELL = 32 };     /* "-1.7976931348623157e+308" and a separator fit */

static int print_real(char *text, double v, int single)
{
    int digits = single ? 6 : 15, most = single ? 9 : 17, n, same;

    do {
        n = snprintf(text, CELL, "%.*g", digits, v);
        same = single ? strtof(text, NULL) == (float)v : strtod(text, NULL) == v;
    } while (!same && ++digits <= most);
    return n;
}

static int print_cell(char *text, const dyn_array *a, int64_t i)
{
    int64_t integer = 0;

    if ((a->dtype == DYN_I64 || a->dtype == DYN_U8) && dyn__array_integer(a, i, &integer))
        return snprintf(text, CELL, "%" PRId64, integer);
    return print_real(text, dyn__array_at(a, i), a->dtype == DYN_F32);
}

/* Short pieces of text on their way to a file. */
typedef struct sink {
    dyn__file *f;
    size_t n;
    char text[4096];
} sink;

static dyn_status flush(sink *s)
{
    size_t n = s->n;

    s->n = 0;
    return dyn__file_put(s->f, s->text, n);
}

static dyn_status write_header(dyn__file *f, const char *const *header, int64_t columns)
{
    for (int64_t c = 0; c < columns; c++) {
        DYN__TRY(dyn__file_put(f, header[c], strlen(header[c])));
        DYN__TRY(dyn__file_put(f, c + 1 < columns ? "," : "\n", 1));
    }
    return DYN_OK;
}

static dyn_status write_csv(void *arg, dyn__file *f)
{
    const table *t = arg;
    int64_t columns = t->a->shape[1];
    sink s = { .f = f };

    if (t->header)
        DYN__TRY(write_header(f, t->header, columns));
    for (int64_t i = 0; i < t->a->size; i++) {
        if (s.n + CELL > sizeof s.text)
            DYN__TRY(flush(&s));
        s.n += (size_t)print_cell(s.text + s.n, t->a, i);
        s.text[s.n++] = (i + 1) % columns ? ',' : '\n';
    }
    return flush(&s);
}

static dyn_status check_table(const dyn_array *a, const char *const *header)
{
    if (a->rank != 2)
        return DYN__FAIL(a->ctx, DYN_ESHAPE, "rank is %d, a table has 2", a->rank);
    for (int64_t c = 0; header && c < a->shape[1]; c++)
        if (!header[c] || strpbrk(header[c], ",\"\r\n"))
            return DYN__FAIL(a->ctx, DYN_EINVAL, "name of column %lld is %s%s%s", (long long)c, header[c] ? "\"" : "",
                             header[c] ? header[c] : "NULL", header[c] ? "\" with a comma, a quote or a line end" : "");
    return DYN_OK;
}

dyn_status dyn_array_write_csv(const dyn_array *a, const char *path, const char *const *header)
{
    table t = { a, header };
    locale_t c_locale, callers;
    dyn_status s;

    if (!a)
        return DYN_EINVAL;
    DYN__ENTER(a->ctx);
    DYN__NEED(a->ctx, path);
    DYN__TRY(check_table(a, header));
    c_locale = newlocale(LC_ALL_MASK, "C", (locale_t)0);
    if (!c_locale)
        return DYN__FAIL(a->ctx, DYN_ENOMEM, "no memory for the C locale");
    callers = uselocale(c_locale);      /* of this thread only */
    s = dyn__file_replace(a->ctx, path, write_csv, &t);
    uselocale(callers);
    freelocale(c_locale);
    return s;
}
