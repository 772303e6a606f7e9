# SPDX-License-Identifier: BSD-3-Clause
"""Linear operators y = A x: Hessians and the like, or a product of the user's own. NumPy and SciPy take them."""
from __future__ import annotations

import ctypes
import math
from typing import Any, Callable, Literal, NamedTuple, Sequence, overload

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ._arrays import block, indices, pointer, real_array, real_matrix, real_vector, vector, view
from ._lib import Handle, call, callback, enum, integer, lib, make, number, real, structs
from .context import Context, current
from .errors import invalid, shapes_differ


class Estimate(NamedTuple):
    """A sampled value with its standard error.

    >>> estimate = dyn.Operator.from_function(lambda V: 2 * V, size=10).trace(products=30)
    >>> round(estimate.value, 6)
    20.0
    """

    value: Any
    standard_error: Any

    def __truediv__(self, divisor: float) -> Any:
        """The value divided: SciPy takes a trace as a number."""
        return self.value / divisor


class Density(NamedTuple):
    """A spectral density: nodes and weights [probes, steps]; the weights of a probe sum to 1.

    >>> A = dyn.Operator.from_function(lambda V: 2 * V, size=10)
    >>> A.density(probes=1, steps=1).nodes.round(6)
    array([[2.]])
    """

    nodes: NDArray[np.float64]
    weights: NDArray[np.float64]


