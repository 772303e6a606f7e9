# SPDX-License-Identifier: BSD-3-Clause
"""Measurements to give to run.measure(). Their rows are recorded in the run, so that a checkpoint holds them."""
from __future__ import annotations

import ctypes
from dataclasses import dataclass
from typing import Any, Callable, Generic, TypeVar, Unpack

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ._arrays import array, real_array
from ._html import table
from ._interrupt import in_user_code
from ._lib import Handle, Options, call, integer, lib, make, structs
from ._run_view import RunView, Series, State
from .condensation import CondensationResult, features_of, layer_sizes, options_struct
from .condensation import Options as CondensationOptions
from .eigen import Which, which_code
from .errors import STATUS, LimitReached, invalid
from .model import Model
from .rank import Options as RankOptions
from .rank import RankResult, model_rank, rank_options


R = TypeVar("R")


class Measurement(Generic[R]):
    """Base of all: give it a name, record rows in observe(), read them in result().

    >>> class Norm(dyn.Measurement):
    ...     name = "norm"
    ...     def observe(self, state):
    ...         state.run.record(self.name, np.linalg.norm(state.theta))
    ...     def result(self, run):
    ...         return run.series[self.name]
    >>> run = dyn.Run(dyn.mlp([1, 2, 1]), [0.0, 1.0], [0.0, 1.0])
    >>> _ = run.measure(Norm(), every=2)
    >>> run.train(4)["norm"].steps
    array([0, 2, 4])
    """

    name: str
    _arguments: dict[str, Any] | None = None    # by which the class makes it again, for checkpoints
    _own = False        # this package's: Ctrl-C waits until it has recorded whole rows
    _known: dict[str, type[Measurement[Any]]] = {}      # this package's, by the names that checkpoints have

    def __init_subclass__(cls) -> None:
        if cls.__module__.startswith(__package__ + "."):
            cls._known[cls.__name__] = cls

    def __reduce_ex__(self, protocol: Any) -> Any:
        """For pickle: one of this package's by its arguments, without what it holds of a run."""
        if self._arguments is None or self._known.get(type(self).__name__) is not type(self):
            return super().__reduce_ex__(protocol)
        return again, ({"class": type(self).__name__, "arguments": self._arguments, "name": self.name},)

    def attach(self, run: RunView, when: Options) -> Any:
        """Join a run; returns what must live as long as it."""
        return run.observe(self.observe, when, user=not self._own)

    def observe(self, state: State) -> None:
        """Measure, and record with state.run.record(name, values)."""
        raise NotImplementedError

    def result(self, run: RunView) -> R:
        """What was recorded so far."""
        raise NotImplementedError

    def numbers(self, run: RunView) -> dict[str, float]:
        """What a table of many runs shows of it, by name: here the last value of a series of single numbers."""
        found = self.result(run)
        if isinstance(found, Series) and found.values.ndim == 1 and len(found):
            return {self.name: float(found.values[-1])}
        return {}

    def _rows(self, run: RunView, part: str) -> Series:
        """A recorded series; empty before the first row."""
        return run.series.get(f"{self.name}.{part}", Series(np.empty(0, np.int64), np.empty((0, 1))))


class Custom(Measurement[Series]):
    """A function of the state; what it returns is recorded, unless None."""

    _own = True

    def __init__(self, function: Callable[[State], ArrayLike | None], name: str | None) -> None:
        self.function = function
        self.name = name or getattr(function, "__name__", type(function).__name__).strip("<>")

    def observe(self, state: State) -> None:
        value = in_user_code(self.function, state)
        if value is not None:
            state.run.record(self.name, value)

    def result(self, run: RunView) -> Series:
        return run.series.get(self.name, Series(np.empty(0, np.int64), np.empty(0)))


class Recorded(Measurement[Series]):
    """What a function of the user's recorded before a checkpoint; measure() gives it the function again."""

    def __init__(self, name: str) -> None:
        self.name = name

    def result(self, run: RunView) -> Series:
        return run.series.get(self.name, Series(np.empty(0, np.int64), np.empty(0)))


