# SPDX-License-Identifier: BSD-3-Clause
"""A file under libdyn/ includes only from its own room or from lower floors, and only the room that wraps an outside
library sees its headers (docs/architecture.md, the rooms).

usage: floors.py ROOT"""
import pathlib
import re
import sys

sys.path.append(str(pathlib.Path(__file__).parents[1]))
import checks

FLOORS = [["base"], ["random"], ["kernel"], ["graph"], ["diff"], ["compile"], ["graph/ops"], ["linalg", "model", "data"], ["layer", "generate", "optim", "objective"],
          ["family", "train", "minimise"], ["sweep"], ["analysis"]]
FLOOR = {room: height for height, rooms in enumerate(FLOORS) for room in rooms}
OUTSIDE = {     # pattern of the header: the only room that may include it
    r"blis": "kernel", r"libxsmm": "kernel", r"sleef": "kernel", r"immintrin|x86intrin": "kernel",
    r"lapack|cblas": "linalg", r"zip|jansson": "data", r"sqlite": "sweep", r"Random123": "random",
}
root = pathlib.Path(sys.argv[1], "libdyn")


def room_of(parts):
    """The room of a path below libdyn/: a folder, or one in it that is a floor of its own."""
    inner = "/".join(parts[:2])
    return inner if inner in FLOOR else parts[0]


def violation(room, include):
    """Why a file of a room may not include this, or None."""
    for pattern, owner in OUTSIDE.items():
        if include.startswith("<") and re.match("<(%s)" % pattern, include) and room != owner:
            return "only %s/ may include it" % owner
    other = room_of(include.strip('<">').split("/"))
    if include.startswith('"') and other in FLOOR and other != room and FLOOR[other] >= FLOOR[room]:
        return "%s is no lower floor than %s" % (other, room)
    if include.startswith('"') and "/" in include and other not in FLOOR:
        return "not a room"
    return None


def includes(path):
    return re.findall(r'^\s*#\s*include\s+([<"][^>"]+[>"])', path.read_text(), re.M)


def room_keeps_to_floors(room):
    files = [p for p in sorted((root / room).rglob("*")) if p.suffix in (".c", ".h", ".inc")
             and room_of(p.relative_to(root).parts) == room]
    assert files, "no files in %s" % room
    bad = ["%s includes %s: %s" % (p.relative_to(root), i, violation(room, i))
           for p in files for i in includes(p) if violation(room, i)]
    assert not bad, "\n".join(bad)


def rooms_known():
    rooms = {p.name for p in root.iterdir() if p.is_dir()}
    floors = {room for room in FLOOR if "/" not in room}
    assert rooms == floors, rooms ^ floors


def the_check_can_fail():
    assert violation("base", '"kernel/kernel.h"') and violation("random", '"kernel/kernel.h"')
    assert violation("graph", "<blis.h>") and violation("train", "<zip.h>") and violation("model", '"data/data.h"')
    assert violation("compile", '"graph/ops/op.h"') and not violation("graph/ops", '"compile/form.h"')
    assert not violation("kernel", '"base/base.h"') and not violation("kernel", "<blis.h>")


tests = [("rooms_known", rooms_known), ("the_check_can_fail", the_check_can_fail)]
tests += [("floors of " + room, lambda room=room: room_keeps_to_floors(room)) for room in FLOOR]
checks.run(tests)
