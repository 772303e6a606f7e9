# SPDX-License-Identifier: BSD-3-Clause
"""The functions marked DYN_API, the symbol map and the symbols of the shared library are the same list.

usage: symbols.py ROOT LIBRARY"""
import pathlib
import re
import subprocess
import sys

import contract
sys.path.append(str(pathlib.Path(__file__).parents[1]))
import checks

root, library = sys.argv[1:3]
declared = {f.name for f in contract.functions(root)}
mapped = re.findall(r"^\s+(\w+);", pathlib.Path(root, "libdyn/libdyn.map").read_text(), re.M)


def same(what, a, b):
    assert a == b, "%s; only in the first: %s; only in the second: %s" % (what, sorted(a - b), sorted(b - a))


def headers_and_map():
    same("headers and libdyn.map", declared, set(mapped))


def map_sorted():
    assert mapped == sorted(set(mapped)), "libdyn.map is not in alphabetical order, or has a name twice"


def map_and_library():
    lines = subprocess.run(["nm", "-D", "--defined-only", "--with-symbol-versions", library], capture_output=True,
                           text=True, check=True).stdout.split("\n")
    exported = {line.split()[2] for line in lines if line and line.split()[1] != "A"}
    same("libdyn.map and %s" % library, {name + "@@DYN_0.1" for name in mapped}, exported)


def soname():
    dynamic = subprocess.run(["readelf", "-d", library], capture_output=True, text=True, check=True).stdout
    assert "Library soname: [libdyn.so.0]" in dynamic, "the soname is not libdyn.so.0"


def page_names_headers():
    page = pathlib.Path(root, "docs/abi.md").read_text()
    missing = [h.name for h in pathlib.Path(root, "include/dyn").glob("*.h") if h.name != "dyn.h" and "`%s`" % h.name not in page]
    assert not missing, "docs/abi.md does not say whether 0.3 freezes %s" % ", ".join(sorted(missing))


checks.run([(f.__name__, f) for f in (page_names_headers, headers_and_map, map_sorted, map_and_library, soname)])
