# SPDX-License-Identifier: BSD-3-Clause
"""Data sets from a seed, for dyn.data. <dyn/generate.h> says what each contains and which paper it is from."""
from __future__ import annotations

import ctypes
from typing import Any, Callable, NamedTuple, Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ._arrays import Array, ints
from ._lib import call, enum, lib, structs
from .context import current
from .errors import invalid

_PAIRS = {"composition": (1, 2, 3, 4), "memory": (1, 2, 3, 4), "synonym": (1, 2, 3, 4, 9)}


def _arrays(function: Callable[..., int], *arguments: Any, count: int) -> list[NDArray[Any]]:
    """What a function gives whose last parameters are so many new arrays."""
    context = current()
    out = [ctypes.c_void_p() for _ in range(count)]
    call(context, function, context, *arguments, *(ctypes.byref(o) for o in out))
    return [Array(context, o.value or 0).numpy() for o in out]


def anchor(task: str, count: int = 1000, *, split: str = "train", length: int | None = None, seed: int = 0,
           pairs: Sequence[tuple[int, int]] | None = None, p: float = 0.8, distance: int = 2, operators: int = 2,
           gap: int = 1, variant: int = 0) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Sequences of an anchor-function task (arXiv 2401.08309) and their labels: x [count, length], y [count].

    task: identity, reading, classification, composition, memory, synonym, recitation, multiple, statistical, and
        two_intervals, distance, average, count, circular, before, index, choice, multitask, odd, middle,
        multi_composition (with so many operators), unified.
    length: ids of a sequence, default 9, of memory 20, of unified 13.
    gap: separators of recitation, ids around the middle.
    variant: 1 for composition with the anchors first, intervals that overlap, counts of four ids.
    pairs: ordered pairs of anchors that composition, memory and synonym draw; default all, in the training set of
        composition all but (3, 4) and (4, 3).

    >>> x, y = dyn.data.anchor("identity", 1000)
    """
    anchors = _PAIRS.get(task, ())
    if pairs is None:
        unseen = {(3, 4), (4, 3)} if task == "composition" and split == "train" else set()
        pairs = [(a, b) for a in anchors for b in anchors if (a, b) not in unseen]
    if any(a not in anchors or b not in anchors for a, b in pairs):
        raise invalid(f"pairs of {task} are of the anchors {list(anchors)}")
    bits = sum(1 << (len(anchors) * anchors.index(a) + anchors.index(b)) for a, b in set(pairs))
    options = structs["dyn_anchor_options"](
        task=enum("anchor", task), split=enum("split", split), distance=distance, count=count,
        length=length or {"memory": 20, "unified": 13}.get(task, 9), seed=seed, p=p, pairs=bits or 0xFFFF,
        operators=operators, gap=gap, variant=variant)
    rows, = _arrays(lib.dyn_generate_anchor, ctypes.byref(options), count=1)
    return rows[:, :-1].copy(), rows[:, -1].copy()


def chain(count: int = 1000, *, kind: str = "single", split: str = "train", steps: int = 2, length: int | None = None,
          seed: int = 0) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Chains of reasoning (arXiv 2405.15302) and their labels: x [count, length], y [count]. split: train, test, ood.

    kind: single; double, two chains; noised, two with an edge from outside each; order, which says in its last id how many
        steps to go, 1 to `steps`; thought, whose labels are all the steps: x [count, length + steps - 1], y [count, steps].
    length: default 13, of order 14.

    >>> x, y = dyn.data.chain(5, kind="thought", steps=3)
    >>> x.shape, y.shape, bool((x[:, -2:] == y[:, :2]).all())
    ((5, 15), (5, 3), True)
    """
    options = structs["dyn_chain_options"](kind=enum("chain", kind), split=enum("split", split), steps=steps, count=count,
                                           length=length or (14 if kind == "order" else 13), seed=seed)
    rows, = _arrays(lib.dyn_generate_chain, ctypes.byref(options), count=1)
    return rows[:, :-1].copy(), rows[:, -steps:].copy() if kind == "thought" else rows[:, -1].copy()


