# SPDX-License-Identifier: BSD-3-Clause
"""Scores of attention: shifting, broadcasting and rollout of maps (arXiv 2401.08309, 2005.00928), matching and kernel scores
of weights (2405.15302); and their measurement along a run."""
from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ._arrays import array, real_array, vector
from ._lib import integer, number
from ._run_view import RunView, State
from .errors import invalid, shapes_differ
from .measure import Measurement, _model_of
from .model import Model


def _maps(maps: ArrayLike) -> NDArray[np.float64]:
    a = real_array(maps, "maps")
    if a.ndim < 2 or a.shape[-1] != a.shape[-2]:
        raise shapes_differ(f"maps have shape {list(a.shape)}, expected [.., length, length]")
    return a


def shift_score(maps: ArrayLike, offset: int = 1) -> NDArray[np.float64]:
    """How much maps [.., L, L] look `offset` places back: the mean over i >= offset of A[i, i - offset], less that of 1 / (i +
    1), which causal attention without a preference gives. [..]

    >>> float(dyn.shift_score(np.eye(4, k=-1)).round(3)), float(dyn.shift_score(np.tril(np.ones((4, 4))) / [[1], [2], [3], [4]]))
    (0.639, 0.0)
    """
    a = _maps(maps)
    k = integer(offset, "offset", least=1)
    if k >= a.shape[-1]:
        raise invalid(f"offset is {k}, the maps have length {a.shape[-1]}")
    by_chance = np.mean(1.0 / (np.arange(k, a.shape[-1]) + 1))
    return np.asarray(np.diagonal(a, -k, -2, -1).mean(-1) - by_chance)


def broadcast_score(maps: ArrayLike, place: int | ArrayLike) -> NDArray[np.float64]:
    """How much of maps [.., L, L] the places from p on read of place p: the mean over i >= p of A[i, p]. place: p, or with maps
    [n, heads, L, L] one for each sample [n]. [..]

    >>> float(dyn.broadcast_score([[1.0, 0.0], [0.5, 0.5]], 0))
    0.75
    """
    a = _maps(maps)
    places = np.asarray(place)
    if places.dtype.kind not in "iu" or places.ndim > 1 or not np.all((places >= 0) & (places < a.shape[-1])):
        raise invalid(f"place is {place!r}: an index below {a.shape[-1]}, or one for each sample, is wanted")
    if places.ndim == 0:
        return np.asarray(a[..., int(places):, int(places)].mean(-1))
    if len(places) != len(a):
        raise shapes_differ(f"{len(places)} places for {len(a)} maps")
    return np.array([m[..., p:, p].mean(-1) for m, p in zip(a, places)])


def rollout(maps: ArrayLike, residual: float = 0.5) -> NDArray[np.float64]:
    """Attention through all layers, maps [layers, .., heads, L, L], the first layer first: the product of residual I + (1 -
    residual) times the mean over heads. [.., L, L], whose rows sum to 1.

    >>> dyn.rollout(np.ones((2, 1, 2, 2)) / 2, residual=0.0)
    array([[0.5, 0.5],
           [0.5, 0.5]])
    """
    a = _maps(maps)
    share = number(residual, "residual")
    if a.ndim < 4 or not 0 <= share <= 1:
        raise invalid(f"maps of shape {list(a.shape)}, residual {residual}: [layers, .., heads, L, L] and a share in [0, 1]")
    through = np.eye(a.shape[-1])
    for layer in a.mean(-3):
        through = (share * np.eye(a.shape[-1]) + (1 - share) * layer) @ through
    return np.asarray(through)


def _outer(weights: Any, layer: int, first: str, second: str) -> NDArray[np.float64]:
    a = weights[f"layer{layer}.{first}"]
    b = weights.get(f"layer{layer}.{second}")
    return np.asarray(a) if b is None else np.asarray(a @ (b.T if second == "Wk" else b))


