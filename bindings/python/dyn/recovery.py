# SPDX-License-Identifier: BSD-3-Clause
"""Local recovery: do so many samples single out a function near the parameters that express it (arXiv 2211.11623,
2307.08921, 2406.18035): dyn.recovery."""
from __future__ import annotations

import ctypes
from typing import NamedTuple, Unpack

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ._arrays import pointer, real_array
from ._lib import call, lib, number
from .context import current
from .errors import shapes_differ
from .rank import Options, matrix_rank, rank_options

__all__ = ["Samples", "linearly_stable", "samples_needed", "slack"]


class Samples(NamedTuple):
    """needed: the least n for which the first n samples have the rank; one more than there are if none has. rank: that
    of the Jacobian at all inputs.

    >>> dyn.recovery.samples_needed(np.eye(3)[[0, 0, 1, 2]], np.eye(3))
    Samples(needed=4, rank=3)
    """

    needed: int
    rank: int


def _rows(jacobian: ArrayLike, what: str) -> NDArray[np.float64]:
    """A Jacobian [n, p] or [n, outputs.., p] as [rows, p]."""
    a = real_array(jacobian, what)
    if a.ndim < 2:
        raise shapes_differ(f"{what} has shape {list(a.shape)}, expected [n, p] or [n, outputs, p]")
    return a.reshape(-1, a.shape[-1])


def _both(samples: ArrayLike, others: ArrayLike, what: str) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    a, b = _rows(samples, "samples"), _rows(others, what)
    if a.shape[1] != b.shape[1]:
        raise shapes_differ(f"samples has {a.shape[1]} columns, {what} {b.shape[1]}")
    return a, b


def samples_needed(samples: ArrayLike, whole: ArrayLike, **options: Unpack[Options]) -> Samples:
    """n_t: the least number of samples, taken in order, at which a function is linearly stable.

    samples: the Jacobian there as dyn.jacobian gives it [n, outputs, p]; whole: at all inputs, or enough random ones.
    options: rule and tolerance, as for dyn.model_rank.

    >>> net = dyn.factorisation([2, 2, 2])
    >>> M = dyn.jacobian(net, np.arange(4), theta=[1.0, 0.0, 1.0, 0.0, 1.0, 1.0, 0.0, 0.0])     # rank 1
    >>> dyn.recovery.samples_needed(M, M)
    Samples(needed=3, rank=3)
    """
    a, b = _both(samples, whole, "whole")
    least, rank = ctypes.c_int64(), ctypes.c_int64()
    context = current()
    call(context, lib.dyn_recovery_samples, context, *a.shape, pointer(a), len(a) // np.shape(samples)[0], len(b),
         pointer(b), ctypes.byref(rank_options(options)), ctypes.byref(least), ctypes.byref(rank))
    return Samples(least.value, rank.value)


def linearly_stable(samples: ArrayLike, whole: ArrayLike, **options: Unpack[Options]) -> bool:
    """Whether a zero-loss point is linearly stable: the Jacobian at the samples has the rank of that at all inputs.

    >>> dyn.recovery.linearly_stable([[1.0, 0.0]], np.eye(2)), dyn.recovery.linearly_stable(np.eye(2), np.eye(2))
    (False, True)
    """
    rule, tolerance = options.get("rule", "tolerance"), options.get("tolerance")
    a, b = _both(samples, whole, "whole")
    return matrix_rank(a, rule=rule, tolerance=tolerance).rank == matrix_rank(b, rule=rule, tolerance=tolerance).rank


def slack(samples: ArrayLike, probes: ArrayLike, tolerance: float = 1e-10) -> float:
    """Tangent-plane uniqueness, without ranks: the largest distance of a row of the Jacobian at probes [rows, p] from the
    span of those at the samples [n, p], relative. 0 up to rounding: the fit is unique among the tangent functions.

    >>> dyn.recovery.slack([[1.0, 0.0]], [[1.0, 0.0]]), dyn.recovery.slack([[1.0, 0.0]], [[3.0, 4.0]])
    (0.0, 0.8)
    """
    a, b = _both(samples, probes, "probes")
    out = ctypes.c_double()
    context = current()
    call(context, lib.dyn_recovery_slack, context, *a.shape, pointer(a), len(b), pointer(b),
         number(tolerance, "tolerance"), ctypes.byref(out))
    return out.value
