# SPDX-License-Identifier: BSD-3-Clause
"""What is read off the spectrum of a curvature matrix: norms, effective dimension, negative share, outliers and the edge of
the bulk, parts, layers; and its measurement along a run. Estimates carry their standard errors over random probes."""
from __future__ import annotations

import ctypes
import re
import warnings
from dataclasses import dataclass
from typing import Any, Literal, Unpack

import numpy as np
from numpy.typing import ArrayLike, NDArray

from . import _recipe
from ._arrays import real_array, vector
from ._lib import NOT_CONVERGED, integer, lib, number
from ._run_view import RunView, State
from .eigen import Eigenpairs, complaint, eigh, pairs_of, solved
from .equations import density_estimate, spectral_sum
from .errors import STATUS, NotConverged, NotSupported, invalid
from .kfac import kfac
from .landscapes import space_shares
from .measure import Measurement
from .model import Model
from .objective import Objective, Options, _at
from .operator import Density, Estimate, Operator


def _density(A: Operator, density: Density | None, probes: int, steps: int, seed: int) -> Density:
    return density or A.density(probes, min(steps, A.size), seed)


def frobenius_norm(A: Operator, *, probes: int = 30, seed: int = 0) -> Estimate:
    """|A|_F: the root of the mean of |A z|^2 over vectors z of random signs, `probes` products.

    >>> dyn.frobenius_norm(dyn.Operator.from_function(lambda V: 2 * V, 9)).value
    6.0
    """
    value, error = ctypes.c_double(), ctypes.c_double()
    A._call(lib.dyn_operator_frobenius, integer(probes, "probes"), integer(seed, "seed", "u64"), ctypes.byref(value),
            ctypes.byref(error))
    return Estimate(value.value, error.value)


def stable_rank(A: Operator, *, probes: int = 30, tolerance: float = 1e-4, seed: int = 0) -> Estimate:
    """|A|_F^2 / |A|_2^2, the largest magnitude of an eigenvalue found to tolerance; the standard error holds both.

    >>> round(dyn.stable_rank(dyn.Operator.from_function(lambda V: 2 * V, 9)).value, 9)
    9.0
    """
    value, error = ctypes.c_double(), ctypes.c_double()
    status = A._call(lib.dyn_operator_stable_rank, integer(probes, "probes"), number(tolerance, "tolerance"),
                     integer(seed, "seed", "u64"), ctypes.byref(value), ctypes.byref(error))
    if status == NOT_CONVERGED:
        warnings.warn("the largest eigenvalue has not converged: the rank may be too large", NotConverged, stacklevel=2)
    return Estimate(value.value, error.value)


def effective_dimension(A: Operator, damping: float, *, density: Density | None = None, probes: int = 10, steps: int = 80,
                        seed: int = 0) -> Estimate:
    """sum of h / (h + damping) over the eigenvalues h of A, negative ones counting as 0: how many directions the data
    determine better than a prior of precision damping. density: one of A that is there already.

    >>> A = dyn.Operator.from_function(lambda V: 3 * V, 10)
    >>> round(dyn.effective_dimension(A, 1.0, steps=1).value, 9)
    7.5
    """
    found = _density(A, density, probes, steps, seed)
    return density_estimate(lib.dyn_density_effective_dimension, found, A.size, number(damping, "damping"))


def negative_share(A: Operator, tolerance: float = 0.0, *, density: Density | None = None, probes: int = 10, steps: int = 80,
                   seed: int = 0) -> Estimate:
    """Share of the eigenvalues of A below -tolerance, in [0, 1]. The standard error is that over the probes; besides, a
    cluster of eigenvalues at the bound falls to either side, so take tolerance above the size of the bulk at 0.

    >>> A = dyn.Operator.from_function(lambda V: np.array([-1.0, 1.0, 2.0, 3.0])[:, None] * V, 4)
    >>> round(dyn.negative_share(A, steps=4).value, 9)
    0.25
    """
    return density_estimate(lib.dyn_density_negative_share, _density(A, density, probes, steps, seed),
                            number(tolerance, "tolerance"))


@dataclass(frozen=True)
class Bulk:
    """Outliers of one end of a spectrum: outliers, how many values stand apart; edge, the first value of the bulk; gap, that
    between them, and ratio, it over the largest gap behind it; pairs, all that were computed.

    >>> found = dyn.bulk(dyn.Operator.from_function(lambda V: np.r_[9.0, 5.0, np.linspace(0, 1, 98)][:, None] * V, 100), most=8)
    >>> found.outliers, round(found.edge, 6)
    (2, 1.0)
    """

    outliers: int
    edge: float
    gap: float
    ratio: float
    pairs: Eigenpairs


