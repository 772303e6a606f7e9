# SPDX-License-Identifier: BSD-3-Clause
"""Graphs: functions written as operations on tensors of static shapes, differentiated and compiled.

    g = dyn.Graph()
    x = g.input("x", (80, 1))
    w = g.parameter("w", (1, 100))
    h = dyn.tanh(x @ w)
    f = g.compile(h.mean(), *g.gradient(h.mean(), [w]))
    value, gradient = f(x=..., w=...)
"""
from __future__ import annotations

import ctypes
import math
from typing import Any, Callable, Iterable, Sequence, Union

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ._arrays import DTYPES, dtype_code, ints, pointer
from ._lib import Handle, check, enum, lib, make, structs
from .context import Context, current
from .errors import invalid, shapes_differ

MAX_RANK = 8
Operand = Union["Node", float]


class Graph(Handle):
    """A graph whose numbers are float64 or float32. Nodes are made by its methods and by operators on nodes."""

    _free = "dyn_graph_free"

    def __init__(self, dtype: str = "float64") -> None:
        context = current()
        super().__init__(context, make(context, lib.dyn_graph_create, context, dtype_code(dtype)))
        self.dtype = np.dtype(dtype)
        self._leaves: dict[str, np.dtype] = {}

    @classmethod
    def _borrow(cls, context: Context, address: int) -> Graph:
        """A graph that C owns, in the callback that builds a model."""
        g = cls.__new__(cls)
        g._as_parameter_ = ctypes.c_void_p(address)
        g._context = context
        g.dtype = list(DTYPES.values())[lib.dyn_graph_dtype(g)]
        g._leaves = {}
        return g

    def _node(self, result: int) -> Node:
        check(min(result, 0), self._context)
        return Node(self, result)

    def _leaf(self, function: Callable[..., int], name: str, shape: Sequence[int], dtype: np.dtype) -> Node:
        node = self._node(function(self, name.encode(), len(shape), ints(shape)))
        self._leaves[name] = dtype
        return node

    def parameter(self, name: str, shape: Sequence[int]) -> Node:
        """A trainable tensor. Parameters form theta in the order they are made."""
        return self._leaf(lib.dyn_graph_parameter, name, shape, self.dtype)

    def input(self, name: str, shape: Sequence[int]) -> Node:
        """A tensor given at each run."""
        return self._leaf(lib.dyn_graph_input, name, shape, self.dtype)

    def indices(self, name: str, shape: Sequence[int]) -> Node:
        """A tensor of int64 indices given at each run, for gather and scatter_add."""
        return self._leaf(lib.dyn_graph_indices, name, shape, DTYPES["i64"])

    def constant(self, value: float, shape: Sequence[int] = ()) -> Node:
        """A tensor whose elements all have this value."""
        return self._node(lib.dyn_graph_constant(self, value, len(shape), ints(shape)))

    def __len__(self) -> int:
        return lib.dyn_graph_size(self)

    def _transform(self, function: Callable[..., int], count: int, *arguments: Any) -> list[Node]:
        out = (ctypes.c_int32 * count)()
        self._check(function(self, *arguments, out))
        return [Node(self, i) for i in out]

    def gradient(self, scalar: Node, wrt: Sequence[Node]) -> list[Node]:
        """Gradient of a scalar: one node for each in wrt, of its shape."""
        return self._transform(lib.dyn_graph_gradient, len(wrt), scalar.id, *_counted(wrt))

    def jvp(self, outputs: Sequence[Node], wrt: Sequence[Node], tangents: Sequence[Node]) -> list[Node]:
        """Derivative of the outputs along the tangents (shaped as wrt)."""
        _same_length("tangents", tangents, wrt)
        return self._transform(lib.dyn_graph_jvp, len(outputs), *_counted(outputs), *_counted(wrt), _ids(tangents))

    def vjp(self, outputs: Sequence[Node], cotangents: Sequence[Node], wrt: Sequence[Node]) -> list[Node]:
        """Transposed derivative: cotangents shaped as outputs, results as wrt."""
        _same_length("cotangents", cotangents, outputs)
        return self._transform(lib.dyn_graph_vjp, len(wrt), *_counted(outputs), _ids(cotangents), *_counted(wrt))

    def hvp(self, scalar: Node, wrt: Sequence[Node], direction: Sequence[Node]) -> list[Node]:
        """Hessian of a scalar times a direction (shaped as wrt)."""
        _same_length("direction", direction, wrt)
        return self._transform(lib.dyn_graph_hvp, len(wrt), scalar.id, *_counted(wrt), _ids(direction))

    def ggn(self, scalar: Node, f: Node, wrt: Sequence[Node], direction: Sequence[Node]) -> list[Node]:
        """Gauss-Newton matrix of scalar(f(wrt)) times a direction (shaped as wrt)."""
        _same_length("direction", direction, wrt)
        return self._transform(lib.dyn_graph_ggn, len(wrt), scalar.id, f.id, *_counted(wrt), _ids(direction))

    def batch(self, size: int, outputs: Sequence[Node], inputs: Sequence[Node],
              batched: Sequence[Node]) -> list[Node]:
        """The outputs for `size` values of the inputs at once: batched[i] is [size, shape of inputs[i]]."""
        _same_length("batched", batched, inputs)
        return self._transform(lib.dyn_graph_batch, len(outputs), size, *_counted(outputs), *_counted(inputs),
                               _ids(batched))

    def compile(self, *outputs: Node, threads: int = 0, arena_limit: int = 0) -> Function:
        """A function of the graph's leaves by their names. arena_limit: bytes its memory may take, 0 = no limit."""
        return Function(self, outputs, threads, arena_limit)

    def text(self, *outputs: Node, dot: bool = False) -> str:
        """The nodes that the outputs need, as text or in the DOT language."""
        return printed(self._context, lib.dyn_graph_print, self, int(dot), *_counted(outputs))


