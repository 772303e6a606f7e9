# SPDX-License-Identifier: BSD-3-Clause
"""Exceptions: each error status of the library has a class, and classes Python users expect as a second base."""
from __future__ import annotations

from ._table import ENUMERATORS

STATUS = ENUMERATORS["status"][1]


class Error(Exception):
    """An error of the library.

    Attributes: status (int, negative), name ("DYN_ESHAPE"), message (begins with the C function that failed)."""

    def __init__(self, status: int, message: str):
        super().__init__(message)
        self.status = status
        self.message = message

    @property
    def name(self) -> str:
        """Name of the status in C."""
        return next(("DYN_" + n.upper() for n, value in STATUS.items() if value == self.status), "unknown status")


class InvalidArgument(Error, ValueError):
    """DYN_EINVAL: an argument is out of its range."""


class OutOfMemory(Error, MemoryError):
    """DYN_ENOMEM."""


class ShapeError(Error, ValueError):
    """DYN_ESHAPE: shapes do not agree; the message gives the sizes."""


class DtypeError(Error, TypeError):
    """DYN_EDTYPE: element types do not agree."""


class StateError(Error, RuntimeError):
    """DYN_ESTATE: a call not allowed in this state."""


class LimitReached(Error, RuntimeError):
    """DYN_EFULL: a limit is reached, of memory for example."""


class FileError(Error, OSError):
    """DYN_EIO: reading or writing failed."""

    __str__ = Exception.__str__


class FormatError(Error, ValueError):
    """DYN_EFORMAT: a malformed file; the message gives the place."""


class VersionError(Error, RuntimeError):
    """DYN_EVERSION and DYN_EABI_*: file, package and library are of different versions."""


class NonFinite(Error, ArithmeticError):
    """DYN_ENONFINITE: a number is NaN or infinite."""


class NotSupported(Error, NotImplementedError):
    """DYN_ENOTSUP."""


class CallbackError(Error, RuntimeError):
    """DYN_EUSER: a callback failed. What a Python callback raises is raised as it is instead."""


class NotConverged(UserWarning):
    """A warning: an iteration ended before its tolerance. The result is there, with residuals and flags."""


CLASSES = {STATUS[name]: kind for kind, names in {
    InvalidArgument: ["einval"], OutOfMemory: ["enomem"], ShapeError: ["eshape"], DtypeError: ["edtype"],
    StateError: ["estate"], LimitReached: ["efull"], FileError: ["eio"], FormatError: ["eformat"],
    VersionError: ["eversion", "eabi_size", "eabi_old", "eabi_new"], NonFinite: ["enonfinite"],
    NotSupported: ["enotsup"], CallbackError: ["euser"]}.items() for name in names}


def class_of(x: object) -> str:
    """The class of an object, as a message calls it."""
    return f"{type(x).__module__.split('.')[0]}.{type(x).__qualname__}"


def error(status: int, message: str) -> Error:
    """The exception of a status, not raised."""
    return CLASSES.get(status, Error)(status, message)


def invalid(message: str) -> InvalidArgument:
    """An argument that the package itself refuses."""
    return InvalidArgument(STATUS["einval"], message)


def shapes_differ(message: str) -> ShapeError:
    """Shapes that the package itself refuses."""
    return ShapeError(STATUS["eshape"], message)
