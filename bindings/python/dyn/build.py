# SPDX-License-Identifier: BSD-3-Clause
"""What a function that writes a model or a loss works on: a graph that also gives data, calls models, keeps states.

    def pearson(net, x, y):                       # nodes in, a node out
        f, t = (v - v.mean() for v in (net(x)[:, 0], y))
        return 1 - (f * t).sum() / dyn.sqrt((f**2).sum() * (t**2).sum())
    loss = dyn.Objective(pearson, dyn.mlp([5, 30, 1]), x=x, y=y)
"""
from __future__ import annotations

import ctypes
import os
import sys
import threading
from typing import Any, Callable, Mapping, Sequence, cast

import numpy as np
from numpy.typing import ArrayLike

from . import _lib
from ._arrays import DTYPES, array, ints, pointer
from ._lib import integer, lib, text
from .context import Context
from .errors import STATUS, invalid
from .graph import Graph, Node
from .init import Init

_active = threading.local()
_PACKAGE = os.path.dirname(__file__)


class Build(Graph):
    """The graph that a build function writes into, with what else it may ask for.

    >>> def line(g, x):
    ...     return x @ g.parameter("slope", (1, 1)) + g.parameter("offset", (1,))
    >>> net = dyn.Model.from_function(line, input_shape=(1,))
    >>> net([2.0, 1.0], [0.0, 3.0]).ravel()
    array([1., 7.])
    """

    def __init__(self, context: Context, address: int) -> None:
        self._build = ctypes.c_void_p(address)
        self._as_parameter_ = ctypes.c_void_p(lib.dyn_build_graph(self._build))
        self._context = context
        self.dtype = list(DTYPES.values())[lib.dyn_graph_dtype(self)]
        self._leaves = {}

    def _node(self, function: Callable[..., int] | int, *arguments: Any) -> Node:
        node = super()._node(function, *arguments)
        places = _lib.places_here()
        if places is not None and node.id not in places:
            places[node.id] = _users_line()
        return node

    @property
    def samples(self) -> int:
        """Number of samples of this writing."""
        return int(lib.dyn_build_samples(self._build))

    @property
    def training(self) -> bool:
        """Whether the graph is for training steps, or for measurements."""
        return bool(lib.dyn_build_training(self._build))

    def data(self, name: str) -> Node:
        """In a loss: the data of that name."""
        return self._node(lib.dyn_build_data(self._build, text(name, "the name")))

    def model_input(self, name: str, shape: Sequence[int], index: bool = False) -> Node:
        """In a model: an input [n, *shape] of numbers, or of indices."""
        function = lib.dyn_build_indices if index else lib.dyn_build_input
        return self._node(function(self._build, name.encode(), len(shape), ints(shape)))

    def parameter(self, name: str, shape: Sequence[int], init: Init | None = None) -> Node:
        """In a model: a trainable tensor, drawn by an init of its own if one is given."""
        options = None if init is None else ctypes.byref(init._options(0))
        return self._node(lib.dyn_build_parameter(self._build, name.encode(), len(shape), ints(shape), options))

    def state(self, name: str, shape: Sequence[int], initial: ArrayLike = 0.0) -> Node:
        """In a model: a tensor that training updates by a rule of its own, without a gradient. initial broadcasts to it."""
        values = np.ascontiguousarray(np.broadcast_to(array(initial, "initial"), tuple(shape)), dtype=np.float64)
        return self._node(lib.dyn_build_state_from(self._build, name.encode(), len(shape), ints(shape), pointer(values)))

    def update(self, state: Node, value: Node) -> None:
        """After a training step the state becomes this value."""
        self._check(lib.dyn_build_update(self._build, state.id, value.id))

    def uniform(self, shape: Sequence[int]) -> Node:
        """Uniform numbers in [0, 1), new ones at every step; axis 0 counts samples."""
        return self._node(lib.dyn_build_uniform(self._build, len(shape), ints(shape)))

    def bernoulli(self, p: float, shape: Sequence[int]) -> Node:
        """1 with probability p, else 0, anew at every step; axis 0 counts samples."""
        return self._node(lib.dyn_build_bernoulli(self._build, p, len(shape), ints(shape)))

    def normal(self, shape: Sequence[int]) -> Node:
        """Standard normal numbers, new ones at every step; axis 0 counts samples."""
        return self._node(lib.dyn_build_normal(self._build, len(shape), ints(shape)))

    def name(self, name: str, x: Node) -> Node:
        """x, to be read by that name from outside."""
        return self._node(lib.dyn_build_name(self._build, name.encode(), x.id))

    def residual(self, x: Node) -> Node:
        """In a loss: x, at which the Gauss-Newton matrix cuts instead of at the outputs of the models."""
        return self._node(lib.dyn_build_residual(self._build, x.id))

    def term(self, name: str, x: Node, weight: float = 1.0) -> None:
        """In a loss of several terms: one of them, [n] or []."""
        self._check(lib.dyn_build_term(self._build, name.encode(), x.id, weight))

    def call(self, model: Any, inputs: Sequence[Node]) -> Node:
        """The outputs of a model at nodes."""
        return self._node(lib.dyn_build_call(self._build, None, model, len(inputs), _ids(inputs)))

    def call_at(self, model: Any, theta: Node, inputs: Sequence[Node]) -> Node:
        """The same with the parameters read from a node theta [p]."""
        return self._node(lib.dyn_build_call_at(self._build, model, theta.id, len(inputs), _ids(inputs)))

    def _check(self, status: int) -> int:
        return _lib.check(status, self._context)


