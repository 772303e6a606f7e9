# SPDX-License-Identifier: BSD-3-Clause
"""Condensation: how far the neurons of a layer have gathered in a few directions (arXiv 2007.07497, 2105.11686)."""
from __future__ import annotations

import ctypes
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ._arrays import block, copied, pointer, vector
from ._lib import Handle, check, enum, lib, make, structs
from .context import Context, current
from .model import Model


class Leading(NamedTuple):
    """Leading eigenvalue of the cosine matrix over the number of neurons, and how well it is known."""

    value: float
    residual: float
    converged: bool


class Alignment(NamedTuple):
    """ratio: 1 when every feature is parallel to the direction; cosines [neurons] with it."""

    ratio: float
    cosines: NDArray[np.float64]


class CondensationResult(Handle):
    """One layer. features [neurons, components], the bias last; output_weights [neurons, outputs]."""

    _free = "dyn_condensation_free"

    def __init__(self, features: ArrayLike, output_weights: ArrayLike | None = None, *, threshold: float = 0.95,
                 join_opposite: bool = False, amplitude: str = "default", min_share: float = 0.01,
                 dead: float = 1e-3, context: Context | None = None) -> None:
        context = context or current()
        self.features = np.ascontiguousarray(features, dtype=np.float64)
        self.output_weights = None if output_weights is None else np.ascontiguousarray(output_weights, np.float64)
        neurons, components = self.features.shape
        outputs = 0 if self.output_weights is None else self.output_weights.shape[1]
        if outputs:
            block(self.output_weights, (neurons, outputs), "output_weights")
        options = structs["dyn_condensation_options"](
            join_opposite=int(join_opposite), amplitude=enum("amplitude", amplitude), threshold=threshold,
            min_share=min_share, dead=dead)
        super().__init__(context, make(
            context, lib.dyn_condensation_measure, context, neurons, components, pointer(self.features), outputs,
            pointer(self.output_weights) if outputs else None, ctypes.byref(options)))

    def _per_neuron(self, function: Any, dtype: Any = np.float64) -> NDArray[Any]:
        return copied(function(self), (len(self.features),), dtype)

    def _per_cluster(self, function: Any, *shape: int, dtype: Any = np.float64) -> NDArray[Any]:
        return copied(function(self), (lib.dyn_condensation_clusters(self), *shape), dtype)

    @property
    def norms(self) -> NDArray[np.float64]:
        """Norm of every feature [neurons]."""
        return self._per_neuron(lib.dyn_condensation_norms)

    @property
    def amplitudes(self) -> NDArray[np.float64]:
        """Amplitude of every neuron [neurons]: |a| |w| where output weights are given, else |w|."""
        return self._per_neuron(lib.dyn_condensation_amplitudes)

    @property
    def dead(self) -> int:
        """Number of neurons of (nearly) no amplitude."""
        return lib.dyn_condensation_dead(self)

    @property
    def assignment(self) -> NDArray[np.int64]:
        """Cluster of every neuron [neurons], -1 for the dead."""
        return self._per_neuron(lib.dyn_condensation_assignment, np.int64)

    @property
    def sizes(self) -> NDArray[np.int64]:
        """Neurons of every cluster [clusters]; clusters are ordered by share, the largest first."""
        return self._per_cluster(lib.dyn_condensation_sizes, dtype=np.int64)

    @property
    def shares(self) -> NDArray[np.float64]:
        """Share of every cluster in the amplitude [clusters]; they sum to 1."""
        return self._per_cluster(lib.dyn_condensation_shares)

    @property
    def directions(self) -> NDArray[np.float64]:
        """Mean direction of every cluster, of norm 1 [clusters, components]."""
        return self._per_cluster(lib.dyn_condensation_directions, self.features.shape[1])

    @property
    def tightness(self) -> NDArray[np.float64]:
        """Smallest cosine between a cluster's direction and a member [clusters]."""
        return self._per_cluster(lib.dyn_condensation_tightness)

    @property
    def effective(self) -> int:
        """Number of directions: clusters with at least min_share of the amplitude."""
        return lib.dyn_condensation_effective(self)

    @property
    def entropy_count(self) -> float:
        """Number of equal clusters that would be as spread."""
        return lib.dyn_condensation_entropy_count(self)

    @property
    def order(self) -> NDArray[np.int64]:
        """Order of the neurons that shows groups as blocks of the cosine matrix [neurons]."""
        return self._per_neuron(lib.dyn_condensation_order, np.int64)

    @property
    def leading(self) -> Leading:
        """Leading eigenvalue of the cosine matrix, relative: 1 when all features lie on one line."""
        residual, converged = ctypes.c_double(), ctypes.c_int32()
        value = lib.dyn_condensation_leading(self, ctypes.byref(residual), ctypes.byref(converged))
        return Leading(value, residual.value, bool(converged.value))

    def cosines(self, ordered: bool = True) -> NDArray[np.float64]:
        """Cosines between the features [neurons, neurons], in `order` or as the neurons come."""
        out = np.empty((len(self.features),) * 2)
        self._check(lib.dyn_condensation_cosines(self, int(ordered), pointer(out)))
        return out

    def cover(self, threshold: float = 0.0) -> tuple[int, float]:
        """Effective ratio: how many of the neurons' directions are needed to have one near each neuron, and that
        number over the number of neurons."""
        directions, ratio = ctypes.c_int64(), ctypes.c_double()
        self._check(lib.dyn_condensation_cover(self, threshold, ctypes.byref(directions), ctypes.byref(ratio)))
        return directions.value, ratio.value

    def alignment(self, z: ArrayLike) -> Alignment:
        """Alignment of the features with a direction z [components]."""
        ratio, cosines = ctypes.c_double(), np.empty(len(self.features))
        z = vector(z, self.features.shape[1], "z")
        self._check(lib.dyn_condensation_alignment(self, pointer(z), ctypes.byref(ratio), pointer(cosines)))
        return Alignment(ratio.value, cosines)

    def orientation(self) -> NDArray[np.float64]:
        """Angle of features (weight, bias) of two components, radian in [-pi, pi) [neurons]."""
        angles = np.empty(len(self.features))
        self._check(lib.dyn_condensation_orientation(self, pointer(angles)))
        return angles

    def histogram(self, bins: int = 64, top: int = 1) -> tuple[NDArray[np.float64], float]:
        """Share of amplitude per bin of the orientation [bins], and the sum of the `top` largest ones."""
        mass, top_mass = np.empty(bins), ctypes.c_double()
        self._check(lib.dyn_condensation_histogram(self, bins, top, pointer(mass), ctypes.byref(top_mass)))
        return mass, top_mass.value