def matching_kernel(net: Model, theta: ArrayLike, layer: int) -> NDArray[np.float64]:
    """The kernel [width, width] by which `layer` >= 2 of a transformer compares what layer - 1 has brought with what layer 1
    has: Wvo(layer - 1) Wqk(layer) Wvo(1)^T, in layer 2 without its first factor; Wqk = Wq Wk^T, Wvo = Wv Wo, summed over
    heads. Feed-forward parts and norms are left out (arXiv 2405.15302).

    >>> net = dyn.transformer(20, 6, layers=2, width=8, key_width=4, hidden=8, seed=1)
    >>> dyn.matching_kernel(net, net.initial(), 2).shape
    (8, 8)
    """
    weights = net.views(vector(theta, net.size, "theta"))
    layers = sum(f"layer{i}.Wq" in weights for i in range(1, len(weights)))
    if not 2 <= integer(layer, "layer") <= layers:
        raise invalid(f"layer is {layer}; a matching kernel is that of a layer from 2 to {layers}")
    kernel = _outer(weights, layer, "Wq", "Wk") @ _outer(weights, 1, "Wv", "Wo").T
    return kernel if layer == 2 else np.asarray(_outer(weights, layer - 1, "Wv", "Wo") @ kernel)


def kernel_score(kernel: ArrayLike) -> float:
    """How near a kernel [d, d] is to a positive multiple of the identity: tr K / (sqrt d |K|_F), in [-1, 1]; by chance about
    1 / d.

    >>> dyn.kernel_score(3 * np.eye(4))
    1.0
    """
    k = _maps(kernel)
    size = np.linalg.norm(k)
    return float(np.trace(k) / (np.sqrt(len(k)) * size)) if size else 0.0


def matching_score(kernel: ArrayLike, embedding: ArrayLike, *, count: int = 13, draws: int = 100, seed: int = 0,
                   tokens: ArrayLike | None = None) -> tuple[float, float]:
    """How surely a token is matched with itself among `count` random ones: the mean of the diagonal of softmax(X K X^T), X
    [count, d] their embeddings, over draws, and its standard error. tokens: those to draw from; None: all of embedding
    [v, d]. By chance 1 / count.

    >>> dyn.matching_score(100 * np.eye(20), np.eye(20))[0] > 0.999
    True
    """
    e, k = real_array(embedding, "embedding"), _maps(kernel)
    ids = np.arange(len(e)) if tokens is None else np.asarray(tokens)
    if not 2 <= integer(count, "count") <= len(ids) or integer(draws, "draws") < 2:
        raise invalid(f"count is {count}, draws {draws}: 2 to {len(ids)} tokens, at least two draws")
    random = np.random.default_rng(seed)
    found = np.empty(draws)
    for i in range(draws):
        x = e[random.choice(ids, count, replace=False)]
        h = x @ k @ x.T
        h = np.exp(h - h.max(1, keepdims=True))
        found[i] = np.mean(np.diagonal(h) / h.sum(1))
    return float(found.mean()), float(found.std(ddof=1) / np.sqrt(draws))


# ---- along a run ----

@dataclass(frozen=True)
class AttentionSeries:
    """Scores along a run, r rows: steps; shift, broadcast [r, layers, heads]; last [r, L], how much the last place reads of
    each through all layers; matching, kernel [r, layers - 1], of layers 2, 3, ..

    >>> net = dyn.transformer(20, 6, layers=2, width=8, key_width=4, hidden=8, seed=1)
    >>> run = dyn.Run(net, np.arange(12).reshape(2, 6), [3, 4], loss="cross_entropy")
    >>> _ = run.measure(dyn.Attention(), every=5)
    >>> found = run.train(10)["attention"]
    >>> found.shift.shape, found.last.sum(1).round(9).tolist(), found.kernel.shape
    ((3, 2, 1), [1.0, 1.0, 1.0], (3, 1))
    """

    steps: NDArray[np.int64]
    shift: NDArray[np.float64]
    broadcast: NDArray[np.float64]
    last: NDArray[np.float64]
    matching: NDArray[np.float64]
    kernel: NDArray[np.float64]


