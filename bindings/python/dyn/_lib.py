# SPDX-License-Identifier: BSD-3-Clause
"""The library through ctypes: functions, option structs and callback types made from the table, errors, handles."""
from __future__ import annotations

import ctypes
import functools
import weakref
from typing import Any, Callable

from . import _find
from ._table import CALLBACKS, ENUMERATORS, FUNCTIONS, STRUCTS
from .errors import STATUS, error, invalid

TYPES = {
    "void": None, "ptr": ctypes.c_void_p, "str": ctypes.c_char_p, "status": ctypes.c_int32, "i32": ctypes.c_int32,
    "i64": ctypes.c_int64, "u32": ctypes.c_uint32, "u64": ctypes.c_uint64, "f64": ctypes.c_double,
}


def _records(table: str) -> list[list[str]]:
    """Words of every entry; an entry begins at the margin, '#' begins a comment."""
    lines = [line for line in table.splitlines() if line and not line.startswith("#")]
    joined = "\n".join(lines).replace("\n ", " ")
    return [line.split() for line in joined.splitlines()]


class Library:
    """lib.dyn_name is the C function with its types; made when it is first used, which keeps the import quick."""

    def __init__(self) -> None:
        self._signatures = {name: (result, parameters) for name, result, *parameters in _records(FUNCTIONS)}
        self._library: ctypes.CDLL = _find.load()

    def __getattr__(self, name: str) -> Callable[..., Any]:
        if name not in self._signatures:
            raise AttributeError(f"libdyn has no function {name}")
        result, parameters = self._signatures[name]
        function = getattr(self._library, name)
        function.restype = TYPES[result]
        function.argtypes = [TYPES[p] for p in parameters]
        setattr(self, name, function)
        return function


class Options(ctypes.Structure):
    """An option struct: everything zero, the default, but struct_size and what is given."""

    def __init__(self, **values: Any) -> None:
        super().__init__(**values)
        self.struct_size = ctypes.sizeof(self)

    def set(self, **values: Any) -> None:
        """Write fields that are not None."""
        for name, value in values.items():
            if value is not None:
                setattr(self, name, value)


def _struct(name: str, fields: list[str]) -> type[Options]:
    pairs = [field.split(":") for field in fields]
    return type(name, (Options,), {"_fields_": [(field, TYPES[kind]) for field, kind in pairs]})


lib = Library()
structs = {name: _struct(name, fields) for name, *fields in _records(STRUCTS)}
callback_types = {name: ctypes.CFUNCTYPE(*(TYPES[kind] for kind in kinds)) for name, *kinds in _records(CALLBACKS)}


def enum(kind: str, name: str) -> int:
    """Value of an enumerator by its name here; the error lists the names there are."""
    values = ENUMERATORS[kind][1]
    if name not in values:
        raise invalid(f"{kind} {name!r} is not one of {', '.join(values)}")
    return values[name]


def enum_name(kind: str, value: int) -> str:
    """The reverse of enum."""
    return next(name for name, number in ENUMERATORS[kind][1].items() if number == value)


# ---- callbacks: what Python raises inside them is raised again when the C function has returned ----

def callback(context: Any, kind: str, function: Callable[..., Any], failure: int = 1) -> Any:
    """A C callback. function gives the result (None is 0); an exception gives `failure` and is kept for check()."""
    @functools.wraps(function)
    def guarded(*arguments: Any) -> int:
        try:
            return function(*arguments) or 0
        except BaseException as exception:      # KeyboardInterrupt as well: it must not be lost inside C
            context.raised = exception
            return failure
    return callback_types[kind](guarded)


def function_pointer(function: Any) -> int | None:
    """Address of a C callback for a field of a struct; None is NULL."""
    return None if function is None else ctypes.cast(function, ctypes.c_void_p).value


def check(status: int, context: Any) -> int:
    """Give a status back, or raise its exception with the message of the context, or what a callback has raised."""
    if context.raised is not None:
        exception, context.raised = context.raised, None
        raise exception
    if status < 0:
        raise error(status, lib.dyn_ctx_message(context).decode(errors="replace"))
    return status


# ---- handles ----

class Handle:
    """One reference to an object of the library, given back when this goes. Can be passed to functions of lib.

    keep: what must stay alive as long as the object: the Python memory and callbacks it points to."""

    _free: str

    def __init__(self, context: Any, address: int, *keep: Any) -> None:
        self._as_parameter_ = ctypes.c_void_p(address)
        self._context = context
        self._keep = keep
        self._release = weakref.finalize(self, getattr(lib, self._free), ctypes.c_void_p(address))

    def _check(self, status: int) -> int:
        return check(status, self._context)


def make(context: Any, function: Callable[..., int], *arguments: Any) -> int:
    """Call a function whose last parameter is the object made; returns its address."""
    out = ctypes.c_void_p()
    check(function(*arguments, ctypes.byref(out)), context)
    return out.value


def real(context: Any, function: Callable[..., int], *arguments: Any) -> float:
    """Call a function whose last parameter is a double; returns it."""
    out = ctypes.c_double()
    check(function(*arguments, ctypes.byref(out)), context)
    return out.value


NOT_CONVERGED = STATUS["not_converged"]
STOPPED = STATUS["stopped"]
