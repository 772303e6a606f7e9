# SPDX-License-Identifier: BSD-3-Clause
"""Eigenpairs of an operator, each with its residual; a result that did not converge says so."""
from __future__ import annotations

import ctypes
import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ._arrays import block, copied, pointer
from ._lib import NOT_CONVERGED, Handle, callback, check, enum, function_pointer, lib, structs
from .context import current
from .errors import NotConverged
from .operator import Operator

WHICH = {"largest": "largest_algebraic", "smallest": "smallest_algebraic", "magnitude": "largest_magnitude",
         "both": "both_ends"}


@dataclass(frozen=True)
class Eigenpairs:
    """Eigenpairs of a symmetric operator.

    values [k]; vectors [n, k], column i belongs to values[i]; residuals [k] = |A v - value v|; converged [k];
    products: vectors multiplied; tolerance: the residual allowed; miss_bound: bound on the probability that an
    eigenvalue beyond those given was missed (1 where that was not looked at)."""

    values: NDArray[np.float64]
    vectors: NDArray[np.float64]
    residuals: NDArray[np.float64]
    converged: NDArray[np.bool_]
    products: int
    tolerance: float
    miss_bound: float


class _Result(Handle):
    _free = "dyn_eigen_free"


def pairs_of(result: Any) -> Eigenpairs:
    """The arrays of a dyn_eigen, copied."""
    count, size = lib.dyn_eigen_count(result), lib.dyn_eigen_size(result)
    return Eigenpairs(
        copied(lib.dyn_eigen_values(result), (count,)), copied(lib.dyn_eigen_vectors(result), (count, size)).T,
        copied(lib.dyn_eigen_residuals(result), (count,)),
        copied(lib.dyn_eigen_converged(result), (count,), np.int32).astype(bool), lib.dyn_eigen_products(result),
        lib.dyn_eigen_tolerance(result), lib.dyn_eigen_miss_bound(result))


def eigh(A: Any, k: int = 1, which: str = "largest", tolerance: float = 1e-6, *, max_products: int = 0,
         start: ArrayLike | None = None, block_size: int = 1, seed: int = 0, search: bool = True) -> Eigenpairs:
    """k eigenpairs at one end of the spectrum of a symmetric operator.

    A: an Operator, or anything with shape and `@` (a matrix, a SciPy operator).
    which: "largest" or "smallest" (algebraic), "magnitude", or "both": k of each end.
    tolerance: largest residual, relative to the largest |value|. max_products: 0 = 1000 + 50 per pair.
    start: vectors [n, j] near those wanted. search: look for missed pairs before calling it converged.

    Pairs above their tolerance, or a search that would cost more than max_products (0: twice what the pairs did),
    give the warning dyn.NotConverged; the result has residuals, flags and miss_bound."""
    A = A if isinstance(A, Operator) else Operator.from_function(A.__matmul__, A.shape[0])
    options = structs["dyn_eigen_options"](
        which=enum("which", WHICH.get(which, which)), count=k, tolerance=tolerance, max_products=max_products,
        block=block_size, seed=seed, unchecked=int(not search))
    progress = callback(A._context, "dyn_progress_fn", lambda *_: 0)        # lets Ctrl-C through
    options.progress = function_pointer(progress)
    if start is not None:
        columns = np.asarray(start, dtype=np.float64)
        rows = block(columns.T, (columns.shape[-1], A.size), "start, transposed,")
        options.start, options.start_count = rows.ctypes.data, len(rows)
    out = ctypes.c_void_p()
    status = lib.dyn_eigen_solve(A, ctypes.byref(options), ctypes.byref(out))
    result = _Result(A._context, out.value) if out.value else None
    check(status, A._context)
    pairs = pairs_of(result)
    if status == NOT_CONVERGED:
        warnings.warn(_complaint(pairs), NotConverged, stacklevel=2)
    return pairs


def _complaint(pairs: Eigenpairs) -> str:
    missing = int(np.sum(~pairs.converged))
    if not missing and len(pairs.values):
        return (f"all residuals are within {pairs.tolerance:.2g}, but that another pair was missed has a probability "
                f"of up to {pairs.miss_bound:.2g}: allow more than {pairs.products} products (max_products), or ask "
                "for no search (search=False)")
    return (f"{missing} of {len(pairs.values)} eigenpairs have not converged after {pairs.products} products: largest "
            f"residual {pairs.residuals.max():.2g}, allowed {pairs.tolerance:.2g}")


def singular_values(a: ArrayLike, accurate: bool = False) -> NDArray[np.float64]:
    """Singular values of a matrix [m, n], descending. accurate: the tiny ones to high relative accuracy, slower."""
    a = np.ascontiguousarray(a, dtype=np.float64)
    s = np.empty(min(block(a, np.shape(a)[:2], "a").shape))
    context = current()
    if accurate:
        check(lib.dyn_dense_svd_values_accurate(context, *a.shape, pointer(a), pointer(s), None), context)
    else:
        check(lib.dyn_dense_svd_values(context, *a.shape, pointer(a), pointer(s)), context)
    return s
