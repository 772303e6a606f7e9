# SPDX-License-Identifier: BSD-3-Clause
"""Write the tables that layout.c, options.c, calls.c and hostile/misuse.c include, from the public headers.

usage: generate.py layout|calls|misuse ROOT OUTPUT"""
import functools
import json
import pathlib
import re
import sys

import contract

KIND = {"double": "d", "int32_t": "i", "int64_t": "l", "uint32_t": "u", "uint64_t": "u"}
HANDLE_FREED = ("_free", "_unref", "_ref")      # with a live handle these would end it or leak it


def first_sizes(root):
    """Sizes of the option structs in the first release that had them."""
    sizes = {}
    for release in sorted(pathlib.Path(root, "tests/abi").glob("libdyn-*.layout.json")):
        for name, struct in json.loads(release.read_text())["structs"].items():
            sizes.setdefault(name, struct["size"])
    return sizes


def layout(root):
    structs = contract.structs(root)
    first = first_sizes(root)
    lines = []
    for s in structs:
        lines.append("static const %s %s_init = %s;" % (s.name, s.name, s.init))
        lines.append("static const struct field %s_fields[] = {" % s.name)
        lines += ["    { \"%s\", '%s', offsetof(%s, %s), sizeof ((%s *)0)->%s }," %
                  (f, "p" if "*" in kind else KIND.get(kind, "p"), s.name, f, s.name, f) for kind, f in s.fields]
        lines.append("};")
    lines.append("static const struct layout layouts[] = {")
    lines += ["    { \"%s\", sizeof(%s), %s, &%s_init, %d, %s_fields }," %
              (s.name, s.name, first.get(s.name, "sizeof(%s)" % s.name), s.name, len(s.fields), s.name) for s in structs]
    lines += ["};", "static const struct enumerator enumerators[] = {"]
    names = [name for name, _ in contract.statuses(root)] + [e.name for e in contract.enumerators(root)]
    lines += ["    { \"%s\", %s }," % (name, name) for name in names]
    return lines + ["};"]


def argument(kind):
    """The worst value of a type."""
    if "*" in kind or kind.endswith("_fn"):
        return "NULL"
    return "(double)NAN" if kind == "double" else "0"


def handle(function):
    """The type of the object a function works on, or None."""
    kind = function.parameters[0][0] if function.parameters else ""
    name = kind.replace("const ", "").replace(" *", "")
    return name if "*" in kind and name.startswith("dyn_") and not name.endswith("_options") else None


def call(function, first):
    arguments = [argument(kind) for kind, _ in function.parameters]
    if first:
        arguments[0] = first
    text = "%s(%s)" % (function.name, ", ".join(arguments))
    if function.result == "dyn_status":
        return "return %s;" % text
    if function.result == "dyn_node":
        return "return %s < 0 ? DYN_EINVAL : DYN_OK;" % text
    return "(void)%s; return NO_STATUS;" % text


def calls(root):
    entries = []
    lines = []
    for f in contract.functions(root):
        kind = handle(f)
        lines.append("static dyn_status null_%s(void) { %s }" % (f.name, call(f, None)))
        live = "NULL"
        if kind and not f.name.endswith(HANDLE_FREED):
            lines.append("static dyn_status live_%s(void) { if (!live.%s) return NO_STATUS; %s }" %
                         (f.name, kind[4:], call(f, "live." + kind[4:])))
            live = "live_" + f.name
        entries.append("    { \"%s\", null_%s, %s }," % (f.name, f.name, live))
    return lines + ["static const struct entry entries[] = {"] + entries + ["};"]


@functools.cache
def opaque(root):
    """Types of which the headers do not say what is in them."""
    text = "".join(contract.code(header) for header in contract.headers(root))
    return frozenset(re.findall(r"typedef struct (dyn_\w+) \1;", text))


def object_name(kind):
    """'graph' for a pointer to a dyn_graph, None for all that is no object."""
    name = kind.replace("const ", "").replace("struct ", "").replace(" *", "")
    return name[4:] if kind.count("*") == 1 and name in opaque(sys.argv[2]) else None


def misused(kind, place):
    """The argument of a type as a member of `v`, the values of a trial; objects live, but for one at v.foreign."""
    if object_name(kind):
        return "(v.foreign == %d ? other.%s : live.%s)" % (place, object_name(kind), object_name(kind))
    if kind.endswith("_fn"):
        return "NULL"
    if kind == "const char *":
        return "v.text"
    if "*" in kind:
        return "(void *)v.handles" if kind.count("*") > 1 and "const" in kind else "memory(%d)" % place
    return "v.number" if kind == "double" else "(%s)v.integer" % kind


def misuse(root):
    entries = []
    lines = []
    for f in contract.functions(root):
        if f.name.endswith(HANDLE_FREED) or not f.parameters or object_name(f.parameters[0][0]) == "build":
            continue        # a dyn_build exists inside of a build function only
        text = "%s(%s)" % (f.name, ", ".join(misused(kind, i) for i, (kind, _) in enumerate(f.parameters)))
        status = "return %s;" if f.result in ("dyn_status", "dyn_node") else "(void)%s; return NO_STATUS;"
        lines.append("static int32_t try_%s(void) { %s }" % (f.name, status % text))
        objects = [i for i, (kind, _) in enumerate(f.parameters) if object_name(kind)]
        met = [i for i in objects[1:] if object_name(f.parameters[i][0]) != "ctx"]      # a context is of no other
        entries.append("    { \"%s\", try_%s, %d, %d }," % (f.name, f.name, objects[0] if objects else -1,
                                                          met[0] if met else -1))
    return lines + ["static const struct entry entries[] = {"] + entries + ["};"]


def main():
    what, root, output = sys.argv[1:4]
    with open(output, "w") as out:
        out.write("\n".join({"layout": layout, "calls": calls, "misuse": misuse}[what](root)) + "\n")


main()
