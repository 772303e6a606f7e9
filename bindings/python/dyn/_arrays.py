# SPDX-License-Identifier: BSD-3-Clause
"""Between NumPy and C: arrays in without copies where type and order fit, arrays out with shapes."""
from __future__ import annotations

import ctypes
from typing import Any, Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ._lib import Handle, enum, lib, make
from .errors import shapes_differ

DTYPES = {"f64": np.dtype("f8"), "f32": np.dtype("f4"), "i64": np.dtype("i8"), "u8": np.dtype("u1")}
NAMES = {"float64": "f64", "float32": "f32", "double": "f64", "single": "f32"}


def dtype_code(dtype: Any) -> int:
    """enum dyn_dtype of a NumPy type or its name; float64 or float32."""
    return enum("dtype", NAMES.get(np.dtype(dtype).name, str(dtype)))


def vector(x: ArrayLike, size: int, what: str) -> NDArray[np.float64]:
    """x as [size] float64, contiguous; the same memory if it is so already."""
    return block(x, (size,), what)


def block(x: ArrayLike, shape: Sequence[int], what: str) -> NDArray[np.float64]:
    """x as float64 of this shape, contiguous; the same memory if it is so already."""
    a = np.ascontiguousarray(x, dtype=np.float64)
    if a.shape != tuple(shape):
        raise shapes_differ(f"{what} has shape {list(a.shape)}, expected {list(shape)}")
    return a


def pointer(a: NDArray[Any] | None) -> Any:
    """The elements as an argument of a C function, alive until it returns; None is NULL."""
    return None if a is None else a.ctypes


def ints(values: Sequence[int], kind: Any = ctypes.c_int64) -> Any:
    """A C array of integers."""
    return (kind * len(values))(*values)


def copied(address: int | None, shape: Sequence[int], dtype: Any = np.float64) -> NDArray[Any]:
    """Borrowed C memory as an array of its own; NULL is an empty array."""
    size = int(np.prod(shape, dtype=np.int64))
    if not address or not size:
        return np.empty(shape if size == 0 else (0,), dtype)
    out = np.empty(shape, dtype)
    ctypes.memmove(out.ctypes.data, address, out.nbytes)
    return out


def view(address: int, shape: Sequence[int], dtype: Any = np.float64) -> NDArray[Any]:
    """C memory as an array without a copy: for the duration of a callback only."""
    size = int(np.prod(shape, dtype=np.int64)) * np.dtype(dtype).itemsize
    return np.frombuffer((ctypes.c_char * size).from_address(address), dtype).reshape(shape)


class Array(Handle):
    """A dyn_array. Arrays made from NumPy share its memory."""

    _free = "dyn_array_unref"

    @classmethod
    def wrap(cls, context: Any, x: ArrayLike) -> Array:
        """x of a type in DTYPES without a copy; anything else is converted to float64 or int64 first."""
        a = np.asarray(x)
        if a.dtype not in DTYPES.values():
            a = a.astype(np.int64 if a.dtype.kind in "biu" else np.float64)
        a = np.ascontiguousarray(a) if a.ndim else a
        code = enum("dtype", next(name for name, dtype in DTYPES.items() if dtype == a.dtype))
        address = make(context, lib.dyn_array_wrap, context, code, a.ndim, ints(a.shape), pointer(a))
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