class Operator(Handle):
    """A symmetric linear operator on float64 vectors of length n.

    A @ v for v [n], v @ A, A @ V for V [n, k]; A + B, c * A, A / c, A @ B, A.T, A.shifted(c), ...; numpy.asarray(A) is
    its matrix. SciPy's functions take it as it is, and a sum or product with one of their operators or a matrix works.

    >>> A = dyn.Operator.from_function(lambda V: np.arange(1, 4)[:, None] * V, size=3)
    >>> A @ [1, 1, 1]
    array([1., 2., 3.])
    >>> (2 * A.shifted(1.0)).dense().diagonal()
    array([4., 6., 8.])
    """

    _kind = "operator"
    dtype = np.dtype(np.float64)
    ndim = 2
    __array_ufunc__ = None      # a NumPy array on the left leaves the operation to the operator
    _tensors: Any = None        # the objective whose parameters the rows are

    @classmethod
    def from_function(cls, product: Callable[[NDArray[np.float64]], ArrayLike], size: int) -> Operator:
        """The operator V -> product(V), for blocks V [size, k] of columns: a matrix M gives lambda V: M @ V."""
        context = current()
        size = integer(size, "size", least=1)

        def apply(_: Any, count: int, x: int, y: int) -> None:
            result = real_array(product(view(x, (count, size)).T.copy()), "the product")
            if result.shape != (size, count):
                raise shapes_differ(f"the product has shape {list(result.shape)}, expected {[size, count]}")
            view(y, (count, size))[...] = result.T
        fn = callback(context, "dyn_operator_apply_fn", apply)
        A = cls(context, make(context, lib.dyn_operator_from_callback, context, size, fn, None), fn)
        A._recipe = (cls.from_function, (product, size))
        return A

    @property
    def size(self) -> int:
        """Rows and columns n."""
        return int(lib.dyn_operator_size(self))

    @property
    def shape(self) -> tuple[int, int]:
        """(n, n)."""
        return (self.size,) * 2

    @property
    def products(self) -> int:
        """Vectors multiplied so far, also on behalf of operators built on this one."""
        return int(lib.dyn_operator_products(self))

    @property
    def T(self) -> Operator:
        """The transpose: the operator itself."""
        return self

    H = T

    def __repr__(self) -> str:
        return f"<dyn.Operator {list(self.shape)}, {self.products} products so far>"

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> NDArray[Any]:
        return self.dense().astype(dtype or np.float64, copy=False)

    @overload
    def __matmul__(self, v: Operator) -> Operator: ...

    @overload
    def __matmul__(self, v: ArrayLike) -> NDArray[np.float64]: ...

    def __matmul__(self, v: Any) -> Any:
        if isinstance(v, Operator) or _is_operator(v):
            other = as_operator(v)
            if other.size != self.size:
                raise shapes_differ(f"operators of sizes {self.size} and {other.size}")
            return Operator.from_function(lambda V: self @ (other @ V), self.size)
        if np.iscomplexobj(v):
            return self @ np.real(v) + 1j * (self @ np.imag(v))
        v = real_array(v, "the vector")
        if v.ndim not in (1, 2) or v.shape[0] != self.size:
            raise shapes_differ(f"an operator of shape {list(self.shape)} times an array of shape {list(v.shape)}")
        rows = np.ascontiguousarray(v.T)
        out = np.empty_like(rows)
        count = 1 if v.ndim == 1 else v.shape[1]
        if count:
            self._call(lib.dyn_operator_apply, count, pointer(rows), pointer(out))
        return np.ascontiguousarray(out.T)

    def __rmatmul__(self, v: ArrayLike) -> NDArray[np.float64]:
        return (self @ np.asarray(v).T).T

    def dot(self, v: Any) -> Any:
        """self @ v, or v * self for a number; SciPy asks for it."""
        return self * float(v) if np.ndim(v) == 0 and not _is_operator(v) else self @ v

    def matvec(self, v: ArrayLike) -> NDArray[np.float64]:
        """self @ v for v [n] or [n, 1]."""
        return self @ v

    rmatvec = matmat = rmatmat = matvec

    def adjoint(self) -> Operator:
        """The operator itself."""
        return self

    def _derived(self, function: Callable[..., int], *arguments: Any, keep: Any = None) -> Operator:
        A = Operator(self._context, make(self._context, function, self, *arguments), self, keep)
        A._tensors = self._tensors
        return A

    def __add__(self, other: Any) -> Operator:
        if np.isscalar(other):
            if other == 0:      # what sum() begins with
                return self
            raise TypeError("a number and an operator have no sum: A.shifted(c) is A + c I")
        with self._context:
            term = as_operator(other)
        return self._derived(lib.dyn_operator_sum, term, keep=term)

    __radd__ = __add__

    def __mul__(self, factor: float) -> Operator:
        return self._derived(lib.dyn_operator_scaled, number(factor, "the factor"))

    __rmul__ = __mul__

    def __truediv__(self, divisor: float) -> Operator:
        return self * (1.0 / number(divisor, "the divisor"))

    def __neg__(self) -> Operator:
        return self * -1.0

    def __pos__(self) -> Operator:
        return self

    def __sub__(self, other: Any) -> Operator:
        with self._context:
            term = as_operator(other)
        return self + -term

    def __rsub__(self, other: Any) -> Operator:
        return (-self).__add__(other)

    def shifted(self, shift: float) -> Operator:
        """A + shift I."""
        return self._derived(lib.dyn_operator_shifted, number(shift, "shift"))

    def sandwiched(self, d: ArrayLike) -> Operator:
        """diag(d) A diag(d), d [n]: a preconditioned matrix in its symmetric form."""
        return self._derived(lib.dyn_operator_sandwiched, pointer(vector(d, self.size, "d")))

    def deflated(self, vectors: ArrayLike, values: ArrayLike) -> Operator:
        """A - sum_i values[i] v_i v_i^T, the columns of vectors [n, k] being v_i."""
        values = real_vector(values, "values")
        columns = block(vectors, (self.size, len(values)), "vectors")
        rows = np.ascontiguousarray(columns.T)
        return self._derived(lib.dyn_operator_deflated, len(values), pointer(rows), pointer(values))

    def projected(self, vectors: ArrayLike) -> Operator:
        """P A P, P projecting onto the complement of the columns of vectors [n, k]."""
        columns = real_matrix(vectors, "vectors", "[n, k]")
        rows = block(columns.T, (columns.shape[1], self.size), "vectors, transposed,")
        return self._derived(lib.dyn_operator_projected, len(rows), pointer(rows))

    def product_errors(self, x: ArrayLike) -> NDArray[np.float64]:
        """Estimated errors [k] of the products with the columns of x [n, k], where they are differences of gradients: by
        twice the step. 0 where products are exact.

        >>> bowl = dyn.Objective.from_functions(1, lambda t: t @ t, lambda t: (t @ t, 2 * t))
        >>> float(bowl.hessian([1.0]).product_errors([[1.0]])[0]) < 1e-9
        True
        """
        columns = np.ascontiguousarray(np.asarray(x, dtype=np.float64).reshape(self.size, -1).T)
        out = np.empty(len(columns))
        self._call(lib.dyn_operator_product_errors, len(columns), pointer(columns), pointer(out))
        return out

    def restricted(self, index: str | Sequence[str] | ArrayLike) -> Operator:
        """The block of A in these rows and columns: places of theta, a mask, or names of the model's tensors ("W1", or
        several): the curvature of one layer."""
        chosen = self._places(index)
        A = self._derived(lib.dyn_operator_restricted, len(chosen), pointer(chosen))
        A._tensors = None
        return A

    def _places(self, index: Any) -> NDArray[np.int64]:
        names = [index] if isinstance(index, str) else list(index) if not isinstance(index, np.ndarray) else []
        if not names or not all(isinstance(name, str) for name in names):
            return indices(index, self.size, "index")
        if self._tensors is None:
            raise invalid(f"restricted({index!r}): the operator belongs to no model, so its rows have no names")
        tensors = self._tensors.tensors
        for name in names:
            if name not in tensors:
                raise invalid(f"no tensor {name!r}; there are {', '.join(tensors)}")
        return np.concatenate([t.offset + np.arange(math.prod(t.shape)) for t in map(tensors.__getitem__, names)])

    def dense(self) -> NDArray[np.float64]:
        """The matrix [n, n], by n products."""
        matrix = np.empty(self.shape)
        self._call(lib.dyn_operator_dense, pointer(matrix))
        return matrix

    def asymmetry(self, seed: int = 0) -> float:
        """How far A is from symmetric, relative: 1e-16 for a symmetric product in float64, 1e-7 in float32."""
        return real(self._context, lib.dyn_operator_symmetry, self, integer(seed, "seed", "u64"))

    def trace(self, products: int = 60, method: Literal["hutchpp", "hutchinson", "xtrace"] = "hutchpp",
              seed: int = 0) -> Estimate:
        """Trace from random products, without bias. method: "hutchpp", "hutchinson" or "xtrace"."""
        options = structs["dyn_trace_options"](method=enum("trace", method), products=products, seed=seed)
        error = ctypes.c_double()
        trace = ctypes.c_double()
        self._call(lib.dyn_operator_trace, ctypes.byref(options), ctypes.byref(trace), ctypes.byref(error))
        return Estimate(trace.value, error.value)

    def diagonal(self, probes: int = 100, seed: int = 0) -> Estimate:
        """Diagonal [n] from random signs, with its standard error [n]."""
        value, error = np.empty(self.size), np.empty(self.size)
        self._call(lib.dyn_operator_diagonal, integer(probes, "probes"), integer(seed, "seed", "u64"), pointer(value),
                   pointer(error))
        return Estimate(value, error)

    def density(self, probes: int = 10, steps: int = 80, seed: int = 0) -> Density:
        """Spectral density by Lanczos quadrature. steps: nodes per probe, at most n."""
        nodes, weights = np.empty((2, integer(probes, "probes", least=1), integer(steps, "steps", least=1)))
        self._call(lib.dyn_operator_density, probes, steps, integer(seed, "seed", "u64"), pointer(nodes), pointer(weights))
        return Density(nodes, weights)

    def density_curve(self, grid: ArrayLike, width: float, density: Density | None = None) -> Estimate:
        """The density on a grid of eigenvalues, each node broadened to a Gaussian of standard deviation width.

        Integrates to 1; with the standard error over the probes."""
        return curve_of(density or self.density(steps=min(80, self.size)), grid, width, self._context)


