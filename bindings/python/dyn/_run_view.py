# SPDX-License-Identifier: BSD-3-Clause
"""What can be seen of a run and added to it: a run of its own, or a replica among many."""
from __future__ import annotations

import ctypes
import os
import weakref
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Callable, Iterator, Mapping, Sequence, Union

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ._arrays import copied, ints, pointer, view
from ._lib import Options, callback, check, enum_name, lib, structs
from .errors import STATUS, invalid

if TYPE_CHECKING:
    from .measure import Measurement
    from .objective import Objective

When = Union[str, int, Sequence[Union[str, int]], None]


@dataclass(frozen=True)
class Series:
    """What was measured: steps [r], and values [r] or [r, columns]."""

    steps: NDArray[np.int64]
    values: NDArray[np.float64]


@dataclass(frozen=True)
class State:
    """A run as an observer sees it: theta and gradient [p] are valid inside the observer only."""

    run: RunView
    step: int
    loss: float
    theta: NDArray[np.float64]
    gradient: NDArray[np.float64]


class History(Mapping[str, NDArray[np.float64]]):
    """Columns [rows] as arrays: "step", "loss", "gradient_norm" (before clipping), "rate"; the terms of a loss of several;
    "validation_loss" and "validation_accuracy", NaN at the steps where the validation set was not looked at."""

    def __init__(self, run: RunView) -> None:
        self._run = run

    def __getitem__(self, column: str) -> NDArray[np.float64]:
        rows = ctypes.c_int64()
        address = lib.dyn_run_history(self._run, column.encode(), ctypes.byref(rows))
        if address is None:
            raise KeyError(f"no column {column!r}; there are {', '.join(self)}")
        return copied(address, (rows.value,))

    def __iter__(self) -> Iterator[str]:
        return (lib.dyn_run_column_name(self._run, i).decode() for i in range(len(self)))

    def __len__(self) -> int:
        return lib.dyn_run_columns(self._run)


def schedule(every: int, at: When, per_decade: int) -> Options:
    """A dyn_schedule: every so many steps, and at "start", "end", "log" or given steps."""
    places = [] if at is None else [at] if isinstance(at, (str, int)) else list(at)
    words = {p for p in places if isinstance(p, str)}
    if words - {"start", "end", "log"}:
        raise invalid(f'at={at!r}: "start", "end", "log" or numbers of steps are understood')
    steps = ints([int(p) for p in places if not isinstance(p, str)])
    when = structs["dyn_schedule"](every=every, at_start=int("start" in words), at_end=int("end" in words),
                                   per_decade=per_decade if "log" in words else 0, count=len(steps))
    if len(steps):
        when.steps = ctypes.addressof(steps)
        when._steps = steps         # the struct points to them
    return when


