# SPDX-License-Identifier: BSD-3-Clause
"""Condensation: how far the neurons of a layer have gathered in a few directions (arXiv 2007.07497, 2105.11686)."""
from __future__ import annotations

import ctypes
from typing import Any, Literal, NamedTuple, TypedDict, Unpack

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ._arrays import block, copied, pointer, real_array, real_matrix, vector
from ._lib import Handle, call, enum, integer, lib, make, number, structs
from .context import Context, current
from .errors import invalid
from .model import Model


Amplitude = Literal["default", "product", "norm"]


class Options(TypedDict, total=False):
    """How neurons are gathered into clusters.

    threshold: cosine above which a neuron joins a cluster. join_opposite: w and -w are one direction. amplitude:
    "product" |a| |w|, "norm" |w|, "default" the first where there are output weights. min_share: of a cluster that
    counts. dead: share of the largest amplitude up to which a neuron is dead."""

    threshold: float
    join_opposite: bool
    amplitude: Amplitude
    min_share: float
    dead: float


def options_struct(options: Options) -> Any:
    """dyn_condensation_options, with the values checked."""
    unknown = [name for name in options if name not in Options.__annotations__]
    if unknown:
        raise TypeError(f"unknown options {', '.join(unknown)}; there are {', '.join(Options.__annotations__)}")
    ranges = {"threshold": False, "min_share": True, "dead": False}
    for name, closed in ranges.items():
        value = options.get(name)
        if value is not None and not 0 <= number(value, name) <= 1 or value == 1 and not closed:
            raise invalid(f"{name} is {value}, must be in [0, 1{']' if closed else ')'}")
    return structs["dyn_condensation_options"](
        join_opposite=int(options.get("join_opposite", False)), amplitude=enum("amplitude", options.get(
            "amplitude", "default")), **{name: options.get(name) for name in ranges})


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
    """One layer. features [neurons, components], the bias last; output_weights [neurons, outputs]; options: Options.

    >>> result = dyn.CondensationResult([[1.0, 0.0], [2.0, 0.0], [0.0, 1.0]])
    >>> result.effective, result.sizes, result.cosines(ordered=False)[0]
    (2, array([2, 1]), array([1., 1., 0.]))
    """

    _kind = "condensation"

    def __init__(self, features: ArrayLike, output_weights: ArrayLike | None = None, *,
                 context: Context | None = None, **options: Unpack[Options]) -> None:
        context = context or current()
        self.features = real_matrix(features, "features", "[neurons, components]")
        self.output_weights = None if output_weights is None else real_matrix(output_weights, "output_weights",
                                                                              "[neurons, outputs]")
        neurons, components = self.features.shape
        outputs = 0 if self.output_weights is None else self.output_weights.shape[1]
        if outputs:
            assert self.output_weights is not None
            block(self.output_weights, (neurons, outputs), "output_weights")
        given = options_struct(options)
        self.threshold = float(given.threshold)
        self._recipe = (_again, (self.features, self.output_weights, options))
        super().__init__(context, make(
            context, lib.dyn_condensation_measure, context, neurons, components, pointer(self.features), outputs,
            pointer(self.output_weights) if outputs else None, ctypes.byref(given)))

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
        return int(lib.dyn_condensation_dead(self))

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
        return int(lib.dyn_condensation_effective(self))

    @property
    def entropy_count(self) -> float:
        """Number of equal clusters that would be as spread."""
        return float(lib.dyn_condensation_entropy_count(self))

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
        self._call(lib.dyn_condensation_cosines, int(ordered), pointer(out))
        return out

    def cover(self, threshold: float | None = None) -> tuple[int, float]:
        """Effective ratio: how many of the neurons' directions are needed to have one near each neuron, and that
        number over the number of neurons. threshold: of the cosine; None: that of the options."""
        threshold = self.threshold if threshold is None else number(threshold, "threshold")
        directions, ratio = ctypes.c_int64(), ctypes.c_double()
        self._call(lib.dyn_condensation_cover, threshold, ctypes.byref(directions), ctypes.byref(ratio))
        return directions.value, ratio.value

    def alignment(self, z: ArrayLike) -> Alignment:
        """Alignment of the features with a direction z [components]."""
        ratio, cosines = ctypes.c_double(), np.empty(len(self.features))
        z = vector(z, self.features.shape[1], "z")
        self._call(lib.dyn_condensation_alignment, pointer(z), ctypes.byref(ratio), pointer(cosines))
        return Alignment(ratio.value, cosines)

    def orientation(self) -> NDArray[np.float64]:
        """Angle of features (weight, bias) of two components, radian in [-pi, pi) [neurons]."""
        angles = np.empty(len(self.features))
        self._call(lib.dyn_condensation_orientation, pointer(angles))
        return angles

    def histogram(self, bins: int = 64, top: int = 1) -> tuple[NDArray[np.float64], float]:
        """Share of amplitude per bin of the orientation [bins], and the sum of the `top` largest ones."""
        mass, top_mass = np.empty(integer(bins, "bins", least=1)), ctypes.c_double()
        self._call(lib.dyn_condensation_histogram, bins, integer(top, "top"), pointer(mass), ctypes.byref(top_mass))
        return mass, top_mass.value


