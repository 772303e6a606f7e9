/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Points of a sweep: a grid of them, and the text by which a store knows one. */
#include "sweep/sweep.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char *dyn__sweep_name(const dyn_sweep *w, int64_t parameter) { return w->names + parameter * DYN__NAME; }

int dyn__is_column(const char *name)
{
    static const char *const columns[] = { "status", "step", "loss", "seconds", "message" };

    for (size_t i = 0; i < sizeof columns / sizeof *columns; i++)
        if (strcmp(name, columns[i]) == 0)
            return 1;
    return 0;
}

dyn_status dyn__check_name(dyn_ctx *ctx, const char *what, const char *name)
{
    static const char allowed[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-. ";

    if (!name || !*name || strlen(name) >= DYN__NAME || name[strspn(name, allowed)])
        return DYN__FAIL(ctx, DYN_EINVAL, "%s \"%.80s\": 1 to %d letters, digits, or any of \"_-. \" are a name", what,
                         name ? name : "", DYN__NAME - 1);
    return DYN_OK;
}

dyn_status dyn_sweep_grid(int64_t parameters, const int64_t *counts, const double *const *lists, double *values,
                          int64_t *count)
{
    int64_t points = 1;

    if (parameters < 1 || !counts || !lists || !count)
        return DYN_EINVAL;
    for (int64_t p = 0; p < parameters; p++) {
        if (counts[p] < 1 || !lists[p] || points > INT64_MAX / parameters / counts[p])
            return DYN_EINVAL;
        points *= counts[p];
    }
    *count = points;
    for (int64_t i = 0; values && i < points; i++)
        for (int64_t p = parameters, rest = i; p-- > 0; rest /= counts[p])
            values[i * parameters + p] = lists[p][rest % counts[p]];
    return DYN_OK;
}

/* The locale's decimal point may be another. */
static void put_number(double x, int digits, char text[DYN__POINT_NUMBER])
{
    snprintf(text, DYN__POINT_NUMBER, "%.*g", digits, x);
}

static void plain_point(char *text)
{
    for (; *text; text++)
        if (!strchr("0123456789+-e", *text))
            *text = '.';
}

void dyn__json_number(double x, char text[DYN__POINT_NUMBER])
{
    if (!isfinite(x)) {
        snprintf(text, DYN__POINT_NUMBER, "\"%s\"", isnan(x) ? "nan" : x > 0 ? "inf" : "-inf");
        return;
    }
    if (x == floor(x) && fabs(x) < 9007199254740992.0) {
        snprintf(text, DYN__POINT_NUMBER, "%lld", (long long)x);
        return;
    }
    for (int digits = 1; digits <= 17; digits++) {
        put_number(x, digits, text);
        if (strtod(text, NULL) == x)
            break;
    }
    plain_point(text);
}

char *dyn__point_text(const dyn_sweep *w, int64_t i)
{
    const int64_t parameters = w->opt.parameters;
    char *text = dyn__alloc(w->ctx, (size_t)parameters * (DYN__NAME + DYN__POINT_NUMBER + 8) + 3, 1), *at = text;
    char number[DYN__POINT_NUMBER];

    if (!text)
        return NULL;
    *at++ = '{';
    for (int64_t p = 0; p < parameters; p++) {
        dyn__json_number(w->values[i * parameters + p], number);
        at += sprintf(at, "%s\"%s\": %s", p ? ", " : "", dyn__sweep_name(w, p), number);
    }
    strcpy(at, "}");
    return text;
}
