# SPDX-License-Identifier: BSD-3-Clause
"""Contexts: threads, instruction set and log of one use of the library. Most programs never make one."""
from __future__ import annotations

import ctypes
import os
import threading
from typing import Any, Callable, Literal, cast

from ._arrays import path as file_path
from ._lib import (
    Handle, call, callback_types, enum, enum_name, function_pointer, integer, lib, question, structs, text)
from .errors import error

Isa = Literal["auto", "reference", "vector", "avx2", "avx512"]
Backend = Literal["cpu", "reference"]
LogLevel = Literal["error", "warning", "info", "debug"]
_local = threading.local()


def _stack() -> list[Context]:
    if not hasattr(_local, "stack"):
        _local.stack = []
    return cast("list[Context]", _local.stack)


def _create(options: ctypes.Structure) -> int:
    out = ctypes.c_void_p()
    status = lib.dyn_ctx_create(ctypes.byref(options), ctypes.byref(out))
    if status < 0:
        raise error(status, _reason(options) or f"dyn_ctx_create: {lib.dyn_status_text(status).decode()}")
    assert out.value is not None
    return out.value


def _reason(options: ctypes.Structure) -> str:
    """Why there is no context, which could hold a message: what the log of another try says."""
    said: list[str] = []
    log, out = _logger(lambda _, text: said.append(text)), ctypes.c_void_p()
    again = type(options).from_buffer_copy(options)
    again.log, again.log_level = function_pointer(log), enum("log_level", "error")
    lib.dyn_ctx_create(ctypes.byref(again), ctypes.byref(out))
    lib.dyn_ctx_free(out)
    return said[-1] if said else ""


def _logger(log: Callable[[str, str], None]) -> Any:
    """log as a callback of C. What it raises has nowhere to go but sys.unraisablehook, as in a destructor."""
    return callback_types["dyn_log_fn"](
        lambda _, level, text: log(enum_name("log_level", level), text.decode(errors="replace")))


def _question(interrupt: Callable[[], bool]) -> Any:
    return callback_types["dyn_interrupt_fn"](lambda _: int(bool(interrupt())))


class Context(Handle):
    """Settings under which objects are made. As a `with` block it is the current one of its thread inside.

    threads: worker threads with the caller; None: one per usable core.
    isa: "auto", "reference", "vector", "avx2" or "avx512".
    backend: "cpu", or "reference", which evaluates graphs node by node by their definitions: slow, to check with.
    numerics: the numeric class to compute in, as another context's numerics or checkpoint_numerics() gives it; None:
        this machine's. What cannot be had here is refused with both values.
    log: called with (level, text), level one of "error", "warning", "info", "debug".
    interrupt: asked some twenty times a second while the library works; True ends it with KeyboardInterrupt, as Ctrl-C
        does. For threads, which Ctrl-C does not reach.

    Objects of different contexts do not mix. Threads may share a context and its objects: their calls take turns. Each
    Python thread has a default context of its own, so that threads which make their own objects run at once.

    >>> with dyn.Context(threads=1) as context:
    ...     net = dyn.mlp([1, 2, 1])
    >>> context.threads
    1
    """

    _kind = "ctx"
    _unshared = "make another one"

    def __init__(self, threads: int | None = None, isa: Isa = "auto", log: Callable[[str, str], None] | None = None,
                 log_level: LogLevel = "warning", interrupt: Callable[[], bool] | None = None,
                 backend: Backend = "cpu", numerics: str | None = None) -> None:
        logger = None if log is None else _logger(log)
        ask = question if interrupt is None else _question(interrupt)
        threads = None if threads is None else integer(threads, "threads", "i32", least=1)
        options = structs["dyn_ctx_options"](threads=threads, isa=enum("isa", isa),
                                             log_level=enum("log_level", log_level),
                                             backend=enum("backend", backend))
        options.log, options.interrupt = function_pointer(logger), function_pointer(ask)
        asked = None if numerics is None else ctypes.create_string_buffer(text(numerics, "numerics"))
        options.numerics = None if asked is None else ctypes.addressof(asked)
        self.lock = threading.RLock()       # held during a call of C
        self.call: Any = None               # the one that goes on
        super().__init__(None, _create(options), logger, ask)

    def __enter__(self) -> Context:
        _stack().append(self)
        return self

    def __exit__(self, *_: object) -> None:
        _stack().pop()

    @property
    def threads(self) -> int:
        """Threads in use, the caller's included."""
        return int(lib.dyn_ctx_threads(self))

    @property
    def isa(self) -> str:
        """Instruction set in use."""
        return enum_name("isa", lib.dyn_ctx_isa(self))

    @property
    def bytes(self) -> int:
        """Bytes now allocated through this context."""
        return int(lib.dyn_ctx_bytes(self))

    @property
    def numerics(self) -> str:
        """The numeric class, "key: value; key: value": all that decides the bits of results beside sizes, seeds and
        limits. Contexts whose texts are equal give equal bits, on any machine.

        >>> with dyn.Context(numerics=dyn.current().numerics) as context:
        ...     context.numerics == dyn.current().numerics
        True
        """
        return str(lib.dyn_ctx_numerics(self).decode())

    def report(self) -> dict[str, str]:
        """Which providers and kernels are in use."""
        lines = lib.dyn_ctx_report(self).decode().splitlines()
        return {key.strip(): value.strip() for key, _, value in (line.partition(":") for line in lines)}


def current() -> Context:
    """The context of the innermost `with` block of this thread, or else the default one of this thread.

    >>> with dyn.Context(threads=1) as context:
    ...     dyn.current() is context
    True
    """
    stack = _stack()
    if not stack:
        stack.append(Context())
    return stack[-1]


def checkpoint_numerics(path: str | os.PathLike[str]) -> str:
    """The numeric class in which a checkpoint was written: a context of that class goes on with its bits.

    >>> import os, tempfile
    >>> path = os.path.join(tempfile.mkdtemp(), "half.npz")
    >>> x = np.linspace(-1, 1, 20)[:, None]
    >>> dyn.Run(dyn.mlp([1, 4, 1]), x, np.sin(x), steps=20).train(10).save(path)
    >>> with dyn.Context(numerics=dyn.checkpoint_numerics(path)):
    ...     dyn.Run.load(path, x=x, y=np.sin(x)).train().step
    20
    """
    found = ctypes.create_string_buffer(512)
    call(current(), lib.dyn_checkpoint_numerics, current(), file_path(path), len(found), found)
    return found.value.decode()