def layer_sizes(net: Model, layer: int) -> tuple[int, int, int]:
    """Neurons, components of a feature, and outputs of a hidden layer, counted from 1."""
    sizes = [ctypes.c_int64() for _ in range(3)]
    net._call(lib.dyn_condensation_shape, integer(layer, "layer", "i32", least=1), *map(ctypes.byref, sizes))
    neurons, components, outputs = (s.value for s in sizes)
    return neurons, components, outputs


def features_of(net: Model, theta: ArrayLike, layer: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Features [neurons, components] and output weights [neurons, outputs] of a hidden layer, counted from 1."""
    neurons, components, outputs = layer_sizes(net, layer)
    features, weights = np.empty((neurons, components)), np.empty((neurons, outputs))
    theta = vector(theta, net.size, "theta")
    net._call(lib.dyn_condensation_features, pointer(theta), layer, pointer(features),
              pointer(weights) if outputs else None)
    return features, weights


def _again(features: Any, output_weights: Any, options: Options) -> CondensationResult:
    """For pickle, which gives no names to arguments."""
    return CondensationResult(features, output_weights, **options)


def condensation(net: Model, theta: ArrayLike, layer: int = 1, **options: Unpack[Options]) -> CondensationResult:
    """Measure a hidden layer of a perceptron, counted from 1: its tensors are "W<layer>" and "b<layer>".

    threshold: cosine above which a neuron joins a cluster. join_opposite: w and -w are one direction. amplitude:
    "product", "norm" or "default". min_share: of a cluster that counts. dead: amplitude up to which a neuron is.

    >>> net = dyn.mlp([2, 3, 1], bias=False)
    >>> theta = np.array([1.0, 2.0, 0.0, 0.0, 0.0, 1.0, 1.0, 1.0, 1.0])
    >>> net.views(theta)["W1"]
    array([[1., 2., 0.],
           [0., 0., 1.]])
    >>> dyn.condensation(net, theta).effective
    2
    """
    return CondensationResult(*features_of(net, theta, layer), context=net._context, **options)


def data_direction(x: ArrayLike, y: ArrayLike, bias: bool = True) -> NDArray[np.float64]:
    """z = (1/n) sum_i y_i (x_i, 1): where neurons gather first from a small start. x [n, inputs], y [n].

    >>> dyn.data_direction([1.0, -1.0], [2.0, 0.0])
    array([1., 1.])
    """
    x = np.atleast_2d(real_array(x, "x").T).T.copy()
    y = vector(np.ravel(real_array(y, "y")), len(x), "y")
    z = np.empty(x.shape[1] + int(bias))
    context = current()
    call(context, lib.dyn_condensation_data_direction, context, *x.shape, pointer(x), pointer(y), int(bias), pointer(z))
    return z
