/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Tables of numbers as text. Lines are rows; cells are separated by semicolon, comma, tab or spaces, whichever the
 * first line has. Every row has as many cells as the first. Numbers go through strtod of the C locale. */
#include "data/data.h"

#include <errno.h>
#include <locale.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { CELL_MAX = 128, SHOWN = 24 };

typedef struct span { const char *p; int64_t n; } span;

typedef struct reader {
    dyn_ctx *ctx;
    const dyn__bytes *b;
    locale_t locale;
    int64_t at, line;           /* offset of the next line; number of the current one */
    char separator;             /* 0 until the first line was seen */
    int64_t rows, columns;
    double *cells;
    int64_t count, capacity;
} reader;

static int is_blank(char c) { return c == ' ' || c == '\r'; }

static span trim(span s)
{
    while (s.n && is_blank(s.p[0])) {
        s.p++;
        s.n--;
    }
    while (s.n && is_blank(s.p[s.n - 1]))
        s.n--;
    return s;
}

/* The next line that is neither empty nor a comment, trimmed; 0 at the end. */
static int next_line(reader *r, span *out)
{
    while (r->at < r->b->n) {
        const char *p = (const char *)r->b->p + r->at, *end = memchr(p, '\n', (size_t)(r->b->n - r->at));
        span s = { p, end ? end - p : r->b->n - r->at };
        r->at += s.n + 1;
        r->line++;
        *out = trim(s);
        if (out->n && out->p[0] != '#')
            return 1;
    }
    return 0;
}

static char find_separator(span line)
{
    static const char candidates[] = ";,\t";

    for (const char *c = candidates; *c; c++)
        if (memchr(line.p, *c, (size_t)line.n))
            return *c;
    return ' ';
}

/* Take the first cell off the rest of a line; 0 when none is left. rest->p is NULL after the last. */
static int next_cell(span *rest, char separator, span *cell)
{
    const char *end;

    if (!rest->p)
        return 0;
    end = memchr(rest->p, separator, (size_t)rest->n);
    *cell = *rest;
    if (!end) {
        rest->p = NULL;
    } else {
        cell->n = end - rest->p;
        rest->n -= cell->n + 1;
        rest->p = end + 1;
        if (separator == ' ')
            *rest = trim(*rest);    /* spaces run together */
    }
    *cell = trim(*cell);
    return 1;
}

enum number { NO_NUMBER, A_NUMBER, TOO_LARGE };

static enum number parse_number(span cell, locale_t locale, double *out)
{
    char text[CELL_MAX], *end;

    if (!cell.n || cell.n >= CELL_MAX)
        return NO_NUMBER;
    memcpy(text, cell.p, (size_t)cell.n);
    text[cell.n] = 0;
    errno = 0;
    *out = strtod_l(text, &end, locale);
    if (end != text + cell.n)
        return NO_NUMBER;
    return errno == ERANGE && fabs(*out) > 1 ? TOO_LARGE : A_NUMBER;
}

static int is_digit(char c) { return c >= '0' && c <= '9'; }
static int is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (unsigned char)c >= 128; }

/* A number in a form that we do not read: 1.0D0, 1_000, 1+2j, 5 %. Names do not begin so. */
static int looks_like_number(span cell)
{
    int64_t i = 0;

    while (i < cell.n && strchr("+-.", cell.p[i]))
        i++;
    if (i == cell.n || !is_digit(cell.p[i]))
        return 0;
    while (i < cell.n && (is_digit(cell.p[i]) || strchr("+-.,'_ %eEdDqQxXpPiIjJfFlL", cell.p[i])))
        i++;
    return i == cell.n;
}

/* What stands for a number that is missing. */
static int is_missing(span cell)
{
    static const char *const words[] = { "na", "n/a", "#n/a", "<na>", "nan", "null", "none", "nil", "missing" };

    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (strlen(words[i]) == (size_t)cell.n && !strncasecmp(words[i], cell.p, (size_t)cell.n))
            return 1;
    return 0;
}