def measurement_of(what: Any, name: str | None) -> Measurement[Any]:
    """What was given to run.measure()."""
    if isinstance(what, Measurement):
        return what
    if isinstance(what, str) or isinstance(what, type) or not callable(what):
        known = {"sharpness": "Sharpness", "condensation": "Condensation", "rank": "ModelRank"}
        called = what.__name__ if isinstance(what, type) else known.get(what, "Sharpness") if isinstance(
            what, str) else "Sharpness"
        raise invalid(f"measure({what!r}): a measurement such as dyn.{called}() or a function of the State is wanted")
    return Custom(what, name)


# ---- sharpness ----

@dataclass(frozen=True)
class SharpnessSeries:
    """Curvature along a run, r rows.

    steps [r]; values, residuals, converged [r, k]: eigenvalues of the optimiser's own preconditioned Hessian;
    raw, raw_residuals, raw_converged [r, k]: those of the Hessian itself ([r, 0] if not asked for);
    directional, raw_directional [r]: curvature along the gradient; threshold [r]: 2 / rate; products [r]: of each row.
    overlaps, raw_overlaps [r, k]: of each vector, the length of its part in the space of those of the row before; NaN in the
    first ([r, 0] with cold).

    >>> run = dyn.Run(dyn.mlp([1, 1], bias=False, init=dyn.init.zero()), [1.0, 2.0], [2.0, 4.0], optimizer=dyn.GD(0.1))
    >>> _ = run.measure(dyn.Sharpness(), every=1)
    >>> found = run.train(1)["sharpness"]
    >>> found.steps, found.values.shape, found.converged.all()
    (array([0, 1]), (2, 1), np.True_)
    """

    steps: NDArray[np.int64]
    values: NDArray[np.float64]
    residuals: NDArray[np.float64]
    converged: NDArray[np.bool_]
    raw: NDArray[np.float64]
    raw_residuals: NDArray[np.float64]
    raw_converged: NDArray[np.bool_]
    directional: NDArray[np.float64]
    raw_directional: NDArray[np.float64]
    threshold: NDArray[np.float64]
    products: NDArray[np.float64]
    overlaps: NDArray[np.float64]
    raw_overlaps: NDArray[np.float64]


class _Tracker(Handle):
    _kind = "sharpness_tracker"


