# SPDX-License-Identifier: BSD-3-Clause
"""Every public function that can run out of memory is called in an out-of-memory test. usage: exhausted.py SOURCE

Such a test includes oom/oom.h. A function cannot run out where it is handed nothing that allocates: no context, and no
object but constant ones."""
import os
import pathlib
import re
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
import checks      # noqa: E402
import contract    # noqa: E402

ROOT = pathlib.Path(sys.argv[1])
# Copies of what a run has kept, or keeps; a sum of sizes.
COPIES = {"dyn_eigen_bytes", "dyn_run_best", "dyn_run_set_parameters", "dyn_run_set_theta"}


def opaque():
    text = "".join(contract.code(h) for h in contract.headers(ROOT))
    return {"%s *" % name for name in re.findall(r"typedef struct (dyn_\w+) \1;", text)}


def can_run_out(function, objects):
    return function.result == "dyn_status" and any(kind in objects for kind, _ in function.parameters)


def tested():
    texts = [path.read_text() for path in (ROOT / "tests").rglob("*.c")]
    return {name for text in texts if '"oom/oom.h"' in text for name in re.findall(r"\bdyn_\w+(?=\()", text)}


def all_are_tested():
    names, objects = tested() | COPIES, opaque()
    missing = [f.name for f in contract.functions(ROOT) if can_run_out(f, objects) and f.name not in names]
    assert not missing, "in no out-of-memory test: " + ", ".join(missing)


checks.run([("every function that can run out of memory does so in a test", all_are_tested)])