class RunView:
    """Step, theta, history and measurements of a run."""

    _as_parameter_: ctypes.c_void_p
    _context: Any
    objective: Objective

    def __init__(self) -> None:
        self._observers: list[Any] = []
        self._measurements: dict[str, Measurement] = {}

    @property
    def step(self) -> int:
        """Steps taken."""
        return lib.dyn_run_step(self)

    @property
    def reason(self) -> str:
        """Why the run is where it is: "ready", "steps", "loss", "accuracy", "stopped", "nonfinite",
        "failed" or "patience"."""
        return enum_name("reason", lib.dyn_run_reason(self))

    @property
    def stopped(self) -> bool:
        """Whether Ctrl-C or an observer stopped it; train() goes on."""
        return self.reason == "stopped"

    @property
    def theta(self) -> NDArray[np.float64]:
        """A copy of the parameters [p]."""
        theta = np.empty(self.objective.size)
        check(lib.dyn_run_theta(self, pointer(theta)), self._context)
        return theta

    @property
    def best(self) -> NDArray[np.float64]:
        """The parameters [p] of the smallest validation loss so far; best_step and best_loss say when and how small."""
        theta = np.empty(self.objective.size)
        check(lib.dyn_run_best(self, pointer(theta), None, None), self._context)
        return theta

    @property
    def best_step(self) -> int:
        """The step of the smallest validation loss so far."""
        step = ctypes.c_int64()
        check(lib.dyn_run_best(self, None, None, ctypes.byref(step)), self._context)
        return step.value

    @property
    def best_loss(self) -> float:
        """The smallest validation loss so far."""
        loss = ctypes.c_double()
        check(lib.dyn_run_best(self, None, ctypes.byref(loss), None), self._context)
        return loss.value

    @property
    def history(self) -> History:
        """Columns of the history by name, one row per recorded step."""
        return History(self)

    @property
    def series(self) -> dict[str, Series]:
        """Everything recorded, by the names under which it was."""
        names = [lib.dyn_run_series_name(self, i).decode() for i in range(lib.dyn_run_series_count(self))]
        return {name: self._series(name) for name in names}

    def _series(self, name: str) -> Series:
        rows, columns = ctypes.c_int64(), ctypes.c_int64()
        steps, values = ctypes.c_void_p(), ctypes.c_void_p()
        check(lib.dyn_run_series(self, name.encode(), *map(ctypes.byref, (rows, columns, steps, values))),
              self._context)
        shape = (rows.value,) if columns.value == 1 else (rows.value, columns.value)
        return Series(copied(steps.value, shape[:1], np.int64), copied(values.value, shape))

    def __getitem__(self, name: str) -> Any:
        """What a measurement of that name has found so far, or a recorded series."""
        if name in self._measurements:
            return self._measurements[name].result(self)
        series = self.series
        if name not in series:
            known = sorted({*self._measurements, *series})
            raise KeyError(f"nothing was measured under {name!r}; there are {', '.join(known) or 'no measurements'}")
        return series[name]

    @property
    def measured(self) -> list[str]:
        """Names of the measurements, in the order they were added."""
        return list(self._measurements)

    def measure(self, what: Measurement | Callable[[State], ArrayLike | None], *, every: int = 0, at: When = None,
                per_decade: int = 10, name: str | None = None) -> Any:
        """Measure on a schedule; run[name] gives the results.

        what: dyn.Sharpness, dyn.Condensation, dyn.ModelRank, or a function of the State whose number or vector is
            recorded under `name` (None: nothing is).
        every: steps 0, every, 2 every, ...   at: "start", "end", "log" (per_decade steps in each decade), numbers of
            steps, or several of these. Neither given: at every step.

        A measurement cannot change the trajectory. Returns the measurement."""
        from .measure import Custom, Measurement
        measurement = what if isinstance(what, Measurement) else Custom(what, name)
        if name is not None:
            measurement.name = name
        if measurement.name in self._measurements:
            raise invalid(f"{measurement.name!r} is measured already; give another name=")
        self._observers.append(measurement.attach(self, schedule(every, at, per_decade)))
        self._measurements[measurement.name] = measurement
        return measurement

    def observe(self, function: Callable[[State], Any], when: Options) -> Any:
        """Call function(state) on a schedule. An exception stops the training, which raises it."""
        seen = weakref.ref(self)

        def observer(_: Any, run: int, step: int, loss: float, theta: int, gradient: int) -> None:
            me = seen()
            shape = (me.objective.size,)
            function(State(me, step, loss, view(theta, shape), view(gradient, shape)))
        fn = callback(self._context, "dyn_observer_fn", observer, failure=STATUS["euser"])
        check(lib.dyn_run_observe(self, fn, None, ctypes.byref(when)), self._context)
        return fn

    def record(self, name: str, values: ArrayLike) -> None:
        """Append a row to a series at the present step: a number or a vector, each time of the same length."""
        row = np.atleast_1d(np.ascontiguousarray(values, dtype=np.float64))
        check(lib.dyn_run_record(self, name.encode(), row.size, pointer(row)), self._context)

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write a checkpoint (.npz): the run goes on from it as if it had never stopped, with all it has measured."""
        check(lib.dyn_run_save(self, os.fsencode(path)), self._context)

    def write_csv(self, path: str | os.PathLike[str]) -> None:
        """History and series as one table with a header."""
        check(lib.dyn_run_write_csv(self, os.fsencode(path)), self._context)

    def __repr__(self) -> str:
        loss = self.history["loss"]
        return f"<dyn.{type(self).__name__} step {self.step}, {self.reason}" + (f", loss {loss[-1]:.4g}>" if len(loss)
                                                                               else ">")