class Sharpness(Measurement[SharpnessSeries]):
    """The k largest eigenvalues of the running optimiser's preconditioned Hessian (live moments), and the curvature
    along the gradient. Stable while below threshold = 2 / rate.

    which: "largest", "smallest", "magnitude" or "both". raw: those of the Hessian itself as well.
    tolerance: of the residuals, relative. search: look for missed pairs at every solve. cold: do not start from the
    pairs of the rows before, which are part of the checkpoint: a row then depends on its step alone. history: rows from
    which a start is interpolated; without a search every 32nd row starts anew, for what may have crossed.

    >>> run = dyn.Run(dyn.mlp([1, 1], bias=False, init=dyn.init.zero()), [1.0, 2.0], [2.0, 4.0], optimizer=dyn.GD(0.1))
    >>> _ = run.measure(dyn.Sharpness(), every=1)
    >>> found = run.train(2)["sharpness"]
    >>> found.values.ravel(), found.threshold
    (array([5., 5., 5.]), array([20., 20., 20.]))
    """

    name = "sharpness"

    def __init__(self, k: int = 1, which: Which = "largest", *, raw: bool = True, tolerance: float = 1e-6,
                 max_products: int | None = None, seed: int = 0, search: bool = True, cold: bool = False,
                 history: int = 4) -> None:
        self._arguments = dict(k=k, which=which, raw=raw, tolerance=tolerance, max_products=max_products, seed=seed,
                               search=search, cold=cold, history=history)
        self._options = structs["dyn_sharpness_options"](
            which=which_code(which), count=integer(k, "k", least=1), max_products=max_products, tolerance=tolerance,
            seed=seed, unchecked=int(not search), no_raw=int(not raw), cold=int(cold),
            history=integer(history, "history", least=1))

    def attach(self, run: RunView, when: Options) -> Any:
        if self.name != "sharpness":
            raise invalid("the series of the sharpness have fixed names: one measurement per run, named 'sharpness'")
        context = run._context
        tracker = _Tracker(context, make(context, lib.dyn_sharpness_tracker_create, context, run.objective.size,
                                         ctypes.byref(self._options)))
        call(context, lib.dyn_sharpness_observe, tracker, run, ctypes.byref(when))
        return tracker

    def result(self, run: RunView) -> SharpnessSeries:
        series = run.series
        steps = series["threshold"].steps if "threshold" in series else np.empty(0, np.int64)

        def columns(name: str) -> NDArray[np.float64]:
            found = series.get(name)
            return np.empty((len(steps), 0)) if found is None else found.values.reshape(len(steps), -1)

        def column(name: str) -> NDArray[np.float64]:
            return columns(name)[:, 0] if name in series else np.full(len(steps), np.nan)
        own, raw = "sharpness_pre", "sharpness"
        return SharpnessSeries(
            steps, columns(own), columns(own + "_residual"), columns(own + "_converged").astype(bool),
            columns(raw), columns(raw + "_residual"), columns(raw + "_converged").astype(bool),
            column("lambda_grad_pre"), column("lambda_grad"), column("threshold"), column("sharpness_products"),
            columns(own + "_overlap"), columns(raw + "_overlap"))

    def numbers(self, run: RunView) -> dict[str, float]:
        found = self.result(run)
        if not len(found.steps):
            return {}
        raw = {"sharpness_raw": found.raw[-1, 0]} if found.raw.size else {}
        return {name: float(value) for name, value in {
            "sharpness": found.values[-1, 0], "threshold": found.threshold[-1], **raw}.items()}


# ---- condensation ----

class CondensationSeries:
    """A layer along a run, r rows: steps, effective (number of directions), leading (eigenvalue of the cosine matrix,
    relative), dead [r]. layer: which. series[i] is the whole CondensationResult of row i.

    >>> run = dyn.Run(dyn.mlp([1, 20, 1], seed=1), [0.0, 1.0], [0.0, 1.0])
    >>> _ = run.measure(dyn.Condensation(), at=("start", "end"))
    >>> found = run.train(10)["condensation"]
    >>> len(found), found.features.shape, found[-1].cosines().shape
    (2, (2, 20, 2), (20, 20))
    """

    def __init__(self, layer: int, steps: NDArray[Any], numbers: NDArray[np.float64],
                 features: NDArray[np.float64], weights: NDArray[np.float64] | None,
                 options: CondensationOptions) -> None:
        self.layer = layer
        self.steps = steps
        self.effective = numbers[:, 0].astype(np.int64)
        self.leading = numbers[:, 1]
        self.dead = numbers[:, 2].astype(np.int64)
        self.features = features
        self.output_weights = weights
        self._options = options

    @classmethod
    def of(cls, net: Model, thetas: ArrayLike, at: ArrayLike, layer: int = 1,
           **options: Unpack[CondensationOptions]) -> CondensationSeries:
        """A layer at parameters thetas [r, p], as a flow gives them; at [r]: their times, or steps where integers.

        >>> net = dyn.mlp([1, 20, 1], "relu", seed=1)
        >>> path = dyn.flow(net, [-1.0, 1.0], [0.0, 1.0], times=[0.5, 1.0])
        >>> dyn.CondensationSeries.of(net, path.states, path.times).steps
        array([0.5, 1. ])
        """
        both = [features_of(net, theta, layer) for theta in np.atleast_2d(real_array(thetas, "thetas"))]
        found = [CondensationResult(*one, context=net._context, **options) for one in both]
        numbers = np.array([[f.effective, f.leading.value, f.dead] for f in found], dtype=np.float64).reshape(-1, 3)
        weights = np.array([w for _, w in both]) if both and both[0][1].size else None
        return cls(layer, np.atleast_1d(array(at, "at")), numbers, np.array([f for f, _ in both]), weights, options)

    def __len__(self) -> int:
        return len(self.steps)

    def __getitem__(self, i: int) -> CondensationResult:
        weights = None if self.output_weights is None else self.output_weights[i]
        return CondensationResult(self.features[i], weights, **self._options)


