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
from typing import Any, Callable, Iterable, Literal, NamedTuple, Sequence, Union

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ._arrays import DTYPES, array, dtype_code, element_code, ints, pointer
from ._lib import Handle, call, check, enum, integer, lib, make, number, structs, text, turn
from .context import Context, current
from .errors import class_of, invalid, shapes_differ

MAX_RANK = 8
Operand = Union["Node", float, ArrayLike]
Activation = Literal["identity", "tanh", "relu", "leaky_relu", "sigmoid", "gelu", "gelu_tanh", "silu", "softplus", "elu",
                     "sin", "x_tanh", "x2_tanh", "square", "cube", "erf"]
Dtype = Literal["float64", "float32"]


class NodeInfo(ctypes.Structure):
    """dyn_node_info."""

    _fields_ = [("operation", ctypes.c_char_p), ("name", ctypes.c_char_p), ("values", ctypes.c_void_p),
                ("number", ctypes.c_double), ("count", ctypes.c_int64), ("attribute", ctypes.c_int64 * MAX_RANK),
                ("shape", ctypes.c_int64 * MAX_RANK), ("rank", ctypes.c_int32), ("dtype", ctypes.c_int32),
                ("operands", ctypes.c_int32), ("operand", ctypes.c_int32 * 3)]


class Graph(Handle):
    """A graph whose numbers are float64 or float32. Nodes are made by its methods and by operators on nodes.

    >>> g = dyn.Graph()
    >>> w = g.input("w", (3,))
    >>> square = (w * w).sum()
    >>> f = g.compile(square, *g.gradient(square, [w]))
    >>> value, gradient = f(w=[1, 2, 3])
    >>> float(value), gradient
    (14.0, array([2., 4., 6.]))
    """

    _kind = "graph"
    _unshared = "it grows with every node; write its function again"

    def __init__(self, dtype: Dtype = "float64") -> None:
        context = current()
        super().__init__(context, make(context, lib.dyn_graph_create, context, dtype_code(dtype)))
        self.dtype = np.dtype(dtype)
        self._leaves: dict[str, np.dtype[Any]] = {}

    @classmethod
    def _borrow(cls, context: Context, address: int) -> Graph:
        """A graph that C owns, in the callback that builds a model."""
        g = cls.__new__(cls)
        g._as_parameter_ = ctypes.c_void_p(address)
        g._context = context
        g.dtype = list(DTYPES.values())[lib.dyn_graph_dtype(g)]
        g._leaves = {}
        return g

    def _node(self, function: Callable[..., int] | int, *arguments: Any) -> Node:
        """The node that a function of C on this graph makes, or has made already."""
        made = call(self._context, function, self, *arguments) if callable(function) else check(function, self._context)
        return Node(self, made)

    def _leaf(self, function: Callable[..., int], name: str, shape: Sequence[int], dtype: np.dtype[Any]) -> Node:
        node = self._node(function, text(name, "the name"), len(shape), ints(shape))
        self._leaves[name] = dtype
        return node

    def find(self, name: str) -> Node:
        """The parameter or input of that name; in the function of a loss, x.graph.find("W1") is the tensor of a model.

        >>> def ridge(net, x, y):
        ...     return {"fit": (net(x) - y)[:, 0]**2, "ridge": 0.1 * (x.graph.find("W1")**2).sum()}
        >>> dyn.Objective(ridge, dyn.mlp([1, 1], bias=False), x=[[1.0]], y=[[0.0]]).term_values([2.0])
        {'fit': 4.0, 'ridge': 0.4}
        """
        return self._node(lib.dyn_graph_find(self, text(name, "the name")))

    def parameter(self, name: str, shape: Sequence[int]) -> Node:
        """A trainable tensor. Parameters form theta in the order they are made."""
        return self._leaf(lib.dyn_graph_parameter, name, shape, self.dtype)

    def input(self, name: str, shape: Sequence[int]) -> Node:
        """A tensor given at each run."""
        return self._leaf(lib.dyn_graph_input, name, shape, self.dtype)

    def indices(self, name: str, shape: Sequence[int]) -> Node:
        """A tensor of int64 indices given at each run, for gather and scatter_add."""
        return self._leaf(lib.dyn_graph_indices, name, shape, DTYPES["i64"])

    def constant(self, value: ArrayLike, shape: Sequence[int] | None = None) -> Node:
        """An array as a tensor that needs not be given at each run; or, with a shape, a number for all elements."""
        a = array(value, "the constant")
        if a.ndim == 0:
            sizes = shape or ()
            return self._node(lib.dyn_graph_constant, float(a), len(sizes), ints(sizes))
        if shape is not None and tuple(shape) != a.shape:
            raise shapes_differ(f"the constant has shape {list(a.shape)}, expected {list(shape)}")
        values = np.ascontiguousarray(a, np.float64)
        return self._node(lib.dyn_graph_constant_array, a.ndim, ints(a.shape), pointer(values))

    def __len__(self) -> int:
        return int(lib.dyn_graph_size(self))

    def is_index(self, node: Node) -> bool:
        """Whether a node holds integers."""
        info = NodeInfo()
        self._call(lib.dyn_graph_inspect, node.id, ctypes.byref(info))
        return bool(info.dtype == enum("dtype", "i64"))

    def _transform(self, function: Callable[..., int], count: int, *arguments: Any) -> list[Node]:
        out = (ctypes.c_int32 * count)()
        self._call(function, *arguments, out)
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

    def compile(self, *outputs: Node, threads: int | None = None, arena_limit: int | None = None) -> Function:
        """A function of the graph's leaves by their names. threads: 1 = the calling thread only; None: the context's where
        the work is worth it. arena_limit: bytes its memory may take; None: no limit."""
        return Function(self, outputs, threads, arena_limit)

    def text(self, *outputs: Node, dot: bool = False) -> str:
        """The nodes that the outputs need, as text or in the DOT language."""
        return printed(self._context, lib.dyn_graph_print, self, int(dot), *_counted(outputs))

    def __repr__(self) -> str:
        leaves = ", ".join(self._leaves) or "no inputs"
        return f"<dyn.Graph {self.dtype.name}, {len(self)} nodes: {leaves}>"