def _users_line() -> str:
    """File and line of the innermost frame that is not the package's."""
    frame = sys._getframe(2)
    while frame.f_back is not None and os.path.dirname(frame.f_code.co_filename) == _PACKAGE:
        frame = frame.f_back
    return f"{frame.f_code.co_filename}, line {frame.f_lineno}"


def _ids(nodes: Sequence[Node]) -> Any:
    return ints([node.id for node in nodes], ctypes.c_int32)


def active(what: str) -> Build:
    """The build being written just now; `what` needs one."""
    stack = getattr(_active, "stack", [])
    if not stack:
        raise invalid(f"{what} stands in a function that writes a model or a loss")
    return cast(Build, stack[-1])


def writing(context: Context, write: Callable[[Build], Node | None]) -> Any:
    """A dyn_build_fn that lets `write` write."""
    def call(_: Any, address: int) -> int:
        stack = _active.__dict__.setdefault("stack", [])
        places = _lib.places_here()
        if places and not stack:
            places.clear()          # of an earlier graph of this call
        stack.append(Build(context, address))
        try:
            node = write(stack[-1])
        finally:
            stack.pop()
        return 0 if node is None else node.id
    return _lib.callback(context, "dyn_build_fn", call, failure=STATUS["euser"])


def add_terms(b: Build, function: Callable[..., Any], result: Any) -> Node | None:
    """What the function of a loss returned: a node, a term of the function's name, or nodes by name."""
    if isinstance(result, Node):
        name = getattr(function, "__name__", "loss")
        result = {name if name.isidentifier() else "loss": result}
    if not isinstance(result, Mapping) or not all(isinstance(x, Node) for x in result.values()) or not result:
        raise invalid(f"the function of a loss returns a node, or nodes by name, not {result!r:.80}")
    for name, node in result.items():
        b.term(name, node)
    return cast(Node, next(iter(result.values())))


def normal_like(x: Node) -> Node:
    """Standard normal numbers of the shape of x, new ones at every step: x + 0.1 * dyn.normal_like(x).

    >>> def noisy(net, x, y):
    ...     return (net(x + 0.1 * dyn.normal_like(x)) - y)[:, 0]**2
    >>> loss = dyn.Objective(noisy, dyn.mlp([1, 1], bias=False), x=np.ones((1000, 1)), y=np.ones((1000, 1)))
    >>> bool(0.008 < loss.value([1.0]) < 0.012)
    True
    """
    return active("dyn.normal_like").normal(x.shape)


def uniform_like(x: Node) -> Node:
    """Uniform numbers in [0, 1) of the shape of x, new ones at every step.

    >>> def noisy(net, x):
    ...     return net(x * dyn.uniform_like(x))[:, 0]
    >>> loss = dyn.Objective(noisy, dyn.mlp([1, 1], bias=False), x=np.ones((1000, 1)))
    >>> bool(0.45 < loss.value([1.0]) < 0.55)
    True
    """
    return active("dyn.uniform_like").uniform(x.shape)


def residual(x: Node) -> Node:
    """In the function of a loss: x, at which the Gauss-Newton matrix cuts instead of at the outputs of the models.

        def equation(u, t):
            v = u(t)
            return dyn.residual(dyn.derivative(v, t, order=2) + v)**2

    >>> def misfit(net, x, y):
    ...     return dyn.residual(net(x) - y)[:, 0]**2
    >>> loss = dyn.Objective(misfit, dyn.mlp([1, 1], bias=False), x=[[1.0], [2.0]], y=[[2.0], [4.0]])
    >>> loss.ggn([1.0]) @ [1.0]
    array([5.])
    """
    return active("dyn.residual").residual(x)


def derivative(v: Node, t: Node, order: int = 1) -> Node:
    """The derivative of v [n, c] by an input t [n, 1] of which row i moves row i of v only, of any order; shaped as v.

    It differentiates forward, so that it may be differentiated again, and by the parameters.

    >>> def curve(g, t):
    ...     return dyn.sin(t * g.parameter("rate", (1,)))
    >>> def slope(u, t):
    ...     return dyn.derivative(u(t), t)[:, 0]
    >>> loss = dyn.Objective(slope, dyn.Model.from_function(curve, input_shape=(1,)), t=[[0.0]])
    >>> loss.value([3.0])
    3.0
    """
    return v.graph._node(lib.dyn_graph_derivative(v.graph, v.id, t.id, integer(order, "order")))
