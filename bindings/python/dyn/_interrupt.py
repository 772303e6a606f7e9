# SPDX-License-Identifier: BSD-3-Clause
"""Ctrl-C while C code runs.

Python handles a signal whenever its main thread runs Python code, also at the very entry of a callback from C, where
what the handler raises is lost. So while a C function runs, SIGINT is put off: it is handled when C asks (some twenty
times a second), when a callback comes to the user's own code, or when the function has returned; what the handler
raises then ends the C function first. Only the main thread handles signals."""
from __future__ import annotations

import signal
import threading
from threading import get_ident
from typing import Any, Callable

_MAIN = threading.main_thread().ident
_SIGINT = int(signal.SIGINT)
try:        # what signal.signal and signal.getsignal wrap: the same in a tenth of the time
    from _signal import getsignal as _get, signal as _set       # type: ignore[import-not-found]
except ImportError:
    from signal import getsignal as _get, signal as _set


class _Watch:
    """The SIGINT handler while a C function runs, and the one it stands in for."""

    def __init__(self) -> None:
        self.usual: Any = None
        self.open = False               # the user's code runs: signals are handled at once
        self.pending: tuple[int, Any] | None = None
        self.handler = self._handle     # one object, to be recognised by identity

    def _handle(self, number: int, frame: Any) -> None:
        self.pending = (number, frame)
        if self.open:
            self.open = False           # what follows is the way out: nothing may interrupt it
            self.deliver()

    def deliver(self) -> None:
        """Let the usual handler handle what came."""
        if self.pending is not None:
            (number, frame), self.pending = self.pending, None
            self.usual(number, frame)


_watch = _Watch()


def protected(function: Callable[..., Any], *arguments: Any) -> Any:
    """function(*arguments) with SIGINT put off until it returns, or is asked for by C."""
    if get_ident() != _MAIN:
        return function(*arguments)
    usual = _get(_SIGINT)
    if usual is _watch.handler:
        return _nested(function, *arguments)
    if not callable(usual):             # the default action, or ignored: there is nothing to put off
        return function(*arguments)
    _watch.usual, _watch.open, _watch.pending = usual, False, None
    try:
        _set(_SIGINT, _watch.handler)
        return function(*arguments)
    finally:
        _set(_SIGINT, usual)
        if _watch.pending is not None:
            _watch.deliver()


def _nested(function: Callable[..., Any], *arguments: Any) -> Any:
    """The same inside of a callback."""
    was, _watch.open = _watch.open, False
    try:
        return function(*arguments)
    finally:
        _watch.open = was
        if was and _watch.pending is not None:
            _watch.open = False
            _watch.deliver()


def asked() -> None:
    """C asks whether to go on: raises what the usual handler raises."""
    if get_ident() == _MAIN:
        _watch.deliver()


def in_user_code(function: Callable[..., Any], *arguments: Any) -> Any:
    """function(*arguments) inside of a callback, with signals handled at once."""
    if get_ident() != _MAIN or _get(_SIGINT) is not _watch.handler:
        return function(*arguments)
    try:
        _watch.open = True
        if _watch.pending is not None:
            _watch.open = False
            _watch.deliver()
        return function(*arguments)
    finally:
        _watch.open = False
