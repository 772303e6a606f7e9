# SPDX-License-Identifier: BSD-3-Clause
"""Matrix completion by factors: nuclear norms and spectra (arXiv 2405.13721): dyn.completion."""
from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ._arrays import indices, pointer, real_matrix, vector
from ._lib import call, integer, lib, real
from ._run_view import RunView, Series, State
from .context import current
from .errors import invalid, shapes_differ
from .measure import Measurement
from .model import Model

__all__ = ["FactorSpectra", "Factors", "Spectra", "least_nuclear_norm", "spectra"]


def least_nuclear_norm(rows: int, columns: int, places: ArrayLike, values: ArrayLike) -> float:
    """The least nuclear norm of all matrices with these values at these places (row-major numbers). Only where all rows
    of a component meet all its columns; see dyn.data.observation_graph.

    >>> dyn.completion.least_nuclear_norm(2, 2, [0, 3], [3.0, -4.0])
    7.0
    """
    size = integer(rows, "rows", least=1) * integer(columns, "columns", least=1)
    at = indices(np.ravel(places), size, "places")
    context = current()
    return real(context, lib.dyn_completion_nuclear_norm, context, rows, columns, len(at), pointer(at),
                pointer(vector(np.ravel(values), len(at), "values")))


class Spectra(NamedTuple):
    """Singular values, descending: of the product A B, of A, of B, of [A^T, B].

    >>> dyn.completion.spectra([[2.0], [0.0]], [[0.0, 3.0]]).nuclear_norm
    6.0
    """

    product: NDArray[np.float64]
    a: NDArray[np.float64]
    b: NDArray[np.float64]
    augmented: NDArray[np.float64]

    @property
    def nuclear_norm(self) -> float:
        """Of A B."""
        return float(self.product.sum())


def spectra(a: ArrayLike, b: ArrayLike) -> Spectra:
    """Singular values of A [rows, inner], B [inner, columns], A B and W_aug = [A^T, B]. On an invariant manifold of the
    training A, B and W_aug have one rank.

    >>> dyn.completion.spectra(np.eye(2), 2 * np.eye(2)).augmented.round(4)
    array([2.2361, 2.2361])
    """
    left, right = real_matrix(a, "a"), real_matrix(b, "b")
    (rows, inner), columns = left.shape, right.shape[1]
    if len(right) != inner:
        raise shapes_differ(f"a is {rows} x {inner}, b {len(right)} x {columns}")
    out = [np.empty(min(rows, columns)), np.empty(min(rows, inner)), np.empty(min(inner, columns)),
           np.empty(min(inner, rows + columns))]
    context = current()
    call(context, lib.dyn_completion_spectra, context, rows, inner, columns, pointer(left), pointer(right),
         *map(pointer, out))
    return Spectra(*out)


class FactorSpectra(Measurement["Factors"]):
    """Spectra of a run of dyn.factorisation([rows, inner, columns]) as it goes.

    >>> net = dyn.factorisation([2, 2, 2], init=dyn.init.normal(1e-3), seed=1)
    >>> run = dyn.Run(net, np.arange(4), [1.0, 2.0, 2.0, 4.0], optimizer=dyn.GD(0.05))
    >>> _ = run.measure(dyn.completion.FactorSpectra(), every=100)
    >>> found = run.train(200)["factors"]
    >>> found.steps, found.rank(1e-2)
    (array([  0, 100, 200]), array([2, 1, 1]))
    """

    _own = True

    def __init__(self, *, name: str = "factors") -> None:
        self.name = name
        self._arguments = {}

    def observe(self, state: State) -> None:
        found = spectra(*_factors(state.run.objective.model, state.theta))
        for part, values in zip(Spectra._fields, found):
            state.run.record(f"{self.name}.{part}", values)

    def result(self, run: RunView) -> Factors:
        return Factors(*(self._rows(run, part) for part in Spectra._fields))


class Factors:
    """Singular values along a run, r rows: steps [r]; product, a, b, augmented [r, values].

    >>> rows = dyn.Series(np.array([0, 5]), np.array([[2.0, 1.0], [3.0, 1e-9]]))
    >>> found = dyn.completion.Factors(rows, rows, rows, rows)
    >>> found.rank(), found.nuclear_norm.round(3)
    (array([2, 1]), array([3., 3.]))
    """

    def __init__(self, product: Series, a: Series, b: Series, augmented: Series) -> None:
        self.steps = product.steps
        self.product, self.a, self.b, self.augmented = product.values, a.values, b.values, augmented.values

    @property
    def nuclear_norm(self) -> NDArray[np.float64]:
        """Of A B [r]."""
        total: NDArray[np.float64] = self.product.sum(axis=1)
        return total

    def rank(self, tolerance: float = 1e-3) -> NDArray[np.int64]:
        """Values of A B above tolerance times the largest [r]."""
        count: NDArray[np.int64] = (self.product > tolerance * self.product[:, :1]).sum(axis=1)
        return count


def _factors(net: Model | None, theta: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    views = {} if net is None else net.views(theta)
    if list(views) != ["W1", "W2"] or any(w.ndim != 2 for w in views.values()):
        raise invalid("a network of two factors is wanted: dyn.factorisation([rows, inner, columns])")
    return views["W1"], views["W2"]
