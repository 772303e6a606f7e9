# SPDX-License-Identifier: BSD-3-Clause
"""Spikes of a loss, episodes of a predictor, and how well one predicts the other. Everything counts in steps, so that
series measured on different schedules can be compared."""
from __future__ import annotations

import ctypes
from typing import Any, NamedTuple, Union

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ._arrays import array, copied, pointer, real_array, real_vector, vector
from ._rows import table
from ._lib import Handle, call, integer, lib, make, structs
from ._run_view import RunView, Series
from .context import current
from .errors import invalid

#: values with their steps, or values alone, which are numbered then unless steps= is given
Values = Union[Series, ArrayLike]


class Confusion(NamedTuple):
    """Spikes predicted, spikes missed, and episodes that predicted nothing.

    >>> crossed, spikes = dyn.above([0, 3, 0, 0], 2), dyn.spikes([1.0, 1.0, 3.0, 1.0])
    >>> crossed.predict(spikes, lead=2)
    Confusion(hits=1, missed=0, false_alarms=0)
    """

    hits: int
    missed: int
    false_alarms: int


class Episodes(Handle):
    """Intervals of a series: starts, ends (excluded) and places of the largest values, in steps [count].

    >>> found = dyn.above([0, 3, 4, 0], 2)
    >>> len(found), found.starts, found.ends, found.peaks
    (1, array([1]), array([3]), array([2]))
    """

    _kind = "episodes"
    numbered: bool      # without steps: values were counted instead

    def __len__(self) -> int:
        return int(lib.dyn_episodes_count(self))

    def _column(self, function: Any) -> NDArray[np.int64]:
        return copied(function(self), (len(self),), np.int64)

    @property
    def starts(self) -> NDArray[np.int64]:
        """First step of every interval, ascending."""
        return self._column(lib.dyn_episodes_starts)

    @property
    def ends(self) -> NDArray[np.int64]:
        """One more than the last step of every interval."""
        return self._column(lib.dyn_episodes_ends)

    @property
    def peaks(self) -> NDArray[np.int64]:
        """Step of the largest value."""
        return self._column(lib.dyn_episodes_peaks)

    def predict(self, spikes: Episodes, lead: int = 0) -> Confusion:
        """These as predictors: a spike is hit by one that has a step in [start - lead, peak] of it."""
        if isinstance(spikes, Episodes) and spikes.numbered != self.numbered:
            known, other = ("the spikes have", "the predictor has") if self.numbered else ("the predictor has", "the spikes have")
            raise invalid(f"{known} steps and {other} none: give steps= (or a dyn.Series) where both are found")
        counts = [ctypes.c_int64() for _ in range(3)]
        self._call(lib.dyn_episodes_confusion, spikes, integer(lead, "lead", least=0), *map(ctypes.byref, counts))
        return Confusion(*(c.value for c in counts))

    def __repr__(self) -> str:
        first = ", ".join(f"[{a}, {b})" for a, b in zip(self.starts[:3], self.ends))
        return f"<dyn.Episodes {len(self)}{': ' + first if first else ''}{', ...' if len(self) > 3 else ''}>"

    def _repr_html_(self) -> str:
        return table({"start": self.starts, "end": self.ends, "peak": self.peaks})


def _with_steps(values: Values, steps: ArrayLike | None, what: str) -> tuple[NDArray[np.float64],
                                                                            NDArray[np.int64] | None]:
    """Values [n] and the step of each, if known."""
    if isinstance(values, Series):
        steps = values.steps if steps is None else steps
        values = values.values
    numbers = real_vector(values, what)
    if steps is None:
        return numbers, None
    at = array(steps, "steps")
    if at.shape != numbers.shape or (at != np.floor(at)).any():
        raise invalid(f"steps of shape {list(at.shape)} for {len(numbers)} values: one whole number for each")
    return numbers, np.ascontiguousarray(at, np.int64)


def _made(function: Any, steps: NDArray[np.int64] | None, recipe: Any, *arguments: Any) -> Episodes:
    context = current()
    found = Episodes(context, make(context, function, context, *arguments))
    found.numbered = steps is None
    found._recipe = recipe
    return found


