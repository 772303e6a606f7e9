# SPDX-License-Identifier: BSD-3-Clause
"""Maps of any shape with adjoints, and equations with operators: solves, exponentials, sums over a spectrum."""
from __future__ import annotations

import ctypes
import warnings
from typing import Any, Callable, NamedTuple, cast

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ._arrays import pointer, real_array, vector, view
from ._lib import NOT_CONVERGED, call, callback, enum, integer, lib, make, number, structs
from .context import current
from .errors import NotConverged, shapes_differ
from .operator import Density, Estimate, Operator

Product = Callable[[NDArray[np.float64]], ArrayLike]


class Solution(NamedTuple):
    """What solved A x = b: x [n], the residual |b - A x| from a product of its own, and the products used."""

    x: NDArray[np.float64]
    residual: float
    products: int


class Map(Operator):
    """A linear map from vectors of length n to vectors of length m, with its adjoint.

    A @ x for x [n] or [n, k], A.T for the adjoint, A.gram() = A^T A for what needs a symmetric operator."""

    @classmethod
    def from_functions(cls, product: Product, adjoint: Product, shape: tuple[int, int]) -> Map:
        """The map V -> product(V) for blocks V [n, k] of columns, W -> adjoint(W) for W [m, k]; shape (m, n).

        >>> J = np.arange(6.0).reshape(2, 3)
        >>> A = Map.from_functions(lambda V: J @ V, lambda W: J.T @ W, J.shape)
        >>> A.T @ [1.0, 0.0]
        array([0., 1., 2.])"""
        context = current()
        fns = [callback(context, "dyn_operator_apply_fn", _blockwise(f, *sizes))
               for f, sizes in ((product, (shape[1], shape[0])), (adjoint, shape))]
        made = make(context, lib.dyn_operator_from_callbacks, context, *shape, *fns, None)
        return cls(context, made, *fns)

    @property
    def shape(self) -> tuple[int, int]:
        """(m, n)."""
        return int(lib.dyn_operator_rows(self)), int(lib.dyn_operator_size(self))

    def __matmul__(self, x: Any) -> Any:
        """A x for x [n] or [n, k]; A B for another map or operator."""
        if isinstance(x, Operator):
            return Map(self._context, make(self._context, lib.dyn_operator_composed, self, x), self, x)
        x = np.asarray(x, dtype=np.float64)
        rows, columns = self.shape
        if x.ndim not in (1, 2) or x.shape[0] != columns:
            raise shapes_differ(f"a map of shape {[rows, columns]} times an array of shape {list(x.shape)}")
        given = np.ascontiguousarray(x.T)
        y = np.empty((*given.shape[:-1], rows))
        count = 1 if x.ndim == 1 else x.shape[1]
        self._call(lib.dyn_operator_apply, count, pointer(given), pointer(y))
        return np.ascontiguousarray(y.T)

    def matvec(self, v: ArrayLike) -> NDArray[np.float64]:
        """self @ v."""
        return cast("NDArray[np.float64]", self @ v)

    matmat = matvec

    def __rmatmul__(self, v: ArrayLike) -> NDArray[np.float64]:
        return cast("NDArray[np.float64]", (self.T @ np.asarray(v).T).T)

    @property
    def T(self) -> Map:
        """The adjoint."""
        return Map(self._context, make(self._context, lib.dyn_operator_transposed, self), self)

    def adjoint(self) -> Map:
        """A.T, by the name that SciPy knows."""
        return self.T

    def rmatvec(self, v: ArrayLike) -> NDArray[np.float64]:
        """self.T @ v."""
        return cast("NDArray[np.float64]", self.T @ v)

    rmatmat = rmatvec

    def gram(self) -> Operator:
        """A^T A, symmetric [n, n]."""
        return Operator(self._context, make(self._context, lib.dyn_operator_gram, self), self)

    def dense(self) -> NDArray[np.float64]:
        """The matrix [m, n], by n products."""
        matrix = np.empty(self.shape)
        self._call(lib.dyn_operator_dense, pointer(matrix))
        return matrix

    def mismatch(self, seed: int = 0) -> float:
        """How far the adjoint is from that of the product, relative: about 1e-16 if they belong together."""
        out = ctypes.c_double()
        self._call(lib.dyn_operator_adjointness, seed, ctypes.byref(out))
        return out.value


def _blockwise(f: Product, columns: int, rows: int) -> Callable[..., None]:
    def apply(_: Any, count: int, x: int, y: int) -> None:
        result = np.asarray(f(view(x, (count, columns)).T.copy()))
        if result.shape != (rows, count):
            raise shapes_differ(f"the product has shape {list(result.shape)}, expected {[rows, count]}")
        view(y, (count, rows))[...] = result.T
    return apply


