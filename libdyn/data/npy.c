/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The .npy format, versions 1 to 3: "\x93NUMPY", two version bytes, the length of the header (2 bytes in version 1, 4
 * later, little-endian), a Python dictionary such as {'descr': '<f8', 'fortran_order': False, 'shape': (3, 4), }, the
 * elements. Of Python we read just the literals that NumPy writes there; keys may come in any order. */
#include "data/data.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define MAGIC "\x93NUMPY"
#define MAGIC_SIZE 6

/* The dictionary while it is read: at is an offset in the file, end is where the elements begin. */
typedef struct header {
    dyn_ctx *ctx;
    const dyn__bytes *b;
    int64_t at, end;
    unsigned seen;              /* a bit for each key that was there */
    dyn__packing pack;
    int rank;
    int64_t shape[DYN_ARRAY_MAX_RANK];
} header;

static dyn_status expected(header *h, const char *what)
{
    if (h->at >= h->end)
        return DYN__FAIL(h->ctx, DYN_EFORMAT, "%s: the header ends at byte %lld, expected %s", h->b->name,
                         (long long)h->at, what);
    return DYN__FAIL(h->ctx, DYN_EFORMAT, "%s: byte %lld is 0x%02x, expected %s", h->b->name, (long long)h->at,
                     h->b->p[h->at], what);
}

static int peek(header *h)
{
    while (h->at < h->end && (h->b->p[h->at] == ' ' || h->b->p[h->at] == '\n'))
        h->at++;
    return h->at < h->end ? h->b->p[h->at] : -1;
}

static int accept(header *h, char c)
{
    if (peek(h) != c)
        return 0;
    h->at++;
    return 1;
}

static int accept_word(header *h, const char *word)
{
    int64_t n = (int64_t)strlen(word);

    (void)peek(h);
    if (h->end - h->at < n || memcmp(h->b->p + h->at, word, (size_t)n) != 0)
        return 0;
    h->at += n;
    return 1;
}

/* A quoted string without escapes, shorter than size. */
static dyn_status read_string(header *h, char *out, int size)
{
    int quote = peek(h), n = 0;

    if (quote != '\'' && quote != '"')
        return expected(h, "a quoted string");
    for (h->at++; h->at < h->end && h->b->p[h->at] != quote; h->at++) {
        if (n == size - 1)
            return expected(h, "the end of a short string");
        out[n++] = (char)h->b->p[h->at];
    }
    out[n] = 0;
    return accept(h, (char)quote) ? DYN_OK : expected(h, "a closing quote");
}

/* Element type: byte order, kind, size; NumPy's '|' is for single bytes, '=' never reaches a file. */
static dyn_status read_descr(header *h)
{
    int64_t start = h->at;
    char text[16];
    int order;

    if (peek(h) == '[')
        return DYN__FAIL(h->ctx, DYN_ENOTSUP, "%s: byte %lld: arrays of records are not supported", h->b->name,
                         (long long)start);
    DYN__TRY(read_string(h, text, sizeof text));
    order = text[0];
    if ((order != '<' && order != '>' && order != '|') || !strchr("fiub", text[1] ? text[1] : '?') ||
        text[2] < '1' || text[2] > '8' || text[3])
        return DYN__FAIL(h->ctx, DYN_ENOTSUP, "%s: byte %lld: element type '%s' is not supported", h->b->name,
                         (long long)start, text);
    h->pack.kind = text[1] == 'b' ? 'u' : text[1];      /* booleans are bytes 0 and 1 */
    h->pack.size = text[2] - '0';
    h->pack.big = order == '>';
    return DYN_OK;
}

static dyn_status read_order(header *h)
{
    h->pack.fortran = accept_word(h, "True");
    return h->pack.fortran || accept_word(h, "False") ? DYN_OK : expected(h, "True or False");
}

static dyn_status read_length(header *h, int64_t *out)
{
    int64_t start, v = 0;

    (void)peek(h);
    for (start = h->at; h->at < h->end && h->b->p[h->at] >= '0' && h->b->p[h->at] <= '9'; h->at++)
        if (__builtin_mul_overflow(v, 10, &v) || __builtin_add_overflow(v, h->b->p[h->at] - '0', &v))
            return expected(h, "a length below 2^63");
    if (h->at == start)
        return expected(h, "the length of an axis");
    (void)accept(h, 'L');       /* written by Python 2 */
    *out = v;
    return DYN_OK;
}

static dyn_status read_shape(header *h)
{
    if (!accept(h, '('))
        return expected(h, "(");
    for (h->rank = 0; !accept(h, ')'); h->rank++) {
        if (h->rank == DYN_ARRAY_MAX_RANK)
            return DYN__FAIL(h->ctx, DYN_EFORMAT, "%s: byte %lld: more than %d axes", h->b->name, (long long)h->at,
                             DYN_ARRAY_MAX_RANK);
        DYN__TRY(read_length(h, &h->shape[h->rank]));
        if (!accept(h, ',') && peek(h) != ')')
            return expected(h, ", or )");
    }
    return DYN_OK;
}