def printed(context: Context, function: Callable[..., int], *arguments: Any) -> str:
    """Text of a function that works as snprintf does."""
    length = function(*arguments, None, 0)
    check(min(length, 0), context)
    buffer = ctypes.create_string_buffer(length + 1)
    function(*arguments, buffer, length + 1)
    return buffer.value.decode()


def _ids(nodes: Iterable[Node]) -> Any:
    return ints([node.id for node in nodes], ctypes.c_int32)


def _counted(nodes: Sequence[Node]) -> tuple[int, Any]:
    return len(nodes), _ids(nodes)


def _same_length(what: str, given: Sequence[Node], expected: Sequence[Node]) -> None:
    if len(given) != len(expected):
        raise shapes_differ(f"{len(given)} {what} for {len(expected)} nodes")


class Node:
    """A tensor of a graph. + - * / @ ** and comparisons work as in NumPy, with broadcasting; so does [slices]."""

    __slots__ = ("graph", "id")
    __array_priority__ = 1000       # a NumPy number on the left leaves the operation to the node

    def __init__(self, graph: Graph, number: int) -> None:
        self.graph = graph
        self.id = number

    @property
    def shape(self) -> tuple[int, ...]:
        """Sizes of the axes."""
        sizes = (ctypes.c_int64 * MAX_RANK)()
        return tuple(sizes[:lib.dyn_graph_shape(self.graph, self.id, sizes)])

    def __repr__(self) -> str:
        return f"<dyn.Node {self.id} {list(self.shape)}>"

    def _op(self, function: Callable[..., int], *arguments: Any) -> Node:
        return self.graph._node(function(self.graph, self.id, *arguments))

    def _other(self, other: Operand) -> Node:
        if not isinstance(other, Node):
            return self.graph.constant(float(other))
        if other.graph is not self.graph:
            raise invalid("nodes of two different graphs")
        return other

    def _binary(self, function: Callable[..., int], other: Operand) -> Node:
        return self._op(function, self._other(other).id)

    def __add__(self, other: Operand) -> Node:
        return self._binary(lib.dyn_graph_add, other)

    __radd__ = __add__

    def __sub__(self, other: Operand) -> Node:
        return self._binary(lib.dyn_graph_sub, other)

    def __rsub__(self, other: Operand) -> Node:
        return self._other(other) - self

    def __mul__(self, other: Operand) -> Node:
        return self._binary(lib.dyn_graph_mul, other)

    __rmul__ = __mul__

    def __truediv__(self, other: Operand) -> Node:
        return self._binary(lib.dyn_graph_div, other)

    def __rtruediv__(self, other: Operand) -> Node:
        return self._other(other) / self

    def __matmul__(self, other: Node) -> Node:
        return self.matmul(other)

    def __neg__(self) -> Node:
        return self._op(lib.dyn_graph_neg)

    def __pow__(self, exponent: float) -> Node:
        """Integer exponents work for negative bases too; others give NaN there."""
        if float(exponent).is_integer():
            return self._op(lib.dyn_graph_powi, int(exponent))
        return self._op(lib.dyn_graph_pow, float(exponent))

    def __abs__(self) -> Node:
        return self._op(lib.dyn_graph_abs)

    def __gt__(self, other: Operand) -> Node:
        return self._binary(lib.dyn_graph_greater, other)

    def __ge__(self, other: Operand) -> Node:
        return self._binary(lib.dyn_graph_greater_equal, other)

    def __lt__(self, other: Operand) -> Node:
        return self._other(other) > self

    def __le__(self, other: Operand) -> Node:
        return self._other(other) >= self

    def equal(self, other: Operand) -> Node:
        """1 where equal, else 0."""
        return self._binary(lib.dyn_graph_equal, other)

    def matmul(self, other: Node, transpose: bool = False, transpose_other: bool = False) -> Node:
        """Matrix product of the last two axes, of either operand transposed if wanted."""
        return self._binary(lambda g, a, b: lib.dyn_graph_matmul(g, a, b, int(transpose), int(transpose_other)), other)

    def _reduce(self, function: Callable[..., int], axis: int | Sequence[int] | None) -> Node:
        rank = len(self.shape)
        axes = range(rank) if axis is None else [axis] if isinstance(axis, (int, np.integer)) else list(axis)
        return self._op(function, len(axes), ints(axes, ctypes.c_int32))

    def sum(self, axis: int | Sequence[int] | None = None) -> Node:
        """Sum over the axes, which disappear; None: over all."""
        return self._reduce(lib.dyn_graph_sum, axis)

    def max(self, axis: int | Sequence[int] | None = None) -> Node:
        """Largest element over the axes, which disappear; ties share the derivative equally."""
        return self._reduce(lib.dyn_graph_amax, axis)

    def mean(self, axis: int | Sequence[int] | None = None) -> Node:
        """Mean over the axes, which disappear; None: over all."""
        if axis is None:
            return self._op(lib.dyn_graph_mean)
        total = self.sum(axis)
        return total * (math.prod(total.shape) / math.prod(self.shape))

    def reshape(self, *shape: int) -> Node:
        """The same elements under another shape; one size may be -1."""
        sizes = list(shape)
        if -1 in sizes:
            sizes[sizes.index(-1)] = math.prod(self.shape) // max(1, -math.prod(sizes))
        return self._op(lib.dyn_graph_reshape, len(sizes), ints(sizes))

    def broadcast_to(self, shape: Sequence[int]) -> Node:
        """Repeat into a larger shape, aligned at the last axes."""
        return self._op(lib.dyn_graph_broadcast_to, len(shape), ints(shape))

    def transpose(self, *axes: int) -> Node:
        """Axis i of the result is axis axes[i]; without arguments all axes are reversed."""
        order = axes or range(len(self.shape))[::-1]
        if len(order) != len(self.shape):
            raise shapes_differ(f"transpose: {len(order)} axes for a tensor of shape {list(self.shape)}")
        return self._op(lib.dyn_graph_permute, ints(order, ctypes.c_int32))

    @property
    def T(self) -> Node:
        """All axes reversed."""
        return self.transpose()

    def pad(self, before: Sequence[int], shape: Sequence[int]) -> Node:
        """Zeros around: this begins at `before` in a tensor of this shape."""
        if not len(before) == len(shape) == len(self.shape):
            raise shapes_differ(f"pad: {len(before)} starts and {len(shape)} sizes for shape {list(self.shape)}")
        return self._op(lib.dyn_graph_pad, ints(before), ints(shape))

    def __getitem__(self, key: Any) -> Node:
        """Slices without a step, and integers, which drop their axis."""
        keys = key if isinstance(key, tuple) else (key,)
        if len(keys) > len(self.shape):
            raise shapes_differ(f"{len(keys)} indices for a tensor of shape {list(self.shape)}")
        keys += (slice(None),) * (len(self.shape) - len(keys))
        spans = [_span(k, n) for k, n in zip(keys, self.shape)]
        part = self._op(lib.dyn_graph_slice, ints([a for a, _ in spans]), ints([n for _, n in spans]))
        kept = [n for k, (_, n) in zip(keys, spans) if isinstance(k, slice)]
        return part if len(kept) == len(keys) else part.reshape(*kept)

    def gather(self, indices: Node) -> Node:
        """Rows chosen by indices [n]."""
        return self._binary(lib.dyn_graph_gather, indices)

    def scatter_add(self, indices: Node, rows: int) -> Node:
        """Zeros [rows, ...] with the rows of this added at indices [n]."""
        return self._binary(lambda g, x, i: lib.dyn_graph_scatter_add(g, x, i, rows), indices)


