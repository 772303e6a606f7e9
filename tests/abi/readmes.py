# SPDX-License-Identifier: BSD-3-Clause
"""Every room under libdyn/ has a README.md that names each of its sources, and names none that is not there.

usage: readmes.py ROOT"""
import pathlib
import re
import sys

sys.path.append(str(pathlib.Path(__file__).parents[1]))
import checks

ENDINGS = (".c", ".h", ".inc")
root = pathlib.Path(sys.argv[1], "libdyn")


def named(text):
    """The files in the first column of the table."""
    cells = [line.split("|")[1] for line in text.splitlines() if line.startswith("| `")]
    return [name for cell in cells for name in re.findall(r"`([^`]+)`", cell)]


def differences(names, files):
    return (["%s is not named" % f for f in sorted(files - set(names))] +
            ["%s does not exist" % n for n in sorted(set(names) - files)] +
            ["%s is named twice" % n for n in sorted(set(names)) if names.count(n) > 1])


def folder_is_described(folder):
    files = {p.name for p in folder.iterdir() if p.suffix in ENDINGS}
    bad = differences(named((folder / "README.md").read_text()), files)
    assert not bad, "\n".join(bad)


def the_check_can_fail():
    names = named("| file | what |\n| `a.c` `b.h` | both |\n| `a.c` | again, unlike `c.c` |\n")
    assert names == ["a.c", "b.h", "a.c"]
    assert differences(names, {"a.c", "d.inc"}) == ["d.inc is not named", "b.h does not exist", "a.c is named twice"]


tests = [("the_check_can_fail", the_check_can_fail)]
tests += [("readme of %s" % folder.relative_to(root), lambda folder=folder: folder_is_described(folder))
          for folder in sorted({p.parent for p in root.rglob("*") if p.suffix in ENDINGS})]
checks.run(tests)