def curve_of(density: Density, grid: ArrayLike, width: float, context: Context) -> Estimate:
    """A density on a grid of eigenvalues; Operator.density_curve."""
    grid = real_vector(grid, "grid")
    nodes, weights = (np.ascontiguousarray(part, dtype=np.float64) for part in density)
    value, error = np.empty(len(grid)), np.empty(len(grid))
    call(context, lib.dyn_density_curve, context, *nodes.shape, pointer(nodes), pointer(weights), number(width, "width"),
         len(grid), pointer(grid), pointer(value), pointer(error))
    return Estimate(value, error)


def _is_operator(x: Any) -> bool:
    """SciPy's linear operators, and what is like them: a shape and a product, but no array."""
    return hasattr(x, "matvec") and hasattr(x, "shape")


def as_operator(A: Any) -> Operator:
    """An Operator as it is; a square matrix, dense or sparse, or a SciPy operator as one."""
    if isinstance(A, Operator):
        return A
    shape = getattr(A, "shape", None)
    if shape is None and not np.isscalar(A):
        A = real_array(A, "the matrix")
        shape = A.shape
    if not hasattr(A, "__matmul__") or shape is None or len(shape) != 2 or shape[0] != shape[1]:
        found = f"shape {list(shape)}" if shape is not None else f"type {type(A).__name__}"
        raise shapes_differ(f"an operator or a square matrix expected, not one of {found}")
    return Operator.from_function(A.__matmul__, shape[0])
