# SPDX-License-Identifier: BSD-3-Clause
"""Between NumPy and C: arrays in without copies where type and order fit, arrays out with shapes. Nothing is cast in a
way that loses something: complex numbers, masks, strings and integers too large are refused by name."""
from __future__ import annotations

import ctypes
import math
import os
from typing import Any, Iterable, Mapping, Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ._lib import Handle, enum, integer, lib, make
from .errors import invalid, shapes_differ

#: types of arrays of the library
DTYPES: dict[str, np.dtype[Any]] = {"f64": np.dtype("f8"), "f32": np.dtype("f4"), "i64": np.dtype("i8"), "u8": np.dtype("u1")}
_CODES = {dtype: enum("dtype", name) for name, dtype in DTYPES.items()}
_SIZES = [ctypes.c_int64 * rank for rank in range(65)]     # of NumPy's arrays
NAMES = {"float64": "f64", "float32": "f32", "double": "f64", "single": "f32"}


def dtype_code(dtype: Any) -> int:
    """enum dyn_dtype of a NumPy type or its name; float64 or float32."""
    try:
        return _CODES[DTYPES[NAMES[dtype if isinstance(dtype, str) and dtype in NAMES else np.dtype(dtype).name]]]
    except (KeyError, TypeError):
        raise invalid(f"dtype {dtype!r} is neither float64 nor float32") from None


def array(x: ArrayLike, what: str) -> NDArray[Any]:
    """x as an array of real numbers of whatever type."""
    a = _as_numpy(x, what)
    if isinstance(x, np.ma.MaskedArray) and np.ma.is_masked(x):
        raise invalid(f"{what} has masked elements, which would be taken as numbers: fill or drop them first")
    if a.dtype.kind not in "biuf":
        raise invalid(f"{what} has elements of type {a.dtype}, not real numbers")
    if a.dtype.itemsize > 8:
        raise invalid(f"{what} has elements of type {a.dtype}: the largest type here is {a.dtype.kind}8")
    return a


def _as_numpy(x: Any, what: str) -> NDArray[Any]:
    """Through __dlpack__ where x is no NumPy array and has it, without a copy; what lies on another device is refused."""
    if isinstance(x, (np.ndarray, np.generic)) or not hasattr(x, "__dlpack__"):
        return np.asarray(x)
    try:
        return np.from_dlpack(x)
    except (TypeError, ValueError, RuntimeError, BufferError) as refused:
        if hasattr(x, "requires_grad") and x.requires_grad:
            raise invalid(f"{what} is a tensor that requires its gradient: pass it detached") from None
        if hasattr(x, "__array__"):
            return np.asarray(x)
        raise invalid(f"{what} cannot be read by __dlpack__: {refused!s:.200}") from None


def real_array(x: ArrayLike, what: str) -> NDArray[np.float64]:
    """x as float64, contiguous; the same memory if it is so already."""
    a = array(x, what)
    return np.ascontiguousarray(a, dtype=np.float64) if a.ndim else a.astype(np.float64)


def vector(x: ArrayLike, size: int, what: str) -> NDArray[np.float64]:
    """x as [size] float64, contiguous; the same memory if it is so already."""
    return block(x, (size,), what)


def block(x: ArrayLike, shape: Sequence[int], what: str) -> NDArray[np.float64]:
    """x as float64 of this shape, contiguous; the same memory if it is so already."""
    a = real_array(x, what)
    if a.shape != tuple(shape):
        raise shapes_differ(f"{what} has shape {list(a.shape)}, expected {list(shape)}")
    return a


def real_matrix(x: ArrayLike, what: str, shape: str = "[rows, columns]") -> NDArray[np.float64]:
    """x as a float64 matrix, contiguous."""
    a = real_array(x, what)
    if a.ndim != 2:
        raise shapes_differ(f"{what} has shape {list(a.shape)}, expected {shape}")
    return a


def real_vector(x: ArrayLike, what: str) -> NDArray[np.float64]:
    """x as a float64 vector of any length, contiguous."""
    a = real_array(x, what)
    if a.ndim != 1:
        raise shapes_differ(f"{what} has shape {list(a.shape)}, expected a vector")
    return a


def cut(values: NDArray[Any], shapes: Mapping[str, tuple[int, ...]]) -> dict[str, NDArray[Any]]:
    """Views of arrays that lie one after the other in values, by name."""
    ends = np.cumsum([math.prod(shape) for shape in shapes.values()], dtype=np.int64)
    return {name: part.reshape(shape) for (name, shape), part in zip(shapes.items(), np.split(values, ends))}


