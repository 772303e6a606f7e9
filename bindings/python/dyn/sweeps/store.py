# SPDX-License-Identifier: BSD-3-Clause
"""The store of a sweep: a file of SQLite with the tables of dyn_store_schema(), written by one process.

A finished member is one transaction in the write-ahead log: after kill -9 it is there whole or not at all. Others may
read meanwhile."""
from __future__ import annotations

import contextlib
import functools
import json
import os
import sqlite3
import sys
import time
import urllib.parse
import weakref
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Callable, Iterable, Iterator, TypeVar

import numpy as np
from numpy.typing import NDArray

from .. import _find
from .._lib import lib
from .._saved import Saved
from ..errors import STATUS, error, invalid
from .labels import Point, key

SCHEMA = "1"
BIG = ">" if sys.byteorder == "little" else ">="     # how NumPy marks the order of bytes that stores do not have
PAGE, LOG = 16384, 4 << 20     # bytes: histories are large, and large pages take half the time; of the log, about
LOOKING = "file:{}?mode=rw", "file:{}?immutable=1"     # the second: on a disk that nobody can write
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


Method = TypeVar("Method", bound=Callable[..., Any])


def told(method: Method) -> Method:
    """A method of a store whose errors say which file, and are the library's."""
    @functools.wraps(method)
    def wrapped(self: Store, *given: Any, **named: Any) -> Any:
        try:
            return method(self, *given, **named)
        except sqlite3.Error as wrong:
            raise error(STATUS["eio"], f"{self.path}: {wrong}") from None
    return wrapped      # type: ignore[return-value]


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

    if not TYPE_CHECKING:
        def __getattr__(self, name: str) -> Any:
            """What only runs have that were trained."""
            known = self.__dict__
            raise AttributeError(f"member {known.get('number')}, {known.get('status')}, has no {name}: it is no run that "
                                 "was trained")

    def __repr__(self) -> str:
        return f"<dyn.Member {self.number}: {key(self.point)}, {self.status}>"


