# SPDX-License-Identifier: BSD-3-Clause
"""Eigenpairs of an operator, each with its residual; a result that did not converge says so."""
from __future__ import annotations

import ctypes
import warnings
from dataclasses import dataclass, field, fields
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ._arrays import block, copied, pointer, real_matrix
from ._lib import NOT_CONVERGED, Handle, call, enum, integer, lib, structs
from .context import current
from .errors import NotConverged, invalid
from .operator import Operator, as_operator

WHICH = {"largest": "largest_algebraic", "smallest": "smallest_algebraic", "magnitude": "largest_magnitude",
         "both": "both_ends"}
SCIPY = {"LA": "largest", "SA": "smallest", "LM": "magnitude", "BE": "both"}
Which = Literal["largest", "smallest", "magnitude", "both"]
ToleranceOf = Literal["largest", "each", "absolute"]
LAST = ("unknown", "whole", "cut")      # enum dyn_last_cluster


def which_code(which: Which) -> int:
    """enum dyn_eigen_which."""
    if which not in WHICH:
        hint = f"; SciPy's {which!r} is {SCIPY[which]!r} here" if which in SCIPY else ""
        raise invalid(f"which={which!r} is not one of {', '.join(WHICH)}{hint}")
    return enum("which", WHICH[which])


@dataclass(frozen=True)
class Eigenpairs:
    """Eigenpairs of a symmetric operator.

    values [k]; vectors [n, k], column i belongs to values[i]; residuals [k] = |A v - value v|; converged [k];
    products: vectors multiplied; tolerance: the residual allowed; miss_bound: bound on the probability that an
    eigenvalue beyond those given was missed (1 where that was not looked at).
    tolerances [k]: the residual allowed of each pair. clusters [k]: number of the cluster of each pair, and multiplicities [k]:
    how many are in it; values that their residuals do not tell apart, of which the space is known rather than the vectors.
    last_cluster: "whole", if no copy of the last value was left out; "cut", if one was seen; "unknown" without a search.
    product_error: where products are differences
    of gradients, the largest estimated error of one, which the residuals contain; 0 where they are exact. floor: of an
    operator in float32, what rounds its products: no residual can be told below it; 0 for one in float64.

    >>> pairs = dyn.eigh(np.diag([1.0, 2.0, 5.0]), k=2)
    >>> pairs.values.round(6), pairs.converged
    (array([5., 2.]), array([ True,  True]))
    """

    values: NDArray[np.float64]
    vectors: NDArray[np.float64]
    residuals: NDArray[np.float64]
    converged: NDArray[np.bool_]
    products: int
    tolerance: float
    miss_bound: float
    product_error: float = 0.0
    floor: float = 0.0
    tolerances: NDArray[np.float64] = field(default_factory=lambda: np.empty(0))
    clusters: NDArray[np.int64] = field(default_factory=lambda: np.empty(0, np.int64))
    multiplicities: NDArray[np.int64] = field(default_factory=lambda: np.empty(0, np.int64))
    last_cluster: str = "unknown"

    @property
    def certificate(self) -> str:
        """Why no pair is missing, in words: all eigenvalues were counted, a search bounds the chance, or nothing says so.

        >>> dyn.eigh(np.eye(3)).certificate
        'complete: every eigenvalue is accounted for'
        """
        if self.miss_bound == 0.0:
            return "complete: every eigenvalue is accounted for"
        return f"missed with a chance of at most {self.miss_bound:.1g}" if self.miss_bound < 1.0 else "none: no search decided"

    def __repr__(self) -> str:
        rare = {"product_error": self.product_error, "floor": self.floor}
        shown = [f"{f.name}={getattr(self, f.name)!r}" for f in fields(self) if f.name != "tolerances" and rare.get(f.name, 1.0)]
        return f"Eigenpairs({', '.join(shown)})"


class _Result(Handle):
    _kind = "eigen"


def pairs_of(result: Any) -> Eigenpairs:
    """The arrays of a dyn_eigen, copied."""
    count, size = lib.dyn_eigen_count(result), lib.dyn_eigen_size(result)
    return Eigenpairs(
        copied(lib.dyn_eigen_values(result), (count,)), copied(lib.dyn_eigen_vectors(result), (count, size)).T,
        copied(lib.dyn_eigen_residuals(result), (count,)),
        copied(lib.dyn_eigen_converged(result), (count,), np.int32).astype(bool), lib.dyn_eigen_products(result),
        lib.dyn_eigen_tolerance(result), lib.dyn_eigen_miss_bound(result), lib.dyn_eigen_product_error(result),
        lib.dyn_eigen_floor(result), copied(lib.dyn_eigen_tolerances(result), (count,)),
        copied(lib.dyn_eigen_clusters(result), (count,), np.int64),
        copied(lib.dyn_eigen_multiplicities(result), (count,), np.int64), LAST[lib.dyn_eigen_last_cluster(result)])


