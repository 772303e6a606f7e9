# SPDX-License-Identifier: BSD-3-Clause
"""The empirical tangent kernel K = J J^T, and what is read off a kernel: alignment, regression, the model linearised at
theta (arXiv 1806.07572, 2010.15110)."""
from __future__ import annotations

import ctypes
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ._arrays import Array, array, block, pointer, real_array, real_matrix, vector
from ._lib import call, integer, lib, number, real, structs
from ._run_view import RunView, State
from .context import current
from .errors import invalid, shapes_differ
from .measure import Measurement
from .model import Model


def _samples(net: Model, x: ArrayLike, what: str) -> NDArray[Any]:
    a = array(x, what)
    return a.reshape(-1, 1) if a.ndim == 1 and net.input_shape == (1,) else a


def tangent_kernel(net: Model, x: ArrayLike, z: ArrayLike | None = None, *, theta: ArrayLike | None = None,
                   traced: bool = False, memory_limit: int = 1 << 29) -> NDArray[np.float64]:
    """Tangent kernel at theta [p] (None: where the model starts) of samples x with samples z (None: x itself, and then
    symmetric to the bit), in float64.

    [n c, m c], row i c + k being output k of sample i; traced: the sum over outputs [n, m], not divided by their
    number. memory_limit: bytes of rows of the Jacobian held at once; tile by tile if there are more.

    >>> net = dyn.mlp([1, 1], bias=False)
    >>> dyn.tangent_kernel(net, [[1.0], [2.0]])
    array([[1., 2.],
           [2., 4.]])
    """
    context = net._context
    at = net.initial() if theta is None else vector(theta, net.size, "theta")
    sides = [_samples(net, x, "x")] + ([] if z is None else [_samples(net, z, "z")])
    rows = 1 if traced else net.output_size
    arrays = [Array.wrap(context, side, what) for side, what in zip(sides, "xz")]
    out = np.empty((len(sides[0]) * rows, len(sides[-1]) * rows))
    options = structs["dyn_tangent_options"](traced=int(traced), memory_limit=integer(memory_limit, "memory_limit"))
    call(context, lib.dyn_tangent_kernel, net, pointer(at), arrays[0], arrays[1] if z is not None else None,
         ctypes.byref(options), pointer(out))
    return out


def kernel_alignment(a: ArrayLike, b: ArrayLike, *, centred: bool = True) -> float:
    """<A, B> / (|A| |B|) of symmetric matrices [n, n]; centred: with rows and columns of mean 0. Targets y [n, c] take
    part as y @ y.T; 1 - alignment is the distance of two kernels.

    >>> dyn.kernel_alignment(np.eye(2), [[1, -1], [-1, 1]])
    1.0
    """
    first = real_matrix(a, "a", "[n, n]")
    second = block(b, first.shape, "b")
    if first.shape[0] != first.shape[1]:
        raise shapes_differ(f"a has shape {list(first.shape)}, expected a square matrix")
    context = current()
    return real(context, lib.dyn_kernel_alignment, context, len(first), pointer(first), pointer(second), int(centred))


def kernel_fit(kernel: ArrayLike, r: ArrayLike, *, ridge: float = 0.0, time: float | None = None,
               tolerance: float = 1e-12) -> NDArray[np.float64]:
    """Coefficients a = g(K) r of kernel regression, K [n, n], r [n] or [n, columns]; predictions are K(x, X) @ a.

    ridge: (K + ridge I)^-1 r. time: those of gradient flow on |r - K a|^2 / 2 after this time; None: K^-1 r, in which
    eigenvalues below tolerance times the largest take no part.

    >>> dyn.kernel_fit([[2.0, 0.0], [0.0, 4.0]], [1.0, 1.0])
    array([0.5 , 0.25])
    """
    matrix = real_matrix(kernel, "kernel", "[n, n]")
    residuals = real_array(r, "r")
    if matrix.shape[0] != matrix.shape[1] or residuals.ndim not in (1, 2) or len(residuals) != len(matrix):
        raise shapes_differ(f"a kernel of shape {list(matrix.shape)} and r of shape {list(residuals.shape)}")
    options = structs["dyn_kernel_fit_options"](ridge=number(ridge, "ridge"), tolerance=number(tolerance, "tolerance"))
    if time is not None:
        options.time = number(time, "time")
    context = current()
    out = np.empty_like(residuals)
    call(context, lib.dyn_kernel_fit, context, len(matrix), pointer(matrix), residuals.size // len(matrix),
         pointer(residuals), ctypes.byref(options), pointer(out), None)
    return out