def spikes(loss: RunView | Values, *, steps: ArrayLike | None = None, ratio: float = 2.0, window: int = 50,
           merge: int = 30, smooth: int = 1) -> Episodes:
    """Intervals in which a loss is above ratio times its smallest value in the window of steps before.

    loss: a run, a dyn.Series, or values [n] with their steps [n] (None: they are numbered).
    merge: spikes that start less than this many steps apart are one; 0: none are. smooth: steps over which the loss is
    averaged.

    >>> dyn.spikes([1.0, 0.9, 2.5, 1.2, 0.8]).peaks
    array([2])
    """
    if isinstance(loss, RunView):
        steps, loss = loss.history["step"], loss.history["loss"]
    values, at = _with_steps(loss, steps, "loss")
    given = structs["dyn_spike_options"](window=integer(window, "window", least=1), merge=integer(
        merge, "merge", least=0), smooth=integer(smooth, "smooth", least=1), ratio=ratio)
    return _made(lib.dyn_episodes_spikes, at, (_spikes_again, (values, at, ratio, window, merge, smooth)), len(values),
                 pointer(at), pointer(values), ctypes.byref(given))


def _spikes_again(values: Any, at: Any, ratio: float, window: int, merge: int, smooth: int) -> Episodes:
    """For pickle, which gives no names to arguments."""
    return spikes(values, steps=at, ratio=ratio, window=window, merge=merge, smooth=smooth)


def plateaus(loss: RunView | Values, *, steps: ArrayLike | None = None, change: float = 0.05,
             length: float = 1.5) -> Episodes:
    """Plateaus of a loss: intervals made up of windows on which it keeps within a factor 1 + change while the number of
    the step grows by the factor length. Windows that share a step are one plateau.

    loss: as in spikes. The peak of a plateau is the step of its largest loss.

    >>> dyn.plateaus([8.0, 8.0, 8.0, 4.0, 2.0, 1.0, 1.0, 1.0, 1.0, 1.0]).starts
    array([0, 5])
    """
    if isinstance(loss, RunView):
        steps, loss = loss.history["step"], loss.history["loss"]
    values, at = _with_steps(loss, steps, "loss")
    given = structs["dyn_plateau_options"](change=change, length=length)
    return _made(lib.dyn_episodes_plateaus, at, (_plateaus_again, (values, at, change, length)), len(values),
                 pointer(at), pointer(values), ctypes.byref(given))


def _plateaus_again(values: Any, at: Any, change: float, length: float) -> Episodes:
    """For pickle, which gives no names to arguments."""
    return plateaus(values, steps=at, change=change, length=length)


def loss_histogram(loss: RunView | Values, *, steps: ArrayLike | None = None, bins: int = 200, low: float = -5.0,
                   high: float = 0.0) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """How many steps a loss spends at which height: counts [bins] of log10 of the loss between low and high, and the
    edges [bins + 1]. Its peaks are plateaus. A value counts the steps that pass to the next one, the last counts one.

    >>> dyn.loss_histogram([0.5, 0.5, 0.05], bins=2, low=-2, high=0)[0]
    array([1., 2.])
    """
    if isinstance(loss, RunView):
        steps, loss = loss.history["step"], loss.history["loss"]
    values, at = _with_steps(loss, steps, "loss")
    counts, context = np.empty(integer(bins, "bins", least=1)), current()
    call(context, lib.dyn_loss_histogram, context, len(values), pointer(at), pointer(values), bins, low, high,
         pointer(counts))
    return counts, np.linspace(low, high, bins + 1)


def above(series: Values, threshold: ArrayLike, steps: ArrayLike | None = None) -> Episodes:
    """Intervals in which a series is above a threshold, a number or [n].

    series: a dyn.Series, or values [n] with their steps [n] (None: they are numbered).

    >>> dyn.above([0, 3, 4, 0], 2).starts
    array([1])
    """
    values, at = _with_steps(series, steps, "series")
    limits = vector(np.broadcast_to(real_array(threshold, "threshold"), values.shape), len(values), "threshold")
    return _made(lib.dyn_episodes_above, at, (above, (values, limits, at)), len(values), pointer(at), pointer(values),
                 pointer(limits))


def sustained(series: Values) -> Any:
    """min of each value and its two neighbours: a noisy predictor [n], or a dyn.Series, in its sustained form.

    >>> dyn.sustained([1, 5, 1, 4, 4, 4])
    array([1., 1., 1., 1., 4., 4.])
    """
    if isinstance(series, Series):
        return Series(series.steps, sustained(series.values))
    values = real_vector(series, "series")
    out = np.empty(len(values))
    context = current()
    call(context, lib.dyn_episodes_sustained, context, len(values), pointer(values), pointer(out))
    return out