def _span(key: Any, size: int) -> tuple[int, int]:
    """Start and length of an index along an axis."""
    if isinstance(key, slice):
        start, stop, step = key.indices(size)
        if step != 1:
            raise invalid(f"a slice with step {step}")
        return start, max(stop - start, 0)
    if not -size <= key < size:
        raise IndexError(f"index {key} of an axis of size {size}")
    return key % size, 1


# ---- functions of nodes ----

def _unary(name: str, text: str) -> Callable[[Node], Node]:
    def function(x: Node) -> Node:
        return x._op(getattr(lib, "dyn_graph_" + name))
    function.__name__ = function.__qualname__ = name
    function.__doc__ = text
    return function


exp = _unary("exp", "e^x.")
expm1 = _unary("expm1", "e^x - 1, accurate near 0.")
log = _unary("log", "Natural logarithm.")
log1p = _unary("log1p", "log(1 + x), accurate near 0.")
tanh = _unary("tanh", "Hyperbolic tangent.")
erf = _unary("erf", "Error function.")
sin = _unary("sin", "Sine, radians.")
cos = _unary("cos", "Cosine, radians.")
sqrt = _unary("sqrt", "Square root.")
relu = _unary("relu", "max(x, 0); derivative 0 at 0.")
sigmoid = _unary("sigmoid", "1 / (1 + e^-x).")
softplus = _unary("softplus", "log(1 + e^x), accurate for every x.")
logsumexp = _unary("logsumexp", "log sum e^x over the last axis, which disappears; safe for large x.")
stop_gradient = _unary("stop", "x, with derivative 0.")
identity = _unary("identity", "x as a node of its own, which no simplification reaches behind: for f of Graph.ggn.")


