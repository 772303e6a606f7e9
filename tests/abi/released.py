# SPDX-License-Identifier: BSD-3-Clause
"""Option structs and enumerators keep what the released layouts promise: a field its place, size and kind, an enumerator
its value. New fields stand at the end.

usage: released.py ROOT LAYOUT_PROGRAM

Where the build is for another machine, Meson names in MESON_EXE_WRAPPER what runs its programs."""
import copy
import json
import os
import pathlib
import subprocess
import sys

import abi
sys.path.append(str(pathlib.Path(__file__).parents[1]))
import checks

wrapper = os.environ.get("MESON_EXE_WRAPPER", "").split()
now = json.loads(subprocess.run([*wrapper, sys.argv[2], "json"], capture_output=True, text=True, check=True).stdout)
releases = sorted(pathlib.Path(__file__).parent.glob("libdyn-*.layout.json"))


def status_codes(layout):
    return {name: value for name, value in layout["enumerators"].items()
            if value < 0 or name in ("DYN_OK", "DYN_NOT_CONVERGED", "DYN_STOPPED")}


def broken(old, new):
    """What of the old layout the new one does not keep."""
    found = ["enumerator " + name for name, value in old["enumerators"].items() if new["enumerators"].get(name) != value]
    for name, struct in old["structs"].items():
        fields = new["structs"].get(name, {"fields": {}})["fields"]
        if list(fields.items())[:len(struct["fields"])] != list(struct["fields"].items()):
            found.append("struct " + name)
    return found


def kept_since(release):
    old = json.loads(release.read_text())
    found = broken(old, now)
    codes = broken({"enumerators": status_codes(old), "structs": {}}, now)
    frozen = found if abi.all_frozen(sys.argv[1]) else codes
    assert not frozen, "changed since %s: %s" % (release.name, ", ".join(frozen))
    for what in found:
        print("# experimental, changed since %s: %s" % (release.stem, what))


def growth_is_accepted():
    new = copy.deepcopy(now)
    new["structs"]["dyn_run_options"]["fields"]["more"] = ["d", 1000, 8]
    new["enumerators"]["DYN_MORE"] = 1
    assert not broken(now, new)


def breaks_are_noticed():
    fields = list(now["structs"]["dyn_run_options"]["fields"].items())
    other = "l" if fields[-1][1][0] == "d" else "d"
    changes = [fields[1:], fields[:-1], fields[:3] + [fields[4], fields[3]] + fields[5:],
               fields[:-1] + [(fields[-1][0], [other] + fields[-1][1][1:])]]
    for changed in changes:
        new = copy.deepcopy(now)
        new["structs"]["dyn_run_options"]["fields"] = dict(changed)
        assert broken(now, new) == ["struct dyn_run_options"], changed
    new = copy.deepcopy(now)
    new["enumerators"]["DYN_TANH"] = 77
    assert broken(now, new)


tests = [("growth_is_accepted", growth_is_accepted), ("breaks_are_noticed", breaks_are_noticed)]
tests += [("%s kept" % r.stem, lambda r=r: kept_since(r)) for r in releases]
checks.run(tests)