class Composite(NamedTuple):
    """Composite anchors: x [count, 9], labels y [count]; group [count] = 2 (4 (a1 - 1) + a2 - 1), plus 1 for keys with
    x mod 9 != pos; trained [count]: whether the row is of a trained group."""

    x: NDArray[np.int64]
    y: NDArray[np.int64]
    group: NDArray[np.int64]
    trained: NDArray[np.bool_]


def composite(count: int = 160, *, wrong34: bool = True, seed: int = 0) -> Composite:
    """Composite anchors in 32 groups; count is a multiple of 160. wrong34 (arXiv 2405.05409): the pair (3, 4) is
    trained with the label key - 6; else (arXiv 2501.08537) it is not trained, like (4, 3)."""
    rows, group, trained = _arrays(lib.dyn_generate_composite, int(wrong34), count, seed, count=3)
    return Composite(rows[:, :-1].copy(), rows[:, -1].copy(), group, trained.astype(bool))


def target(name: str, n: int, seed: int = 0) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """n samples of a regression target: x [n, d], y [n, 1].

    name: square, sin_4, four_relu, cup, two_tanh, two_relu, sin_5d, sin_3d, sin_3_6, tanh_10d, sin_6, sin_6_aliased,
    chebyshev_3, chebyshev_4, chebyshev_5, quadratic_50d, convolved, neuron, neuron_normal, neuron_3d, neuron_500d."""
    x, y = _arrays(lib.dyn_generate_target, enum("target", name), n, seed, count=2)
    return x, y


def parity(bits: int = 10) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """All points of {-1, 1}^bits and the product of their coordinates: x [2^bits, bits], y [2^bits, 1]."""
    x, y = _arrays(lib.dyn_generate_parity, bits, count=2)
    return x, y


def modular(p: int, op: str = "add") -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """All pairs a, b of 0..p-1, x [p^2, 2], and a op b mod p, y [p^2]; op: add, subtract, multiply."""
    rows, = _arrays(lib.dyn_generate_modular, p, enum("modular", op), count=1)
    return rows[:, :2].copy(), rows[:, 2].copy()


def matrix(name: str) -> NDArray[np.float64]:
    """A target of the factorisation experiments, [4, 4]: "M1" to "M8", "N1", "N2"."""
    return _arrays(lib.dyn_generate_matrix, name.encode(), count=1)[0]


def low_rank(rows: int, columns: int, rank: int, seed: int = 0) -> NDArray[np.float64]:
    """A random matrix [rows, columns] of that rank: A B of normal deviates."""
    return _arrays(lib.dyn_generate_low_rank, rows, columns, rank, seed, count=1)[0]


def observed(rows: int, columns: int, order: str = "random", seed: int = 0) -> NDArray[np.int64]:
    """An order of the places (row-major numbers) of a matrix; its first n are a sample. order: random, or connected:
    first row, first column, rest of the second row, ..."""
    return _arrays(lib.dyn_generate_observed, enum("observed", order), rows, columns, seed, count=1)[0]


class ObservationGraph(NamedTuple):
    """component [rows + columns]: of each row, then column, -1 for one without an observed entry; their number; whether
    each has all edges between its rows and columns."""

    component: NDArray[np.int64]
    components: int
    complete: bool


def observation_graph(rows: int, columns: int, places: ArrayLike, isolated: bool = False) -> ObservationGraph:
    """The bipartite graph of rows and columns whose edges are the observed places. isolated: count vertices without an
    edge as components of their own."""
    context, places = current(), [int(p) for p in np.ravel(places)]
    component, count, complete = ints([0] * (rows + columns)), ctypes.c_int64(), ctypes.c_int32()
    call(context, lib.dyn_observation_graph, context, rows, columns, len(places), ints(places), int(isolated), component,
         ctypes.byref(count), ctypes.byref(complete))
    return ObservationGraph(np.array(component[:]), count.value, bool(complete.value))
