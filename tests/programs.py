# SPDX-License-Identifier: BSD-3-Clause
"""Run the programs of examples/programs, examples/strangers and examples/families in their quick form, each of which
checks itself, hold the first to a length, and docs/programs.md to the results that are stored. How lines count:
examples/programs/lines.py.

usage: programs.py [NAME ...]

The programs in C are run by the build's test suite "examples", the peers by `sh examples/programs/compare.sh`."""
import ast
import importlib.util
import os
import pathlib
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[1]
FOLDER = ROOT / "examples/programs"
sys.path.append(str(FOLDER))
import checks       # noqa: E402
import lines        # noqa: E402

#: a program that imports these runs where they are installed
OPTIONAL = ("torch", "onnx", "pandas")
#: the most lines a program may have
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


def length_holds(name):
    try:
        found = lines.count(FOLDER / name)
    except ValueError as broken:
        raise AssertionError(broken) from None
    assert name in LIMITS and found <= LIMITS[name], "%s has %d lines, at most %s" % (name, found, LIMITS.get(name))


def nothing_is_hidden(name):
    """Beside the program stand no functions, which would be lines of it; a user's own module of PyTorch's may."""
    before = (FOLDER / name).read_text().split("# ---- program ----")[0]
    helpers = [node.name for node in ast.parse(before).body if isinstance(node, ast.FunctionDef)]
    assert not helpers, "%s has helpers before the program: %s" % (name, ", ".join(helpers))


def runs(name):
    text = (FOLDER / name).read_text()
    if not all(importlib.util.find_spec(package) for package in OPTIONAL if "import " + package in text):
        print("# %s is left out: it needs one of %s" % (name, ", ".join(OPTIONAL)))
        return
    done = subprocess.run([sys.executable, FOLDER / name, "--quick"], env=dict(os.environ, MPLBACKEND="Agg"),
                          capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, "%s: %s" % (name, done.stderr.strip()[-2000:])


def page_is_what_results_say():
    done = subprocess.run([sys.executable, FOLDER / "page.py", "--check"], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def every_program_has_a_peer(names):
    """The same program by PyTorch's or SciPy's users, which follows the same rules. The page tells which were not run."""
    for stem in sorted({pathlib.Path(name).stem for name in names}):
        peer = FOLDER / "peers" / (stem + ".py")
        assert peer.exists(), "%s has no peer" % stem
        assert lines.count(peer) > 5, stem


def programs():
    """Files with a program between its markers."""
    found = [path for suffix in ("*.py", "*.c") for path in FOLDER.glob(suffix)]
    return sorted(path.name for path in found if "---- program ----\n" in path.read_text()
                  or "---- program ---- */\n" in path.read_text())


def strangers():
    """Programs of examples/strangers, which have no length to hold."""
    return sorted((ROOT / "examples/strangers").glob("*.py"))


def families_run():
    """All programs of examples/families; each checks what it shows."""
    with tempfile.TemporaryDirectory() as folder:
        done = subprocess.run([sys.executable, ROOT / "examples/families/gallery.py", folder + "/gallery.png"],
                              capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, "%s%s" % (done.stdout, done.stderr.strip()[-2000:])


def main():
    names = [name for name in sys.argv[1:] if name != "families"] if sys.argv[1:] else programs()
    tests = [("docs/programs.md is what the stored results say", page_is_what_results_say)]
    if not sys.argv[1:]:
        tests.append(("every program has a peer", lambda: every_program_has_a_peer(names)))
        tests += [("runs strangers/%s" % path.name, lambda path=path: runs(path)) for path in strangers()]
    if not sys.argv[1:] or "families" in sys.argv:
        tests.append(("examples/families", families_run))
    for name in names:
        kinds = (length_holds, nothing_is_hidden, runs) if name.endswith(".py") else (length_holds,)
        tests += [("%s of %s" % (kind.__name__, name), lambda kind=kind, name=name: kind(name)) for kind in kinds]
    checks.run(tests)


if __name__ == "__main__":
    main()
