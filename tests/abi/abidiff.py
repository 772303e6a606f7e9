# SPDX-License-Identifier: BSD-3-Clause
"""The shared library keeps the ABI of the committed dump; and the check notices what it is for.

usage: abidiff.py ROOT LIBRARY

Pairs of tiny libraries, one of them with a changed header, are compared in the same way. The fields of option structs
are the matter of released.py. A dump speaks for the machine it was made on: another's are left out."""
import pathlib
import re
import subprocess
import sys
import tempfile

import abi
sys.path.append(str(pathlib.Path(__file__).parents[1]))
import checks

root, library = sys.argv[1:3]
here = pathlib.Path(__file__).parent
suppressions = str(here / abi.SUPPRESSIONS)

HEADER = """#include <stdint.h>
typedef struct dyn_thing dyn_thing;
typedef struct dyn_thing_options { uint32_t struct_size; int32_t kind; double rate; int64_t steps; } dyn_thing_options;
enum dyn_kind { DYN_KIND_A = 0, DYN_KIND_B = 1 };
int32_t dyn_thing_create(const dyn_thing_options *opt, enum dyn_kind kind, dyn_thing **out);
double dyn_thing_value(const dyn_thing *t, double x);
"""
SOURCE = """#include "thing.h"
struct dyn_thing { double value; };
int32_t dyn_thing_create(const dyn_thing_options *opt, enum dyn_kind kind, dyn_thing **out)
{ (void)opt; (void)kind; *out = 0; return 0; }
double dyn_thing_value(const dyn_thing *t, double x) { return t->value * x; }
"""
HARMLESS = {    # what changes: (old text, new text)
    "nothing": ("", ""),
    "an opaque struct grows": ("{ double value; }", "{ double value, other; }"),
    "options grow at the end": ("int64_t steps; }", "int64_t steps, more; }"),
    "an enumerator is appended": ("DYN_KIND_B = 1", "DYN_KIND_B = 1, DYN_KIND_C = 2"),
    "a function is added": ("double dyn_thing_value(", "double dyn_thing_more(void);\ndouble dyn_thing_value("),
}
BREAKING = {
    "an argument changes its type": ("double x)", "float x)"),
    "an argument is dropped": (", double x)", ")"),
    "an enumerator is renumbered": ("DYN_KIND_B = 1", "DYN_KIND_B = 2"),
    "a function is removed": ("double dyn_thing_value(", "static inline double dyn_thing_value("),
}


def build(folder, change):
    folder.mkdir()
    (folder / "thing.h").write_text(HEADER.replace(*change))
    body = SOURCE.replace(*change) if change[0] in SOURCE else SOURCE
    (folder / "thing.c").write_text(body.replace("return t->value * x", "return t->value"))
    subprocess.run(["cc", "-g", "-shared", "-fPIC", "-Wl,-soname,libthing.so.0", "-o", folder / "libthing.so",
                    folder / "thing.c"], check=True)
    return str(folder / "libthing.so")


def compare(change):
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        old = build(folder / "old", ("", ""))
        new = build(folder / "new", change)
        abi.dump(old, str(folder / "old"), str(folder / "old.xml"))
        return abi.difference(str(folder / "old.xml"), new, str(folder / "new"), suppressions)


def accepted(change):
    report = compare(change)
    assert not report, report


def noticed(change):
    assert compare(change), "not noticed"


def kept_since(dump):
    report = abi.difference(str(dump), library, root + "/include", suppressions)
    changed = set(re.findall(r"\[[CD]\] '(?:function|method) [^']*?(dyn_\w+)\(", report))
    assert not report or (changed and not abi.all_frozen(root) and not changed & abi.FROZEN_NOW), report
    for name in sorted(changed):
        print("# experimental, changed since %s: %s" % (dump.stem, name))


if not abi.available():
    print("abidiff is not installed (abigail-tools)")
    sys.exit(checks.SKIP)
dumps = [d for d in sorted(here.glob("libdyn-*.abi.xml")) if abi.same_machine(d, library)]
tests = [("accepted: " + name, lambda c=c: accepted(c)) for name, c in HARMLESS.items()]
tests += [("noticed: " + name, lambda c=c: noticed(c)) for name, c in BREAKING.items()]
tests += [("ABI of %s kept" % dump.stem, lambda d=dump: kept_since(d)) for dump in dumps]
checks.run(tests)
