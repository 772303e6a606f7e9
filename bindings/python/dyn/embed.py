# SPDX-License-Identifier: BSD-3-Clause
"""The embedding principle: a perceptron in wider and deeper ones that compute the same and are critical where it is, and
the way back, where a layer or neurons are superfluous."""
from __future__ import annotations

from typing import Any, Mapping, Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ._arrays import pointer, real_matrix, vector
from ._lib import integer, lib
from .errors import invalid, shapes_differ
from .graph import Graph, activation
from .model import Model, mlp

Embedded = tuple[Model, NDArray[np.float64]]


def _arguments(net: Model) -> dict[str, Any]:
    if net._perceptron is None or net._perceptron["antisymmetric"]:
        raise invalid(f"{net!r} is no perceptron that can be embedded: dyn.mlp makes them, without antisymmetric")
    return dict(net._perceptron)


def _with_widths(net: Model, widths: Sequence[int], insert: int | None = None, remove: int | None = None) -> Model:
    """The perceptron with other widths; what it has for each layer gains or loses that of one layer."""
    given = _arguments(net)
    for name in ("activation", "bias", "multipliers"):
        if isinstance(given[name], list):
            listed = list(given[name])
            if insert is not None:
                listed.insert(insert - 1, listed[min(insert - 1, len(listed) - 2)])
            if remove is not None:
                listed.pop(remove - 1)
            given[name] = listed
    return mlp(**{**given, "widths": list(widths)}, init=net.init, seed=net.seed)


def _layer(net: Model, layer: int) -> int:
    """The layer's number, of a hidden layer."""
    hidden = len(_arguments(net)["widths"]) - 2
    if not 1 <= integer(layer, "layer", "i32") <= hidden:
        raise invalid(f"layer {layer}: the network has hidden layers 1 to {hidden}")
    return int(layer)


# ---- width ----

def widen(net: Model, theta: ArrayLike, map: Mapping[int, Sequence[int]],
          share: Mapping[int, ArrayLike] | None = None, *, spread: float = 0.0, seed: int = 0) -> Embedded:
    """A perceptron with theta [p] in a wider one: the wide network and its parameters.

    map: for hidden layers, from 1, the narrow neuron, from 0, that each neuron of the wide layer stands for; -1: none.
    share: likewise, the part that each has of what it stands for, any numbers that sum to 1 for every narrow neuron; None:
        equal parts.
    spread: 0: splitting and null neurons. Above 0: general compatible embeddings, with a random part of this size.

    Outputs are the same for every input, and where the gradient of a loss vanishes it vanishes in the wide network.

    >>> net = dyn.mlp([1, 2, 1], seed=1)
    >>> wide, theta = dyn.widen(net, net.initial(), {1: [0, 0, 1, -1]}, {1: [0.3, 0.7, 1, 0]})
    >>> abs(wide.views(theta)["W2"].ravel() / net.views(net.initial())["W2"].ravel()[[0, 0, 1, 1]]).round(12)
    array([0.3, 0.7, 1. , 0. ])
    """
    widths = _arguments(net)["widths"]
    listed = [np.asarray(map.get(i, range(widths[i])), dtype=np.int64) for i in range(1, len(widths) - 1)]
    for layer in {*map, *(share or {})}:
        _layer(net, layer)
    wide = _with_widths(net, [widths[0], *(len(one) for one in listed), widths[-1]])
    parts = None if share is None else np.concatenate([_shares(one, widths[i], share.get(i))
                                                       for i, one in enumerate(listed, 1)])
    out, whole = np.empty(wide.size), np.concatenate([np.zeros(0, np.int64), *listed])
    net._call(lib.dyn_embed_width, pointer(vector(theta, net.size, "theta")), wide, pointer(whole),
              None if parts is None else pointer(parts), spread, integer(seed, "seed", "u64"), pointer(out))
    return wide, out


def _shares(map: NDArray[np.int64], narrow: int, given: ArrayLike | None) -> NDArray[np.float64]:
    """Shares of a layer as given, or equal ones."""
    if given is not None:
        return vector(given, len(map), "share")
    counts = np.bincount(np.clip(map, 0, narrow), minlength=narrow + 1)
    return np.where(map >= 0, 1.0 / counts[np.clip(map, 0, narrow)], 0.0)


def split(net: Model, theta: ArrayLike, layer: int, neuron: int, alpha: float = 0.5) -> Embedded:
    """One neuron of a hidden layer as two: its output weights times 1 - alpha, and, of the new last neuron, times alpha.

    >>> net = dyn.mlp([1, 2, 1], seed=1)
    >>> wide, theta = dyn.split(net, net.initial(), layer=1, neuron=0)
    >>> wide.views(theta)["b1"][[0, 2]] == net.views(net.initial())["b1"][0]
    array([ True,  True])
    """
    width = _arguments(net)["widths"][_layer(net, layer)]
    map = np.append(np.arange(width), neuron)
    share = np.ones(width + 1)
    if 0 <= neuron < width:
        share[[neuron, width]] = 1 - alpha, alpha
    return widen(net, theta, {layer: map.tolist()}, {layer: share})


