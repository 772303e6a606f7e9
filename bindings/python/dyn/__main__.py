# SPDX-License-Identifier: BSD-3-Clause
"""python -m dyn: what is in a file, and the report of a checkpoint.

    python -m dyn info FILE
    python -m dyn report CHECKPOINT.npz|STORE.sqlite [-o REPORT.html]"""
from __future__ import annotations

import argparse
import sys
import zipfile
from pathlib import Path
from typing import Any, cast

from . import data
from ._find import VERSION
from ._run_view import RunView
from ._saved import Saved, arrays
from .errors import Error
from .sweeps import Sweep


def info(path: str) -> None:
    """Print what a file holds: of a checkpoint how its run was made and how far it came, of the store of a sweep its members,
    of others their arrays."""
    if _is_store(path):
        from ._report_sweep import what_sweep
        for name, value in what_sweep(Sweep.open(path)):
            print(f"{name}: {value}")
        return
    members = arrays(path) if zipfile.is_zipfile(path) else {Path(path).name: data.read(path)}
    if "history.step" in members and "theta" in members:
        _print_run(cast(Any, Saved(path)))
        return
    for name, values in members.items():
        print(f"{name}: {values.dtype} {list(values.shape)}")


def _is_store(path: str) -> bool:
    with open(path, "rb") as file:
        return file.read(16) == b"SQLite format 3\0"


def _print_run(run: RunView) -> None:
    from ._report import what
    for name, value in what(run):
        print(f"{name}: {value}")
    for name in run.measured:
        print(f"{name}: {len(run[name].steps)} rows")


def main() -> int:
    """The exit code: 1 where a file cannot be read or is not what it is taken for."""
    parser = argparse.ArgumentParser(prog="python -m dyn", description="Look at files of libdyn.")
    parser.add_argument("--version", action="version", version=f"dyn {VERSION}")
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("info", help="what is in a file").add_argument("file")
    report = commands.add_parser("report", help="the report of a checkpoint or a store, as HTML")
    report.add_argument("file")
    report.add_argument("-o", "--output", help="where to write it; default: beside the file")
    given = parser.parse_args()
    try:
        if given.command == "info":
            info(given.file)
        else:
            from ._report import report as write
            output = given.output or str(Path(given.file).with_suffix(".html"))
            subject = Sweep.open(given.file) if _is_store(given.file) else Saved(given.file)
            write(cast(Any, subject), output, title=Path(given.file).stem)
            print(output)
    except (Error, OSError, ValueError) as error:
        print(f"{given.file}: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
