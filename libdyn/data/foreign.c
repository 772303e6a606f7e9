/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Files of other kinds that are given to the readers by mistake: what they are, from their first bytes, so that the
 * message can say more than that line 1 is not a number. */
#include "data/data.h"

#include <string.h>

#define STARTS(bytes, what) { bytes, sizeof bytes - 1, what }

static const struct { const char *bytes; size_t n; const char *what; } kinds[] = {
    STARTS("\x89HDF\r\n\x1a\n", "an HDF5 file"),
    STARTS("\x89PNG\r\n\x1a\n", "a PNG image"),
    STARTS("\xff\xd8\xff", "a JPEG image"),
    STARTS("GIF87a", "a GIF image"),
    STARTS("GIF89a", "a GIF image"),
    STARTS("%PDF", "a PDF document"),
    STARTS("BZh91AY&SY", "compressed with bzip2"),
    STARTS("\xfd""7zXZ", "compressed with xz"),
    STARTS("\x28\xb5\x2f\xfd", "compressed with zstd"),
    STARTS("7z\xbc\xaf\x27\x1c", "a 7z archive"),
    STARTS("PAR1\x15", "a Parquet file"),
    STARTS("ARROW1\0", "an Arrow file"),
    STARTS("MATLAB 5.0", "a MATLAB file"),
    STARTS("CDF\x01", "a NetCDF file"),
    STARTS("CDF\x02", "a NetCDF file"),
    STARTS("SQLite format 3", "an SQLite database"),
    STARTS("\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "an old Office document"),
    STARTS("\x80\x02", "a Python pickle"),
    STARTS("\x80\x03", "a Python pickle"),
    STARTS("\x80\x04", "a Python pickle"),
    STARTS("\x80\x05", "a Python pickle"),
    STARTS("<!DOCTYPE html", "an HTML page"),
    STARTS("<!doctype html", "an HTML page"),
    STARTS("<html", "an HTML page"),
    STARTS("<?xml", "an XML document"),
    STARTS("\xff\xfe", "text in UTF-16: save it as UTF-8"),
    STARTS("\xfe\xff", "text in UTF-16: save it as UTF-8"),
};

/* Text in two bytes a character, without the mark at its beginning. */
static int is_wide_text(const dyn__bytes *b)
{
    if (b->n < 4 || b->n % 2)
        return 0;
    return (b->p[0] && !b->p[1] && b->p[2] && !b->p[3]) || (!b->p[0] && b->p[1] && !b->p[2] && b->p[3]);
}

const char *dyn__foreign(const dyn__bytes *b)
{
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        if (b->n >= (int64_t)kinds[i].n && !memcmp(b->p, kinds[i].bytes, kinds[i].n))
            return kinds[i].what;
    return is_wide_text(b) ? "text in UTF-16: save it as UTF-8" : NULL;
}
