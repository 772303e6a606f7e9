# SPDX-License-Identifier: BSD-3-Clause
"""Data: the digits, readers of files, and what is done to arrays before training. NumPy arrays in and out."""
from __future__ import annotations

import ctypes
import os
from pathlib import Path
from typing import Any, Literal, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from . import _find
from ._arrays import Array, path as file_path
from ._files import byte_stream, cifar, load_safetensors, mnist5k, save_safetensors, windows
from ._generate import (
    Composite, ObservationGraph, anchor, chain, composite, low_rank, matrix, modular, observation_graph, observed,
    parity, target)
from ._text import Tokens, tokenize
from ._lib import call, enum, integer, lib, make, text
from .context import current


def _file(name: str) -> Path:
    """A data file of the package, or of the checkout it lies in."""
    packaged = Path(__file__).parent / "files" / name
    root = _find.checkout()
    if packaged.exists() or root is None:
        return packaged
    return root / "examples/data" / name


def digits(one_hot: bool = True) -> tuple[NDArray[np.float64], NDArray[Any]]:
    """1797 handwritten digits of 8x8 pixels (E. Alpaydin, C. Kaynak, 1998, UCI repository, CC BY 4.0).

    Returns x [1797, 64] in [0, 1], and y [1797, 10] one-hot, or y [1797] the digits themselves.

    >>> x, y = dyn.data.digits()
    >>> x.shape, y.shape
    ((1797, 64), (1797, 10))
    """
    x = read(_file("digits-images.npy")) / 16.0
    labels = read(_file("digits-labels.npy"), dtype=np.int64)
    return x, (np.eye(10)[labels] if one_hot else labels)


def read(path: str | os.PathLike[str], member: str | None = None, dtype: Any = None) -> NDArray[Any]:
    """An array from a file: .npy, .npz (the member of that name), IDX or CSV, also packed with gzip. A damaged file
    raises FormatError.

    dtype: the type to convert into, one of these four; a number that it cannot hold is an error. Without it, the file's: float64, float32, int64, or uint8 for bytes and booleans,
    such as the images of MNIST (NumPy's arithmetic on bytes wraps around at 256); CSV gives float64 [rows, columns],
    without its header. An Objective takes uint8 as it is and converts into its own type.

    >>> import pathlib, tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = pathlib.Path(folder, "table.csv")
    ...     np.savetxt(path, [[1, 2], [3, 4]], delimiter=",", header="x,y")
    ...     dyn.data.read(path)
    array([[1., 2.],
           [3., 4.]])
    """
    context = current()
    name = None if member is None else text(member, "member")
    a = Array(context, make(context, lib.dyn_array_read, context, file_path(path), name))
    return (a if dtype is None else a.converted(dtype)).numpy()


def one_hot(labels: ArrayLike, classes: int) -> NDArray[np.float64]:
    """Labels, integers in [0, classes), as rows of zeros with a single one: [n, classes].

    >>> dyn.data.one_hot([0, 2], classes=3)
    array([[1., 0., 0.],
           [0., 0., 1.]])
    """
    a = Array.wrap(current(), labels, "labels")
    return Array(a._context, make(a._context, lib.dyn_array_one_hot, a, integer(classes, "classes"), enum("dtype", "f64"))).numpy()


class Standardised(NamedTuple):
    """Standardised data x, with the mean and std that were used.

    >>> dyn.data.standardise([[1.0], [3.0]]).mean
    array([2.])
    """

    x: NDArray[Any]
    mean: NDArray[np.float64]
    std: NDArray[np.float64]


def standardise(x: ArrayLike, over: Literal["columns", "whole"] = "columns") -> Standardised:
    """(x - mean) / std, over each column (all axes but the first) or "whole". std is that of the population, and 1
    for a column that does not vary.

    >>> dyn.data.standardise([[1.0], [3.0]]).x.ravel()
    array([-1.,  1.])
    """
    a = Array.wrap(current(), x, "x")
    results = [ctypes.c_void_p() for _ in range(3)]
    call(a._context, lib.dyn_array_standardise, a, enum("moments", over), *(ctypes.byref(r) for r in results))
    mean, std, out = (Array(a._context, r.value or 0).numpy() for r in results)
    return Standardised(out, mean, std)


def split(x: ArrayLike, count: int, seed: int = 0) -> tuple[NDArray[Any], NDArray[Any]]:
    """Rows divided at random: count of them, and the others. Equal seeds divide inputs and labels alike.

    >>> first, rest = dyn.data.split(np.arange(10.0), 7, seed=1)
    >>> len(first), len(rest)
    (7, 3)
    """
    a = Array.wrap(current(), x, "x")
    results = [ctypes.c_void_p() for _ in range(2)]
    call(a._context, lib.dyn_array_split, a, integer(seed, "seed", "u64"), integer(count, "count"),
         *(ctypes.byref(r) for r in results))
    first, second = (Array(a._context, r.value or 0).numpy() for r in results)
    return first, second
