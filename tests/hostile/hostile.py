# SPDX-License-Identifier: BSD-3-Clause
"""The slow suite: what can fail is made to fail. usage: hostile.py BUILD [PART ...]

Each part is a function here; README.md says what they do. A part that this machine cannot run is passed over and says so.
The last line counts; the exit status tells."""
import os
import pathlib
import platform
import subprocess
import sys
import time

import growth
import killed
import variables

ROOT = pathlib.Path(__file__).resolve().parents[2]
OWN = sorted("%s-%s" % (path.parent.name, path.stem) for path in ROOT.glob("tests/*/*.c")
             if '"oom/oom.h"' in path.read_text())
WRITING = ["unit-data_oom", "unit-generate_oom", "unit-sweep_oom", "unit-train_oom"]
SECONDS = 1500          # for one program


class Skip(Exception):
    pass


def run(build, program, **variables):
    """The output of a test program; its failures as an AssertionError."""
    env = dict(os.environ, DYN_TEST_SOURCE=str(ROOT), **{k: str(v) for k, v in variables.items()})
    done = subprocess.run([build / "tests" / program], env=env, capture_output=True, text=True, timeout=SECONDS)
    print("".join("    " + line + "\n" for line in done.stdout.splitlines() if line.startswith("# ")), end="")
    assert done.returncode == 0, "%s: exit status %d\n%s" % (program, done.returncode, done.stderr[-2000:])


def interposed(build, programs, kind, trials):
    library = build / "tests/hostile/libhostile.so"
    if platform.libc_ver()[0] != "glibc":
        raise Skip("the interposer is for glibc")
    bad = []
    for program in programs:
        try:
            run(build, program, LD_PRELOAD=library, HOSTILE_KIND=kind, HOSTILE_TRIALS=trials)
        except (AssertionError, subprocess.TimeoutExpired) as e:
            bad.append(str(e))
    assert not bad, "\n".join(bad)


def allocations(build):
    """Every allocation of the library's own, once and for ever from there on."""
    for program in OWN:
        run(build, program)


def foreign_allocations(build):
    """The allocations of all libraries in the process."""
    interposed(build, OWN, "alloc", 200)


def files(build):
    """Writing, syncing, renaming, opening."""
    for kind in ("write", "sync", "rename", "open"):
        interposed(build, WRITING, kind, 200)


def threads(build):
    """Threads that cannot start: the work is done by those there are."""
    interposed(build, OWN, "thread", 200)


def space(build):
    """Address spaces from 40 MiB to 4 GiB."""
    for program in OWN:
        run(build, program, HOSTILE_KIND="space")


def stack(build):
    """Callers with the stack that include/dyn/context.h asks for."""
    for program in OWN:
        run(build, program, HOSTILE_KIND="stack")


def misuse(build):
    """Every public function, called wrongly in every way that the headers show."""
    run(build, "hostile/hostile-misuse")


def with_python(build, part):
    try:
        import numpy    # noqa: F401
    except ImportError:
        raise Skip("needs NumPy")
    os.environ["DYN_LIBRARY"] = str(build / "libdyn/libdyn.so")
    os.environ["PYTHONPATH"] = str(ROOT / "bindings/python")
    sys.path.insert(0, os.environ["PYTHONPATH"])
    part()


def killing(build):
    """A process killed while it saves: the file is whole, and nothing lies beside it."""
    with_python(build, killed.main)


def bits(build):
    """The same bits for any number of threads, with and without limits, whatever the environment says."""
    run(build, "unit-exec_determinism")
    with_python(build, variables.main)


def growing(build):
    """Times as sizes double: exponents that grow are mistakes in the algorithm."""
    with_python(build, growth.main)


PARTS = [allocations, foreign_allocations, files, threads, space, stack, misuse, killing, bits, growing]


def main():
    build = pathlib.Path(sys.argv[1]).resolve()
    wanted = sys.argv[2:] or [p.__name__ for p in PARTS]
    unknown = set(wanted) - {p.__name__ for p in PARTS}
    if unknown:
        sys.exit("no part %s; there are %s" % (", ".join(sorted(unknown)), ", ".join(p.__name__ for p in PARTS)))
    failed = skipped = 0
    for part in PARTS:
        if part.__name__ not in wanted:
            continue
        start = time.monotonic()
        try:
            part(build)
            verdict = "ok"
        except Skip as why:
            verdict, skipped = "skipped: %s" % why, skipped + 1
        except (AssertionError, subprocess.SubprocessError) as what:
            verdict, failed = "not ok\n%s" % what, failed + 1
        print("%s: %s (%.0f s)" % (part.__name__, verdict, time.monotonic() - start), flush=True)
    print("%d parts, %d failed, %d skipped" % (len(wanted), failed, skipped))
    sys.exit(failed != 0)


main()