class Attention(Measurement[AttentionSeries]):
    """Shift and broadcast scores, rollout, matching and kernel scores of a transformer where the run stands, means over its
    samples. offset: of the shift. place: the place whose broadcast is looked at, or one for each sample. tokens, draws: of
    the matching score.

    >>> net = dyn.transformer(20, 6, layers=2, width=8, key_width=4, hidden=8, seed=1)
    >>> run = dyn.Run(net, np.arange(12).reshape(2, 6), [3, 4], loss="cross_entropy")
    >>> _ = run.measure(dyn.Attention(place=[2, 3]), at=("start", "end"))
    >>> run.train(10)["attention"].steps
    array([ 0, 10])
    """

    _own = True

    def __init__(self, *, offset: int = 1, place: int | ArrayLike = 0, tokens: ArrayLike | None = None, draws: int = 100,
                 name: str = "attention") -> None:
        self.name = name
        self.offset = integer(offset, "offset", least=1)
        self.place = place if isinstance(place, int) else array(place, "place")
        self.tokens = None if tokens is None else array(tokens, "tokens")
        self.draws = integer(draws, "draws", least=2)
        self._arguments = {"offset": offset, "place": self.place, "tokens": self.tokens, "draws": draws}

    def _layers(self, run: RunView) -> list[str]:
        names = run.objective.names
        found = [name for name in (f"layer{i}.attention" for i in range(1, len(names) + 1)) if name in names]
        if not found:
            raise invalid(f"{self.name}: no tensor inside is called layer1.attention; there are {', '.join(names) or 'none'}")
        return found

    def attach(self, run: RunView, when: Any) -> Any:
        _model_of(run, self.name)
        self._layers(run)
        return super().attach(run, when)

    def observe(self, state: State) -> None:
        run, layers = state.run, self._layers(state.run)
        found = run.objective.inside(state.theta, *layers)
        maps = np.stack([found[name] for name in layers] if len(layers) > 1 else [found])
        run.record(f"{self.name}.shift", np.ravel([shift_score(m, self.offset).mean(0) for m in maps]))
        run.record(f"{self.name}.broadcast", np.ravel([broadcast_score(m, self.place).mean(0) for m in maps]))
        run.record(f"{self.name}.last", rollout(maps)[..., -1, :].mean(0))
        if len(layers) > 1:
            run.record(f"{self.name}.matching", self._matching(_model_of(run, self.name), state.theta, len(layers)))

    def _matching(self, net: Model, theta: NDArray[np.float64], layers: int) -> NDArray[np.float64]:
        """Matching scores, then kernel scores, of the layers from 2 on."""
        embedding = net.views(theta)["embedding"]
        kernels = [matching_kernel(net, theta, i) for i in range(2, layers + 1)]
        matching = [matching_score(k, embedding, draws=self.draws, tokens=self.tokens,
                                   count=min(13, len(embedding if self.tokens is None else self.tokens)))[0] for k in kernels]
        return np.array(matching + [kernel_score(k) for k in kernels])

    def result(self, run: RunView) -> AttentionSeries:
        layers = self._layers(run)
        shift, broadcast, last, matching = (self._rows(run, part) for part in ("shift", "broadcast", "last", "matching"))
        rows = len(last.steps)
        two = np.empty((rows, 0)) if len(layers) < 2 else matching.values.reshape(rows, -1)
        half = two.shape[1] // 2
        return AttentionSeries(last.steps, shift.values.reshape(rows, len(layers), -1) if rows else np.empty((0, len(layers), 0)),
                               broadcast.values.reshape(rows, len(layers), -1) if rows else np.empty((0, len(layers), 0)),
                               last.values, two[:, :half], two[:, half:])
