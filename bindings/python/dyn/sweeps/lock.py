# SPDX-License-Identifier: BSD-3-Clause
"""The right to train the sweep of a store, which one process has at a time: a lock on a file beside the store, as in C.
It ends with the process, whatever ends that."""
from __future__ import annotations

import contextlib
import fcntl
import os
from typing import Iterator

from ..errors import STATUS, error

_held: set[str] = set()     # by this process, for which a lock of its own is none


@contextlib.contextmanager
def sole(store: str) -> Iterator[None]:
    """Have it, or an error that says who has."""
    if store == ":memory:":
        yield
        return
    path = os.path.realpath(store) + ".lock"
    if path in _held:
        raise _taken(store, os.getpid())
    _held.add(path)
    try:
        file = _locked(store, path)
        try:
            yield
        finally:
            os.unlink(path)
            os.close(file)
    finally:
        _held.discard(path)


def _locked(store: str, path: str) -> int:
    """The file with the lock. One that was taken away while we waited is nobody's."""
    while True:
        file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
        try:
            fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            owner = os.read(file, 20).decode()
            os.close(file)
            raise _taken(store, owner) from None
        if os.fstat(file).st_nlink:
            os.ftruncate(file, 0)
            os.write(file, f"{os.getpid()}\n".encode())
            return file
        os.close(file)


def _taken(store: str, owner: int | str) -> Exception:
    who = str(owner).strip() or "unknown"
    return error(STATUS["estate"], f"{store} is being trained by process {who}: wait for its end, or look at what is "
                 "there by Sweep.open()")
