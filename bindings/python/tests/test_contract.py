# SPDX-License-Identifier: BSD-3-Clause
"""The table of the package against the headers, the C compiler and the library."""
import ctypes
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import unittest

import dyn
from dyn import _lib, _table

ROOT = pathlib.Path(__file__).resolve().parents[3]
sys.path.insert(0, str(ROOT / "tests/abi"))
import contract  # noqa: E402  the reader of the headers that all tests share


def word(kind):
    """The table's word for a C type."""
    plain = {"dyn_status": "status", "dyn_node": "i32", "const char *": "str", "void": "void", "double": "f64",
             "int32_t": "i32", "uint32_t": "u32", "int64_t": "i64", "uint64_t": "u64"}
    handle = re.fullmatch(r"(?:const )?dyn_(\w+) (\*\*?)", kind)
    if handle and handle[1] in _lib.FREE:
        return handle[1] + handle[2][1:]
    return plain[kind] if kind in plain else "ptr"


def compiled(lines):
    """Numbers that a C program prints, by name."""
    program = ["#include <stddef.h>", "#include <stdio.h>", "#include <dyn/dyn.h>", "int main(void) {", *lines,
               "return 0; }"]
    with tempfile.TemporaryDirectory() as folder:
        source, exe = os.path.join(folder, "t.c"), os.path.join(folder, "t")
        pathlib.Path(source).write_text("\n".join(program))
        subprocess.run(["cc", "-I", str(ROOT / "include"), source, "-o", exe], check=True)
        text = subprocess.run([exe], check=True, capture_output=True, text=True).stdout
    return {name: int(value) for name, value in (line.split() for line in text.splitlines())}


class Contract(unittest.TestCase):
    maxDiff = None

    def test_functions_are_those_of_the_headers(self):
        headers = {f.name: [word(f.result), *(word(kind) for kind, _ in f.parameters)]
                   for f in contract.functions(ROOT)}
        table = {name: kinds for name, *kinds in _lib._records(_table.FUNCTIONS)}
        self.assertEqual(set(table), set(headers))
        self.assertEqual([(n, k, headers[n]) for n, k in table.items() if k != headers[n]], [])

    def test_every_function_is_in_the_library(self):
        for name, *_ in _lib._records(_table.FUNCTIONS):
            self.assertTrue(callable(getattr(_lib.lib, name)), name)

    def test_callbacks_are_those_of_the_headers(self):
        found = {}
        for header in contract.headers(ROOT):
            for result, name, arguments in contract.re.findall(
                    r"typedef\s+([\w *]+?)\s*\(\*(\w+_fn)\)\s*\(([^()]*)\)", contract.code(header)):
                kinds = [contract.declaration(a)[0] for a in arguments.split(",")]
                found[name] = [word(result), *("ptr" if word(k) in _lib.FREE else word(k) for k in kinds)]
        table = {name: kinds for name, *kinds in _lib._records(_table.CALLBACKS)}
        unused = {"dyn_alloc_fn", "dyn_free_fn"}        # memory of C, of no use from Python
        self.assertEqual(table, {name: kinds for name, kinds in found.items() if name not in unused})

    def test_structs_lie_as_the_compiler_lays_them(self):
        lines, expected = [], {}
        for name, struct in _lib.structs.items():
            lines.append(f'printf("{name} %zu\\n", sizeof({name}));')
            expected[name] = ctypes.sizeof(struct)
            for field, _ in struct._fields_:
                lines.append(f'printf("{name}.{field} %zu\\n", offsetof({name}, {field}));')
                expected[f"{name}.{field}"] = getattr(struct, field).offset
        self.assertEqual(compiled(lines), expected)

    def test_structs_have_the_fields_of_the_headers(self):
        headers = {s.name: [(field, "ptr" if "*" in kind else word(kind)) for kind, field in s.fields]
                   for s in contract.structs(ROOT) + contract.views(ROOT)}
        table = {name: [tuple(f.split(":")) for f in fields] for name, *fields in _lib._records(_table.STRUCTS)}
        self.assertEqual(table, headers)

    def test_enumerators_have_the_values_of_the_headers(self):
        expected = {prefix + name.upper(): value for prefix, values in _table.ENUMERATORS.values()
                    for name, value in values.items()}
        self.assertEqual(compiled([f'printf("{name} %d\\n", {name});' for name in expected]), expected)
        all_names = {name for name, _ in contract.statuses(ROOT)} | {e.name for e in contract.enumerators(ROOT)}
        not_here = {"DYN_MAX_RANK", "DYN__STATUS_END"}
        self.assertEqual({n for n in all_names if not n.startswith("DYN__")} - set(expected) - not_here, set())

    def test_options_begin_with_their_size(self):
        for name, struct in _lib.structs.items():
            if not name.endswith("_view"):      # filled by the library
                self.assertEqual(struct().struct_size, ctypes.sizeof(struct))

    def test_version(self):
        self.assertEqual(_lib.lib.dyn_version().decode(), dyn.__version__)


class Finding(unittest.TestCase):
    """Which library is loaded, in processes of their own."""

    def load(self, **environment):
        code = "import dyn; from dyn import _lib; print(_lib.lib._library._name)"
        return subprocess.run([sys.executable, "-c", code], env={**os.environ, **environment}, capture_output=True,
                              text=True)

    def test_environment_comes_first(self):
        path = os.path.abspath(_lib.lib._library._name)
        self.assertEqual(self.load(DYN_LIBRARY=path).stdout.strip(), path)

    def test_a_missing_library_is_an_import_error_or_os_error(self):
        result = self.load(DYN_LIBRARY="/nowhere/libdyn.so.0")
        self.assertNotEqual(result.returncode, 0)
        self.assertIn("/nowhere/libdyn.so.0", result.stderr)

    def test_another_version_is_refused(self):
        with tempfile.TemporaryDirectory() as folder:
            source, library = os.path.join(folder, "t.c"), os.path.join(folder, "libdyn.so.0")
            pathlib.Path(source).write_text('const char *dyn_version(void) { return "0.9.3"; }')
            subprocess.run(["cc", "-shared", "-fPIC", source, "-o", library], check=True)
            self.assertIn("0.9.3", self.load(DYN_LIBRARY=library).stderr)


if __name__ == "__main__":
    unittest.main()