def activation(name: str, x: Node) -> Node:
    """Activation by name: "tanh", "relu", "gelu", "silu", "x_tanh", ...; see enum dyn_activation."""
    return x._op(lambda g, node: lib.dyn_graph_activation(g, enum("activation", name), node))


def maximum(a: Node, b: Operand) -> Node:
    """The larger of two; NaN if either is."""
    return a._binary(lib.dyn_graph_max, b)


def where(condition: Node, a: Operand, b: Operand) -> Node:
    """a where condition is not 0, else b.

    Derivatives are those of both branches, one of them times 0: where the branch not taken has an infinite or undefined
    slope, as sqrt at 0, the derivative is NaN. Give that branch an operand it can take:
    where(x < 1, x, sqrt(where(x < 1, 1, x))).
    """
    return condition._op(lib.dyn_graph_select, condition._other(a).id, condition._other(b).id)


def concatenate(nodes: Sequence[Node], axis: int = 0) -> Node:
    """Nodes one after the other along an axis."""
    first, *others = nodes
    for node in others:
        first = first._op(lib.dyn_graph_concat, first._other(node).id, axis)
    return first


# ---- compiled functions ----

class _Plan(Handle):
    _free = "dyn_plan_unref"


class _Exec(Handle):
    _free = "dyn_exec_free"


