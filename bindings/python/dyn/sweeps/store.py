# SPDX-License-Identifier: BSD-3-Clause
"""The store of a sweep: a file of SQLite with the tables of dyn_store_schema(), written by one process.

A finished member is one transaction in the write-ahead log: after kill -9 it is there whole or not at all. Others may
read meanwhile."""
from __future__ import annotations

import contextlib
import json
import os
import sqlite3
import sys
import time
from dataclasses import dataclass, field
from typing import Any, Iterable, Iterator

import numpy as np
from numpy.typing import NDArray

from .. import _find
from .._lib import lib
from .._saved import Saved
from ..errors import STATUS, error, invalid
from .points import Point, key, label

SCHEMA = "1"
BIG = ">" if sys.byteorder == "little" else ">="     # how NumPy marks the order of bytes that stores do not have
NETWORKS = {"nfs", "nfs4", "cifs", "smb3", "lustre", "gpfs", "beegfs", "fuse.sshfs", "9p", "ceph", "afs"}


@dataclass
class Outcome:
    """What became of a member, ready to be stored or sent to another process."""

    status: str             # "done", "nonfinite", "failed"; not stored: "stopped", "elsewhere"
    reason: str = ""
    message: str = ""
    step: int | None = None
    loss: float | None = None
    seconds: float = 0.0
    host: str = ""
    numerics: str = ""
    fingerprint: str = ""
    results: dict[str, Any] = field(default_factory=dict)
    arrays: dict[str, NDArray[Any]] = field(default_factory=dict)


class Member(Saved):
    """A finished member of a sweep, as a store holds it: point, status, message, results, and, of a run, history,
    series, measurements and theta, which figures and reports take.

    >>> def experiment(seed):
    ...     return dyn.Run(dyn.mlp([1, 3, 1], seed=seed), [0.0, 1.0], [0.0, 1.0], steps=5)
    >>> member = dyn.Sweep(experiment, dict(seed=[1, 2])).train()[1]
    >>> member.point, member.status, member.step, list(member.history)
    ({'seed': 2}, 'done', 5, ['step', 'loss', 'gradient_norm', 'rate'])
    """

    def __init__(self, number: int, point: Point, row: dict[str, Any], results: dict[str, Any],
                 arrays: dict[str, NDArray[Any]]) -> None:
        self.number = number
        self.point = point
        self.status: str = row["status"]
        self.message: str = row["message"] or ""
        self.results = results
        self.arrays = arrays
        self.seconds: float | None = row["seconds"]
        if "theta" in arrays and "history.step" in arrays:
            self._take(arrays)
            self.step = row["step"]
        self.reason = row["reason"] or self.status

    def __repr__(self) -> str:
        return f"<dyn.Member {self.number}: {key(self.point)}, {self.status}>"


