# SPDX-License-Identifier: BSD-3-Clause
"""Run the programs of examples/programs in their quick form, each of which checks itself, and hold them to a length; and those
of examples/families, all in one.

usage: programs.py [NAME ...]

A line counts that stands between "---- program ----" and "---- check", unless it is blank, a comment, a brace alone, or
draws. The programs in C are run by the build's test suite "examples"."""
import importlib.util
import os
import pathlib
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[1]
#: a program that imports these runs where they are installed
OPTIONAL = ("torch", "onnx", "pandas")
FOLDER = ROOT / "examples/programs"
#: the most lines a program may have; PyTorch's counterparts take 26, 20, 22, 21, 23, 27, 11
LIMITS = {
    "attention_maps.py": 10,
    "averages.py": 12,
    "coupled.py": 15,
    "differences.c": 27,
    "differences.py": 9,
    "digits.c": 30,
    "digits.py": 10,
    "fine_tuning.c": 24,
    "fine_tuning.py": 8,
    "flow.py": 12,
    "from_torch.py": 8,
    "measurement.c": 30,
    "measurement.py": 10,
    "own_loss.c": 30,
    "own_loss.py": 10,
    "own_optimiser.py": 10,
    "physics.c": 48,
    "physics.py": 16,
    "recurrent.py": 17,
    "sweep.py": 10,
    "residual_cnn.py": 18,
    "small_gpt.py": 36,
    "teacher.py": 12,
    "three_threads.c": 60,
}


def program_lines(text):
    body = text.split("---- program ----")[1].split("\n", 1)[1].split("---- check")[0]
    lines = [line.strip() for line in body.splitlines()]
    return [line for line in lines if line.strip("{}") and not line.startswith(("#", "/*", "*")) and "plot" not in line]


def length_holds(name):
    text = (FOLDER / name).read_text()
    lines, longest = program_lines(text), max(map(len, text.splitlines()))
    if len(lines) <= LIMITS[name] and longest <= 120:
        return True
    print("# %s has %d lines of at most %d, the longest of %d characters" % (name, len(lines), LIMITS[name], longest))
    return False


def has_what_it_imports(name):
    text = (FOLDER / name).read_text()
    return all(importlib.util.find_spec(package) for package in OPTIONAL if "import " + package in text)


def runs(name):
    if not has_what_it_imports(name):
        print("# %s is left out: it needs one of %s" % (name, ", ".join(OPTIONAL)))
        return True
    environment = dict(os.environ, MPLBACKEND="Agg")
    done = subprocess.run([sys.executable, FOLDER / name, "--quick"], env=environment, capture_output=True, text=True,
                          timeout=300)
    if done.returncode:
        print("# %s: %s" % (name, done.stderr.strip()[-2000:]))
    return done.returncode == 0


def families_run():
    """All programs of examples/families; each checks what it shows."""
    with tempfile.TemporaryDirectory() as folder:
        done = subprocess.run([sys.executable, ROOT / "examples/families/gallery.py", folder + "/gallery.png"],
                              capture_output=True, text=True, timeout=300)
    if done.returncode:
        print("# families: %s%s" % (done.stdout, done.stderr.strip()[-2000:]))
    return done.returncode == 0


def main():
    names = sys.argv[1:] or sorted(p.name for p in FOLDER.glob("*.[cp]*") if p.suffix in (".c", ".py"))
    passed = failed = 0
    for name in filter("families".__ne__, names):
        for test in (length_holds, runs) if name.endswith(".py") else (length_holds,):
            good = name in LIMITS and test(name)
            print("%s - %s of %s" % ("ok" if good else "not ok", test.__name__, name))
            passed, failed = passed + good, failed + (not good)
    if not sys.argv[1:] or "families" in sys.argv:
        good = families_run()
        print("%s - examples/families" % ("ok" if good else "not ok"))
        passed, failed = passed + good, failed + (not good)
    print("%d passed, %d failed" % (passed, failed))
    return failed > 0


if __name__ == "__main__":
    sys.exit(main())
