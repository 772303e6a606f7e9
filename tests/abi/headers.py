# SPDX-License-Identifier: BSD-3-Clause
"""Each public header compiles alone as C99, C11 and C++11, and keeps to the conventions of docs/abi.md.

usage: headers.py ROOT CC CXX"""
import pathlib
import re
import subprocess
import sys

import contract
sys.path.append(str(pathlib.Path(__file__).parents[1]))
import checks

root, cc, cxx = sys.argv[1:4]
STANDARDS = [(cc, "c", "c99"), (cc, "c", "c11"), (cxx, "c++", "c++11")]
BANNED = [r"\bbool\b", r"\b_Bool\b", r"\blong\b", r"\bFILE\b", r"\bva_list\b", r"\.\.\.", r"\bint\b(?!32)", r"\w\s*:\s*\d+\s*;"]


def compiles(header):
    for compiler, language, standard in STANDARDS:
        run = subprocess.run([compiler, "-x", language, "-std=" + standard, "-Wall", "-Wextra", "-pedantic", "-Werror",
                              "-fsyntax-only", "-I", root + "/include", "-"],
                             input="#include <dyn/%s>\n" % header.name, capture_output=True, text=True)
        assert run.returncode == 0, "%s as %s:\n%s" % (header.name, standard, run.stderr)


def quiet_in_strict_programs():
    """The INIT macros and dyn.hpp under the flags of careful C++ programs."""
    lines = ["#include <dyn/dyn.hpp>"]
    lines += ["{0} make_{0}();\n{0} make_{0}() {{ {0} o = {1}; return o; }}".format(s.name, s.init)
              for s in contract.structs(root)]
    flags = ["-Wall", "-Wextra", "-pedantic", "-Wold-style-cast", "-Wconversion", "-Wsign-conversion", "-Wshadow", "-Werror"]
    own = "-Wreserved-identifier" if "clang" in cxx else "-Wuseless-cast"
    run = subprocess.run([cxx, "-x", "c++", "-std=c++17", *flags, own, "-fsyntax-only", "-I", root + "/include", "-I",
                          root + "/bindings/cpp", "-"], input="\n".join(lines) + "\n", capture_output=True, text=True)
    assert run.returncode == 0, run.stderr


def refused_below_cpp17():
    run = subprocess.run([cxx, "-x", "c++", "-std=c++14", "-fsyntax-only", "-I", root + "/include", "-I",
                          root + "/bindings/cpp", "-"], input="#include <dyn/dyn.hpp>\n", capture_output=True, text=True)
    assert run.returncode != 0 and "dyn.hpp needs C++17" in run.stderr, run.stderr


def plain(header):
    text = contract.code(header)
    for pattern in BANNED:
        match = re.search(pattern, text)
        assert not match, "%s uses '%s'" % (header.name, match.group())


def listed():
    names = {h.name for h in contract.headers(root)}
    umbrella = set(re.findall(r"#include <dyn/(\w+\.h)>", pathlib.Path(root, "include/dyn/dyn.h").read_text()))
    installed = set(re.findall(r"'dyn/(\w+\.h)'", pathlib.Path(root, "include/meson.build").read_text()))
    assert umbrella == names - {"dyn.h"}, "dyn.h and the folder differ in %s" % (umbrella ^ (names - {"dyn.h"}))
    assert installed == names, "include/meson.build and the folder differ in %s" % (installed ^ names)


def every_declaration_read():
    for header in contract.headers(root):
        marked = len(re.findall(r"^DYN_API\b", contract.code(header), re.M))
        read = sum(f.header == header.name for f in contract.functions(root))
        assert marked == read, "%s: %d of %d declarations read" % (header.name, read, marked)


def enumerators_explicit():
    for e in contract.enumerators(root):
        assert e.value is not None, "%s: %s has no explicit value" % (e.header, e.name)


def statuses_unique():
    values = [value for _, value in contract.statuses(root)]
    assert len(values) > 10 and len(values) == len(set(values)), values


def options_sized():
    for s in contract.structs(root):
        assert s.fields[0] == ("uint32_t", "struct_size"), "%s: %s has no struct_size" % (s.header, s.name)
        assert s.init, "%s: %s has no INIT macro" % (s.header, s.name)
    for s in contract.views(root):
        assert s.fields[0] == ("uint32_t", "struct_size"), "%s: %s has no struct_size" % (s.header, s.name)
        assert not s.init, "%s: %s is filled by the library, it needs no INIT macro" % (s.header, s.name)


def documented():
    for header in contract.headers(root):
        text = header.read_text()
        for match in re.finditer(r"^DYN_API\b[^;]*;[^\n]*", text, re.M):
            before = text[:match.start()].rstrip()
            assert before.endswith("*/") or "/**<" in match.group() or before.endswith(";"), \
                "%s: undocumented: %s" % (header.name, match.group().split("(")[0])


tests = [(h.name + " compiles alone", lambda h=h: compiles(h)) for h in contract.headers(root)]
tests += [(h.name + " binds to any language", lambda h=h: plain(h)) for h in contract.headers(root)]
tests += [(f.__name__, f) for f in (quiet_in_strict_programs, refused_below_cpp17, listed,
                                    every_declaration_read, enumerators_explicit, statuses_unique, options_sized,
                                    documented)]
checks.run(tests)