class Store:
    """The file. path None: in memory."""

    def __init__(self, path: str | os.PathLike[str] | None) -> None:
        self.path = ":memory:" if path is None else os.fspath(path)
        _refuse_network(self.path)
        try:
            self._db = sqlite3.connect(self.path, isolation_level=None, timeout=10, check_same_thread=False)
            self._db.execute("PRAGMA journal_mode = WAL")
            self._db.execute("PRAGMA synchronous = NORMAL")
            self._open()
        except sqlite3.DatabaseError as wrong:
            raise error(STATUS["eio"], f"{self.path}: {wrong}") from None

    def _open(self) -> None:
        with self._transaction():
            tables = {name for name, in self._db.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
            if not tables:
                for statement in lib.dyn_store_schema().decode().split(";\n"):
                    self._db.execute(statement)
                self.note(schema=SCHEMA, version=_find.VERSION, created=now())
            elif not {"about", "members", "parameters", "results", "arrays"} <= tables:
                raise invalid(f"{self.path} is no store of a sweep: it has the tables {', '.join(sorted(tables))}")
        found = self.about().get("schema")
        if found != SCHEMA:
            raise error(STATUS["eversion"], f"{self.path}: version {found} of the tables, known is {SCHEMA}")

    @contextlib.contextmanager
    def _transaction(self) -> Iterator[None]:
        """All or nothing, and the right to write from the start."""
        self._db.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            self._db.execute("ROLLBACK")
            raise
        self._db.execute("COMMIT")

    def close(self) -> None:
        """Give the file back."""
        self._db.close()

    # ---- about ----

    def about(self) -> dict[str, str]:
        """Facts about the sweep."""
        return dict(self._db.execute("SELECT name, value FROM about"))

    def note(self, **facts: str) -> None:
        """Keep facts about the sweep."""
        self._db.executemany("INSERT OR REPLACE INTO about VALUES (?, ?)", facts.items())

    # ---- members ----

    def enter(self, points: Iterable[Point]) -> list[int]:
        """Number of the member of each point; those that are not there yet are added."""
        known = {text: number for number, text in self._db.execute("SELECT member, point FROM members")}
        numbers = []
        with self._transaction():
            for point in points:
                text = key(point)
                if text not in known:
                    known[text] = self._add(text, point)
                numbers.append(known[text])
        return numbers

    def _add(self, text: str, point: Point) -> int:
        number = self._db.execute("INSERT INTO members (point) VALUES (?)", (text,)).lastrowid
        assert number is not None
        self._db.executemany("INSERT INTO parameters VALUES (?, ?, ?)",
                             [(number, name, scalar(label(value))) for name, value in point.items()])
        return number

    def finish(self, ended: list[tuple[int, Outcome]]) -> None:
        """Keep what became of members, by their numbers, in the place of what was there: all or none of them."""
        if not ended:
            return
        when = now()
        with self._transaction():           # few statements for all of them: each costs as much as a row
            self._db.executemany(
                "UPDATE members SET status = ?, reason = ?, message = ?, step = ?, loss = ?, seconds = ?, host = ?, "
                "version = ?, numerics = ?, finished = ?, fingerprint = ? WHERE member = ?",
                [(o.status, o.reason, o.message, o.step, o.loss, o.seconds, o.host, _find.VERSION, o.numerics, when,
                  o.fingerprint, number) for number, o in ended])
            for table in ("results", "arrays"):
                self._db.executemany(f"DELETE FROM {table} WHERE member = ?", [(number,) for number, _ in ended])
            self._db.executemany("INSERT INTO results VALUES (?, ?, ?)", [
                (number, name, scalar(value)) for number, o in ended for name, value in o.results.items()])
            self._db.executemany("INSERT INTO arrays VALUES (?, ?, ?, ?, ?)", [
                (number, name, *_blob(array)) for number, o in ended for name, array in o.arrays.items()])

    def copy(self, number: int, row: dict[str, Any], other: Store) -> None:
        """Keep a finished member of another store as this one's."""
        fields = [name for name in row if name not in ("member", "point")]
        with self._transaction():
            self._db.execute(f"UPDATE members SET {', '.join(f'{name} = ?' for name in fields)} WHERE member = ?",
                             [*(row[name] for name in fields), number])
            for table in ("results", "arrays"):
                self._db.execute(f"DELETE FROM {table} WHERE member = ?", (number,))
                theirs = other._db.execute(f"SELECT * FROM {table} WHERE member = ? ORDER BY rowid", (row["member"],))
                for found in theirs:
                    self._db.execute(f"INSERT INTO {table} VALUES (?{', ?' * (len(found) - 1)})", [number, *found[1:]])

    def rows(self) -> dict[int, dict[str, Any]]:
        """The table of members by their numbers."""
        found = self._db.execute("SELECT * FROM members ORDER BY member")
        names = [column[0] for column in found.description]
        return {row[0]: dict(zip(names, row)) for row in found}

    def results(self) -> dict[int, dict[str, Any]]:
        """Results of all members by their numbers."""
        found: dict[int, dict[str, Any]] = {}
        for number, name, value in self._db.execute("SELECT member, name, value FROM results ORDER BY rowid"):
            found.setdefault(number, {})[name] = float("nan") if value is None else value
        return found

    def arrays(self, number: int) -> dict[str, NDArray[Any]]:
        """Arrays of a member by name."""
        found = self._db.execute("SELECT name, dtype, shape, data FROM arrays WHERE member = ? ORDER BY rowid",
                                 (number,))
        return {name: np.frombuffer(data, dtype).reshape(json.loads(shape)) for name, dtype, shape, data in found}


def now() -> str:
    """The time, as it is written into stores."""
    return time.strftime("%Y-%m-%d %H:%M:%S %z")


def scalar(value: Any) -> Any:
    """A value as SQLite takes it; NaN is NULL."""
    if isinstance(value, (np.generic, bool)):
        value = value.item() if isinstance(value, np.generic) else int(value)
    return str(value) if isinstance(value, int) and not -2**63 <= value < 2**63 else value


def _blob(array: NDArray[Any]) -> tuple[str, str, bytes]:
    """dtype, shape as JSON, little-endian bytes."""
    array = np.asarray(array)
    if array.dtype.byteorder in BIG:
        array = array.astype(array.dtype.newbyteorder("<"))
    return array.dtype.str, str(list(array.shape)), array.tobytes()


def _refuse_network(path: str) -> None:
    """A write-ahead log needs memory that all its users share: on a network's disk it would be damaged silently."""
    place = os.path.realpath(os.path.dirname(path) or ".")
    with contextlib.suppress(OSError), open("/proc/mounts", encoding="utf-8") as file:
        mounts = [line.split()[1:3] for line in file]
        kind = max(((where, kind) for where, kind in mounts if _below(place, where)), key=lambda m: len(m[0]))[1]
        if path != ":memory:" and kind in NETWORKS:
            raise error(STATUS["enotsup"], f"{path} lies on a network's disk ({kind}), where a store would be damaged: "
                        "give a local one")


def _below(place: str, mount: str) -> bool:
    return mount == "/" or place == mount or place.startswith(mount + "/")