static const struct { const char *name; dyn_status (*read)(header *h); } keys[] = {
    { "descr", read_descr }, { "fortran_order", read_order }, { "shape", read_shape },
};
enum { KEYS = sizeof keys / sizeof *keys };

static dyn_status read_item(header *h)
{
    int64_t start = h->at;
    char name[16];

    DYN__TRY(read_string(h, name, sizeof name));
    if (!accept(h, ':'))
        return expected(h, ":");
    for (unsigned i = 0; i < KEYS; i++)
        if (!strcmp(name, keys[i].name) && !(h->seen & 1u << i)) {
            h->seen |= 1u << i;
            return keys[i].read(h);
        }
    return DYN__FAIL(h->ctx, DYN_EFORMAT, "%s: byte %lld: key '%s' is unknown or given twice", h->b->name,
                     (long long)start, name);
}

static dyn_status read_dictionary(header *h)
{
    if (!accept(h, '{'))
        return expected(h, "{");
    while (!accept(h, '}')) {
        DYN__TRY(read_item(h));
        if (!accept(h, ',') && peek(h) != '}')
            return expected(h, ", or }");
    }
    if (peek(h) >= 0)
        return expected(h, "nothing after the dictionary");
    if (h->seen != (1u << KEYS) - 1)
        return expected(h, "descr, fortran_order and shape");
    return DYN_OK;
}

/* Where the dictionary begins and ends. */
static dyn_status find_dictionary(header *h)
{
    const unsigned char *p = h->b->p;
    int width = h->b->n > MAGIC_SIZE && p[MAGIC_SIZE] > 1 ? 4 : 2;
    int64_t length = 0;

    h->at = MAGIC_SIZE + 2 + width;
    if (!dyn__is_npy(h->b))
        return DYN__FAIL(h->ctx, DYN_EFORMAT, "%s: does not begin as an .npy file", h->b->name);
    if (h->b->n < h->at)
        return DYN__FAIL(h->ctx, DYN_EFORMAT, "%s: ends at byte %lld within its header", h->b->name,
                         (long long)h->b->n);
    if (p[6] < 1 || p[6] > 3 || p[7] != 0)
        return DYN__FAIL(h->ctx, DYN_EVERSION, "%s: version %d.%d of the .npy format is unknown", h->b->name, p[6],
                         p[7]);
    for (int i = width - 1; i >= 0; i--)
        length = length << 8 | p[MAGIC_SIZE + 2 + i];
    if (length > h->b->n - h->at)
        return DYN__FAIL(h->ctx, DYN_EFORMAT, "%s: the header claims %lld bytes, the file has %lld after byte %lld",
                         h->b->name, (long long)length, (long long)(h->b->n - h->at), (long long)h->at);
    h->end = h->at + length;
    return DYN_OK;
}

int dyn__is_npy(const dyn__bytes *b)
{
    return b->n >= MAGIC_SIZE && !memcmp(b->p, MAGIC, MAGIC_SIZE);
}

dyn_status dyn__parse_npy(dyn_ctx *ctx, const dyn__bytes *b, dyn_array **out)
{
    header h = { .ctx = ctx, .b = b };

    *out = NULL;
    DYN__TRY(find_dictionary(&h));
    DYN__TRY(read_dictionary(&h));
    return dyn__unpack(ctx, b, h.end, &h.pack, h.rank, h.shape, out);
}

int64_t dyn__npy_header(const dyn_array *a, unsigned char *out)
{
    static const char *const descr[] = { [DYN_F64] = "f8", [DYN_F32] = "f4", [DYN_I64] = "i8", [DYN_U8] = "u1" };
    char order = __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__ ? '>' : '<', *text = (char *)out + 10;
    int n, total, room = DYN__NPY_HEADER - 10;

    if (a->dtype == DYN_U8)
        order = '|';
    n = snprintf(text, (size_t)room, "{'descr': '%c%s', 'fortran_order': False, 'shape': (", order, descr[a->dtype]);
    for (int i = 0; i < a->rank; i++)
        n += snprintf(text + n, (size_t)(room - n), i ? ", %" PRId64 : "%" PRId64, a->shape[i]);
    n += snprintf(text + n, (size_t)(room - n), a->rank == 1 ? ",), }" : "), }");
    total = (10 + n + 1 + 63) / 64 * 64;
    memset(text + n, ' ', (size_t)(total - 10 - n));
    out[total - 1] = '\n';
    memcpy(out, MAGIC "\x01\x00", 8);
    out[8] = (unsigned char)((total - 10) & 0xff);
    out[9] = (unsigned char)((total - 10) >> 8);
    return total;
}
