# SPDX-License-Identifier: BSD-3-Clause
"""Fisher matrices and their Kronecker-factored approximation (arXiv 1503.05671, 1602.01407, 2311.00636, 1806.03884).
<dyn/kfac.h> says how."""
from __future__ import annotations

import ctypes
from dataclasses import dataclass
from typing import Any, Literal, Unpack

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ._arrays import copied, pointer, vector
from ._lib import Handle, enum, integer, lib, make, number, structs
from .objective import Objective, Options, _at
from .operator import Operator


@dataclass(frozen=True)
class KFACLayer:
    """A layer's factors: weight, bias, names of its tensors (bias None without one); a [in + 1, in + 1], of what comes in
    and a 1 for the bias; b [out, out], of the gradients by what goes out. The block in the order of (W; b) by rows is
    numpy.kron(a, b). eigenvalues [in + 1, out]: of the block in the basis of the factors' eigenvectors.

    >>> loss = dyn.Objective(dyn.mlp([1, 1]), [[1.0], [3.0]], [[0.0], [0.0]])
    >>> dyn.kfac(loss, theta=[1.0, 0.0]).layers[0].a
    array([[5., 2.],
           [2., 1.]])
    """

    weight: str
    bias: str | None
    a: NDArray[np.float64]
    b: NDArray[np.float64]
    eigenvalues: NDArray[np.float64]


class KFAC(Handle):
    """Kronecker factors of all layers of a model: layers; an operator, and its inverse with damping.

    >>> loss = dyn.Objective(dyn.mlp([1, 1]), [[1.0], [3.0]], [[0.0], [0.0]])
    >>> found = dyn.kfac(loss, theta=[1.0, 0.0])
    >>> found.operator().dense()        # exact for the last layer: the Gauss-Newton matrix
    array([[10.,  4.],
           [ 4.,  2.]])
    """

    _kind = "kfac"
    _objective: Objective

    @property
    def layers(self) -> list[KFACLayer]:
        """The layers, in the order in which they are computed."""
        return [self._layer(i) for i in range(lib.dyn_kfac_layers(self))]

    def _layer(self, i: int) -> KFACLayer:
        weight, bias = ctypes.c_int32(), ctypes.c_int32()
        na, nb = ctypes.c_int64(), ctypes.c_int64()
        self._call(lib.dyn_kfac_layer, i, *map(ctypes.byref, (weight, bias, na, nb)))
        names, sizes = list(self._objective.tensors), (na.value, nb.value)
        return KFACLayer(names[weight.value], None if bias.value < 0 else names[bias.value],
                         copied(lib.dyn_kfac_a(self, i), (sizes[0],) * 2), copied(lib.dyn_kfac_b(self, i), (sizes[1],) * 2),
                         copied(lib.dyn_kfac_eigenvalues(self, i), sizes))

    def _made(self, function: Any, *arguments: Any) -> Operator:
        A = Operator(self._context, make(self._context, function, self, *arguments))
        A._tensors = self._objective
        return A

    def operator(self) -> Operator:
        """The approximation [p, p]; 0 on tensors that belong to no layer."""
        return self._made(lib.dyn_kfac_operator)

    def inverse(self, damping: float, method: Literal["exact", "pi", "sqrt", "factors"] = "exact") -> Operator:
        """Inverse of the damped approximation, damping > 0: added to the product A x B ("exact"), or to the factors, as
        pi sqrt(damping) and sqrt(damping) / pi ("pi", arXiv 1503.05671 section 6.3), its root ("sqrt"), or itself
        ("factors"). 1 / damping on tensors that belong to no layer."""
        return self._made(lib.dyn_kfac_inverse, number(damping, "damping"), enum("kfac_damping", method))


def kfac(subject: Any, x: ArrayLike | None = None, y: ArrayLike | None = None, *, theta: ArrayLike | None = None,
         columns: Literal["exact", "sampled", "empirical"] = "exact", draws: int = 1, reduce: bool = False,
         eigenvalues: bool = False, seed: int = 0, **options: Unpack[Options]) -> KFAC:
    """Kronecker factors at theta: of a run where it stands, of an objective, or of a model on data.

    columns: "exact": a backward pass for every output; "sampled": for every one of `draws` targets from the model; both
    approximate the Gauss-Newton matrix. "empirical": of the targets at hand. reduce: positions of a sample are averaged
    coming in and summed going out. eigenvalues: EKFAC, the block's diagonal in the basis of the factors.

    >>> loss = dyn.Objective(dyn.mlp([1, 3, 1], seed=1), [[1.0], [3.0]], [[0.0], [0.0]])
    >>> [layer.weight for layer in dyn.kfac(loss, theta=np.ones(10)).layers]
    ['W1', 'W2']
    """
    objective, at = _at(subject, x, y, theta, None, options)
    given = structs["dyn_kfac_options"](
        columns=enum("kfac_columns", columns), draws=integer(draws, "draws", "i32"), reduce=int(reduce),
        eigenvalues=int(eigenvalues), seed=integer(seed, "seed", "u64"))
    context = objective._context
    found = KFAC(context, make(context, lib.dyn_kfac_create, objective, pointer(vector(at, objective.size, "theta")),
                               ctypes.byref(given)))
    found._objective = objective
    return found


def empirical_fisher(subject: Any, x: ArrayLike | None = None, y: ArrayLike | None = None, *,
                     theta: ArrayLike | None = None, centred: bool = False, **options: Unpack[Options]) -> Operator:
    """Empirical Fisher matrix (1/n) sum g g^T of the gradients of samples at theta, an operator [p, p]; centred: their
    covariance. (The true Fisher matrix of squared errors and cross-entropies is dyn.ggn.)

    >>> loss = dyn.Objective(dyn.mlp([1, 1], bias=False), [[1.0], [2.0]], [[2.0], [4.0]])
    >>> dyn.empirical_fisher(loss, theta=[1.0]).dense()     # gradients -2 and -8
    array([[34.]])
    """
    objective, at = _at(subject, x, y, theta, None, options)
    A = Operator(objective._context, make(objective._context, lib.dyn_objective_empirical_fisher, objective,
                                          pointer(vector(at, objective.size, "theta")), int(centred)))
    A._tensors = objective
    return A
