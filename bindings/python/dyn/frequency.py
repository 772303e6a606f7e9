# SPDX-License-Identifier: BSD-3-Clause
"""Frequencies of what a network has learned, from values at any points (arXiv 2405.17479), and their errors along a run:
dyn.frequency."""
from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ._arrays import block, pointer, real_array, real_matrix, real_vector, vector
from ._lib import call, lib, number
from ._run_view import RunView, State
from .context import current
from .errors import invalid, shapes_differ
from .measure import Measurement, _model_of

__all__ = ["FrequencyErrorSeries", "FrequencyErrors", "error", "low_pass", "project", "relative_errors", "transform"]


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


@dataclass(frozen=True)
class FrequencyErrorSeries:
    """Errors along a run, r rows: steps [r]; k [count], in radian per unit of the inputs; values [r, count].

    >>> dyn.frequency.FrequencyErrorSeries(np.arange(2), np.array([1.0]), np.ones((2, 1))).values.shape
    (2, 1)
    """

    steps: NDArray[np.int64]
    k: NDArray[np.float64]
    values: NDArray[np.float64]


class FrequencyErrors(Measurement[FrequencyErrorSeries]):
    """Per frequency k, how far the network is from its targets on the samples: ||F_net(k)| - |F_target(k)|| / (floor +
    |F_target(k)|), |F| the norm over outputs. Low frequencies come first. direction [d]: of inputs of several numbers,
    taken as it is.

    >>> x = np.linspace(-np.pi, np.pi, 40)
    >>> run = dyn.Run(dyn.mlp([1, 20, 1], seed=1), x, np.sin(x), optimizer=dyn.Adam(0.01))
    >>> _ = run.measure(dyn.frequency.FrequencyErrors([1, 2, 3]), every=100)
    >>> found = run.train(500)["frequency_errors"]
    >>> found.values.shape, bool(found.values[-1, 0] < 0.05)
    ((6, 3), True)
    """

    _own = True

    def __init__(self, k: ArrayLike, *, direction: ArrayLike | None = None, floor: float = 1e-5,
                 name: str = "frequency_errors") -> None:
        self.name = name
        self.k = real_vector(k, "k")
        self.direction = None if direction is None else real_vector(direction, "direction")
        self.floor = number(floor, "floor")
        self._arguments = {"k": self.k, "direction": self.direction, "floor": floor}

    def attach(self, run: RunView, when: Any) -> Any:
        _model_of(run, self.name)
        self._truth = self._amplitudes(run, self._targets(run))
        return super().attach(run, when)

    def _targets(self, run: RunView) -> NDArray[np.float64]:
        """Targets [n, outputs]."""
        values, outputs = run.objective.targets, _model_of(run, self.name).output_size
        if values is None or np.size(values) != len(values) * outputs:
            raise invalid(f"{self.name}: targets of {outputs} numbers each are wanted, as the network has outputs")
        return real_array(values, "targets").reshape(len(values), outputs)

    def _amplitudes(self, run: RunView, y: NDArray[np.float64]) -> NDArray[np.float64]:
        inputs = run.objective.inputs
        x = np.empty((0, 0)) if inputs is None else real_array(inputs, "inputs").reshape(len(y), -1)
        if self.direction is None and x.shape[1] != 1:
            raise invalid(f"{self.name}: inputs have {x.shape[1]} numbers: a direction of as many is wanted")
        along = x[:, 0] if self.direction is None else project(x, self.direction)
        sizes: NDArray[np.float64] = np.linalg.norm(transform(along, y, self.k), axis=1)
        return sizes

    def observe(self, state: State) -> None:
        net = _model_of(state.run, self.name)
        fit = np.reshape(net(state.theta, state.run.objective.inputs), (-1, net.output_size))
        state.run.record(f"{self.name}.error", error(self._amplitudes(state.run, fit), self._truth, floor=self.floor))

    def result(self, run: RunView) -> FrequencyErrorSeries:
        found = self._rows(run, "error")
        return FrequencyErrorSeries(found.steps, self.k, found.values.reshape(len(found.steps), len(self.k)) if len(found)
                                    else np.empty((0, len(self.k))))