def printed(context: Context, function: Callable[..., int], *arguments: Any) -> str:
    """Text of a function that works as snprintf does."""
    length = call(context, function, *arguments, None, 0)
    buffer = ctypes.create_string_buffer(length + 1)
    function(*arguments, buffer, length + 1)
    return buffer.value.decode()


def _ids(nodes: Iterable[Node]) -> Any:
    return ints([_a_node(node).id for node in nodes], ctypes.c_int32)


def _a_node(x: Any) -> Node:
    if not isinstance(x, Node):
        raise TypeError(f"a dyn.Node expected, not {class_of(x)}")
    return x


def _counted(nodes: Sequence[Node]) -> tuple[int, Any]:
    return len(nodes), _ids(nodes)


def _same_length(what: str, given: Sequence[Node], expected: Sequence[Node]) -> None:
    if len(given) != len(expected):
        raise shapes_differ(f"{len(given)} {what} for {len(expected)} nodes")


class Node:
    """A tensor of a graph. + - * / @ ** and comparisons work as in NumPy, with broadcasting; so does [slices].

    >>> g = dyn.Graph()
    >>> x = g.input("x", (2, 3))
    >>> x.T.shape, x[0].shape, (x * 2 + 1).sum(axis=1).shape
    ((3, 2), (3,), (2,))
    """

    __slots__ = ("graph", "id")
    __array_ufunc__ = None      # a NumPy array on the left leaves the operation to the node

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
        return self.graph._node(function, self.id, *arguments)

    def _other(self, other: Operand) -> Node:
        if not isinstance(other, Node):
            return self.graph.constant(other)
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

    def __matmul__(self, other: Node | ArrayLike) -> Node:
        return self.matmul(other)

    def __rmatmul__(self, other: ArrayLike) -> Node:
        return self._other(other).matmul(self)

    def __neg__(self) -> Node:
        return self._op(lib.dyn_graph_neg)

    def __pow__(self, exponent: float) -> Node:
        """Integer exponents work for negative bases too; others give NaN there."""
        exponent = number(exponent, "the exponent")
        if exponent.is_integer():
            return self._op(lib.dyn_graph_powi, int(exponent))
        return self._op(lib.dyn_graph_pow, float(exponent))

    def __rpow__(self, base: float) -> Node:
        """base ** node, for a positive number."""
        base = number(base, "the base")
        if not base > 0:
            raise invalid(f"{base:g} ** node: the base must be positive")
        return exp(self * math.log(base))

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

    def matmul(self, other: Node | ArrayLike, transpose: bool = False, transpose_other: bool = False) -> Node:
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
    if isinstance(key, (bool, np.bool_)) or not isinstance(key, (int, np.integer)):
        raise invalid(f"{key!r} is no index of a tensor: slices and integers are")
    if not -size <= key < size:
        raise IndexError(f"index {key} of an axis of size {size}")
    return int(key) % size, 1


# ---- functions of nodes ----