def eigh(A: Any, k: int = 1, which: Which = "largest", tolerance: float = 1e-6, *, max_products: int | None = None,
         start: ArrayLike | None = None, block_size: int = 1, seed: int = 0, search: bool = True,
         tolerance_of: ToleranceOf = "largest") -> Eigenpairs:
    """k eigenpairs at one end of the spectrum of a symmetric operator.

    A: an Operator, or anything with shape and `@` (a matrix, a SciPy operator).
    which: "largest" or "smallest" (algebraic), "magnitude", or "both": k of each end.
    tolerance: largest residual, relative to the largest |value|, with tolerance_of="each" to that of each pair, with
    "absolute" to nothing. max_products: None: 1000 + 50 per pair.
    start: vectors [n, j] near those wanted. search: look for missed pairs before calling it converged.

    Pairs above their tolerance, or a search that would cost more than max_products (None: twice what the pairs did),
    give the warning dyn.NotConverged; the result has residuals, flags and miss_bound.

    >>> pairs = dyn.eigh(np.diag([1.0, 2.0, 5.0]), k=2)
    >>> pairs.values.round(6)
    array([5., 2.])
    >>> bool(pairs.residuals.max() < 1e-5)
    True
    """
    result, status = solved(as_operator(A), k, which, tolerance, max_products, start, block_size, seed, search,
                            tolerance_of)
    pairs = pairs_of(result)
    if status == NOT_CONVERGED:
        warnings.warn(complaint(pairs), NotConverged, stacklevel=2)
    return pairs


def memory_of_eigh(A: Any, k: int = 1, which: Which = "largest") -> int:
    """Bytes that eigh(A, k, which) will take at most, beside the operator and its products: to be asked before a long run.
    Of an operator in float32 the basis takes half as many.

    >>> dyn.memory_of_eigh(np.eye(1000), k=5) < 1e6
    True
    """
    options = structs["dyn_eigen_options"](which=which_code(which), count=integer(k, "k", least=1))
    out = ctypes.c_int64()
    as_operator(A)._call(lib.dyn_eigen_bytes, ctypes.byref(options), ctypes.byref(out))
    return out.value


def solved(A: Operator, k: int, which: Which = "largest", tolerance: float = 1e-6, max_products: int | None = None,
           start: ArrayLike | None = None, block_size: int = 1, seed: int = 0, search: bool = True,
           tolerance_of: ToleranceOf = "largest") -> tuple[Any, int]:
    """A dyn_eigen, and the status that it was found with; arguments as for eigh."""
    if max_products is not None:
        integer(max_products, "max_products", least=1)
    options = structs["dyn_eigen_options"](
        which=which_code(which), count=integer(k, "k", least=1), tolerance=tolerance, max_products=max_products,
        block=block_size, seed=seed, unchecked=int(not search), tolerance_of=enum("tolerance", tolerance_of))
    if start is not None:
        columns = real_matrix(start, "start", "[n, j]")
        rows = block(columns.T, (columns.shape[1], A.size), "start, transposed,")
        options.start, options.start_count = rows.ctypes.data, len(rows)
    out = ctypes.c_void_p()
    try:
        status = A._call(lib.dyn_eigen_solve, ctypes.byref(options), ctypes.byref(out))
    finally:
        result = _Result(A._context, out.value) if out.value else None
    return result, status


def complaint(pairs: Eigenpairs) -> str:
    """What the warning NotConverged says."""
    missing = int(np.sum(~pairs.converged))
    if not missing and len(pairs.values):
        return (f"all residuals are within {pairs.tolerance:.2g}, but that another pair was missed has a probability "
                f"of up to {pairs.miss_bound:.2g}: allow more than {pairs.products} products (max_products), or ask "
                "for no search (search=False)")
    rough = f", of which differences make {pairs.product_error:.2g}" if pairs.product_error else ""
    if pairs.floor > pairs.tolerance:
        rough += f"; products in float32 are rounded by {pairs.floor:.2g}"
    return (f"{missing} of {len(pairs.values)} eigenpairs have not converged after {pairs.products} products: largest "
            f"residual {pairs.residuals.max():.2g}{rough}, allowed {pairs.tolerance:.2g}")


def singular_values(a: ArrayLike, accurate: bool = False) -> NDArray[np.float64]:
    """Singular values of a matrix [m, n], descending. accurate: the tiny ones to high relative accuracy, slower.

    >>> dyn.singular_values([[3.0, 0.0], [0.0, -4.0]])
    array([4., 3.])
    """
    a = real_matrix(a, "a")
    s = np.empty(min(a.shape))
    context = current()
    if accurate:
        call(context, lib.dyn_dense_svd_values_accurate, context, *a.shape, pointer(a), pointer(s), None)
    else:
        call(context, lib.dyn_dense_svd_values, context, *a.shape, pointer(a), pointer(s))
    return s