def null(net: Model, theta: ArrayLike, layer: int, count: int = 1, *, spread: float = 0.0, seed: int = 0) -> Embedded:
    """More neurons in a hidden layer that have no effect: zero weights, or with a spread random ones that cancel.

    >>> net = dyn.mlp([1, 2, 1], seed=1)
    >>> wide, theta = dyn.null(net, net.initial(), layer=1)
    >>> wide.views(theta)["W1"].round(3), wide.views(theta)["W2"].shape
    (array([[-0.765, -0.92 ,  0.   ]]), (3, 1))
    """
    width = _arguments(net)["widths"][_layer(net, layer)]
    return widen(net, theta, {layer: [*range(width), *[-1] * integer(count, "count", "i32", least=1)]}, spread=spread,
                 seed=seed)


# ---- depth ----

def deepen(net: Model, theta: ArrayLike, layer: int, width: int, x: ArrayLike, *, epsilon: float = 0.1,
           seed: int = 0) -> Embedded:
    """A perceptron with theta [p] in one with an extra hidden layer, which is affine on the samples x [n, inputs]: the deep
    network and its parameters.

    layer: its number in the deep network, from 1. width: at least that of the layer before it, or of the one behind it.
    epsilon: how clear of the bend samples stay (ReLU; exact); size of the weights (tanh; the error is of order epsilon^2).

    Outputs on x are the same, and where the gradient of a loss on x vanishes it vanishes in the deep network.

    >>> net, x = dyn.mlp([1, 2, 1], "relu", seed=1), np.linspace(-1, 1, 9)[:, None]
    >>> deep, theta = dyn.deepen(net, net.initial(), layer=2, width=3, x=x)
    >>> bool(np.allclose(deep(theta, x), net(net.initial(), x), rtol=0, atol=1e-14))
    True
    """
    widths, x = _arguments(net)["widths"], real_matrix(x, "x")
    if x.shape[1] != widths[0]:
        raise shapes_differ(f"x has shape {list(x.shape)}, expected [n, {widths[0]}]")
    if not 1 <= integer(layer, "layer", "i32") <= len(widths) - 1:
        raise invalid(f"layer {layer}: an extra layer is one of 1 to {len(widths) - 1}")
    deep = _with_widths(net, [*widths[:layer], width, *widths[layer:]], insert=layer)
    out = np.empty(deep.size)
    net._call(lib.dyn_embed_depth, pointer(vector(theta, net.size, "theta")), deep, layer, len(x), pointer(x), epsilon,
              integer(seed, "seed", "u64"), pointer(out))
    return deep, out


# ---- the way back ----

def _activations(net: Model) -> list[str]:
    given = _arguments(net)
    layers = len(given["widths"]) - 1
    one = given["activation"]
    return list(one) if not isinstance(one, str) else [one] * (layers - 1) + ["identity"]


def _applied(name: Any, z: NDArray[np.float64]) -> NDArray[np.float64]:
    g = Graph()
    f: NDArray[np.float64] = g.compile(activation(name, g.input("z", z.shape)))(z=z)
    return f


def _features(net: Model, theta: ArrayLike, x: ArrayLike) -> list[tuple[NDArray[np.float64], NDArray[np.float64]]]:
    """Of every layer: what stands before its activation, and its output."""
    given, tensors = _arguments(net), net.views(vector(theta, net.size, "theta"))
    if given["skip"] or given["parametrisation"] != "standard" or given["multipliers"] is not None:
        raise invalid("layers of a perceptron with skip connections or factors are not looked at")
    h, found = real_matrix(x, "x"), []
    for l, name in enumerate(_activations(net), 1):
        z = h @ tensors[f"W{l}"] + tensors.get(f"b{l}", 0.0)
        h = _applied(name, z)
        found.append((z, h))
    return found


def linearity(net: Model, theta: ArrayLike, x: ArrayLike, layer: int) -> NDArray[np.float64]:
    """How nearly affine the activation of each neuron of a hidden layer is on x [n, inputs]: the absolute correlation of
    what stands before and behind it, [width]; 1 of neurons that are constant. A layer whose smallest is above .99 can be
    merged with the next.

    >>> net, x = dyn.mlp([1, 2, 1], "relu", seed=1), np.linspace(-1, 1, 9)[:, None]
    >>> deep, theta = dyn.deepen(net, net.initial(), layer=2, width=3, x=x)
    >>> dyn.linearity(deep, theta, x, layer=2).round(12)
    array([1., 1., 1.])
    """
    z, h = _features(net, theta, x)[_layer(net, layer) - 1]
    z, h = z - z.mean(0), h - h.mean(0)
    sizes = np.sqrt((z**2).sum(0) * (h**2).sum(0))
    constant = sizes <= 1e-30
    return np.where(constant, 1.0, np.abs((z * h).sum(0)) / np.where(constant, 1.0, sizes))