def _operand(x: Any, function: str) -> Node:
    if not isinstance(x, Node):
        hint = f": take numpy.{function}" if hasattr(np, function) else ""
        raise TypeError(f"dyn.{function} works on a dyn.Node of a graph, not on {class_of(x)}{hint}")
    return x


EXAMPLE = """{doc}

    >>> g = dyn.Graph()
    >>> x = g.input("x", (3,))
    >>> g.compile(dyn.{name}(x))(x=[-1, 0.5, 2]).round(3).tolist()
    {values}
    """


def _unary(name: str, doc: str, values: str, c_name: str = "") -> Callable[[Node], Node]:
    """A function of a node; values: what it makes of -1, 0.5 and 2, to three digits."""
    def function(x: Node) -> Node:
        return _operand(x, name)._op(getattr(lib, "dyn_graph_" + (c_name or name)))
    function.__name__ = function.__qualname__ = name
    function.__doc__ = EXAMPLE.format(doc=doc, name=name, values=values)
    return function


exp = _unary("exp", "e^x.", "[0.368, 1.649, 7.389]")
expm1 = _unary("expm1", "e^x - 1, accurate near 0.", "[-0.632, 0.649, 6.389]")
log = _unary("log", "Natural logarithm.", "[nan, -0.693, 0.693]")
log1p = _unary("log1p", "log(1 + x), accurate near 0.", "[-inf, 0.405, 1.099]")
tanh = _unary("tanh", "Hyperbolic tangent.", "[-0.762, 0.462, 0.964]")
erf = _unary("erf", "Error function.", "[-0.843, 0.52, 0.995]")
sin = _unary("sin", "Sine, radians.", "[-0.841, 0.479, 0.909]")
cos = _unary("cos", "Cosine, radians.", "[0.54, 0.878, -0.416]")
sqrt = _unary("sqrt", "Square root.", "[nan, 0.707, 1.414]")
relu = _unary("relu", "max(x, 0); derivative 0 at 0.", "[0.0, 0.5, 2.0]")
sigmoid = _unary("sigmoid", "1 / (1 + e^-x).", "[0.269, 0.622, 0.881]")
softplus = _unary("softplus", "log(1 + e^x), accurate for every x.", "[0.313, 0.974, 2.127]")
logsumexp = _unary("logsumexp", "log sum e^x over the last axis, which disappears; safe for large x.", "2.241")
stop_gradient = _unary("stop_gradient", "x, with derivative 0.", "[-1.0, 0.5, 2.0]", "stop")
sign = _unary("sign", "-1, 0 or 1; derivative 0.", "[-1.0, 1.0, 1.0]")
abs = _unary("abs", "Absolute value; derivative 0 at 0.", "[1.0, 0.5, 2.0]")
identity = _unary("identity", "x as a node of its own, which no simplification reaches behind: for f of Graph.ggn.",
                  "[-1.0, 0.5, 2.0]")


def activation(name: Activation, x: Node) -> Node:
    """Activation by name: "tanh", "relu", "gelu", "silu", "x_tanh", ...; see enum dyn_activation.

    >>> g = dyn.Graph()
    >>> x = g.input("x", (3,))
    >>> g.compile(dyn.activation("square", x))(x=[-1, 0, 2])
    array([1., 0., 4.])
    """
    code = enum("activation", name)
    return _operand(x, "activation")._op(lambda g, node: lib.dyn_graph_activation(g, code, node))


def maximum(a: Operand, b: Operand) -> Node:
    """The larger of two, one of them a node; NaN if either is.

    >>> g = dyn.Graph()
    >>> x = g.input("x", (3,))
    >>> g.compile(dyn.maximum(x, 0.5))(x=[-1, 0, 2])
    array([0.5, 0.5, 2. ])
    """
    if not isinstance(a, Node) and isinstance(b, Node):
        a, b = b, a
    return _operand(a, "maximum")._binary(lib.dyn_graph_max, b)


def minimum(a: Operand, b: Operand) -> Node:
    """The smaller of two, one of them a node; NaN if either is. maximum(minimum(x, high), low) keeps x between two.

    >>> g = dyn.Graph()
    >>> x = g.input("x", (3,))
    >>> g.compile(dyn.minimum(x, 0.5))(x=[-1, 0, 2])
    array([-1. ,  0. ,  0.5])
    """
    if not isinstance(a, Node) and isinstance(b, Node):
        a, b = b, a
    return -maximum(-_operand(a, "minimum"), -b if isinstance(b, Node) else np.negative(b))