class Linearised:
    """A model linearised at theta [p] (None: where it starts) and trained on x [n, ..], y [n, c] by the mean squared
    error, sum over outputs and mean over samples: in closed form, through its tangent kernel.

    >>> net = dyn.mlp([1, 1], bias=False)
    >>> line = dyn.Linearised(net, [[1.0], [2.0]], [[2.0], [4.0]], theta=[1.0])
    >>> line([[3.0]])
    array([[6.]])
    >>> line([[3.0]], time=0.0)
    array([[3.]])
    """

    def __init__(self, net: Model, x: ArrayLike, y: ArrayLike, *, theta: ArrayLike | None = None) -> None:
        self.net = net
        self.theta = net.initial() if theta is None else vector(theta, net.size, "theta")
        self.x = _samples(net, x, "x")
        f = net(self.theta, self.x)
        self.residuals = block(np.reshape(y, f.shape), f.shape, "y") - f
        self.kernel = tangent_kernel(net, self.x, theta=self.theta)

    def __call__(self, x: ArrayLike, time: float | None = None, ridge: float = 0.0) -> NDArray[np.float64]:
        """Outputs at x after gradient flow for this time (None: at its end), or with a ridge."""
        x = _samples(self.net, x, "x")
        scaled = None if time is None else 2 * number(time, "time") / len(self.x)
        a = kernel_fit(self.kernel, self.residuals.ravel(), time=scaled, ridge=ridge)
        f = self.net(self.theta, x)
        return np.asarray(f + (tangent_kernel(self.net, x, self.x, theta=self.theta) @ a).reshape(f.shape))


@dataclass(frozen=True)
class TangentKernelSeries:
    """The tangent kernel along a run, r rows: steps; trace, of the kernel; drift |K - K_0|_F / |K_0|_F from its first row;
    distance 1 - <K, K_0> / (|K| |K_0|); alignment of the traced kernel with the targets, centred [r]; kernels [r, m,
    m], m being the samples if traced, else samples times outputs.

    >>> run = dyn.Run(dyn.mlp([1, 4, 1], seed=1), [0.0, 1.0], [0.0, 1.0])
    >>> _ = run.measure(dyn.TangentKernel(), at=("start", "end"))
    >>> found = run.train(10)["tangent_kernel"]
    >>> found.steps, found.kernels.shape, found.drift[0]
    (array([ 0, 10]), (2, 2, 2), np.float64(0.0))
    """

    steps: NDArray[np.int64]
    trace: NDArray[np.float64]
    drift: NDArray[np.float64]
    distance: NDArray[np.float64]
    alignment: NDArray[np.float64]
    kernels: NDArray[np.float64]


class TangentKernel(Measurement[TangentKernelSeries]):
    """The tangent kernel at a run's samples, or at samples x with targets y: how far it moves and how it fits. traced: the
    sum over outputs, whose rows are shorter by the square of their number.

    >>> run = dyn.Run(dyn.mlp([1, 4, 1], seed=1), [0.0, 1.0], [0.0, 1.0])
    >>> _ = run.measure(dyn.TangentKernel(), every=5)
    >>> run.train(10)["tangent_kernel"].steps
    array([ 0,  5, 10])
    """

    _own = True

    def __init__(self, x: ArrayLike | None = None, y: ArrayLike | None = None, *, traced: bool = False,
                 name: str = "tangent_kernel") -> None:
        if (x is None) != (y is None):
            raise invalid("x and y go together: samples and their targets")
        self.name = name
        self.x = None if x is None else array(x, "x")
        self.y = None if y is None else real_array(y, "y")
        self.traced = traced
        self._arguments = {"x": self.x, "y": self.y, "traced": traced}

    def _data(self, run: RunView) -> tuple[Model, NDArray[Any], NDArray[np.float64]]:
        net, x, y = run.objective.model, self.x, self.y
        if x is None or y is None:
            x, y = run.objective.inputs, run.objective.targets
        if net is None or x is None or y is None:
            raise invalid(f"{self.name} needs a model, and samples x, y where the objective is a function")
        classes = y.dtype.kind in "iu" and y.size * net.output_size != y.size
        return net, x, np.eye(net.output_size)[y] if classes else np.reshape(y, (len(y), -1)).astype(float)

    def attach(self, run: RunView, when: Any) -> Any:
        self._data(run)     # refuses what has no kernel
        return super().attach(run, when)

    def observe(self, state: State) -> None:
        net, x, _ = self._data(state.run)
        state.run.record(f"{self.name}.kernel", tangent_kernel(net, x, theta=state.theta, traced=self.traced).ravel())

    def result(self, run: RunView) -> TangentKernelSeries:
        rows = self._rows(run, "kernel")
        net, x, y = self._data(run)
        c = 1 if self.traced else net.output_size
        m = len(x) * c
        kernels = rows.values.reshape(len(rows.steps), m, m)
        traced = np.einsum("ricjc->rij", kernels.reshape(len(kernels), len(x), c, len(x), c))
        first = kernels[:1]
        return TangentKernelSeries(
            rows.steps, np.trace(kernels, axis1=1, axis2=2),
            np.linalg.norm(kernels - first, axis=(1, 2)) / np.linalg.norm(first),
            np.array([1 - kernel_alignment(k, first[0], centred=False) for k in kernels]),
            np.array([kernel_alignment(k, y @ y.T) for k in traced]), kernels)
