# SPDX-License-Identifier: BSD-3-Clause
"""Run the programs of this folder and their peers in pairs: results must agree; lines, seconds and memory are kept.

usage: compare.py [NAME ...] [--pairs N] [--page]

Each pair is two fresh processes on one and the same core, or on all for those of ALL_CORES, ours first; the peer is
given values of ours (TAKE in its file), checks its results against them, and fails if they differ. What comes out is
stored in results/NAME.json, figures in docs/images/programs; --page only writes docs/programs.md and the gallery's texts
from what is stored."""
import argparse
import ast
import json
import os
import pathlib
import platform
import subprocess
import sys
import tempfile
import time

import lines

FOLDER = pathlib.Path(__file__).resolve().parent
ROOT = FOLDER.parents[1]
ALL_CORES = ("sweep",)
RESULTS, IMAGES = FOLDER / "results", ROOT / "docs/images/programs"


def constants(path):
    """What a peer's file says of itself: TAKE, SIZE."""
    found = {}
    for node in ast.parse(path.read_text()).body:
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) in ("TAKE", "SIZE"):
            found[ast.unparse(node.targets[0])] = ast.literal_eval(node.value)
    return found


def pin(name):
    """Two libraries with threads of their own, on cores that others use too, would measure the scheduler."""
    if name not in ALL_CORES:
        os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})


def execute(script, values, take, image, arguments):
    """Run a program in a process of its own; what measured.py tells of it, and what it prints."""
    with tempfile.NamedTemporaryFile("r") as told:
        paths = [FOLDER / "peers", FOLDER, ROOT / "bindings/python"]
        environment = dict(os.environ, MPLBACKEND="Agg", PYTHONPATH=os.pathsep.join(map(str, paths)))
        command = [sys.executable, FOLDER / "measured.py", told.name, json.dumps(take), image, script, values]
        done = subprocess.run([str(word) for word in (*command, *arguments)], capture_output=True, text=True, timeout=3600,
                              env=environment, cwd=tempfile.gettempdir(), preexec_fn=lambda: pin(script.stem))
        if done.returncode:
            sys.exit("%s\n%s\n%s" % (script.name, done.stdout, done.stderr[-3000:]))
        return json.load(told), done.stdout


def execute_c(name, values):
    """The same of a program in C, as a whole; it has nothing to hand over."""
    binary = ROOT / "build/examples" / name
    process = subprocess.Popen([binary, str(values) + ".out.npz"], stdout=subprocess.PIPE, text=True,
                               preexec_fn=lambda: pin(name))
    output = process.stdout.read()
    _, status, usage = os.wait4(process.pid, 0)
    assert status == 0, output
    import numpy as np
    np.savez(values)
    told = {"seconds": usage.ru_utime + usage.ru_stime, "peak": usage.ru_maxrss / 1024, "imports": 0.0, "see": ""}
    return told, output


def pair(name, size, take, image):
    """(ours, theirs, what they print, what was compared) of one pair."""
    with tempfile.TemporaryDirectory() as folder:
        values = pathlib.Path(folder, "ours.npz")
        if (FOLDER / (name + ".py")).exists():
            ours, output = execute(FOLDER / (name + ".py"), values, take, image, size)
        else:
            ours, output = execute_c(name, values)
        theirs, said = execute(FOLDER / "peers" / (name + ".py"), values, {}, "", size)
    compared = [line.split(" | ")[1:] for line in said.splitlines() if line.startswith("agree | ")]
    return ours, theirs, output, [[what, float(apart), float(allowed)] for what, apart, allowed in compared]


def machine():
    """Processor, cores, and whether other work ran beside."""
    name = platform.machine()
    if os.path.exists("/proc/cpuinfo"):
        names = [line.split(":", 1)[1].strip() for line in open("/proc/cpuinfo") if line.startswith("model name")]
        name = names[0] if names else name
    busy = ", beside other work" if os.getloadavg()[1] > 1.5 * os.cpu_count() else ""
    return "%s, %d cores%s" % (name, os.cpu_count(), busy)


def version():
    """Of the library, as its package tells it."""
    text = (ROOT / "bindings/python/dyn/_find.py").read_text()
    return text.split('VERSION = "')[1].split('"')[0]


def source(name):
    """The file of a program of ours."""
    return next(path for suffix in (".py", ".c") if (path := FOLDER / (name + suffix)).exists())


def compare(name, pairs):
    """Run a program and its peer so often, and store what comes out."""
    peer = FOLDER / "peers" / (name + ".py")
    about = constants(peer)
    size = [about["SIZE"]] if "SIZE" in about else []
    IMAGES.mkdir(parents=True, exist_ok=True)
    runs = []
    for number in range(pairs):
        runs.append(pair(name, size, about["TAKE"], IMAGES / (name + ".png") if number == 0 else ""))
        print("%s: ours %.2f s, theirs %.2f s" % (name, runs[-1][0]["seconds"], runs[-1][1]["seconds"]), flush=True)
    ours, theirs, output, compared = runs[0]
    stored = {"program": source(name).name, "size": " ".join(size), "lines": lines.count(source(name)),
              "peer_lines": lines.count(peer), "see": ours["see"], "printed": output.strip(), "compared": compared,
              "with": theirs["libraries"], "dyn": version(), "date": time.strftime("%Y-%m-%d"), "machine": machine()}
    for key in ("seconds", "peak", "imports"):
        stored[key] = [[round(run[which][key], 4) for run in runs] for which in (0, 1)]
    stored["work"] = [ours.get("work"), theirs.get("work")]
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / (name + ".json")).write_text(json.dumps(stored, indent=1, ensure_ascii=False) + "\n")


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("names", nargs="*")
    parser.add_argument("--pairs", type=int, default=3)
    parser.add_argument("--page", action="store_true")
    given = parser.parse_args()
    if not given.page:
        for name in given.names or sorted(path.stem for path in (FOLDER / "peers").glob("*.py") if path.stem != "pair"):
            compare(name, given.pairs)
    import page
    page.write()


if __name__ == "__main__":
    main()