def bulk(A: Operator, most: int = 20, *, which: Literal["largest", "smallest"] = "largest", ratio: float = 3.0,
         tolerance: float = 1e-4, max_products: int | None = None) -> Bulk:
    """Outliers and the edge of the bulk among the first `most` eigenvalues: the cut is the gap that is largest against the
    largest one behind it, of which there are most / 4 at least. Below `ratio` times that nothing stands apart. The edge
    is known to its pair's residual.

    >>> dyn.bulk(dyn.Operator.from_function(lambda V: np.linspace(0, 1, 100)[:, None] * V, 100), most=8).outliers
    0
    """
    count = min(integer(most, "most", least=4), A.size)
    result, status = solved(A, count, which, tolerance, max_products, search=False)
    found = pairs_of(result)
    if status == NOT_CONVERGED:
        warnings.warn(complaint(found), NotConverged, stacklevel=2)
    outliers, numbers = ctypes.c_int64(), (ctypes.c_double * 3)()
    result._call(lib.dyn_eigen_outliers, number(ratio, "ratio"), ctypes.byref(outliers),
                 *(ctypes.byref(numbers, 8 * i) for i in range(3)))
    edge, gap, against = numbers
    return Bulk(outliers.value, edge, gap, against, found)


@dataclass(frozen=True)
class CurvatureParts:
    """The Hessian as Gauss-Newton part and the rest: operators gauss_newton and residual [p, p], and Frobenius norms of both
    and of their sum, with standard errors.

    >>> loss = dyn.Objective(dyn.mlp([1, 1], bias=False), [[1.0], [2.0]], [[2.0], [4.0]])
    >>> dyn.curvature_parts(loss, theta=[1.0]).residual_norm.value      # linear in theta
    0.0
    """

    gauss_newton: Operator
    residual: Operator
    gauss_newton_norm: Estimate
    residual_norm: Estimate
    hessian_norm: Estimate


def curvature_parts(subject: Any, x: ArrayLike | None = None, y: ArrayLike | None = None, *, theta: ArrayLike | None = None,
                    probes: int = 30, seed: int = 0, **options: Unpack[Options]) -> CurvatureParts:
    """H = G + R at theta of a run, an objective or a model on data: G = J^T H_loss J, R what the residuals weigh, which
    vanishes where the loss is fitted and inside the linear pieces of a relu network.

    >>> net = dyn.mlp([1, 4, 1], seed=1)
    >>> found = dyn.curvature_parts(dyn.Objective(net, [[1.0]], [[0.0]]), theta=net.initial())
    >>> found.residual.shape
    (13, 13)
    """
    objective, at = _at(subject, x, y, theta, None, options)
    H, G = objective.hessian(at), objective.ggn(at)
    R = H - G
    return CurvatureParts(G, R, *(frobenius_norm(A, probes=probes, seed=seed) for A in (G, R, H)))


def _layer_of(name: str) -> str:
    """The layer of a tensor: what stands before the last point of its name, or the number at its end."""
    if "." in name:
        return name.rsplit(".", 1)[0]
    digits = re.search(r"\d+$", name)
    return f"layer{digits.group()}" if digits else name


def layer_spectra(subject: Any, k: int = 1, x: ArrayLike | None = None, y: ArrayLike | None = None, *,
                  theta: ArrayLike | None = None, by: Literal["layer", "tensor"] = "layer", matrix: Literal[
                      "hessian", "ggn"] = "hessian", tolerance: float = 1e-6, **options: Unpack[Options]) -> dict[str, Eigenpairs]:
    """The k largest eigenpairs of the diagonal block of each layer, or tensor, of the Hessian or Gauss-Newton matrix.

    >>> net = dyn.mlp([1, 4, 1], seed=1)
    >>> list(dyn.layer_spectra(dyn.Objective(net, [[1.0]], [[0.0]]), theta=net.initial()))
    ['layer1', 'layer2']
    """
    if by not in ("layer", "tensor") or matrix not in ("hessian", "ggn"):
        raise invalid(f'by={by!r} is "layer" or "tensor", matrix={matrix!r} "hessian" or "ggn"')
    objective, at = _at(subject, x, y, theta, None, options)
    A = getattr(objective, matrix)(at)
    blocks: dict[str, list[str]] = {}
    for name in objective.tensors:
        blocks.setdefault(_layer_of(name) if by == "layer" else name, []).append(name)
    parts = {layer: A.restricted(names) for layer, names in blocks.items()}
    return {layer: eigh(block, min(integer(k, "k", least=1), block.size), tolerance=tolerance) for layer, block in parts.items()}


# ---- kinks ----

_KINKED = {"relu": lambda z: np.maximum(z, 0), "leaky_relu": lambda z: np.where(z > 0, z, 0.01 * z)}


