# SPDX-License-Identifier: BSD-3-Clause
"""Inertia of a Hessian: negative, zero and positive eigenvalues (arXiv 2105.14573)."""
from __future__ import annotations

import ctypes
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ._arrays import pointer, real_array
from ._lib import call, lib, number
from .context import current
from .errors import shapes_differ
from .operator import Operator


class Inertia(NamedTuple):
    """Numbers of eigenvalues; zero is |value| <= threshold. gap: the least |value| that is not zero over the largest that
    is. values: all of them, ascending.

    >>> found = dyn.inertia(np.diag([-2.0, 0.0, 1e-15, 3.0]))
    >>> found.negative, found.zero, found.positive, found.gap > 1e14
    (1, 2, 1, True)
    """

    negative: int
    zero: int
    positive: int
    threshold: float
    gap: float
    values: NDArray[np.float64]


def inertia(hessian: ArrayLike | Operator, tolerance: float | None = None) -> Inertia:
    """Inertia of a symmetric matrix [n, n], of an operator such as dyn.hessian(..) gives (n products), or of known
    eigenvalues [n]. tolerance: relative to the largest; None: n times the spacing of float64, for exact critical points.

    >>> dyn.inertia([-1.0, 0.0, 0.0, 2.0])[:3]
    (1, 2, 1)
    """
    a: Any = hessian
    given = real_array(a @ np.eye(a.shape[0]) if isinstance(a, Operator) else a, "hessian")
    n, counts, threshold, gap = len(np.atleast_1d(given)), (ctypes.c_int64 * 3)(), ctypes.c_double(), ctypes.c_double()
    limit = n * float(np.finfo(float).eps) if tolerance is None else number(tolerance, "tolerance")
    context, out = current(), (counts, ctypes.byref(threshold), ctypes.byref(gap))
    if given.ndim == 1:
        values = np.sort(given)
        call(context, lib.dyn_inertia_values, context, n, pointer(given), limit, *out)
    elif given.shape == (n, n):
        values = np.empty(n)
        call(context, lib.dyn_inertia_matrix, context, n, pointer(given), limit, *out, pointer(values))
    else:
        raise shapes_differ(f"hessian has shape {list(given.shape)}, expected [n, n] or eigenvalues [n]")
    return Inertia(counts[0], counts[1], counts[2], threshold.value, gap.value, values)
