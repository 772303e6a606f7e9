# SPDX-License-Identifier: BSD-3-Clause
"""What the public headers say, read as text: functions, structs and enumerators.

The headers keep to a plain form (one declaration per statement, option structs without nested types), and the tests
that use this module fail where they do not."""
import collections
import pathlib
import re

Function = collections.namedtuple("Function", "name result parameters header")     # parameters: [(type, name)]
Struct = collections.namedtuple("Struct", "name fields init header")               # fields: [(type, name)]
Enumerator = collections.namedtuple("Enumerator", "name value header")


def headers(root):
    return sorted(pathlib.Path(root, "include/dyn").glob("*.h"))


def code(header):
    """The header without comments."""
    return re.sub(r"/\*.*?\*/", " ", header.read_text(), flags=re.S)


def declaration(text):
    """'const double *x' -> ('const double *', 'x'); arrays count as pointers."""
    match = re.match(r"^(.*?)(\w+)\s*((?:\[\w*\])*)$", " ".join(text.split()))
    kind, name, array = match.groups()
    return kind.strip() + (" *" if array else ""), name


def functions(root):
    found = []
    for header in headers(root):
        for result, name, arguments in re.findall(r"^DYN_API\s+([\w\s*]*?)(\w+)\s*\(([^()]*)\)\s*;", code(header), re.M):
            given = [] if arguments.strip() == "void" else arguments.split(",")
            found.append(Function(name, " ".join(result.split()), [declaration(a) for a in given], header.name))
    return found


def structs(root):
    """The option structs, which callers fill."""
    return [s for s in sized(root) if not s.name.endswith("_view")]


def views(root):
    """What the library fills for callbacks."""
    return [s for s in sized(root) if s.name.endswith("_view")]


def sized(root):
    found = []
    for header in headers(root):
        text = code(header)
        for body, name in re.findall(r"typedef struct \w*\s*\{([^{}]*)\}\s*(\w+)\s*;", text):
            if "struct_size" not in body:       # a part of an option struct, or a result
                continue
            fields = [declaration(f) for f in body.split(";") if f.strip()]
            init = re.search(r"#define\s+(\w+)\s*\\?\s*\{\s*DYN_SIZE_OF\(%s\)" % name, text)
            found.append(Struct(name, fields, init and init.group(1), header.name))
    return found


def enumerators(root):
    """All but the status codes, which come from DYN_STATUS_LIST. value is None if it is not explicit."""
    found = []
    for header in headers(root):
        for body in re.findall(r"enum\s*\w*\s*\{([^{}#]*)\}", code(header)):
            for entry in body.split(","):
                if entry.strip():
                    name, _, value = entry.partition("=")
                    found.append(Enumerator(name.strip(), value.strip() or None, header.name))
    return found


def statuses(root):
    text = pathlib.Path(root, "include/dyn/status.h").read_text()
    return [(name, int(value)) for name, value in re.findall(r'X\((DYN_\w+), (-?\d+), "', text)]
