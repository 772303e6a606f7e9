# SPDX-License-Identifier: BSD-3-Clause
"""Networks that compute the same with their units in another order: matching of two perceptrons (arXiv 2209.04836); and random
projections of parameters."""
from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ._arrays import pointer, real_array, vector
from ._lib import call, integer, lib
from ._run_view import RunView, Series, State
from .context import current
from .errors import NotSupported, STATUS, invalid, shapes_differ
from .measure import Measurement
from .model import Model


@dataclass(frozen=True)
class Matched:
    """A network whose hidden units were brought into the order of another's: theta [p], which computes the same function;
    orders, for each hidden layer the unit that now stands at each place; sweeps over the layers until nothing changed.

    >>> net = dyn.mlp([1, 3, 1], seed=1)
    >>> dyn.match_units(net, net.initial(), net.initial()).orders[0]
    array([0, 1, 2])
    """

    theta: NDArray[np.float64]
    orders: list[NDArray[np.int64]]
    sweeps: int


def permute_units(net: Model, theta: ArrayLike, orders: list[NDArray[np.int64]]) -> NDArray[np.float64]:
    """theta [p] of a perceptron with the hidden units of each layer in another order: unit orders[l][i] comes to place i.

    >>> net = dyn.mlp([1, 2, 1], seed=1)
    >>> swapped = dyn.permute_units(net, net.initial(), [np.array([1, 0])])
    >>> np.allclose(net(swapped, [[0.5]]), net(net.initial(), [[0.5]]))
    True
    """
    out = np.array(vector(theta, net.size, "theta"))
    views = net.views(out)
    hidden = _hidden(net)
    if len(orders) != len(hidden) or any(sorted(o) != list(range(n)) for o, n in zip(orders, hidden)):
        raise shapes_differ(f"orders are not permutations of {', '.join(map(str, hidden))} units")
    for l, order in enumerate(orders, 1):
        for name in (f"W{l}", f"b{l}"):
            if name in views:
                views[name][...] = views[name][..., order]
        views[f"W{l + 1}"][...] = views[f"W{l + 1}"][order]
    return out


def _hidden(net: Model) -> list[int]:
    """Units of the hidden layers of a perceptron."""
    shapes = {name: t.shape for name, t in net.tensors.items()}
    layers = sum(name.startswith("W") for name in shapes)
    expected = {f"{kind}{l}" for kind in "Wb" for l in range(1, layers + 1)}
    chained = all(shapes.get(f"W{l}", (0, -1))[1] == shapes.get(f"W{l + 1}", (0,))[0] for l in range(1, layers))
    if layers < 2 or not set(shapes) <= expected or not chained:
        raise NotSupported(STATUS["enotsup"], f"units of a perceptron are matched, not those of {', '.join(shapes)}")
    return [shapes[f"W{l}"][1] for l in range(1, layers)]


def match_units(net: Model, theta: ArrayLike, other: ArrayLike, *, sweeps: int = 100, seed: int = 0) -> Matched:
    """Bring the hidden units of the perceptron `other` [p] into the order in which its weights are nearest to those of theta
    [p], layer by layer in random order until none changes: each a linear assignment. With several hidden layers that may
    end at an order that is not the best: another seed, another order of layers. The straight path between the two is then
    free of the barrier that another order of units alone makes. SciPy is needed.

    >>> net = dyn.mlp([2, 5, 1], seed=1)
    >>> other = dyn.permute_units(net, net.initial(), [np.array([4, 2, 0, 1, 3])])
    >>> bool((dyn.match_units(net, net.initial(), other).theta == net.initial()).all())
    True
    """
    orders = [np.arange(n) for n in _hidden(net)]
    a, b = (net.views(np.array(vector(t, net.size, name))) for t, name in ((theta, "theta"), (other, "other")))
    from scipy.optimize import linear_sum_assignment      # type: ignore[import-untyped, unused-ignore]
    random = np.random.default_rng(seed)
    for sweep in range(1, integer(sweeps, "sweeps", least=1) + 1):
        changed = False
        for l in random.permutation(len(orders)):
            before = _gain(a, b, orders, int(l))
            order = linear_sum_assignment(before, maximize=True)[1]
            places = np.arange(len(order))
            if before[places, order].sum() > before[places, orders[l]].sum() * (1 + 1e-12):
                orders[l], changed = order, True
        if not changed:
            break
    return Matched(permute_units(net, other, orders), orders, sweep)


def _gain(a: dict[str, NDArray[np.float64]], b: dict[str, NDArray[np.float64]], orders: list[NDArray[np.int64]],
          l: int) -> NDArray[np.float64]:
    """[units, units] of hidden layer l, from 0 on: what unit j of b at place i adds to the inner product of the weights."""
    come, go = b[f"W{l + 1}"], b[f"W{l + 2}"]
    come = come if l == 0 else come[orders[l - 1]]
    go = go if l + 1 == len(orders) else go[:, orders[l + 1]]
    gain = a[f"W{l + 1}"].T @ come + a[f"W{l + 2}"] @ go.T
    return gain + np.outer(a[f"b{l + 1}"], b[f"b{l + 1}"]) if f"b{l + 1}" in a else gain


# ---- random projections ----

def random_projection(thetas: ArrayLike, dimensions: int = 2, *, seed: int = 0) -> NDArray[np.float64]:
    """Vectors [.., p] in random directions: [.., dimensions], normal numbers over the root of their number, the same for the
    same seed. Squared distances are kept in the mean, with a standard deviation of sqrt(2 / dimensions) of them.

    >>> dyn.random_projection(np.zeros((3, 10))).shape
    (3, 2)
    """
    x = real_array(thetas, "thetas")
    if x.ndim < 1:
        raise shapes_differ(f"thetas have shape {list(x.shape)}, expected [.., p]")
    count, context = integer(dimensions, "dimensions", least=1), current()
    out, row = np.empty((*x.shape[:-1], count)), np.empty(x.shape[-1])
    for i in range(count):
        call(context, lib.dyn_random_normal, context, integer(seed, "seed", "u64"), i, 0, row.size, pointer(row))
        out[..., i] = x @ row / np.sqrt(count)
    return out


class Projection(Measurement[Series]):
    """Random projections of theta along a run, without keeping theta: dyn.random_projection of every row.

    >>> run = dyn.Run(dyn.mlp([1, 5, 1], seed=1), [0.0, 1.0], [0.0, 1.0])
    >>> _ = run.measure(dyn.Projection(3), every=5)
    >>> run.train(10)["projection"].values.shape
    (3, 3)
    """

    _own = True

    def __init__(self, dimensions: int = 2, *, seed: int = 0, name: str = "projection") -> None:
        self.name = name
        self._arguments = {"dimensions": integer(dimensions, "dimensions", least=1), "seed": seed}

    def observe(self, state: State) -> None:
        assert self._arguments is not None
        state.run.record(self.name, random_projection(state.theta, **self._arguments))

    def result(self, run: RunView) -> Series:
        return run.series.get(self.name, Series(np.empty(0, np.int64), np.empty((0, 0))))