class Condensation(Measurement[CondensationSeries]):
    """Condensation of a hidden layer of a perceptron, counted from 1. options: as for dyn.condensation().

    >>> run = dyn.Run(dyn.mlp([1, 20, 1], seed=1), [0.0, 1.0], [0.0, 1.0])
    >>> _ = run.measure(dyn.Condensation(), at=("start", "end"))
    >>> run.train(10)["condensation"].steps
    array([ 0, 10])
    """

    _own = True

    def __init__(self, layer: int = 1, *, name: str = "condensation", **options: Unpack[CondensationOptions]) -> None:
        self.layer = integer(layer, "layer", "i32", least=1)
        self.name = name
        self._options = options
        self._arguments = {"layer": self.layer, **options}
        options_struct(options)        # refuses what is wrong here, where it is written

    def attach(self, run: RunView, when: Options) -> Any:
        layer_sizes(_model_of(run, self.name), self.layer)      # refuses a layer that is not there
        return super().attach(run, when)

    def observe(self, state: State) -> None:
        features, weights = features_of(_model_of(state.run, self.name), state.theta, self.layer)
        found = CondensationResult(features, weights, context=state.run._context, **self._options)
        state.run.record(f"{self.name}.numbers", [found.effective, found.leading.value, found.dead])
        state.run.record(f"{self.name}.features", features.ravel())
        if weights.size:
            state.run.record(f"{self.name}.output_weights", weights.ravel())

    def result(self, run: RunView) -> CondensationSeries:
        numbers = self._rows(run, "numbers")
        rows = len(numbers.steps)
        neurons, components, outputs = layer_sizes(_model_of(run, self.name), self.layer)
        features = self._rows(run, "features").values.reshape(rows, neurons, components)
        weights = None
        if outputs:
            weights = self._rows(run, "output_weights").values.reshape(rows, neurons, outputs)
        return CondensationSeries(self.layer, numbers.steps, numbers.values.reshape(rows, 3), features, weights,
                                  self._options)

    def numbers(self, run: RunView) -> dict[str, float]:
        rows = self._rows(run, "numbers").values.reshape(-1, 3)
        return {self.name + part: float(value) for part, value in zip(("", "_leading", "_dead"), rows[-1:].ravel())}


def _model_of(run: RunView, what: str) -> Model:
    if run.objective.model is None:
        raise invalid(f"{what} needs a model, not an objective of functions")
    return run.objective.model


# ---- rank ----

class RankSeries:
    """Rank along a run, r rows: steps, rank [r] and the singular values [r, p], filled up with NaN. series[i] is the
    whole RankResult of row i.

    >>> run = dyn.Run(dyn.mlp([1, 3, 1], seed=1), [0.0, 1.0], [0.0, 1.0])
    >>> _ = run.measure(dyn.ModelRank(rule="gap", probe_std=4), at=("start", "end"))
    >>> found = run.train(10)["rank"]
    >>> found.steps, found.singular_values.shape
    (array([ 0, 10]), (2, 10))
    """

    def __init__(self, steps: NDArray[np.int64], results: list[RankResult], p: int) -> None:
        self.steps = steps
        self._results = results
        self.rank = np.array([r.rank for r in results], np.int64)
        self.singular_values = np.full((len(results), p), np.nan)
        for row, r in zip(self.singular_values, results):
            row[:len(r.singular_values)] = r.singular_values

    def __len__(self) -> int:
        return len(self.steps)

    def __getitem__(self, i: int) -> RankResult:
        return self._results[i]