class Store:
    """The file. path None: in memory."""

    def __init__(self, path: str | os.PathLike[str] | None, look: bool = False) -> None:
        """look: at one that is there, without changing anything."""
        self.path = ":memory:" if path is None else os.fsdecode(path)
        _refuse_place(self.path)
        if look:
            self._look()
        else:
            self._make()
        found = self.about().get("schema")
        if found != SCHEMA:
            raise error(STATUS["eversion"], f"{self.path}: version {found} of the tables, known is {SCHEMA}")

    def _connect(self, path: str) -> None:
        """Python's own connection is part of a cycle, and would keep the file open when the store has gone."""
        self._db = sqlite3.connect(path, isolation_level=None, timeout=10, check_same_thread=False,
                                   uri=path.startswith("file:"))
        self._end = weakref.finalize(self, self._db.close)

    @told
    def _make(self) -> None:
        self._connect(self.path)
        self._db.execute(f"PRAGMA page_size = {PAGE}")      # of a file that is new
        self._db.execute("PRAGMA journal_mode = WAL")
        self._db.execute(f"PRAGMA wal_autocheckpoint = {LOG // PAGE}")
        self._db.execute("PRAGMA synchronous = NORMAL")
        with self._transaction():
            if not self._tables():
                for statement in lib.dyn_store_schema().decode().split(";\n"):
                    self._db.execute(statement)
                self.note(schema=SCHEMA, version=_find.VERSION, created=now())
            self._check_tables()

    @told
    def _look(self) -> None:
        for form in LOOKING:
            try:
                self._connect(form.format(urllib.parse.quote(os.path.abspath(self.path))))
                return self._check_tables()
            except sqlite3.OperationalError:
                if form == LOOKING[-1] or os.path.exists(self.path + "-wal"):
                    raise

    def _tables(self) -> set[str]:
        return {name for name, in self._db.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}

    def _check_tables(self) -> None:
        tables = self._tables()
        if not {"about", "members", "parameters", "results", "arrays"} <= tables:
            raise invalid(f"{self.path} is no store of a sweep: it has "
                          f"{'the tables ' + ', '.join(sorted(tables)) if tables else 'no tables'}")

    @contextlib.contextmanager
    def _transaction(self) -> Iterator[None]:
        """All or nothing, and the right to write from the start."""
        try:
            self._db.execute("BEGIN IMMEDIATE")
            yield
            self._db.execute("COMMIT")
        except BaseException:
            if self._db.in_transaction:     # where the disk is full SQLite has undone it already
                self._db.execute("ROLLBACK")
            raise

    def settle(self) -> None:
        """Put all into the one file, which can then be copied; what cannot be put there stays in the log beside it."""
        with contextlib.suppress(sqlite3.Error):
            self._db.execute("PRAGMA wal_checkpoint(PASSIVE)")

    def close(self) -> None:
        """Give the file back."""
        self._end()

    # ---- about ----

    @told
    def about(self) -> dict[str, str]:
        """Facts about the sweep."""
        return dict(self._db.execute("SELECT name, value FROM about"))

    @told
    def note(self, **facts: str) -> None:
        """Keep facts about the sweep."""
        self._db.executemany("INSERT OR REPLACE INTO about VALUES (?, ?)", facts.items())

    # ---- members ----

    @told
    def enter(self, keys: Iterable[str]) -> list[int]:
        """Number of the member of each key; those that are not there yet are added."""
        known = {text: number for number, text in self._db.execute("SELECT member, point FROM members")}
        numbers = []
        with self._transaction():
            for text in keys:
                if text not in known:
                    known[text] = self._add(text)
                numbers.append(known[text])
        return numbers

    def _add(self, text: str) -> int:
        number = self._db.execute("INSERT INTO members (point) VALUES (?)", (text,)).lastrowid
        assert number is not None
        self._db.executemany("INSERT INTO parameters VALUES (?, ?, ?)",
                             [(number, name, scalar(value)) for name, value in json.loads(text).items()])
        return number

    @told
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

    @told
    def copy(self, pairs: list[tuple[int, dict[str, Any]]], other: Store) -> None:
        """Keep finished members of another store as this one's: numbers here, and their rows there."""
        with self._transaction():
            for number, row in pairs:
                self._copy(number, row, other)

    def _copy(self, number: int, row: dict[str, Any], other: Store) -> None:
        fields = [name for name in row if name not in ("member", "point")]
        self._db.execute(f"UPDATE members SET {', '.join(f'{name} = ?' for name in fields)} WHERE member = ?",
                         [*(row[name] for name in fields), number])
        for table in ("results", "arrays"):
            self._db.execute(f"DELETE FROM {table} WHERE member = ?", (number,))
            theirs = other._db.execute(f"SELECT * FROM {table} WHERE member = ? ORDER BY rowid", (row["member"],))
            for found in theirs:
                self._db.execute(f"INSERT INTO {table} VALUES (?{', ?' * (len(found) - 1)})", [number, *found[1:]])

    @told
    def keys(self) -> dict[int, str]:
        """The keys of all members by their numbers."""
        found = dict(self._db.execute("SELECT member, point FROM members ORDER BY member"))
        for number, text in found.items():
            self._check_point(number, text)
        return found

    def _check_point(self, number: int, text: str) -> None:
        try:
            point = json.loads(text)
        except ValueError:
            point = None
        if not isinstance(point, dict):
            raise error(STATUS["eformat"], f"{self.path}: the point of member {number} is damaged: {text}")

    @told
    def first(self) -> str | None:
        """The key of a member, None where there are none."""
        for number, text in self._db.execute("SELECT member, point FROM members ORDER BY member LIMIT 1"):
            self._check_point(number, text)
            return str(text)
        return None

    @told
    def states(self) -> dict[int, str]:
        """The status of all members by their numbers."""
        return dict(self._db.execute("SELECT member, status FROM members ORDER BY member"))

    @told
    def known(self) -> dict[str, int]:
        """Numbers of the members that tell which experiment it was, by their keys."""
        return dict(self._db.execute("SELECT point, member FROM members WHERE status IN ('done', 'nonfinite') AND "
                                     "(fingerprint != '' OR reason = 'results')"))

    @told
    def rows(self) -> dict[int, dict[str, Any]]:
        """The table of members by their numbers."""
        return {row["member"]: row for row in self._members("ORDER BY member")}

    @told
    def row(self, number: int) -> dict[str, Any]:
        """The row of one member."""
        return next(self._members("WHERE member = ?", number))

    def _members(self, which: str, *given: Any) -> Iterator[dict[str, Any]]:
        found = self._db.execute(f"SELECT * FROM members {which}", given)
        names = [column[0] for column in found.description]
        return (dict(zip(names, row)) for row in found)

    @told
    def results(self, number: int | None = None) -> dict[int, dict[str, Any]]:
        """Results of all members by their numbers, or of one."""
        found: dict[int, dict[str, Any]] = {}
        query = f"SELECT member, name, value FROM results {'' if number is None else 'WHERE member = ?'} ORDER BY rowid"
        for member, name, value in self._db.execute(query, () if number is None else (number,)):
            found.setdefault(member, {})[name] = float("nan") if value is None else value
        return found

    @told
    def arrays(self, number: int) -> dict[str, NDArray[Any]]:
        """Arrays of a member by name."""
        found = self._db.execute("SELECT name, dtype, shape, data FROM arrays WHERE member = ? ORDER BY rowid",
                                 (number,))
        try:
            return {name: np.frombuffer(data, dtype).reshape(json.loads(shape)) for name, dtype, shape, data in found}
        except (TypeError, ValueError) as wrong:
            raise error(STATUS["eformat"], f"{self.path}: an array of member {number} is damaged: {wrong}") from None


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


def _refuse_place(path: str) -> None:
    """A write-ahead log needs memory that all its users share: on a network's disk it would be damaged silently."""
    if path == ":memory:":
        return
    if not path or not os.path.isdir(os.path.dirname(path) or "."):
        raise error(STATUS["eio"], f"{path!r}: a store is a file in a folder that is there")
    kind = _kind_of_disk(os.path.realpath(os.path.dirname(path) or "."))
    if kind in NETWORKS:
        raise error(STATUS["enotsup"], f"{path} lies on a network's disk ({kind}), where a store would be damaged: "
                    "give a local one")


def _kind_of_disk(place: str) -> str:
    with contextlib.suppress(OSError), open("/proc/mounts", encoding="utf-8") as file:
        mounts = [line.split()[1:3] for line in file]
        return max(((where, kind) for where, kind in mounts if _below(place, where)), key=lambda m: len(m[0]))[1]
    return ""


def _below(place: str, mount: str) -> bool:
    return mount == "/" or place == mount or place.startswith(mount + "/")
