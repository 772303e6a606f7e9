# SPDX-License-Identifier: BSD-3-Clause
"""Spikes of a loss, episodes of a predictor, and how well one predicts the other."""
from __future__ import annotations

import ctypes
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ._arrays import copied, pointer, vector
from ._lib import Handle, check, lib, make, structs
from .context import current


class Confusion(NamedTuple):
    """Spikes predicted, spikes missed, and episodes that predicted nothing."""

    hits: int
    missed: int
    false_alarms: int


class Episodes(Handle):
    """Intervals of a series: starts, ends (excluded) and places of the largest values, indices [count]."""

    _free = "dyn_episodes_free"

    def __len__(self) -> int:
        return lib.dyn_episodes_count(self)

    def _column(self, function: Any) -> NDArray[np.int64]:
        return copied(function(self), (len(self),), np.int64)

    @property
    def starts(self) -> NDArray[np.int64]:
        """First index of every interval, ascending."""
        return self._column(lib.dyn_episodes_starts)

    @property
    def ends(self) -> NDArray[np.int64]:
        """Index after the last one."""
        return self._column(lib.dyn_episodes_ends)

    @property
    def peaks(self) -> NDArray[np.int64]:
        """Index of the largest value."""
        return self._column(lib.dyn_episodes_peaks)

    def predict(self, spikes: Episodes, lead: int = 0) -> Confusion:
        """These as predictors: a spike is hit by one that has a step in [start - lead, peak] of it."""
        counts = [ctypes.c_int64() for _ in range(3)]
        self._check(lib.dyn_episodes_confusion(self, spikes, lead, *map(ctypes.byref, counts)))
        return Confusion(*(c.value for c in counts))


def spikes(loss: ArrayLike, *, ratio: float = 2.0, window: int = 50, merge: int = 30, smooth: int = 1) -> Episodes:
    """Intervals in which a loss [n], one value per step, is above ratio times its smallest value in the window before.

    merge: spikes that start less than this many steps apart are one. smooth: steps over which the loss is averaged."""
    loss = np.ascontiguousarray(loss, dtype=np.float64)
    options = structs["dyn_spike_options"](window=window, merge=merge, smooth=smooth, ratio=ratio)
    context = current()
    return Episodes(context, make(context, lib.dyn_episodes_spikes, context, len(loss), pointer(loss),
                                  ctypes.byref(options)))


def above(series: ArrayLike, threshold: ArrayLike) -> Episodes:
    """Intervals in which a series [n] is above a threshold, a number or [n]."""
    series = np.ascontiguousarray(series, dtype=np.float64)
    limits = vector(np.broadcast_to(np.asarray(threshold, dtype=np.float64), series.shape), len(series), "threshold")
    context = current()
    return Episodes(context, make(context, lib.dyn_episodes_above, context, len(series), pointer(series),
                                  pointer(limits)))


def sustained(series: ArrayLike) -> NDArray[np.float64]:
    """min of each value and its two neighbours: a noisy predictor [n] in its sustained form."""
    series = np.ascontiguousarray(series, dtype=np.float64)
    out = np.empty(len(series))
    context = current()
    check(lib.dyn_episodes_sustained(context, len(series), pointer(series), pointer(out)), context)
    return out