def kink_share(net: Model, theta: ArrayLike, x: ArrayLike, within: float = 1e-3) -> NDArray[np.float64]:
    """Share of hidden units on a kink, by layers [layers]: pairs of a sample and a unit whose pre-activation is at most `within`
    times the root mean square of its layer's. Where it is not small, second derivatives, which leave kinks out, miss
    curvature that steps of that size meet. Of relu and leaky relu perceptrons in the standard parametrisation.

    >>> net = dyn.mlp([1, 2, 1], "relu", seed=1)
    >>> dyn.kink_share(net, [1.0, 1.0, 0.0, 1.0, 1.0, 1.0, 0.0], [[0.0], [1.0]])     # z = x and x + 1
    array([0.25])
    """
    made = _recipe.of_model(net) or {}
    plain = made.get("parametrisation") == "standard" and not (made.get("skip") or made.get("dropout"))
    if made.get("activation") not in _KINKED or not plain or made.get("multipliers") is not None:
        raise NotSupported(STATUS["enotsup"], "kinks are counted in relu and leaky relu perceptrons of the standard "
                           f"parametrisation, not in {made.get('activation', 'a network of another family')}")
    views, h, bound = net.views(vector(theta, net.size, "theta")), real_array(x, "x"), number(within, "within")
    h = h.reshape(-1, 1) if h.ndim == 1 and net.input_shape == (1,) else h
    shares = []
    for l in range(1, len(made["widths"]) - 1):
        z = h @ views[f"W{l}"] + views.get(f"b{l}", 0.0)
        shares.append(float(np.mean(np.abs(z) <= bound * np.sqrt(np.mean(z * z)))))
        h = _KINKED[made["activation"]](z)
    return np.array(shares)


# ---- along a run ----

@dataclass(frozen=True)
class SpectrumSeries:
    """A spectrum along a run, r rows: steps; values, residuals [r, k] of the largest eigenpairs; trace, frobenius,
    effective_dimension, negative_share, each [r] with an error [r] of the same name and "_error"; alignment [r], the share
    of the gradient in the space of the k vectors; nodes, weights [r, probes, steps] of the density.

    >>> run = dyn.Run(dyn.mlp([1, 5, 1], seed=1), [0.0, 1.0], [0.0, 1.0])
    >>> _ = run.measure(dyn.Spectrum(k=2, probes=2, lanczos=4), every=5)
    >>> found = run.train(10)["spectrum"]
    >>> found.values.shape, found.nodes.shape
    ((3, 2), (3, 2, 4))
    """

    steps: NDArray[np.int64]
    values: NDArray[np.float64]
    residuals: NDArray[np.float64]
    trace: NDArray[np.float64]
    trace_error: NDArray[np.float64]
    frobenius: NDArray[np.float64]
    frobenius_error: NDArray[np.float64]
    effective_dimension: NDArray[np.float64]
    effective_dimension_error: NDArray[np.float64]
    negative_share: NDArray[np.float64]
    negative_share_error: NDArray[np.float64]
    alignment: NDArray[np.float64]
    nodes: NDArray[np.float64]
    weights: NDArray[np.float64]