def where(condition: Node, a: Operand, b: Operand) -> Node:
    """a where condition is not 0, else b.

    Derivatives are those of both branches, one of them times 0: where the branch not taken has an infinite or undefined
    slope, as sqrt at 0, the derivative is NaN. Give that branch an operand it can take:
    where(x < 1, x, sqrt(where(x < 1, 1, x))).

    >>> g = dyn.Graph()
    >>> x = g.input("x", (3,))
    >>> g.compile(dyn.where(x < 1, x, 10.0))(x=[-1, 0, 2])
    array([-1.,  0., 10.])
    """
    condition = _operand(condition, "where")
    return condition._op(lib.dyn_graph_select, condition._other(a).id, condition._other(b).id)


def concatenate(nodes: Sequence[Node], axis: int = 0) -> Node:
    """Nodes one after the other along an axis.

    >>> g = dyn.Graph()
    >>> x = g.input("x", (2,))
    >>> g.compile(dyn.concatenate([x, -x]))(x=[1, 2])
    array([ 1.,  2., -1., -2.])
    """
    first, *others = nodes
    for node in others:
        first = first._op(lib.dyn_graph_concat, first._other(node).id, axis)
    return first


def stack(nodes: Sequence[Node], axis: int = 0) -> Node:
    """Nodes of one shape along a new axis, which is this one of the result; -1 is the last.

    >>> g = dyn.Graph()
    >>> x = g.input("x", (2,))
    >>> g.compile(dyn.stack([x, -x], axis=1))(x=[1, 2])
    array([[ 1., -1.],
           [ 2., -2.]])
    """
    if not nodes:
        raise invalid("stack: no nodes")
    shape = _a_node(nodes[0]).shape
    for node in nodes:
        if _a_node(node).shape != shape:
            raise shapes_differ(f"stack: shapes {list(shape)} and {list(node.shape)}")
    at = integer(axis, "axis")
    if not -len(shape) - 1 <= at <= len(shape):
        raise invalid(f"stack: axis {at} of a result with {len(shape) + 1} axes")
    at %= len(shape) + 1
    return concatenate([node.reshape(*shape[:at], 1, *shape[at:]) for node in nodes], at)


# ---- compiled functions ----

class _Plan(Handle):
    _kind = "plan"


class _Exec(Handle):
    _kind = "exec"


class Step(NamedTuple):
    """A step of a compiled function: what it is, how many instructions it has, seconds, and bytes of memory that it moves
    outside of the cache's buffers.

    >>> dyn.graph.Step("tiles", 2, 1e-6, 4800).bytes
    4800
    """

    text: str
    instructions: int
    seconds: float
    bytes: int