def indices(x: Any, size: int, what: str) -> NDArray[np.int64]:
    """x as indices of an axis of this size: integers, or booleans for each place; negative ones count from the end."""
    a = np.asarray(x)
    if a.dtype == bool:
        if a.shape != (size,):
            raise shapes_differ(f"{what} is a mask of shape {list(a.shape)}, expected {[size]}")
        return np.flatnonzero(a)
    if a.dtype.kind not in "iu" and a.size:
        raise invalid(f"{what} has elements of type {a.dtype}, not integers")
    for i in a.ravel():
        if not -size <= i < size:
            raise invalid(f"{what} has the index {i}, for an axis of size {size}")
    return np.ascontiguousarray(a.astype(np.int64) % size if size else a, np.int64)


def pointer(a: NDArray[Any] | None) -> Any:
    """The elements as an argument of a C function, alive until it returns; None is NULL."""
    return None if a is None else a.ctypes


def ints(values: Iterable[int], kind: Any = ctypes.c_int64, what: str = "a size") -> Any:
    """A C array of integers."""
    name = "i64" if ctypes.sizeof(kind) == 8 else "i32"
    numbers = [integer(v, what, name) for v in values]
    return (kind * len(numbers))(*numbers)


def path(p: str | bytes | os.PathLike[Any]) -> bytes:
    """A path as C takes it, where NUL would end it."""
    raw = os.fsencode(p)
    if b"\0" in raw:
        raise invalid(f"the path {p!r} contains the character NUL")
    return raw


def copied(address: int | None, shape: Sequence[int], dtype: Any = np.float64) -> NDArray[Any]:
    """Borrowed C memory as an array of its own; NULL is an empty array."""
    size = int(np.prod(shape, dtype=np.int64))
    if not address or not size:
        return np.empty(shape if size == 0 else (0,), dtype)
    out = np.empty(shape, dtype)
    ctypes.memmove(out.ctypes.data, address, out.nbytes)
    return out


def view(address: int, shape: Sequence[int], dtype: Any = np.float64) -> NDArray[Any]:
    """C memory as an array without a copy: for the duration of a callback, and never for the user's eyes."""
    size = int(np.prod(shape, dtype=np.int64)) * np.dtype(dtype).itemsize
    return np.frombuffer((ctypes.c_char * size).from_address(address), dtype).reshape(shape)


def read_only(address: int, shape: Sequence[int], dtype: Any = np.float64) -> NDArray[Any]:
    """C memory as an array for the user: a copy, which may be kept, and read only, as nothing comes of writing to it."""
    a = copied(address, shape, dtype)
    a.flags.writeable = False
    return a


def element_code(dtype: np.dtype[Any]) -> int:
    """enum dyn_dtype of one of DTYPES."""
    return enum("dtype", next(name for name, known in DTYPES.items() if known == dtype))


class Array(Handle):
    """A dyn_array. Arrays made from NumPy share its memory."""

    _kind = "array"

    @classmethod
    def wrap(cls, context: Any, x: ArrayLike, what: str = "the array") -> Array:
        """x of a type in DTYPES without a copy; anything else is converted to float64 or int64 first."""
        a = array(x, what)
        if a.dtype not in _CODES:
            a = a.astype(_wider(a, what))
        a = np.ascontiguousarray(a) if a.ndim else a
        address = make(context, lib.dyn_array_wrap, context, _CODES[a.dtype], a.ndim, _SIZES[a.ndim](*a.shape),
                       a.__array_interface__["data"][0])
        return cls(context, address, a)

    def converted(self, dtype: Any) -> Array:
        """The same numbers in another of DTYPES; one that does not fit is an error."""
        name = next((name for name, known in DTYPES.items() if known == np.dtype(dtype)), str(dtype))
        return Array(self._context, make(self._context, lib.dyn_array_convert, self, enum("dtype", name)))

    def numpy(self) -> NDArray[Any]:
        """A copy of the elements."""
        shape = copied(lib.dyn_array_shape(self), (lib.dyn_array_rank(self),), np.int64)
        dtype = list(DTYPES.values())[lib.dyn_array_dtype(self)]
        return copied(lib.dyn_array_data(self), tuple(int(n) for n in shape), dtype)


def _wider(a: NDArray[Any], what: str) -> Any:
    """The type here that holds all elements of a."""
    if a.dtype.kind == "f":
        return np.float64
    if a.dtype == np.uint64 and a.size and a.max() > np.iinfo(np.int64).max:
        raise invalid(f"{what} has the element {a.max()}, above the largest integer 2^63 - 1")
    return np.int64