def layer_sizes(net: Model, layer: int) -> tuple[int, int, int]:
    """Neurons, components of a feature, and outputs of a hidden layer, counted from 0."""
    sizes = [ctypes.c_int64() for _ in range(3)]
    net._check(lib.dyn_condensation_shape(net, layer + 1, *map(ctypes.byref, sizes)))
    neurons, components, outputs = (s.value for s in sizes)
    return neurons, components, outputs


def features_of(net: Model, theta: ArrayLike, layer: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Features [neurons, components] and output weights [neurons, outputs] of a hidden layer, counted from 0."""
    neurons, components, outputs = layer_sizes(net, layer)
    features, weights = np.empty((neurons, components)), np.empty((neurons, outputs))
    theta = vector(theta, net.size, "theta")
    net._check(lib.dyn_condensation_features(net, pointer(theta), layer + 1, pointer(features),
                                             pointer(weights) if outputs else None))
    return features, weights


def condensation(net: Model, theta: ArrayLike, layer: int = 0, **options: Any) -> CondensationResult:
    """Measure a hidden layer of a perceptron, counted from 0: its tensors are "W<layer + 1>" and "b<layer + 1>".

    threshold: cosine above which a neuron joins a cluster. join_opposite: w and -w are one direction. amplitude:
    "product", "norm" or "default". min_share: of a cluster that counts. dead: amplitude up to which a neuron is."""
    return CondensationResult(*features_of(net, theta, layer), context=net._context, **options)


def data_direction(x: ArrayLike, y: ArrayLike, bias: bool = True) -> NDArray[np.float64]:
    """z = (1/n) sum_i y_i (x_i, 1): where neurons gather first from a small start. x [n, inputs], y [n]."""
    x = np.atleast_2d(np.ascontiguousarray(x, dtype=np.float64).T).T.copy()
    y = vector(np.ravel(y), len(x), "y")
    z = np.empty(x.shape[1] + int(bias))
    context = current()
    check(lib.dyn_condensation_data_direction(context, *x.shape, pointer(x), pointer(y), int(bias), pointer(z)),
          context)
    return z
