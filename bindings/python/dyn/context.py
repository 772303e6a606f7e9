# SPDX-License-Identifier: BSD-3-Clause
"""Contexts: threads, instruction set and log of one use of the library. Most programs never make one."""
from __future__ import annotations

import ctypes
import threading
from typing import Callable

from ._lib import Handle, callback_types, enum, enum_name, function_pointer, lib, structs
from .errors import error

_local = threading.local()


def _stack() -> list[Context]:
    if not hasattr(_local, "stack"):
        _local.stack = []
    return _local.stack


def _create(options: ctypes.Structure) -> int:
    out = ctypes.c_void_p()
    status = lib.dyn_ctx_create(ctypes.byref(options), ctypes.byref(out))
    if status < 0:      # there is no context yet that could hold a message
        raise error(status, f"dyn_ctx_create: {lib.dyn_status_text(status).decode()}")
    return out.value


class Context(Handle):
    """Settings under which objects are made. As a `with` block it is the current one of its thread inside.

    threads: worker threads with the caller; 0 = one per usable core.
    isa: "auto", "reference", "vector", "avx2" or "avx512".
    log: called with (level, text), level one of "error", "warning", "info", "debug".

    Objects of different contexts do not mix. A context is used from one thread at a time: each Python thread has a
    default context of its own."""

    _free = "dyn_ctx_free"

    def __init__(self, threads: int = 0, isa: str = "auto", log: Callable[[str, str], None] | None = None,
                 log_level: str = "warning") -> None:
        logger = None if log is None else callback_types["dyn_log_fn"](
            lambda _, level, text: log(enum_name("log_level", level), text.decode(errors="replace")))
        options = structs["dyn_ctx_options"](threads=threads, isa=enum("isa", isa),
                                             log_level=enum("log_level", log_level))
        options.log = function_pointer(logger)
        self.raised: BaseException | None = None    # by a callback, until the C function returns
        super().__init__(None, _create(options), logger)

    def __enter__(self) -> Context:
        _stack().append(self)
        return self

    def __exit__(self, *_: object) -> None:
        _stack().pop()

    @property
    def threads(self) -> int:
        """Threads in use, the caller's included."""
        return lib.dyn_ctx_threads(self)

    @property
    def isa(self) -> str:
        """Instruction set in use."""
        return enum_name("isa", lib.dyn_ctx_isa(self))

    @property
    def bytes(self) -> int:
        """Bytes now allocated through this context."""
        return lib.dyn_ctx_bytes(self)

    def report(self) -> dict[str, str]:
        """Which providers and kernels are in use."""
        lines = lib.dyn_ctx_report(self).decode().splitlines()
        return {key.strip(): value.strip() for key, _, value in (line.partition(":") for line in lines)}


def current() -> Context:
    """The context of the innermost `with` block of this thread, or else the default one of this thread."""
    stack = _stack()
    if not stack:
        stack.append(Context())
    return stack[-1]