class Function:
    """A compiled graph. Call it with arrays by name, or bind arrays once and call run(), which costs a microsecond more than in C.

    Two results of calls do not share memory. Calls from several threads take turns; what is bound is bound for all.

    >>> g = dyn.Graph()
    >>> x = g.input("x", (2,))
    >>> f = g.compile(x * 3)
    >>> f(x=[1, 2])
    array([3., 6.])
    >>> f.inputs
    {'x': (2,)}
    """

    def __init__(self, graph: Graph, outputs: Sequence[Node], threads: int | None, arena_limit: int | None) -> None:
        context = graph._context
        threads = None if threads is None else integer(threads, "threads", "i32", least=1)
        options = structs["dyn_plan_options"](threads=threads, arena_limit=arena_limit)
        self._plan = _Plan(context, make(context, lib.dyn_plan_compile, graph, *_counted(outputs),
                                         ctypes.byref(options)))
        self._exec = _Exec(context, make(context, lib.dyn_exec_create, self._plan))
        self._dtype = graph.dtype
        self._output_shapes = [node.shape for node in outputs]
        self._context = context
        self._leaves = {name: self._leaf(graph, name) for name in self._names()}
        self._unread = {name: self._leaf(graph, name) for name in graph._leaves if name not in self._leaves}
        self._arrays: dict[Any, NDArray[Any]] = {}

    def _names(self) -> list[str]:
        return [lib.dyn_plan_input_name(self._plan, i).decode() for i in range(lib.dyn_plan_inputs(self._plan))]

    @staticmethod
    def _leaf(graph: Graph, name: str) -> tuple[tuple[int, ...], np.dtype[Any]]:
        node = graph._node(lib.dyn_graph_find, name.encode())
        return node.shape, graph._leaves.get(name, graph.dtype)

    def run(self) -> None:
        """Run with the arrays that are bound."""
        call(self._context, lib.dyn_exec_run, self._exec)

    @property
    def inputs(self) -> dict[str, tuple[int, ...]]:
        """Name and shape of every array the function reads."""
        return {name: shape for name, (shape, _) in self._leaves.items()}

    @property
    def bytes(self) -> int:
        """Memory of the evaluation."""
        return int(lib.dyn_plan_bytes(self._plan))

    def text(self) -> str:
        """The steps of the plan."""
        return printed(self._plan._context, lib.dyn_plan_print, self._plan)

    def profile(self, repeats: int = 5) -> list[Step]:
        """What the steps of the plan cost with the arrays that are bound: the least of so many times.

        >>> g = dyn.Graph()
        >>> x = g.input("x", (100, 3))
        >>> f = g.compile(dyn.tanh(x))
        >>> f.bind("x", np.ones((100, 3)))
        >>> f.bind_output(0, np.empty((100, 3)))
        >>> [(step.bytes, step.seconds > 0) for step in f.profile()]
        [(4800, True)]
        """
        seconds = np.empty(lib.dyn_plan_steps(self._plan))
        self._exec._call(lib.dyn_exec_profile, integer(repeats, "repeats", "i32", least=1), pointer(seconds))
        return [self._step(i, time) for i, time in enumerate(seconds.tolist())]

    def _step(self, i: int, seconds: float) -> Step:
        words, moved = ctypes.create_string_buffer(256), ctypes.c_int64()
        count = call(self._plan._context, lib.dyn_plan_step, self._plan, i, words, len(words), ctypes.byref(moved))
        return Step(words.value.decode(), count, seconds, moved.value)

    def bind(self, name: str, array: NDArray[Any]) -> None:
        """Read input `name` from this array at every following run: no copy, so it must fit in type, shape, order."""
        shape, dtype = self._known(name)
        _fits(f"input {name!r}", array, shape, dtype)
        if name in self._unread:
            return
        self._exec._call(lib.dyn_exec_bind, name.encode(), element_code(dtype), array.size, pointer(array))
        self._arrays[name] = array

    def bind_output(self, i: int, array: NDArray[Any]) -> None:
        """Write output i to this array at every following run."""
        _fits(f"output {i}", array, self._output_shapes[i], self._dtype)
        self._exec._call(lib.dyn_exec_bind_output, i, element_code(self._dtype), array.size, pointer(array))
        self._arrays[i] = array

    def __call__(self, **inputs: ArrayLike) -> Any:
        """Run once. Inputs by name, converted where needed; those bound before may be left out.

        Returns one array, or a list where there are several outputs."""
        given = {name: self._converted(name, value) for name, value in inputs.items()}
        results = [np.empty(shape, self._dtype) for shape in self._output_shapes]
        with turn(self._context):       # what is bound here is what this call runs with
            for name, a in given.items():
                self.bind(name, a)
            for i, a in enumerate(results):
                self.bind_output(i, a)
            self.run()
        return results[0] if len(results) == 1 else results

    def _known(self, name: str) -> tuple[tuple[int, ...], np.dtype[Any]]:
        """Shape and type of a leaf of the graph, also of one that no output depends on any more."""
        leaf = self._leaves.get(name) or self._unread.get(name)
        if leaf is None:
            known = ", ".join([*self._leaves, *self._unread]) or "none"
            raise invalid(f"the graph has no input {name!r}; there are {known}")
        return leaf

    def _converted(self, name: str, value: ArrayLike) -> NDArray[Any]:
        """A value in the type of the leaf."""
        dtype = self._known(name)[1]
        a = array(value, f"input {name!r}")
        if dtype.kind == "i" and (a.dtype.kind not in "iu" and a.size):
            raise invalid(f"input {name!r} has elements of type {a.dtype}, expected indices")
        return np.ascontiguousarray(a, dtype) if a.ndim else a.astype(dtype)

    def __repr__(self) -> str:
        inputs = ", ".join(f"{name} {list(shape)}" for name, shape in self.inputs.items())
        outputs = ", ".join(str(list(shape)) for shape in self._output_shapes)
        return f"<dyn.Function ({inputs}) -> {outputs}, {self._dtype.name}>"

    def __copy__(self) -> Any:
        raise TypeError("a dyn.Function cannot be copied: compile the graph again")

    __deepcopy__ = __reduce__ = __copy__


def _fits(what: str, array: NDArray[Any], shape: tuple[int, ...], dtype: np.dtype[Any]) -> None:
    if array.shape != shape:
        raise shapes_differ(f"{what} has shape {list(array.shape)}, expected {list(shape)}")
    if array.dtype != dtype or not array.flags.c_contiguous:
        raise invalid(f"{what} must be a contiguous array of {dtype.name}, not {array.dtype.name}")