def merge_layer(net: Model, theta: ArrayLike, x: ArrayLike, layer: int) -> Embedded:
    """The network without a hidden layer, whose activations are replaced by their affine fits on x [n, inputs].

    >>> net, x = dyn.mlp([1, 2, 1], "relu", seed=1), np.linspace(-1, 1, 9)[:, None]
    >>> deep, theta = dyn.deepen(net, net.initial(), layer=2, width=3, x=x)
    >>> shallow, theta = dyn.merge_layer(deep, theta, x, layer=2)
    >>> bool(np.allclose(theta, net.initial(), rtol=0, atol=1e-12))
    True
    """
    layer, widths = _layer(net, layer), _arguments(net)["widths"]
    z, h = _features(net, theta, x)[layer - 1]
    d = z - z.mean(0)
    size = (d**2).sum(0)
    slope = np.where(size > 0, (d * h).sum(0) / np.where(size > 0, size, 1.0), 0.0)
    offset = h.mean(0) - slope * z.mean(0)
    tensors = {name: value.copy() for name, value in net.views(vector(theta, net.size, "theta")).items()}
    behind = tensors[f"W{layer + 1}"]
    if f"b{layer + 1}" not in tensors:
        raise invalid(f"layer {layer + 1} has no bias, which takes up what layer {layer} adds")
    tensors[f"b{layer + 1}"] += (slope * tensors.get(f"b{layer}", 0.0) + offset) @ behind
    tensors[f"W{layer + 1}"] = (tensors[f"W{layer}"] * slope) @ behind
    shallow = _with_widths(net, [*widths[:layer], *widths[layer + 1:]], remove=layer)
    kept = {name: value for name, value in tensors.items() if name not in (f"W{layer}", f"b{layer}")}
    return shallow, shallow.theta({f"{n[0]}{int(n[1:]) - (int(n[1:]) > layer)}": v for n, v in kept.items()})


def merge_neurons(net: Model, theta: ArrayLike, layer: int, cosine: float = 0.9, *, tiny: float = 1e-3) -> Embedded:
    """The network with one neuron for each group of neurons of a hidden layer whose input weights, bias included, have at
    least this cosine with the largest of the group; its output weights are the sum of a_k |w_k| / |w| over the group.

    tiny: neurons whose |a| |w| is below this part of the largest are dropped.

    >>> net = dyn.mlp([2, 2, 1], "relu", seed=1)
    >>> wide, theta = dyn.split(net, net.initial(), layer=1, neuron=0)
    >>> narrow, theta = dyn.merge_neurons(wide, theta, layer=1, cosine=0.999, tiny=0)
    >>> x = np.random.default_rng(0).normal(size=(9, 2))
    >>> bool(np.allclose(narrow(theta, x), net(net.initial(), x), rtol=0, atol=1e-14))
    True
    """
    layer, tensors = _layer(net, layer), net.views(vector(theta, net.size, "theta"))
    rows = [tensors[f"W{layer}"], *([tensors[f"b{layer}"][None]] if f"b{layer}" in tensors else [])]
    w, a = np.concatenate(rows), tensors[f"W{layer + 1}"]
    size = np.linalg.norm(w, axis=0)
    weight = np.linalg.norm(a, axis=1) * size
    left = [int(k) for k in np.argsort(-weight, kind="stable") if weight[k] >= tiny * weight.max(initial=0) and size[k] > 0]
    groups: list[list[int]] = []
    while left:
        near = [k for k in left if w[:, k] @ w[:, left[0]] >= cosine * size[k] * size[left[0]]]
        groups.append(sorted(near, key=lambda k: (k != left[0], k)))
        left = [k for k in left if k not in near]
    groups = groups or [[0]]
    heads = sorted(groups, key=lambda group: group[0])
    kept = dict(tensors)
    kept[f"W{layer}"] = tensors[f"W{layer}"][:, [g[0] for g in heads]]
    if f"b{layer}" in tensors:
        kept[f"b{layer}"] = tensors[f"b{layer}"][[g[0] for g in heads]]
    kept[f"W{layer + 1}"] = np.array([size[g] @ a[g] / max(size[g[0]], 1e-300) for g in heads])
    widths = list(_arguments(net)["widths"])
    widths[layer] = len(heads)
    narrow = _with_widths(net, widths)
    return narrow, narrow.theta(kept)