static int is_name(span cell)
{
    if (cell.n >= 2 && strchr("\"'", cell.p[0]) && cell.p[cell.n - 1] == cell.p[0])
        cell = trim((span){ cell.p + 1, cell.n - 2 });
    for (int64_t i = 0; i < cell.n; i++)
        if (is_letter(cell.p[i]))
            return !looks_like_number(cell) && !is_missing(cell);
    return 0;
}

/* A header has a name and no number at all: a row of data with bad cells must not pass for a header and vanish. */
static int is_header(reader *r, span line)
{
    int names = 0;
    span cell;
    double v;

    while (next_cell(&line, r->separator, &cell)) {
        if (parse_number(cell, r->locale, &v) != NO_NUMBER)
            return 0;
        names += is_name(cell);
    }
    return names > 0;
}

/* Where a cell is wrong and how it begins. */
static dyn_status bad_cell(reader *r, int64_t column, span cell, const char *what)
{
    char shown[SHOWN + 1];
    int64_t n = cell.n < SHOWN ? cell.n : SHOWN;

    for (int64_t i = 0; i < n; i++)
        shown[i] = cell.p[i] >= ' ' && cell.p[i] < 127 ? cell.p[i] : '?';
    shown[n] = 0;
    return DYN__FAIL(r->ctx, DYN_EFORMAT, "%s: line %lld, column %lld: \"%s\"%s is %s", r->b->name, (long long)r->line,
                     (long long)column, shown, cell.n > SHOWN ? "..." : "", what);
}

static dyn_status add_cell(reader *r, double v)
{
    void *cells = r->cells;
    dyn_status s = dyn__grow(r->ctx, &cells, &r->capacity, r->count + 1, sizeof(double));

    r->cells = cells;
    if (s == DYN_OK)
        r->cells[r->count++] = v;
    return s;
}

static dyn_status read_row(reader *r, span line)
{
    int64_t n = 0;
    enum number kind;
    span cell;
    double v;

    while (next_cell(&line, r->separator, &cell)) {
        n++;
        kind = parse_number(cell, r->locale, &v);
        if (kind != A_NUMBER)
            return bad_cell(r, n, cell, kind == TOO_LARGE ? "beyond the largest double" : "not a number");
        DYN__TRY(add_cell(r, v));
    }
    if (r->rows && n != r->columns)
        return DYN__FAIL(r->ctx, DYN_EFORMAT, "%s: line %lld has %lld cells, the lines before it %lld", r->b->name,
                         (long long)r->line, (long long)n, (long long)r->columns);
    r->columns = n;
    r->rows++;
    return DYN_OK;
}

static dyn_status read_rows(reader *r)
{
    span line;

    while (next_line(r, &line)) {
        int first = !r->separator;
        if (first)
            r->separator = find_separator(line);
        if (!(first && is_header(r, line)))
            DYN__TRY(read_row(r, line));
        DYN__TRY(dyn__check_interrupt(r->ctx));
    }
    if (!r->rows)
        return DYN__FAIL(r->ctx, DYN_EFORMAT, "%s: no row of numbers in %lld lines", r->b->name, (long long)r->line);
    return DYN_OK;
}

dyn_status dyn__parse_csv(dyn_ctx *ctx, const dyn__bytes *b, dyn_array **out)
{
    reader r = { .ctx = ctx, .b = b };
    dyn_status s;

    *out = NULL;
    if (b->n >= 3 && !memcmp(b->p, "\xef\xbb\xbf", 3))
        r.at = 3;       /* the mark that some programs put before UTF-8 */
    r.locale = newlocale(LC_ALL_MASK, "C", (locale_t)0);
    if (!r.locale)
        return DYN__FAIL(ctx, DYN_ENOMEM, "%s: no memory for the C locale", b->name);
    s = read_rows(&r);
    if (s == DYN_OK)
        s = dyn_array_create(ctx, DYN_F64, 2, (int64_t[]){ r.rows, r.columns }, r.cells, out);
    dyn__free(ctx, r.cells);
    freelocale(r.locale);
    return s;
}