class Spectrum(Measurement[SpectrumSeries]):
    """The spectrum of the Hessian, or Gauss-Newton matrix, where a run stands: k largest eigenpairs, and a density by Lanczos
    quadrature (probes times `lanczos` products) from which trace, Frobenius norm, effective dimension at this damping
    and the share of values below -tolerance come, with their standard errors.

    >>> run = dyn.Run(dyn.mlp([1, 5, 1], seed=1), [0.0, 1.0], [0.0, 1.0])
    >>> _ = run.measure(dyn.Spectrum(lanczos=8), at=("start", "end"), budget=0.5)
    >>> run.train(10)["spectrum"].steps
    array([ 0, 10])
    """

    _own = True

    def __init__(self, k: int = 5, *, matrix: Literal["hessian", "ggn"] = "hessian", probes: int = 4, lanczos: int = 40,
                 damping: float = 1e-2, tolerance: float = 0.0, eigen_tolerance: float = 1e-4, seed: int = 0,
                 name: str = "spectrum") -> None:
        if matrix not in ("hessian", "ggn"):
            raise invalid(f'matrix={matrix!r} is neither "hessian" nor "ggn"')
        self.name = name
        self.k, self.probes = integer(k, "k", least=1), integer(probes, "probes", least=2)
        self.lanczos = integer(lanczos, "lanczos", least=1)
        self._arguments = {"k": k, "matrix": matrix, "probes": probes, "lanczos": lanczos, "damping": damping,
                           "tolerance": tolerance, "eigen_tolerance": eigen_tolerance, "seed": seed}

    def observe(self, state: State) -> None:
        o, run = self._arguments, state.run
        assert o is not None
        A = getattr(run.objective, o["matrix"])(state.theta)
        pairs = eigh(A, min(self.k, A.size), tolerance=o["eigen_tolerance"], search=False)
        density = A.density(self.probes, min(self.lanczos, A.size), o["seed"])
        squares = spectral_sum(np.square, density, A.size)
        root = float(np.sqrt(squares.value))
        norm = float(np.linalg.norm(state.gradient))
        share = float(space_shares(pairs.vectors, state.gradient)[-1]) if norm else float("nan")
        estimates = [spectral_sum(lambda h: h, density, A.size),
                     Estimate(root, squares.standard_error / (2 * root) if root else 0.0),
                     effective_dimension(A, o["damping"], density=density),
                     negative_share(A, o["tolerance"], density=density)]
        run.record(f"{self.name}.numbers", [*(v for e in estimates for v in e), share])
        run.record(f"{self.name}.pairs", np.concatenate([pairs.values, pairs.residuals]))
        run.record(f"{self.name}.density", np.concatenate([density.nodes.ravel(), density.weights.ravel()]))

    def result(self, run: RunView) -> SpectrumSeries:
        numbers, pairs, density = (self._rows(run, part) for part in ("numbers", "pairs", "density"))
        rows, size = len(numbers.steps), run.objective.size
        both = pairs.values.reshape(rows, 2, min(self.k, size))
        nodes, weights = density.values.reshape(rows, 2, self.probes, min(self.lanczos, size)).swapaxes(0, 1)
        n = numbers.values.reshape(rows, 9).T
        return SpectrumSeries(numbers.steps, both[:, 0], both[:, 1], n[0], n[1], n[2], n[3], n[4], n[5], n[6], n[7], n[8],
                              nodes, weights)

    def numbers(self, run: RunView) -> dict[str, float]:
        found = self.result(run)
        return {self.name: float(found.values[-1, 0]), f"{self.name}_trace": float(found.trace[-1])} if len(found.steps) else {}


@dataclass(frozen=True)
class KroneckerSeries:
    """Kronecker-factored curvature along a run, r rows: steps; layers, names of their weights; trace, largest [r, layers] of
    the blocks.

    >>> run = dyn.Run(dyn.mlp([1, 5, 1], seed=1), [0.0, 1.0], [0.0, 1.0])
    >>> _ = run.measure(dyn.Kronecker(), at="end")
    >>> found = run.train(10)["kronecker"]
    >>> found.layers, found.trace.shape
    (['W1', 'W2'], (1, 2))
    """

    steps: NDArray[np.int64]
    layers: list[str]
    trace: NDArray[np.float64]
    largest: NDArray[np.float64]


class Kronecker(Measurement[KroneckerSeries]):
    """K-FAC, or with eigenvalues EKFAC, of every layer where a run stands: trace and largest eigenvalue of each block of the
    approximation to the Gauss-Newton matrix. columns: as for dyn.kfac.

    >>> run = dyn.Run(dyn.mlp([1, 5, 1], seed=1), [0.0, 1.0], [0.0, 1.0])
    >>> _ = run.measure(dyn.Kronecker(eigenvalues=True), every=5)
    >>> run.train(10)["kronecker"].steps
    array([ 0,  5, 10])
    """

    _own = True

    def __init__(self, *, columns: Literal["exact", "sampled", "empirical"] = "exact", eigenvalues: bool = False,
                 name: str = "kronecker") -> None:
        self.name = name
        self._arguments = {"columns": columns, "eigenvalues": bool(eigenvalues)}

    def observe(self, state: State) -> None:
        o = self._arguments
        assert o is not None
        layers = kfac(state.run.objective, theta=state.theta, columns=o["columns"], eigenvalues=o["eigenvalues"]).layers
        if o["eigenvalues"]:
            found = [(float(layer.eigenvalues.sum()), float(layer.eigenvalues.max())) for layer in layers]
        else:
            found = [(float(np.trace(layer.a) * np.trace(layer.b)),
                      float(np.linalg.eigvalsh(layer.a)[-1] * np.linalg.eigvalsh(layer.b)[-1])) for layer in layers]
        state.run.record(f"{self.name}.blocks", np.array(found).T.ravel())

    def result(self, run: RunView) -> KroneckerSeries:
        blocks = self._rows(run, "blocks")
        weights = [layer.weight for layer in kfac(run.objective, theta=run.theta).layers]
        both = blocks.values.reshape(len(blocks.steps), 2, len(weights))
        return KroneckerSeries(blocks.steps, weights, both[:, 0], both[:, 1])
