# SPDX-License-Identifier: BSD-3-Clause
"""Linear operators y = A x: Hessians and the like, or a product of the user's own. NumPy and SciPy take them."""
from __future__ import annotations

import ctypes
from typing import Any, Callable, NamedTuple, Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ._arrays import block, ints, pointer, vector, view
from ._lib import Handle, callback, enum, lib, make, real, structs
from .context import current
from .errors import shapes_differ


class Estimate(NamedTuple):
    """A sampled value with its standard error."""

    value: Any
    standard_error: Any


class Density(NamedTuple):
    """A spectral density: nodes and weights [probes, steps]; the weights of a probe sum to 1."""

    nodes: NDArray[np.float64]
    weights: NDArray[np.float64]


class Operator(Handle):
    """A symmetric linear operator on float64 vectors of length n.

    A @ v for v [n], A @ V for V [n, k]; A + B, c * A, A.shifted(c), ...; SciPy's functions take it as it is."""

    _free = "dyn_operator_unref"
    dtype = np.dtype(np.float64)
    __array_priority__ = 1000       # a NumPy number on the left leaves the product to the operator

    @classmethod
    def from_function(cls, product: Callable[[NDArray[np.float64]], ArrayLike], size: int) -> Operator:
        """The operator V -> product(V), for blocks V [size, k] of columns: a matrix M gives lambda V: M @ V."""
        context = current()

        def apply(_: Any, count: int, x: int, y: int) -> None:
            result = np.asarray(product(view(x, (count, size)).T.copy()))
            if result.shape != (size, count):
                raise shapes_differ(f"the product has shape {list(result.shape)}, expected {[size, count]}")
            view(y, (count, size))[...] = result.T
        fn = callback(context, "dyn_operator_apply_fn", apply)
        return cls(context, make(context, lib.dyn_operator_from_callback, context, size, fn, None), fn)

    @property
    def size(self) -> int:
        """Rows and columns n."""
        return lib.dyn_operator_size(self)

    @property
    def shape(self) -> tuple[int, int]:
        """(n, n)."""
        return self.size, self.size

    @property
    def products(self) -> int:
        """Vectors multiplied so far."""
        return lib.dyn_operator_products(self)

    def __matmul__(self, x: ArrayLike) -> NDArray[np.float64]:
        """A x for x [n] or [n, k], of the same shape."""
        x = np.asarray(x, dtype=np.float64)
        if x.ndim not in (1, 2) or x.shape[0] != self.size:
            raise shapes_differ(f"an operator of shape {list(self.shape)} times an array of shape {list(x.shape)}")
        rows = np.ascontiguousarray(x.T)
        y = np.empty_like(rows)
        count = 1 if x.ndim == 1 else x.shape[1]
        if count:
            self._check(lib.dyn_operator_apply(self, count, pointer(rows), pointer(y)))
        return np.ascontiguousarray(y.T)

    matvec = rmatvec = matmat = rmatmat = dot = __matmul__

    def _derived(self, function: Callable[..., int], *arguments: Any, keep: Any = None) -> Operator:
        return Operator(self._context, make(self._context, function, self, *arguments), self, keep)

    def __add__(self, other: Operator) -> Operator:
        return self._derived(lib.dyn_operator_sum, other, keep=other)

    def __mul__(self, factor: float) -> Operator:
        return self._derived(lib.dyn_operator_scaled, float(factor))

    __rmul__ = __mul__

    def __neg__(self) -> Operator:
        return self * -1.0

    def __sub__(self, other: Operator) -> Operator:
        return self + -other

    def shifted(self, shift: float) -> Operator:
        """A + shift I."""
        return self._derived(lib.dyn_operator_shifted, shift)

    def sandwiched(self, d: ArrayLike) -> Operator:
        """diag(d) A diag(d), d [n]: a preconditioned matrix in its symmetric form."""
        return self._derived(lib.dyn_operator_sandwiched, pointer(vector(d, self.size, "d")))

    def deflated(self, vectors: ArrayLike, values: ArrayLike) -> Operator:
        """A - sum_i values[i] v_i v_i^T, the columns of vectors [n, k] being v_i."""
        values = np.ascontiguousarray(values, dtype=np.float64)
        columns = block(vectors, (self.size, len(values)), "vectors")
        rows = np.ascontiguousarray(columns.T)
        return self._derived(lib.dyn_operator_deflated, len(values), pointer(rows), pointer(values))

    def projected(self, vectors: ArrayLike) -> Operator:
        """P A P, P projecting onto the complement of the columns of vectors [n, k]."""
        rows = np.ascontiguousarray(np.asarray(vectors, dtype=np.float64).T)
        block(rows, (len(rows), self.size), "vectors, transposed,")
        return self._derived(lib.dyn_operator_projected, len(rows), pointer(rows))

    def restricted(self, index: Sequence[int]) -> Operator:
        """The block of A in these rows and columns: the curvature of one layer, say."""
        return self._derived(lib.dyn_operator_restricted, len(index), ints([int(i) for i in index]))

    def dense(self) -> NDArray[np.float64]:
        """The matrix [n, n], by n products."""
        matrix = np.empty(self.shape)
        self._check(lib.dyn_operator_dense(self, pointer(matrix)))
        return matrix

    def asymmetry(self, seed: int = 0) -> float:
        """How far A is from symmetric, relative: 1e-16 for a symmetric product in float64, 1e-7 in float32."""
        return real(self._context, lib.dyn_operator_symmetry, self, seed)

    def trace(self, products: int = 60, method: str = "hutchpp", seed: int = 0) -> Estimate:
        """Trace from random products, without bias. method: "hutchpp" or "hutchinson"."""
        options = structs["dyn_trace_options"](method=enum("trace", method), products=products, seed=seed)
        error = ctypes.c_double()
        trace = ctypes.c_double()
        self._check(lib.dyn_operator_trace(self, ctypes.byref(options), ctypes.byref(trace), ctypes.byref(error)))
        return Estimate(trace.value, error.value)

    def diagonal(self, probes: int = 100, seed: int = 0) -> Estimate:
        """Diagonal [n] from random signs, with its standard error [n]."""
        value, error = np.empty(self.size), np.empty(self.size)
        self._check(lib.dyn_operator_diagonal(self, probes, seed, pointer(value), pointer(error)))
        return Estimate(value, error)

    def density(self, probes: int = 10, steps: int = 80, seed: int = 0) -> Density:
        """Spectral density by Lanczos quadrature. steps: nodes per probe, at most n."""
        nodes, weights = np.empty((2, probes, steps))
        self._check(lib.dyn_operator_density(self, probes, steps, seed, pointer(nodes), pointer(weights)))
        return Density(nodes, weights)

    def density_curve(self, grid: ArrayLike, width: float, density: Density | None = None) -> Estimate:
        """The density on a grid of eigenvalues, each node broadened to a Gaussian of standard deviation width.

        Integrates to 1; with the standard error over the probes."""
        density = density or self.density(steps=min(80, self.size))
        grid = np.ascontiguousarray(grid, dtype=np.float64)
        value, error = np.empty(len(grid)), np.empty(len(grid))
        self._check(lib.dyn_density_curve(
            self._context, *density.nodes.shape, pointer(density.nodes), pointer(density.weights), width, len(grid),
            pointer(grid), pointer(value), pointer(error)))
        return Estimate(value, error)
