# SPDX-License-Identifier: BSD-3-Clause
"""What can be seen of a run and added to it: a run of its own, or a replica among many."""
from __future__ import annotations

import ctypes
import os
import weakref
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Callable, Iterator, Literal, Mapping, Sequence, TypeVar, Union, overload

import numpy as np
from numpy.typing import ArrayLike, NDArray

from . import _recipe
from ._arrays import copied, dtype_code, read_only, ints, path as file_path, pointer, real_array, vector
from ._rows import table
from ._lib import Options, call, callback, enum, enum_name, integer, lib, number, structs, text, turn
from .errors import STATUS, invalid

if TYPE_CHECKING:
    from .measure import CondensationSeries, Measurement, RankSeries, SharpnessSeries
    from .objective import Objective
    from .optim import Optimizer

R = TypeVar("R")
_PARTS = ("sharpness", "lambda_grad", "threshold")      # series of a measurement, which says itself what to show

Place = Union[Literal["start", "end", "log"], int]
When = Union[Place, Sequence[Place], None]


@dataclass(frozen=True)
class Series:
    """What was measured: steps [r], and values [r] or [r, columns].

    >>> run = dyn.Run(dyn.mlp([1, 2, 1]), [0.0, 1.0], [0.0, 1.0])
    >>> _ = run.measure(lambda state: state.step**2, name="square", every=2)
    >>> run.train(4)["square"].values
    array([ 0.,  4., 16.])
    """

    steps: NDArray[np.int64]
    values: NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.steps)

    def __repr__(self) -> str:
        return f"<dyn.Series of {len(self)} rows, values {list(self.values.shape)}>"

    def _repr_html_(self) -> str:
        columns = self.values.reshape(len(self), -1).T
        return table({"step": self.steps, **{f"{i}" if len(columns) > 1 else "value": c for i, c in enumerate(columns)}})


@dataclass(frozen=True)
class State:
    """A run as an observer sees it. theta and gradient [p] are copies, read only, and may be kept.

    >>> run = dyn.Run(dyn.mlp([1, 2, 1]), [0.0, 1.0], [0.0, 1.0])
    >>> _ = run.measure(lambda state: len(state.gradient), name="size", at="start")
    >>> run.train(1)["size"].values
    array([7.])
    """

    run: RunView
    step: int
    loss: float
    theta: NDArray[np.float64]
    gradient: NDArray[np.float64]


@dataclass(frozen=True)
class Cost:
    """What a measurement has cost in this process: seconds; share of the run's time; how many times it measured, and was
    passed over for its budget.

    >>> run = dyn.Run(dyn.mlp([1, 2, 1]), [0.0, 1.0], [0.0, 1.0])
    >>> _ = run.measure(lambda state: state.loss, name="again", every=2)
    >>> run.train(4).costs["again"].measured
    3
    """

    seconds: float
    share: float
    measured: int
    passed_over: int


class History(Mapping[str, NDArray[np.float64]]):
    """Columns [rows] as arrays: "step", "loss", "gradient_norm" (before clipping), "rate"; the terms of a loss of several;
    "validation_loss" and "validation_accuracy", NaN at the steps where the validation set was not looked at.

    >>> run = dyn.Run(dyn.mlp([1, 2, 1]), [0.0, 1.0], [0.0, 1.0]).train(2)
    >>> list(run.history)
    ['step', 'loss', 'gradient_norm', 'rate']
    """

    def __init__(self, run: RunView) -> None:
        self._run = run

    def __getitem__(self, column: str) -> NDArray[np.float64]:
        rows = ctypes.c_int64()
        with turn(self._run._context):      # the address is good as long as nothing is recorded
            address = lib.dyn_run_history(self._run, text(column, "the column"), ctypes.byref(rows))
            if address is None:
                raise KeyError(f"no column {column!r}; there are {', '.join(self)}")
            return copied(address, (rows.value,))

    def __iter__(self) -> Iterator[str]:
        return (lib.dyn_run_column_name(self._run, i).decode() for i in range(len(self)))

    def __len__(self) -> int:
        return int(lib.dyn_run_columns(self._run))

    def __repr__(self) -> str:
        return f"<dyn.History of {len(self['step'])} rows: {', '.join(self)}>"

    def _repr_html_(self) -> str:
        return table(dict(self))


