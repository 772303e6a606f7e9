# SPDX-License-Identifier: BSD-3-Clause
"""Frequencies of what a network has learned, from values at any points (arXiv 2405.17479): dyn.frequency."""
from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ._arrays import block, pointer, real_array, real_matrix, real_vector, vector
from ._lib import call, lib, number
from .context import current
from .errors import shapes_differ

__all__ = ["error", "low_pass", "project", "relative_errors", "transform"]


def transform(x: ArrayLike, y: ArrayLike, k: ArrayLike) -> NDArray[np.complex128]:
    """F(k) = (1/n) sum_j y_j exp(-i k x_j) of values y [n] or [n, outputs] at points x [n], which need not be spaced
    equally: [len(k)] or [len(k), outputs]. k in radian per unit of x.

    >>> x = np.linspace(-np.pi, np.pi, 200, endpoint=False)
    >>> abs(dyn.frequency.transform(x, np.sin(6 * x), [1, 6])).round(6)
    array([0. , 0.5])
    """
    points, values, wanted = real_vector(np.ravel(x), "x"), real_array(y, "y"), real_vector(k, "k")
    if not values.ndim or len(values) != len(points):
        raise shapes_differ(f"y has shape {list(values.shape)}, x has {len(points)} points")
    outputs = values.size // max(1, len(points))
    out = np.empty((len(wanted), outputs, 2))
    context = current()
    call(context, lib.dyn_frequency_transform, context, len(points), outputs, pointer(points), pointer(values),
         len(wanted), pointer(wanted), pointer(out))
    found: NDArray[np.complex128] = out.view(np.complex128)[..., 0]
    return found[:, 0] if values.ndim == 1 else found


def _pairs(f: ArrayLike) -> NDArray[np.float64]:
    return np.ascontiguousarray(np.ravel(f), dtype=np.complex128).view(np.float64).reshape(-1, 2)


def error(fit: ArrayLike, truth: ArrayLike, *, floor: float = 1e-5, phases: bool = False) -> NDArray[np.float64]:
    """Per frequency ||fit| - |truth|| / (floor + |truth|); phases: |fit - truth| instead, of the complex numbers.

    >>> dyn.frequency.error([0.5j, 0.1], [0.5, 0.2], floor=0.0)
    array([0. , 0.5])
    """
    a, b = _pairs(fit), _pairs(truth)
    out = np.empty(len(b))
    context = current()
    call(context, lib.dyn_frequency_error, context, len(b), pointer(block(a, b.shape, "fit")), pointer(b),
         number(floor, "floor"), int(phases), pointer(out))
    return out.reshape(np.shape(truth))


def project(x: ArrayLike, direction: ArrayLike) -> NDArray[np.float64]:
    """Inputs x [n, d] along a direction [d], which is taken as it is: the points of a transform [n].

    >>> dyn.frequency.project([[1.0, 2.0], [3.0, 4.0]], [1.0, 1.0])
    array([3., 7.])
    """
    points = real_matrix(x, "x", "[n, d]")
    along, out = vector(direction, points.shape[1], "direction"), np.empty(len(points))
    context = current()
    call(context, lib.dyn_frequency_project, context, *points.shape, pointer(points), pointer(along), pointer(out))
    return out


def low_pass(x: ArrayLike, y: ArrayLike, delta: float) -> NDArray[Any]:
    """The low-frequency part of y [n, outputs] or [n] on points x [n, d]: a mean with weights
    exp(-|x_j - x_i|^2 / (2 delta)). What passes are frequencies below about 1/sqrt(delta).

    >>> dyn.frequency.low_pass([[0.0], [1.0]], [0.0, 1.0], delta=1e6).round(3)
    array([0.5, 0.5])
    """
    points, values = real_matrix(x, "x", "[n, d]"), real_array(y, "y")
    if not values.ndim or len(values) != len(points):
        raise shapes_differ(f"y has shape {list(values.shape)}, x has {len(points)} points")
    out = np.empty_like(values)
    context = current()
    call(context, lib.dyn_frequency_filter, context, *points.shape, values.size // max(1, len(points)), pointer(points),
         pointer(values), number(delta, "delta"), pointer(out))
    return out


def relative_errors(x: ArrayLike, y: ArrayLike, h: ArrayLike, delta: float) -> tuple[float, float]:
    """Errors |y - h| / |y| of the low and of the high part of h against those of y: the first falls earlier.

    >>> low, high = dyn.frequency.relative_errors([[0.0], [1.0]], [1.0, 3.0], [1.0, 3.0], delta=1.0)
    >>> low, high
    (0.0, 0.0)
    """
    truth, fit = real_array(y, "y"), real_array(h, "h")
    low, got = low_pass(x, truth, delta), low_pass(x, fit, delta)
    high, left = truth - low, fit - got
    sizes = [np.linalg.norm(part) for part in (low - got, low, high - left, high)]
    return float(sizes[0] / sizes[1]), float(sizes[2] / sizes[3])
