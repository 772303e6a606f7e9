# SPDX-License-Identifier: BSD-3-Clause
"""Global minima of two-layer networks: their branches (arXiv 2309.00508), and the initial imbalance that decides
between them (arXiv 2405.13787): dyn.branches. With hidden biases count one input more."""
from __future__ import annotations

import ctypes
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ._arrays import block, pointer, real_array, real_matrix, vector
from ._lib import call, integer, lib, number
from .context import current
from .errors import shapes_differ
from .model import Model

__all__ = ["Branch", "Probe", "branches", "imbalance", "probe", "set_imbalance"]


class _Branch(ctypes.Structure):
    _fields_ = [(name, ctypes.c_int64) for name in ("groups", "deficient", "dimension", "codimension", "spread_until",
                                                    "morse_bott")]


class Branch(NamedTuple):
    """sizes: neurons of each group of equal input weights, those of the target first. deficient: free groups of one
    neuron. dimension, codimension: of the branch; the codimension is the number of samples from which it is separated.
    spread_until: up to so many samples it lies inside a larger manifold of minima. morse_bott: whether the Hessian then
    has the rank of the codimension, so that flows arrive at a linear rate.

    >>> dyn.branches.branches(2, 1, 2)[0]
    Branch(sizes=(2,), deficient=0, dimension=1, codimension=5, spread_until=3, morse_bott=False)
    """

    sizes: tuple[int, ...]
    deficient: int
    dimension: int
    codimension: int
    spread_until: int
    morse_bott: bool


def branches(neurons: int, target: int, inputs: int) -> list[Branch]:
    """All branches of f = sum_k a_k sigma(w_k . x) with so many neurons that expresses a target of fewer.

    >>> [b.codimension for b in dyn.branches.branches(2, 1, 2)]
    [5, 4]
    """
    context, count = current(), ctypes.c_int64()
    given = [integer(neurons, "neurons"), integer(target, "target"), integer(inputs, "inputs")]
    call(context, lib.dyn_branch_list, context, *given, 0, None, None, ctypes.byref(count))
    out, sizes = (_Branch * count.value)(), np.empty((count.value, neurons), np.int64)
    call(context, lib.dyn_branch_list, context, *given, count.value, out, pointer(sizes), ctypes.byref(count))
    return [Branch(tuple(int(s) for s in row if s), b.deficient, b.dimension, b.codimension, b.spread_until,
                   bool(b.morse_bott)) for b, row in zip(out, sizes)]


def imbalance(a: ArrayLike, w: ArrayLike, x: ArrayLike, y: ArrayLike) -> NDArray[np.float64]:
    """C_k = a_k |gamma| + w_k . gamma, gamma = sum_i y_i x_i [neurons]; a trajectory from a tiny start depends on C / |C|
    alone. a [neurons], w [neurons, inputs], x [n, inputs] with a column of ones where there are biases, y [n].

    >>> dyn.branches.imbalance([1.0], [[0.0, 2.0]], [[3.0, 4.0]], [1.0])
    array([13.])
    """
    weights, inputs = real_matrix(w, "w"), real_matrix(x, "x")
    if weights.shape[1] != inputs.shape[1]:
        raise shapes_differ(f"w has {weights.shape[1]} columns, x {inputs.shape[1]}")
    out = np.empty(len(weights))
    context = current()
    outer, targets = vector(a, len(weights), "a"), vector(np.ravel(y), len(inputs), "y")
    call(context, lib.dyn_branch_imbalance, context, *weights.shape, pointer(outer), pointer(weights), len(inputs),
         pointer(inputs), pointer(targets), pointer(out), None)
    return out


def set_imbalance(a: ArrayLike, w: ArrayLike, x: ArrayLike, y: ArrayLike, c: float
                  ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """a [2], w [2, inputs] of two neurons with the second multiplied so that C_1 / C_2 = c; c = 0: the first set to 0.

    >>> a, w = dyn.branches.set_imbalance([1.0, 1.0], [[1.0], [3.0]], [[1.0]], [1.0], c=0.5)
    >>> dyn.branches.imbalance(a, w, [[1.0]], [1.0])
    array([2., 4.])
    """
    outer, inner = np.array(vector(a, 2, "a")), np.array(block(w, (2, np.shape(w)[-1]), "w"))
    first, second = imbalance(outer, inner, x, y)
    k, factor = (0, 0.0) if number(c, "c") == 0 else (1, first / (c * second))
    outer[k] *= factor
    inner[k] *= factor
    return outer, inner


class Probe(NamedTuple):
    """Where a separation probe ended: theta [p], the sum of squares there, and whether it is within the tolerance.

    >>> net = dyn.mlp([1, 1], bias=False)
    >>> dyn.branches.probe(net, [2.0], [[1.0]], [[2.0]]).converged
    True
    """

    theta: NDArray[np.float64]
    loss: float
    converged: bool


def probe(net: Model, theta: ArrayLike, x: ArrayLike, y: ArrayLike, radius: float = 1e-2, *, seed: int = 0,
          tolerance: float = 1e-24, max_steps: int = 500) -> Probe:
    """From theta [p] with noise of standard deviation radius to a zero of sum |f(x_i) - y_i|^2 near it, by
    Levenberg-Marquardt steps. The branch of theta is separated if all such ends express the target: ask net(end, grid).

    >>> net = dyn.mlp([1, 2, 1], bias=False)
    >>> dyn.branches.probe(net, [1.0, 1.0, 0.5, 0.5], [[1.0], [2.0]], np.tanh([[1.0], [2.0]])).converged
    True
    """
    inputs, targets = real_array(x, "x"), real_array(y, "y")
    n = len(np.atleast_1d(inputs))
    for name, array, size in (("x", inputs, int(np.prod(net.input_shape))), ("y", targets, net.output_size)):
        if array.size != n * size:
            raise shapes_differ(f"{name} has shape {list(array.shape)}, expected {[n, size]}")
    end, loss = np.empty(net.size), ctypes.c_double()
    status = call(net._context, lib.dyn_branch_probe, net, pointer(vector(theta, net.size, "theta")), n, pointer(inputs),
                  pointer(targets), number(radius, "radius"), integer(seed, "seed", "u64"),
                  number(tolerance, "tolerance"), integer(max_steps, "max_steps", least=0), pointer(end),
                  ctypes.byref(loss))
    return Probe(end, loss.value, status == 0)