def schedule(every: int | None, at: When, per_decade: int, budget: float | None = None) -> Options:
    """A dyn_schedule: every so many steps, and at "start", "end", "log" or given steps; neither: at every step."""
    if every is not None:
        integer(every, "every", least=1)
    elif at is None:
        every = 1
    places = [] if at is None else [at] if isinstance(at, (str, int)) else list(at)
    words = {p for p in places if isinstance(p, str)}
    if words - {"start", "end", "log"}:
        raise invalid(f'at={at!r}: "start", "end", "log" or numbers of steps are understood')
    steps = ints([p for p in places if not isinstance(p, str)], what="a step in at=")
    when = structs["dyn_schedule"](every=every, at_start=int("start" in words), at_end=int("end" in words),
                                   per_decade=integer(per_decade, "per_decade", "i32", least=1) if "log" in words else 0,
                                   count=len(steps))
    if budget is not None:
        if not 0 < number(budget, "budget") <= 1:
            raise invalid(f"budget is {budget}, must be in (0, 1]")
        when.rest = 1 / budget - 1
    if len(steps):
        when.steps = ctypes.addressof(steps)
        when._steps = steps         # the struct points to them
    return when


class RunView:
    """Step, theta, history and measurements of a run.

    >>> run = dyn.Run(dyn.mlp([1, 2, 1], seed=1), [0.0, 1.0], [0.0, 1.0]).train(5)
    >>> run.history["step"]
    array([0., 1., 2., 3., 4., 5.])
    """

    _kind = "run"
    _as_parameter_: ctypes.c_void_p
    _context: Any
    _objective: Objective
    _optimizer: Optimizer
    _rules: dict[str, Any]      # options of the run, as they were given
    _observers: list[Any]
    _measurements: dict[str, Measurement[Any]]
    _places: dict[str, int]                 # of measurements among the observers
    _described: dict[str, dict[str, Any]]   # measurements as the checkpoint holds them
    _restored: set[str]                     # those that came with a checkpoint

    def __init__(self, **parts: Any) -> None:
        """parts: what else it has, by the attributes' names; past __setattr__, which would cost more than all the rest."""
        self.__dict__.update(parts, _observers=[], _measurements={}, _places={}, _described={}, _restored=set())

    def __setattr__(self, name: str, value: Any) -> None:
        if name[0] != "_" and name not in ("theta", "parameters"):
            raise AttributeError(f"{name} of a run cannot be set: what it trains with is fixed when it is made. Another "
                                 "run can begin where this one is: dyn.Run(..., theta=run.theta)")
        object.__setattr__(self, name, value)

    @property
    def objective(self) -> Objective:
        """The loss that is trained."""
        return self._objective

    @property
    def step(self) -> int:
        """Steps taken."""
        return int(lib.dyn_run_step(self))

    @property
    def reason(self) -> str:
        """Why the run is where it is: "ready", "steps", "loss", "accuracy", "stopped", "nonfinite",
        "failed", "patience", "gradient" or "stalled" (L-BFGS: no step lowers the loss)."""
        return enum_name("reason", lib.dyn_run_reason(self))

    @property
    def stopped(self) -> bool:
        """Whether Ctrl-C or an observer stopped it; train() goes on."""
        return self.reason == "stopped"

    @property
    def theta(self) -> NDArray[np.float64]:
        """A copy of the parameters [p]. Set, the next step is evaluated there; moments, step and history stay.

        >>> run = dyn.Run(dyn.mlp([1, 1], bias=False), [[1.0]], [[2.0]], optimizer=dyn.GD(0.25), theta=[0.0]).train(1)
        >>> run.theta = [4.0]
        >>> run.train(1).theta
        array([3.])
        """
        theta = np.empty(self.objective.size)
        call(self._context, lib.dyn_run_theta, self, pointer(theta))
        return theta

    @theta.setter
    def theta(self, theta: ArrayLike) -> None:
        call(self._context, lib.dyn_run_set_theta, self, pointer(vector(theta, self.objective.size, "theta")))

    @property
    def parameters(self) -> NDArray[Any]:
        """theta [p] in the type that the run computes in, which may be set as well: no number is rounded on the way.

        >>> run = dyn.Run(dyn.Objective(dyn.mlp([1, 1]), [[1.0]], [[2.0]], dtype="float32"))
        >>> run.parameters.dtype
        dtype('float32')
        """
        dtype = ctypes.c_int32()
        address = lib.dyn_run_parameters(self, ctypes.byref(dtype))
        return copied(address, (self.objective.size,), np.float32 if dtype.value else np.float64)

    @parameters.setter
    def parameters(self, theta: NDArray[Any]) -> None:
        a = np.ascontiguousarray(theta)
        if a.dtype not in (np.float64, np.float32):
            raise invalid(f"parameters are given as {a.dtype}, not in the run's own type")
        call(self._context, lib.dyn_run_set_parameters, self, dtype_code(a.dtype), a.size, pointer(a))

    @property
    def best(self) -> NDArray[np.float64]:
        """The parameters [p] of the smallest validation loss so far; best_step and best_loss say when and how small."""
        theta = np.empty(self.objective.size)
        call(self._context, lib.dyn_run_best, self, pointer(theta), None, None)
        return theta

    @property
    def best_step(self) -> int:
        """The step of the smallest validation loss so far."""
        step = ctypes.c_int64()
        call(self._context, lib.dyn_run_best, self, None, None, ctypes.byref(step))
        return step.value

    @property
    def best_loss(self) -> float:
        """The smallest validation loss so far."""
        loss = ctypes.c_double()
        call(self._context, lib.dyn_run_best, self, None, ctypes.byref(loss), None)
        return loss.value

    @property
    def ema(self) -> NDArray[np.float64]:
        """The exponential average of the parameters [p] so far, where ema= was given."""
        return self._average("ema")

    @property
    def mean(self) -> NDArray[np.float64]:
        """The mean of the parameters [p] over the steps from mean_from on."""
        return self._average("mean")

    def _average(self, which: str) -> NDArray[np.float64]:
        theta = np.empty(self.objective.size)
        call(self._context, lib.dyn_run_average, self, enum("average", which), pointer(theta))
        return theta

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
        with turn(self._context):
            call(self._context, lib.dyn_run_series, self, text(name, "the name"),
                 *map(ctypes.byref, (rows, columns, steps, values)))
            shape = (rows.value,) if columns.value == 1 else (rows.value, columns.value)
            return Series(copied(steps.value, shape[:1], np.int64), copied(values.value, shape))

    @overload
    def __getitem__(self, name: Literal["sharpness"]) -> SharpnessSeries: ...

    @overload
    def __getitem__(self, name: Literal["condensation"]) -> CondensationSeries: ...

    @overload
    def __getitem__(self, name: Literal["rank"]) -> RankSeries: ...

    @overload
    def __getitem__(self, name: Measurement[R]) -> R: ...

    @overload
    def __getitem__(self, name: str) -> Any: ...

    def __getitem__(self, name: Any) -> Any:
        """What a measurement, itself or by its name, has found so far, or a recorded series."""
        name = getattr(name, "name", name)
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

    def _ipython_key_completions_(self) -> list[str]:
        return sorted({*self._measurements, *self.series})

    @property
    def seconds(self) -> float:
        """Seconds of training so far, in this process, with what was measured."""
        return float(lib.dyn_run_seconds(self))

    @property
    def costs(self) -> dict[str, Cost]:
        """What each measurement has cost, by its name."""
        return {name: self._cost(place) for name, place in self._places.items()}

    def _cost(self, place: int) -> Cost:
        seconds, measured, passed_over = ctypes.c_double(), ctypes.c_int64(), ctypes.c_int64()
        call(self._context, lib.dyn_run_observer_cost, self, place, ctypes.byref(seconds),
             ctypes.byref(measured), ctypes.byref(passed_over))
        return Cost(seconds.value, seconds.value / self.seconds if self.seconds else 0.0, measured.value, passed_over.value)

    @overload
    def measure(self, what: Measurement[R], *, every: int | None = None, at: When = None, per_decade: int = 10,
                budget: float | None = None, name: str | None = None) -> Measurement[R]: ...

    @overload
    def measure(self, what: Callable[[State], ArrayLike | None], *, every: int | None = None, at: When = None,
                per_decade: int = 10, budget: float | None = None, name: str | None = None) -> Measurement[Series]: ...

    def measure(self, what: Any, *, every: int | None = None, at: When = None, per_decade: int = 10,
                budget: float | None = None, name: str | None = None) -> Any:
        """Measure on a schedule; run[name] gives the results.

        what: dyn.Sharpness, dyn.Condensation, dyn.ModelRank, or a function of the State whose number or vector is
            recorded under `name` (None: nothing is).
        every: steps 0, every, 2 every, ...   at: "start", "end", "log" (per_decade steps in each decade), numbers of
            steps, or several of these. Neither given: at every step.
        budget: share of the run's time, in (0, 1]; steps at which the measurement would take more are passed over, but not
            the first one nor the end. None: none are. run.costs says what was spent.

        A measurement cannot change the trajectory. Returns the measurement."""
        from .measure import Recorded, measurement_of
        measurement = measurement_of(what, name)
        if name is not None:
            measurement.name = name
        when = {"every": every, "at": at, "per_decade": per_decade, **({} if budget is None else {"budget": budget})}
        described = _recipe.of_measurement(measurement, when)
        if measurement.name in self._restored:      # said again, as it had to be when it was made
            _recipe.compare(f"{measurement.name}:", described, self._described[measurement.name])
            return self._measurements[measurement.name]
        if measurement.name in self._measurements and not isinstance(self._measurements[measurement.name], Recorded):
            raise invalid(f"{measurement.name!r} is measured already; give another name=")
        place = lib.dyn_run_observers(self)
        self._observers.append(measurement.attach(self, schedule(every, at, per_decade, budget)))
        self._places[measurement.name] = place
        self._measurements[measurement.name] = measurement
        self._described[measurement.name] = described
        return measurement

    def observe(self, function: Callable[[State], Any], when: Options, user: bool = True) -> Any:
        """Call function(state) on a schedule. An exception stops the training, which raises it. user: Ctrl-C ends it at
        once, and not only where it calls the library."""
        seen = weakref.ref(self)

        def observer(_: Any, address: int) -> None:
            me, at = seen(), structs["dyn_run_view"].from_address(address)
            assert me is not None
            shape = (at.size,)
            function(State(me, at.step, at.loss, read_only(at.theta, shape), read_only(at.gradient, shape)))
        fn = callback(self._context, "dyn_observer_fn", observer, failure=STATUS["euser"], user=user)
        call(self._context, lib.dyn_run_observe, self, fn, None, ctypes.byref(when))
        return fn

    def record(self, name: str, values: ArrayLike) -> None:
        """Append a row to a series at the present step: a number or a vector, each time of the same length."""
        row = np.atleast_1d(real_array(values, f"the row of {name!r}"))
        call(self._context, lib.dyn_run_record, self, text(name, "the name"), row.size, pointer(row))

    def keep(self, name: str, values: ArrayLike) -> None:
        """Keep a vector that a measurement goes on from, in the place of the one before: part of the checkpoint.

        >>> run = dyn.Run(dyn.mlp([1, 2, 1]), [0.0, 1.0], [0.0, 1.0])
        >>> run.keep("mine", [1.0, 2.0])
        >>> run.kept("mine"), run.kept("other")
        (array([1., 2.]), None)
        """
        row = np.atleast_1d(real_array(values, f"what is kept as {name!r}"))
        call(self._context, lib.dyn_run_keep, self, text(name, "the name"), row.size, pointer(row))

    def kept(self, name: str) -> NDArray[np.float64] | None:
        """What was kept last under this name; None: nothing."""
        count, values = ctypes.c_int64(), ctypes.c_void_p()
        with turn(self._context):
            call(self._context, lib.dyn_run_kept, self, text(name, "the name"), ctypes.byref(count), ctypes.byref(values))
            return copied(values.value, (count.value,)) if count.value else None

    def numbers(self) -> dict[str, float]:
        """What there is to say of the run where it stands, by name: the last of every column of the history and of every series
        of single numbers, and what measurements name; what tables of many runs and logs show.

        >>> run = dyn.Run(dyn.mlp([1, 2, 1]), [0.0, 1.0], [0.0, 1.0]).train(2)
        >>> list(run.numbers())
        ['step', 'loss', 'gradient_norm', 'rate']
        """
        history = self.history
        found = {name: float(history[name][-1]) for name in history if len(history[name])}
        found |= {name: float(s.values[-1]) for name, s in self.series.items()
                  if s.values.ndim == 1 and len(s) and not name.startswith(_PARTS) and "." not in name}
        for measurement in self._measurements.values():
            found |= measurement.numbers(self)
        return found

    def log(self, write: Callable[[int, dict[str, float]], Any], *, every: int | None = None, at: When = None,
            per_decade: int = 10) -> None:
        """Call write(step, numbers) on a schedule as for measure(): dyn.TensorBoard(folder), or a function that hands them
        to another program, as `lambda step, numbers: wandb.log(numbers, step=step)`. It is not part of a checkpoint.

        >>> run = dyn.Run(dyn.mlp([1, 2, 1]), [0.0, 1.0], [0.0, 1.0])
        >>> seen = []
        >>> run.log(lambda step, numbers: seen.append((step, sorted(numbers))), every=2)
        >>> _ = run.train(2)
        >>> seen[-1]
        (2, ['gradient_norm', 'loss', 'rate', 'step'])
        """
        def tell(state: State) -> None:
            write(state.step, {"step": state.step, "loss": state.loss, **state.run.numbers()})
        self._observers.append(self.observe(tell, schedule(every, at, per_decade)))

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write a checkpoint (.npz): the run goes on from it as if it had never stopped, with all it has measured. It holds
        how the run was made as well, and checksums of the data: Run.load(path, x=x, y=y) needs no more."""
        note = _recipe.of_run(self.objective, self._optimizer, self._rules, list(self._described.values()))
        call(self._context, lib.dyn_run_set_note, self, note.encode())
        call(self._context, lib.dyn_run_save, self, file_path(path))

    def write_csv(self, path: str | os.PathLike[str]) -> None:
        """History and series as one table with a header."""
        call(self._context, lib.dyn_run_write_csv, self, file_path(path))

    def __repr__(self) -> str:
        loss = self.history["loss"]
        last = f", loss {loss[-1]:.4g}" if len(loss) else ""
        return f"<dyn.{type(self).__name__} step {self.step}, {self.reason}{last}>"
