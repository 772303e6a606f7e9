# SPDX-License-Identifier: BSD-3-Clause
"""docs/programs.md, written from the stored results of compare.py: what the programs and their peers take, never typed.

usage: page.py [--check]        write the page, or fail if it is not what the results say"""
import ast
import json
import pathlib
import statistics
import sys

FOLDER = pathlib.Path(__file__).resolve().parent
ROOT = FOLDER.parents[1]
PAGE = ROOT / "docs/programs.md"
HEAD = """# Programs and their peers

Eighteen programs that researchers of training dynamics write, here and as PyTorch's users (SciPy's, where there is no
network) write them: `examples/programs/NAME.py` and `examples/programs/peers/NAME.py`. Every pair below was run; its
results agree within the tolerance in the second table. `sh examples/programs/compare.sh [NAME ...]` does it again and
writes this page from what it stored.

**Lines** count all but imports, blank lines, comments, plots and the check. **Seconds** are those of the program
alone, from data to results, compilation included and imports not. They are seconds of the processor: both of a pair
ran one after the other on one and the same core, which other work may have had a share in; {all_cores} ran on all
cores, whose seconds are added up. Both sides compute in double precision except where the program says otherwise. The
**ratio** is theirs over ours, the median of the pairs, per step where the two take different numbers of steps: it is
what to read on a machine with other work, and in programs of a second or two it is mostly that of first calls, which
load and compile. **MiB** is the largest resident memory of the process, in brackets what it has after its imports.

Measured with libdyn {dyn} and {libraries}; {dates}; {machines}.
"""


def results():
    """Stored results by the program's name."""
    return {path.stem: json.loads(path.read_text()) for path in sorted((FOLDER / "results").glob("*.json"))}


def ratio(stored):
    """How many times longer the peer takes: the median over pairs, per step where both count them."""
    ours, theirs = stored["work"]
    scale = ours / theirs if ours and theirs else 1.0
    return statistics.median(b / a for a, b in zip(*stored["seconds"])) * scale


def number(value):
    return "%.0f" % value if value >= 100 else "%.3g" % value


def memory(peaks, imports):
    return "%.0f (%.0f)" % (statistics.median(peaks), statistics.median(imports))


def row(name, stored):
    seconds = [number(statistics.median(s)) for s in stored["seconds"]]
    memories = [memory(p, i) for p, i in zip(stored["peak"], stored["imports"])]
    cells = [stored["program"] + (" `%s`" % stored["size"] if stored["size"] else ""), stored["lines"],
stored["peer_lines"],
             *seconds, number(ratio(stored)), *memories]
    return "| %s |" % " | ".join(map(str, cells))


def agreement(name, stored):
    return ["| %s | %s | %.1e | %.1e |" % (stored["program"] if i == 0 else "", what, apart, allowed)
            for i, (what, apart, allowed) in enumerate(stored["compared"])]


def about(name):
    """The first sentence of a peer's docstring that follows its name: what is particular to it."""
    return ast.get_docstring(ast.parse((FOLDER / "peers" / (name + ".py")).read_text())).replace("\n", " ")


def unique(values):
    return "; ".join(dict.fromkeys(v for v in values if v))


def libraries(all_stored):
    return ", ".join(dict.fromkeys(part for s in all_stored.values() for part in s["with"].split(", ") if part))


def text(all_stored):
    head = HEAD.format(dyn=unique(s["dyn"] for s in all_stored.values()), libraries=libraries(all_stored),
                       dates=unique(sorted(s["date"] for s in all_stored.values())),
                       machines=unique(s["machine"] for s in all_stored.values()), all_cores="the sweep")
    lines = [head, "| program | lines | peer | seconds | peer | ratio | MiB | peer |",
"|---|---|---|---|---|---|---|---|"]
    lines += [row(name, stored) for name, stored in all_stored.items()]
    missing = sorted({path.stem for path in (FOLDER / "peers").glob("*.py")} - {"pair", *all_stored})
    lines += ["", "Not run here: %s." % ", ".join(missing)] if missing else []
    lines += ["", "## That they agree", "", "The largest difference found, and the one allowed.", "",
              "| program | what | apart | allowed |", "|---|---|---|---|"]
    for name, stored in all_stored.items():
        lines += agreement(name, stored)
    lines += ["", "## What is particular", "", *("- " + about(name) for name in all_stored)]
    return "\n".join(lines) + "\n"


def write():
    PAGE.write_text(text(results()))


if __name__ == "__main__":
    if "--check" not in sys.argv:
        write()
    elif PAGE.read_text() != text(results()):
        sys.exit("docs/programs.md is not what the stored results say: python examples/programs/page.py")
