# SPDX-License-Identifier: BSD-3-Clause
"""Nilpotent matrices, exactly: ranks of integer matrices, Jordan types, and those of Hom, tensor and HOM
(arXiv 2111.14656): dyn.nilpotent. A type is a tuple of block sizes, descending."""
from __future__ import annotations

import ctypes
from typing import Any, Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ._arrays import ints, pointer
from ._lib import call, lib
from .context import current
from .errors import invalid, shapes_differ

__all__ = ["hom", "jordan_type", "kronecker_sum", "matrix", "rank", "repeated", "tensor"]


def _integers(a: ArrayLike, what: str) -> NDArray[np.int64]:
    given = np.asarray(a)
    if given.dtype.kind not in "biu":
        raise invalid(f"{what} has elements of type {given.dtype}, not integers")
    if given.ndim != 2:
        raise shapes_differ(f"{what} has shape {list(given.shape)}, expected [rows, columns]")
    return np.ascontiguousarray(given, np.int64)


def rank(a: ArrayLike) -> int:
    """Exact rank over the rationals of a matrix of integers [rows, columns].

    >>> dyn.nilpotent.rank([[10**9, 1], [10**18, 10**9]])       # 1e18 - 1e18: singular
    1
    """
    given, out = _integers(a, "a"), ctypes.c_int64()
    context = current()
    call(context, lib.dyn_nilpotent_rank, context, *given.shape, pointer(given), ctypes.byref(out))
    return out.value


def jordan_type(a: ArrayLike) -> tuple[int, ...]:
    """Sizes of the Jordan blocks of a nilpotent matrix of integers [n, n].

    >>> dyn.nilpotent.jordan_type([[0, 1, 0], [0, 0, 0], [0, 0, 0]])
    (2, 1)
    """
    given = _integers(a, "a")
    if given.shape[0] != given.shape[1]:
        raise shapes_differ(f"a has shape {list(given.shape)}, expected [n, n]")
    parts, count = np.empty(len(given), np.int64), ctypes.c_int64()
    context = current()
    call(context, lib.dyn_nilpotent_type, context, len(given), pointer(given), pointer(parts), ctypes.byref(count))
    return tuple(int(p) for p in parts[:count.value])


def matrix(parts: Sequence[int]) -> NDArray[np.int64]:
    """The matrix with these Jordan blocks, ones above the diagonal.

    >>> dyn.nilpotent.matrix([2, 1])
    array([[0, 1, 0],
           [0, 0, 0],
           [0, 0, 0]])
    """
    n = sum(int(p) for p in parts)
    out = np.empty((n, n), np.int64)
    context = current()
    call(context, lib.dyn_nilpotent_matrix, context, len(parts), ints(parts, what="a part"), pointer(out))
    return out


def _functor(which: int, p: Sequence[int], q: Sequence[int]) -> tuple[int, ...]:
    context, count = current(), ctypes.c_int64()
    given: Any = (which, len(p), ints(p, what="a part"), len(q), ints(q, what="a part"))
    call(context, lib.dyn_nilpotent_functor, context, *given, 0, None, ctypes.byref(count))
    parts = np.empty(count.value, np.int64)
    call(context, lib.dyn_nilpotent_functor, context, *given, count.value, pointer(parts), ctypes.byref(count))
    return tuple(int(size) for size in parts)


def hom(p: Sequence[int], q: Sequence[int]) -> tuple[int, ...]:
    """Jordan type {min(p_i, q_j)} of HOM(p, q), on which f -> y f acts; its sum is dim Hom(p, q).

    >>> dyn.nilpotent.hom([3, 1], [2])
    (2, 1)
    """
    return _functor(0, p, q)


def repeated(p: Sequence[int], dimension: int) -> tuple[int, ...]:
    """Jordan type of x (x) b for an invertible b of this dimension: each part so often.

    >>> dyn.nilpotent.repeated([2, 1], 2)
    (2, 2, 1, 1)
    """
    return _functor(1, p, [dimension])


def tensor(p: Sequence[int], q: Sequence[int]) -> tuple[int, ...]:
    """Jordan type of x (x) y of types p and q.

    >>> dyn.nilpotent.tensor([2], [3])
    (2, 2, 1, 1)
    """
    return _functor(2, p, q)


def kronecker_sum(p: Sequence[int], q: Sequence[int]) -> tuple[int, ...]:
    """Jordan type of x (x) 1 + 1 (x) y in characteristic 0.

    >>> dyn.nilpotent.kronecker_sum([2], [3])
    (4, 2)
    """
    return _functor(3, p, q)