def kronecker(A: Operator, B: Operator) -> Operator:
    """The Kronecker product, as numpy.kron orders it; symmetric if both are, else a Map."""
    made = make(A._context, lib.dyn_operator_kronecker, A, B)
    return (Map if Map in (type(A), type(B)) else Operator)(A._context, made, A, B)


def low_rank(left: ArrayLike, values: ArrayLike, right: ArrayLike | None = None) -> Operator:
    """sum_i values[i] u_i v_i^T, u_i the columns of left [m, k], v_i those of right [n, k]; None: v = u, symmetric."""
    u = np.ascontiguousarray(np.asarray(left, dtype=np.float64).T)
    v = None if right is None else np.ascontiguousarray(np.asarray(right, dtype=np.float64).T)
    s = np.ascontiguousarray(values, dtype=np.float64)
    for name, a in (("left", u), ("right", v)):
        if a is not None and (a.ndim != 2 or s.shape != a.shape[:1]):
            raise shapes_differ(f"{name} has shape {list(a.T.shape)} for values of shape {list(s.shape)}")
    context = current()
    made = make(context, lib.dyn_operator_low_rank, context, u.shape[1], (u if v is None else v).shape[1], len(s),
                pointer(u), pointer(s), pointer(v))
    return (Operator if v is None else Map)(context, made)


def solve(A: Operator, b: ArrayLike, *, method: str = "minres", tolerance: float = 1e-8,
          max_products: int | None = None) -> Solution:
    """Solve A x = b for a symmetric operator, b [n]; damping is A.shifted(c).

    method: "minres" (any), or "gradients", conjugate gradients, for positive definite ones. tolerance: of |b - A x|,
    relative to |b|. max_products: None: 10 n + 100; reached first, it gives the warning dyn.NotConverged."""
    if max_products is not None:
        integer(max_products, "max_products", least=2)
    options = structs["dyn_solve_options"](method=enum("solve", method), tolerance=number(tolerance, "tolerance"),
                                           max_products=max_products)
    b = vector(b, A.size, "b")
    x, residual, products = np.empty(A.size), ctypes.c_double(), ctypes.c_int64()
    status = A._call(lib.dyn_operator_solve, pointer(b), ctypes.byref(options), pointer(x), ctypes.byref(residual),
                     ctypes.byref(products))
    if status == NOT_CONVERGED:
        warnings.warn(f"the residual is {residual.value:.2g} after {products.value} products, allowed "
                      f"{tolerance * np.linalg.norm(b):.2g}", NotConverged, stacklevel=2)
    return Solution(x, residual.value, products.value)


def exponential(A: Operator, t: float, x: ArrayLike, *, tolerance: float = 1e-10,
                max_products: int = 10000) -> Estimate:
    """exp(t A) x for a symmetric operator, x [n], with the estimated error relative to its norm."""
    x = vector(x, A.size, "x")
    y, error = np.empty(A.size), ctypes.c_double()
    status = A._call(lib.dyn_operator_exponential, number(t, "t"), pointer(x), number(tolerance, "tolerance"),
                     integer(max_products, "max_products", least=1), pointer(y), ctypes.byref(error))
    if status == NOT_CONVERGED:
        warnings.warn("max_products came before t", NotConverged, stacklevel=2)
    return Estimate(y, error.value)


def log_determinant(A: Operator, shift: float = 0.0, *, probes: int = 10, steps: int = 80, seed: int = 0) -> Estimate:
    """log det (A + shift I) of a positive definite matrix by Lanczos quadrature; steps: at most n."""
    value, error = ctypes.c_double(), ctypes.c_double()
    A._call(lib.dyn_operator_log_determinant, number(shift, "shift"), probes, min(steps, A.size), seed,
            ctypes.byref(value), ctypes.byref(error))
    return Estimate(value.value, error.value)


def spectral_sum(f: Callable[[NDArray[np.float64]], ArrayLike], density: Density, size: int) -> Estimate:
    """tr f(A), the sum of f over the eigenvalues of A [size, size], from its density: f takes arrays.

    >>> A = Operator.from_function(lambda V: 2.0 * V, 4)
    >>> float(spectral_sum(np.exp, A.density(1, 1), 4).value) == float(4 * np.exp(2.0))
    True"""
    values = np.ascontiguousarray(np.broadcast_to(real_array(f(density.nodes), "the values of f"), density.nodes.shape))
    return density_estimate(lib.dyn_density_sum, Density(values, density.weights), integer(size, "size", least=1), None, None)


def density_estimate(function: Callable[..., int], density: Density, *arguments: Any) -> Estimate:
    """What a dyn_density function finds, with its standard error."""
    nodes, weights = (np.ascontiguousarray(part, dtype=np.float64) for part in density)
    value, error, context = ctypes.c_double(), ctypes.c_double(), current()
    call(context, function, context, *nodes.shape, pointer(nodes), pointer(weights), *arguments, ctypes.byref(value),
         ctypes.byref(error))
    return Estimate(value.value, error.value)
