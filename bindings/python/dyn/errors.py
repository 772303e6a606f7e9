# SPDX-License-Identifier: BSD-3-Clause
"""Exceptions: each error status of the library has a class, and classes Python users expect as a second base."""
from __future__ import annotations

from ._table import ENUMERATORS

STATUS = ENUMERATORS["status"][1]


class Error(Exception):
    """An error of the library.

    Attributes: status (int, negative), name ("DYN_ESHAPE"), message (begins with the C function that failed).

    >>> try:
    ...     dyn.mlp([1, 2, 1])(np.zeros(3), [0.0])
    ... except dyn.Error as error:
    ...     error.name
    'DYN_ESHAPE'
    """

    def __init__(self, status: int, message: str):
        super().__init__(message)
        self.status = status
        self.message = message

    @property
    def name(self) -> str:
        """Name of the status in C."""
        return next(("DYN_" + n.upper() for n, value in STATUS.items() if value == self.status), "unknown status")


class InvalidArgument(Error, ValueError):
    """DYN_EINVAL: an argument is out of its range.

    >>> issubclass(dyn.InvalidArgument, ValueError)
    True
    """


class OutOfMemory(Error, MemoryError):
    """DYN_ENOMEM.

    >>> issubclass(dyn.OutOfMemory, MemoryError)
    True
    """


class ShapeError(Error, ValueError):
    """DYN_ESHAPE: shapes do not agree; the message gives the sizes.

    >>> try:
    ...     dyn.mlp([1, 2, 1])(np.zeros(3), [0.0])
    ... except ValueError as error:
    ...     print(error)
    theta has shape [3], expected [7]
    """


class DtypeError(Error, TypeError):
    """DYN_EDTYPE: element types do not agree.

    >>> issubclass(dyn.DtypeError, TypeError)
    True
    """


class StateError(Error, RuntimeError):
    """DYN_ESTATE: a call not allowed in this state.

    >>> issubclass(dyn.StateError, RuntimeError)
    True
    """


class LimitReached(Error, RuntimeError):
    """DYN_EFULL: a limit is reached, of memory for example.

    >>> run = dyn.Run(dyn.mlp([10, 100, 10]), np.zeros((1, 10)), np.zeros((1, 10)))
    >>> try:
    ...     run.measure(dyn.ModelRank(memory_limit=1000), at="end")
    ... except dyn.LimitReached as error:
    ...     error.name
    'DYN_EFULL'
    """


class FileError(Error, OSError):
    """DYN_EIO: reading or writing failed.

    >>> try:
    ...     dyn.data.read("there/is/none.npy")
    ... except OSError as error:
    ...     error.name
    'DYN_EIO'
    """

    __str__ = Exception.__str__


class FormatError(Error, ValueError):
    """DYN_EFORMAT: a malformed file; the message gives the place.

    >>> issubclass(dyn.FormatError, ValueError)
    True
    """


class VersionError(Error, RuntimeError):
    """DYN_EVERSION and DYN_EABI_*: file, package and library are of different versions.

    >>> issubclass(dyn.VersionError, RuntimeError)
    True
    """


class NonFinite(Error, ArithmeticError):
    """DYN_ENONFINITE: a number is NaN or infinite.

    >>> run = dyn.Run(dyn.mlp([1, 1]), [0.0, 1.0], [0.0, 1.0], optimizer=dyn.GD(1e100))
    >>> try:
    ...     run.train(100)
    ... except ArithmeticError as error:
    ...     error.name
    'DYN_ENONFINITE'
    """


class NotSupported(Error, NotImplementedError):
    """DYN_ENOTSUP.

    >>> issubclass(dyn.NotSupported, NotImplementedError)
    True
    """


class CallbackError(Error, RuntimeError):
    """DYN_EUSER: a callback failed. What a Python callback raises is raised as it is instead.

    >>> issubclass(dyn.CallbackError, RuntimeError)
    True
    """


class NotConverged(UserWarning):
    """A warning: an iteration ended before its tolerance. The result is there, with residuals and flags.

    >>> import warnings
    >>> with warnings.catch_warnings(record=True) as caught:
    ...     warnings.simplefilter("always")
    ...     pairs = dyn.eigh(np.diag(np.arange(500.0)), tolerance=1e-12, max_products=10)
    >>> caught[0].category is dyn.NotConverged, pairs.converged
    (True, array([False]))
    """


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