class ModelRank(Measurement[RankSeries]):
    """Model rank where the run stands, or the empirical rank at samples x. options: as for dyn.model_rank().

    The Jacobian has a column per parameter and at least twice as many rows; more than memory_limit bytes for it are
    refused before the run starts.

    >>> run = dyn.Run(dyn.mlp([1, 3, 1], seed=1), [0.0, 1.0], [0.0, 1.0])
    >>> _ = run.measure(dyn.ModelRank(rule="gap", probe_std=4), at="end")
    >>> run.train(10)["rank"].steps
    array([10])
    """

    _own = True

    def __init__(self, x: ArrayLike | None = None, *, name: str = "rank", memory_limit: int = 2 << 30,
                 **options: Unpack[RankOptions]) -> None:
        self.name = name
        self.x = None if x is None else real_array(x, "x")
        self.memory_limit = integer(memory_limit, "memory_limit", least=0)
        self._options = options
        self._arguments = {"x": self.x, "memory_limit": memory_limit, **options}
        rank_options(options)      # refuses what is wrong here, where it is written

    def attach(self, run: RunView, when: Options) -> Any:
        net = _model_of(run, self.name)
        samples = self._options.get("probes") or max(2 * net.size, net.size + 32) if self.x is None else len(self.x)
        needed = 8 * samples * net.output_size * net.size
        if needed > self.memory_limit:
            raise LimitReached(STATUS["efull"], (
                f"the Jacobian of {samples} samples, {net.output_size} outputs and {net.size} parameters takes "
                f"{needed / 2**30:.3g} GiB, memory_limit is {self.memory_limit / 2**30:.3g} GiB: give fewer samples, "
                "or more memory"))
        return super().attach(run, when)

    def observe(self, state: State) -> None:
        found = model_rank(_model_of(state.run, self.name), state.theta, self.x, **self._options)
        values = np.zeros(state.theta.size)         # as long in every row: the rest are not looked at
        values[:len(found.singular_values)] = found.singular_values
        state.run.record(f"{self.name}.numbers", [getattr(found, name) for name in NUMBERS]
                         + [len(found.singular_values)])
        state.run.record(f"{self.name}.singular_values", values)

    def result(self, run: RunView) -> RankSeries:
        numbers = self._rows(run, "numbers")
        values = self._rows(run, "singular_values").values.reshape(len(numbers.steps), run.objective.size)
        results = [_rank_result(row, v) for row, v in zip(numbers.values, values)]
        return RankSeries(numbers.steps, results, run.objective.size)

    def numbers(self, run: RunView) -> dict[str, float]:
        rows = self._rows(run, "numbers").values
        return {self.name: float(rows[-1, 0])} if len(rows) else {}


#: fields of a RankResult that are recorded, in this order, followed by the number of singular values
NUMBERS = ("rank", "by_tolerance", "by_gap", "gap_at_tolerance", "largest_gap", "tolerance", "rows", "columns",
           "zero_columns", "accurate")


def _rank_result(numbers: NDArray[np.float64], values: NDArray[np.float64]) -> RankResult:
    kinds = {"gap_at_tolerance": float, "largest_gap": float, "tolerance": float, "accurate": bool}
    fields: dict[str, Any] = {name: kinds.get(name, int)(v) for name, v in zip(NUMBERS, numbers)}
    return RankResult(singular_values=values[:int(numbers[-1])], **fields)


def again(found: dict[str, Any]) -> Measurement[Any] | None:
    """A measurement from a checkpoint or pickle; None for one of the user's functions."""
    if found["class"] not in Measurement._known or found["arguments"] is None:
        return None
    measurement = Measurement._known[found["class"]](**found["arguments"])
    measurement.name = found["name"]
    return measurement