class Function:
    """A compiled graph. Call it with arrays by name, or bind arrays once and call run(), which costs no more than C.

    Two results of calls do not share memory. A Function is used from one thread at a time."""

    def __init__(self, graph: Graph, outputs: Sequence[Node], threads: int, arena_limit: int) -> None:
        context = graph._context
        options = structs["dyn_plan_options"](threads=threads, arena_limit=arena_limit)
        self._plan = _Plan(context, make(context, lib.dyn_plan_compile, graph, *_counted(outputs),
                                         ctypes.byref(options)))
        self._exec = _Exec(context, make(context, lib.dyn_exec_create, self._plan))
        self._dtype = graph.dtype
        self._output_shapes = [node.shape for node in outputs]
        self._leaves = {name: self._leaf(graph, name) for name in self._names()}
        self._arrays: dict[Any, NDArray[Any]] = {}
        self.run = self._fast_run()

    def _names(self) -> list[str]:
        return [lib.dyn_plan_input_name(self._plan, i).decode() for i in range(lib.dyn_plan_inputs(self._plan))]

    @staticmethod
    def _leaf(graph: Graph, name: str) -> tuple[tuple[int, ...], np.dtype]:
        node = Node(graph, lib.dyn_graph_find(graph, name.encode()))
        return node.shape, graph._leaves.get(name, graph.dtype)

    def _fast_run(self) -> Callable[[], None]:
        """run() with everything looked up beforehand: one call through ctypes and one comparison."""
        function, handle, checked = lib.dyn_exec_run, self._exec._as_parameter_, self._exec._check

        def run() -> None:
            """Run with the arrays that are bound."""
            status = function(handle)
            if status:
                checked(status)
        return run

    @property
    def inputs(self) -> dict[str, tuple[int, ...]]:
        """Name and shape of every array the function reads."""
        return {name: shape for name, (shape, _) in self._leaves.items()}

    @property
    def bytes(self) -> int:
        """Memory of the evaluation."""
        return lib.dyn_plan_bytes(self._plan)

    def text(self) -> str:
        """The steps of the plan."""
        return printed(self._plan._context, lib.dyn_plan_print, self._plan)

    def bind(self, name: str, array: NDArray[Any]) -> None:
        """Read input `name` from this array at every following run: no copy, so it must fit in type, shape, order."""
        if name not in self._leaves:
            raise invalid(f"the function reads no input {name!r}, but {', '.join(self._leaves) or 'nothing'}")
        shape, dtype = self._leaves[name]
        _fits(f"input {name!r}", array, shape, dtype)
        self._exec._check(lib.dyn_exec_bind(self._exec, name.encode(), pointer(array)))
        self._arrays[name] = array

    def bind_output(self, i: int, array: NDArray[Any]) -> None:
        """Write output i to this array at every following run."""
        _fits(f"output {i}", array, self._output_shapes[i], self._dtype)
        self._exec._check(lib.dyn_exec_bind_output(self._exec, i, pointer(array)))
        self._arrays[i] = array

    def __call__(self, **inputs: ArrayLike) -> Any:
        """Run once. Inputs by name, converted where needed; those bound before may be left out.

        Returns one array, or a list where there are several outputs."""
        for name, value in inputs.items():
            dtype = self._leaves[name][1] if name in self._leaves else None
            self.bind(name, np.asarray(value, dtype=dtype, order="C"))
        results = [np.empty(shape, self._dtype) for shape in self._output_shapes]
        for i, array in enumerate(results):
            self.bind_output(i, array)
        self.run()
        return results[0] if len(results) == 1 else results


def _fits(what: str, array: NDArray[Any], shape: tuple[int, ...], dtype: np.dtype) -> None:
    if array.shape != shape:
        raise shapes_differ(f"{what} has shape {list(array.shape)}, expected {list(shape)}")
    if array.dtype != dtype or not array.flags.c_contiguous:
        raise invalid(f"{what} must be a contiguous array of {dtype.name}, not {array.dtype.name}")
