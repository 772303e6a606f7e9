# SPDX-License-Identifier: BSD-3-Clause
"""Test the code in the documents: README.md, CONTRIBUTING.md and docs/*.md.

usage: docs.py BUILD [--pictures]

Every fenced block names its language, and is tested unless that is `text` or `sh`. Blocks like {toctree} are for Sphinx.
    c, cpp    compiled with all warnings; linked and run if it has a main. <dyn/dyn.h> is included anyway, so that a block
              may be a single function. `c from FILE`: its lines stand in that file, in this order; nothing is compiled
    python    the blocks of a page are run one after the other, as one program, in an empty folder with the file
              examples/data at hand as data/

What a page's Python saves under the name of a file in docs/images must look like it; --pictures takes it there."""
import importlib.util
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

import checks

build = pathlib.Path(sys.argv[1]).resolve()
root = pathlib.Path(__file__).resolve().parents[1]
COMPILERS = {"c": ["cc", "-std=c11", "-x", "c"], "cpp": ["c++", "-std=c++17", "-x", "c++"]}
NEVER_RUN = ("text", "sh")
OPTIONAL = ("torch", "jax", "onnx", "tokenizers")            # blocks that import these run where they are installed
RUN_PYTHON = """
import sys
import matplotlib
matplotlib.use("Agg")
space = {"__name__": "__main__"}
for line, path in zip(sys.argv[2::2], sys.argv[3::2]):
    print("block at line " + line, flush=True)
    code = "\\n" * int(line) + open(path).read()
    exec(compile(code, sys.argv[1], "exec"), space)
"""

TAKE_PICTURES = "--pictures" in sys.argv
DIFFERENCE = """
import sys
import numpy as np
from matplotlib import image


def thumbnail(path, rows=60, columns=90):
    pixels = image.imread(path)[..., :3].mean(-1)
    r, c = (np.linspace(0, n, k + 1).astype(int)[:-1] for n, k in zip(pixels.shape, (rows, columns)))
    sums = np.add.reduceat(np.add.reduceat(pixels, r, 0), c, 1)
    return sums / np.add.reduceat(np.add.reduceat(np.ones_like(pixels), r, 0), c, 1)


a, b = map(thumbnail, sys.argv[1:])
print(np.abs(a - b).mean())
"""


def blocks(page):
    """(language, line, text) of all fenced blocks; the language of one from a file is "from FILE"."""
    found = []
    fence = re.compile(r"^```(\{?\w*)([^\n]*)\n(.*?)^```\s*$", re.M | re.S)
    text = page.read_text()
    for match in fence.finditer(text):
        origin = match.group(2).strip()
        if not match.group(1).startswith("{"):
            language = origin if origin.startswith("from ") else match.group(1)
            found.append((language, text.count("\n", 0, match.start()) + 1, match.group(3)))
    return found


def quoted(text, path):
    lines = iter((root / path).read_text().splitlines())
    for line in text.splitlines():
        assert not line or line in lines, "%s does not have, in this order: %s" % (path, line)


def must(command, folder, **more):
    run = subprocess.run(command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=300,
                         **more)
    assert run.returncode == 0, "%s\n%s" % (" ".join(map(str, command[:1])), run.stdout[-4000:])


def compile_block(language, text, folder):
    source = folder / ("block." + language)
    source.write_text(text)
    flags = ["-Wall", "-Wextra", "-Werror", "-Wno-unused-function", "-I%s/include" % root, "-I%s/bindings/cpp" % root,
             "-include", "dyn/dyn.h", "-include", "stdio.h"]
    if not re.search(r"\bint main\(", text):
        must(COMPILERS[language] + flags + ["-c", "-o", folder / "block.o", source], folder)
        return
    libraries = ["-L%s/libdyn" % build, "-Wl,-rpath,%s/libdyn" % build, "-ldyn", "-lm"]
    must(COMPILERS[language] + flags + ["-o", folder / "block", source] + libraries, folder)
    must([folder / "block"], folder)


def in_folder(test, *arguments):
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        (folder / "data").symlink_to(root / "examples/data")
        test(*arguments, folder)


def has_what_it_imports(text):
    return all(importlib.util.find_spec(name) for name in OPTIONAL if "import " + name in text)


def run_python(page, parts, folder):
    arguments = []
    for line, text in parts:
        if not has_what_it_imports(text):
            continue
        (folder / ("block-%d.py" % line)).write_text(text)
        arguments += [str(line), "block-%d.py" % line]
    must([sys.executable, "-c", RUN_PYTHON, page.name] + arguments, folder)
    for made in folder.glob("*.png"):
        if (root / "docs/images" / made.name).exists():
            look_alike(made, root / "docs/images" / made.name)


def look_alike(made, kept):
    """Two pictures at the resolution of a thumbnail: other CPUs and versions of matplotlib move pixels, not lines."""
    if TAKE_PICTURES:
        shutil.copy(made, kept)
        return
    thumbnails = subprocess.run([sys.executable, "-c", DIFFERENCE, made, kept], capture_output=True, text=True)
    assert thumbnails.returncode == 0, thumbnails.stderr
    assert float(thumbnails.stdout) < 0.03, "%s is not what the page makes: tests/docs.py BUILD --pictures" % kept.name


def languages_named(page):
    for language, line, _ in blocks(page):
        assert language in COMPILERS or language.startswith("from ") or language == "python" or language in NEVER_RUN, \
            "%s:%d: a block in '%s'; see tests/docs.py" % (page.name, line, language)


def tests_of(page):
    yield page.name + " names its languages", lambda: languages_named(page)
    for language, line, text in blocks(page):
        if language.startswith("from "):
            yield ("%s:%d %s" % (page.name, line, language),
                   lambda path=language[len("from "):], text=text: quoted(text, path))
        if language in COMPILERS:
            yield ("%s:%d %s" % (page.name, line, language),
                   lambda language=language, text=text: in_folder(compile_block, language, text))
    parts = [(line, text) for language, line, text in blocks(page) if language == "python"]
    if parts:
        yield "%s python, %d blocks" % (page.name, len(parts)), lambda: in_folder(run_python, page, parts)


def least_and_most(peer):
    """How many times less time libdyn takes on all cores than a peer, over the rows of docs/performance.md."""
    lines = (root / "docs/performance.md").read_text().split("## Table")[1].split("![")[0].splitlines()
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines if line.startswith("| ")]
    ours, theirs, cores = (rows[0].index(name) for name in ("libdyn", peer, "cores"))
    most_cores = max(row[cores] for row in rows[1:])
    ratios = [float(row[theirs]) / float(row[ours]) for row in rows[1:]
              if row[cores] == most_cores and "-" not in (row[ours], row[theirs])]
    return "%.1f to %.1f" % (min(ratios), max(ratios))


def tells_the_measured_times(page):
    text = " ".join((root / page).read_text().split())
    for peer in ("JAX", "PyTorch"):
        said = re.search(r"([\d.]+ to [\d.]+) times less (?:time )?than " + peer, text)
        assert said and said.group(1) == least_and_most(peer), "%s: the table says %s" % (peer, least_and_most(peer))


def tutorials_are_stored():
    done = subprocess.run([sys.executable, root / "docs/tutorials.py", "--check"], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


pages = [root / "README.md", root / "CONTRIBUTING.md"] + sorted((root / "docs").glob("*.md"))
checks.run([(page + " tells the measured times", lambda page=page: tells_the_measured_times(page))
            for page in ("README.md", "docs/guide.md")]
           + [("the stored tutorials are those of the texts", tutorials_are_stored)]
           + [test for page in pages for test in tests_of(page)])
