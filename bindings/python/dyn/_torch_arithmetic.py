# SPDX-License-Identifier: BSD-3-Clause
"""PyTorch's arithmetic, reductions and shapes on Values: a table of functions by the names of ATen, whose arguments are
ATen's."""
from __future__ import annotations

import math
from typing import Any, Callable, Sequence, TypeVar

from . import graph as G
from . import layers as L
from ._torch_value import Value, aligned, along, elementwise, graph_of, is_tensor, number_of, value_of
from .errors import invalid
from .graph import Node

F = TypeVar("F", bound=Callable[..., Any])
OPERATIONS: dict[str, Callable[..., Any]] = {}


def operation(*names: str) -> Callable[[F], F]:
    """Enter a function in the table under these names."""
    def enter(function: F) -> F:
        for name in names:
            OPERATIONS[name] = function
        return function
    return enter


# ---- one operand ----

def _unary(function: Callable[[Node], Node]) -> Callable[..., Value]:
    return lambda x, **_: elementwise(function, x)


def _named(name: Any) -> Callable[..., Value]:
    return _unary(lambda x: G.activation(name, x))


OPERATIONS.update({
    "relu": _unary(G.relu), "tanh": _unary(G.tanh), "sigmoid": _unary(G.sigmoid), "exp": _unary(G.exp), "log": _unary(G.log),
    "expm1": _unary(G.expm1), "log1p": _unary(G.log1p), "sqrt": _unary(G.sqrt), "sin": _unary(G.sin), "cos": _unary(G.cos),
    "erf": _unary(G.erf), "abs": _unary(G.abs), "neg": _unary(lambda x: -x), "silu": _named("silu"),
    "square": _unary(lambda x: x**2), "rsqrt": _unary(lambda x: 1 / G.sqrt(x)), "reciprocal": _unary(lambda x: 1 / x),
    "sign": _unary(lambda x: (x > 0) - (x < 0)), "detach": _unary(G.stop_gradient), "logical_not": _unary(lambda x: x.equal(0)),
    "mish": _unary(lambda x: x * G.tanh(G.softplus(x))), "softsign": _unary(lambda x: x / (1 + G.abs(x))),
    "log_sigmoid": _unary(lambda x: -G.softplus(-x)), "relu6": _unary(lambda x: _clamped(x, 0, 6)),
    "sinh": _unary(lambda x: (G.expm1(x) - G.expm1(-x)) / 2), "cosh": _unary(lambda x: (G.exp(x) + G.exp(-x)) / 2),
    "tan": _unary(lambda x: G.sin(x) / G.cos(x)), "erfc": _unary(lambda x: 1 - G.erf(x)),
    "exp2": _unary(lambda x: G.exp(math.log(2) * x)), "log2": _unary(lambda x: G.log(x) / math.log(2)),
    "log10": _unary(lambda x: G.log(x) / math.log(10)), "atanh": _unary(lambda x: (G.log1p(x) - G.log1p(-x)) / 2)})


@operation("clone", "contiguous", "alias", "lift_fresh_copy", "lift_fresh", "detach_copy")
def same(x: Value, **_: Any) -> Value:
    """The tensor itself: memory is the library's."""
    return x


@operation("to", "_to_copy", "type_as")
def to(x: Value, *arguments: Any, **named: Any) -> Value:
    """The tensor itself; numbers do not become integers."""
    import torch
    kinds = [a for a in (*arguments, *named.values()) if isinstance(a, torch.dtype)]
    if any(not k.is_floating_point and k is not torch.bool for k in kinds):
        raise invalid(f"a tensor that depends on the input as {kinds[0]}: the graph has real numbers only")
    return elementwise(lambda v: 1 - v.equal(0), x) if torch.bool in kinds else x


@operation("gelu")
def gelu(x: Value, *, approximate: str = "none") -> Value:
    """By erf, or by tanh."""
    return elementwise(lambda v: G.activation("gelu" if approximate == "none" else "gelu_tanh", v), x)


@operation("leaky_relu")
def leaky_relu(x: Value, slope: float = 0.01) -> Value:
    """max(x, 0) + slope min(x, 0)."""
    return elementwise(lambda v: G.relu(v) - slope * G.relu(-v), x)


@operation("prelu")
def prelu(x: Value, weight: Value) -> Value:
    """leaky_relu with a slope for each channel, or for all."""
    shape = (1, -1, *(1,) * (x.rank - 2)) if x.rank > 1 else (-1,)
    return elementwise(lambda v, a: G.relu(v) - a * G.relu(-v), x, Value(weight.plain.reshape(*shape)))


@operation("elu")
def elu(x: Value, alpha: float = 1.0, scale: float = 1.0, input_scale: float = 1.0) -> Value:
    """scale x above 0, scale alpha (e^(input_scale x) - 1) below."""
    return elementwise(lambda v: scale * (G.relu(v) + alpha * G.expm1(-input_scale * G.relu(-v))), x)


@operation("selu")
def selu(x: Value) -> Value:
    """elu with the two constants of self-normalising networks."""
    return elu(x, 1.6732632423543772848170429916717, 1.0507009873554804934193349852946)


@operation("softplus")
def softplus(x: Value, beta: float = 1.0, threshold: float = 20.0) -> Value:
    """log(1 + e^(beta x)) / beta, and x above the threshold."""
    return elementwise(lambda v: G.where(v * beta > threshold, v, G.softplus(v * beta) / beta), x)


def _clamped(x: Node, low: Any, high: Any) -> Node:
    x = x if low is None else G.maximum(x, low)
    return x if high is None else -G.maximum(-x, -high)


@operation("clamp", "hardtanh")
def clamp(x: Value, min: Any = None, max: Any = None) -> Value:
    """Between two bounds, either of which may be missing."""
    return elementwise(lambda v: _clamped(v, number_of(min), number_of(max)), x)


OPERATIONS["clamp_min"] = lambda x, min: clamp(x, min)
OPERATIONS["clamp_max"] = lambda x, max: clamp(x, None, max)


@operation("hardsigmoid")
def hardsigmoid(x: Value) -> Value:
    """relu6(x + 3) / 6."""
    return elementwise(lambda v: _clamped(v + 3, 0, 6) / 6, x)


@operation("hardswish")
def hardswish(x: Value) -> Value:
    """x relu6(x + 3) / 6."""
    return elementwise(lambda v: v * _clamped(v + 3, 0, 6) / 6, x)


# ---- two operands and more ----

@operation("add")
def add(a: Any, b: Any, *, alpha: float = 1) -> Value:
    """a + alpha b."""
    return elementwise(lambda x, y: x + (y if alpha == 1 else alpha * y), a, b)


@operation("sub")
def sub(a: Any, b: Any, *, alpha: float = 1) -> Value:
    """a - alpha b."""
    return elementwise(lambda x, y: x - (y if alpha == 1 else alpha * y), a, b)


@operation("rsub")
def rsub(a: Any, b: Any, alpha: float = 1) -> Value:
    """b - alpha a."""
    return sub(b, a, alpha=alpha)


@operation("mul", "logical_and", "bitwise_and")
def mul(a: Any, b: Any) -> Value:
    """a b, which for masks is "and"."""
    return elementwise(lambda x, y: x * y, a, b)


@operation("div", "true_divide")
def div(a: Any, b: Any, *, rounding_mode: str | None = None) -> Value:
    """a / b."""
    if rounding_mode is not None:
        raise invalid(f"a division that rounds ({rounding_mode}) has no derivative")
    return elementwise(lambda x, y: x / y, a, b)


@operation("pow")
def power(x: Any, exponent: Any) -> Value:
    """x to a number, or a number to x."""
    if not isinstance(exponent, Value):
        return elementwise(lambda v: v**number_of(exponent), x)
    return elementwise(lambda a, e: G.exp(e * (math.log(a) if isinstance(a, (int, float)) else G.log(a))), x, exponent)


def _flipped(a: Any, b: Any, function: Callable[[Any, Any], Node], other: Callable[[Any, Any], Node]) -> Value:
    """function(a, b), where it is made by the node among them: other(b, a) is the same."""
    return elementwise(lambda x, y: function(x, y) if isinstance(x, Node) else other(y, x), a, b)


OPERATIONS.update({
    "maximum": lambda a, b: elementwise(G.maximum, a, b),
    "minimum": lambda a, b: elementwise(lambda x, y: -G.maximum(-x, -y), a, b),
    "eq": lambda a, b: _flipped(a, b, lambda x, y: x.equal(y), lambda x, y: x.equal(y)),
    "ne": lambda a, b: _flipped(a, b, lambda x, y: 1 - x.equal(y), lambda x, y: 1 - x.equal(y)),
    "gt": lambda a, b: _flipped(a, b, lambda x, y: x > y, lambda x, y: x < y),
    "ge": lambda a, b: _flipped(a, b, lambda x, y: x >= y, lambda x, y: x <= y),
    "lt": lambda a, b: _flipped(a, b, lambda x, y: x < y, lambda x, y: x > y),
    "le": lambda a, b: _flipped(a, b, lambda x, y: x <= y, lambda x, y: x >= y),
    "logical_or": lambda a, b: elementwise(G.maximum, a, b)})


@operation("where")
def where(condition: Any, a: Any, b: Any) -> Value:
    """a where the condition holds, else b."""
    g = graph_of([condition, a, b])
    return elementwise(G.where, value_of(condition, g, "a condition"), a, b)


@operation("masked_fill")
def masked_fill(x: Any, mask: Any, value: Any) -> Value:
    """x with this number where the mask holds."""
    return where(mask, value, x)


# ---- products ----

def _matrix(x: Value) -> tuple[Node, bool]:
    """A node of the matrices, and whether they stand there transposed."""
    r = x.rank
    if x.order == (*range(r - 2), r - 1, r - 2):
        return x.node, True
    return x.plain, False


@operation("matmul", "mm", "bmm", "mv", "dot")
def matmul(a: Any, b: Any) -> Value:
    """Matrix product of the last two axes; a vector is a row on the left, a column on the right."""
    g = graph_of([a, b])
    a, b = value_of(a, g, "a factor"), value_of(b, g, "a factor")
    left = a if a.rank > 1 else Value(a.node.reshape(1, -1))
    right = b if b.rank > 1 else Value(b.node.reshape(-1, 1))
    (x, tx), (y, ty) = _matrix(left), _matrix(right)
    product = x.matmul(y, tx, ty)
    shape = product.shape
    if a.rank == 1:
        shape = (*shape[:-2], shape[-1])
    if b.rank == 1:
        shape = shape[:-1]
    return Value(product if shape == product.shape else product.reshape(*shape))


@operation("linear")
def linear(x: Value, w: Any, bias: Any = None) -> Value:
    """x w^T + bias."""
    y = matmul(x, value_of(w, x.node.graph, "weight").permute((1, 0)))
    return y if bias is None else add(y, bias)


@operation("addmm", "baddbmm")
def addmm(bias: Any, a: Any, b: Any, *, beta: float = 1, alpha: float = 1) -> Value:
    """beta bias + alpha a b."""
    product = matmul(a, b)
    return add(product if alpha == 1 else mul(product, alpha), bias, alpha=beta)


# ---- shapes ----

@operation("view", "reshape", "_unsafe_view", "view_as", "reshape_as")
def view(x: Value, shape: Any) -> Value:
    """The same elements under another shape."""
    return Value(x.plain.reshape(*(shape.shape if isinstance(shape, Value) else map(int, shape))))


@operation("flatten")
def flatten(x: Value, start: int = 0, end: int = -1) -> Value:
    """Axes start to end as one."""
    s, a, b = x.shape, x.axis(start), x.axis(end)
    return view(x, (*s[:a], math.prod(s[a:b + 1]), *s[b + 1:]))


@operation("unflatten")
def unflatten(x: Value, axis: int, sizes: Sequence[int]) -> Value:
    """One axis as several."""
    s, a, known = x.shape, x.axis(axis), [int(n) for n in sizes]
    if -1 in known:
        known[known.index(-1)] = s[a] // -math.prod(known)
    return view(x, (*s[:a], *known, *s[a + 1:]))


@operation("permute")
def permute(x: Value, axes: Sequence[int]) -> Value:
    """Axis i from axis axes[i]."""
    return x.permute([x.axis(i) for i in axes])


@operation("transpose", "swapaxes", "swapdims")
def transpose(x: Value, a: int, b: int) -> Value:
    """Two axes exchanged."""
    axes = list(range(x.rank))
    a, b = x.axis(a), x.axis(b)
    axes[a], axes[b] = b, a
    return x.permute(axes)


OPERATIONS["t"] = lambda x: transpose(x, 0, 1) if x.rank == 2 else x
OPERATIONS["numpy_T"] = lambda x: x.permute(range(x.rank)[::-1])
OPERATIONS["mT"] = lambda x: transpose(x, -1, -2)


@operation("movedim")
def movedim(x: Value, source: Any, target: Any) -> Value:
    """Axes moved to other places, the others in their order."""
    listed = [[x.axis(i) for i in ([v] if isinstance(v, int) else v)] for v in (source, target)]
    axes = [i for i in range(x.rank) if i not in listed[0]]
    for to_place, axis in sorted(zip(listed[1], listed[0])):
        axes.insert(to_place, axis)
    return x.permute(axes)


@operation("unsqueeze")
def unsqueeze(x: Value, axis: int) -> Value:
    """A new axis of size 1."""
    shape = list(x.shape)
    shape.insert(axis % (x.rank + 1), 1)
    return view(x, shape)


@operation("squeeze")
def squeeze(x: Value, axis: Any = None) -> Value:
    """Without axes of size 1: without all of them, or without these."""
    axes = range(x.rank) if axis is None else [x.axis(i) for i in ([axis] if isinstance(axis, int) else axis)]
    return view(x, [n for i, n in enumerate(x.shape) if n != 1 or i not in axes])


@operation("expand", "expand_as", "broadcast_to")
def expand(x: Value, shape: Any, *, implicit: bool = False) -> Value:
    """Axes of size 1 repeated, new ones in front."""
    wanted = list(shape.shape) if isinstance(shape, Value) else [int(n) for n in shape]
    own = [1] * (len(wanted) - x.rank) + list(x.shape)
    return Value(x.plain.broadcast_to([o if n == -1 else n for n, o in zip(wanted, own)]))


@operation("repeat")
def repeat(x: Value, counts: Sequence[int]) -> Value:
    """Copies one after the other along each axis."""
    sizes = [1] * (len(counts) - x.rank) + list(x.shape)
    spread = [m for c, n in zip(counts, sizes) for m in (int(c), n)]
    once = x.plain.reshape(*(m for n in sizes for m in (1, n))).broadcast_to(spread)
    return Value(once.reshape(*(int(c) * n for c, n in zip(counts, sizes))))


def _part(x: Value, axis: int, start: int, stop: int) -> Value:
    """Places start to stop along an axis; the order stays."""
    place = x.order.index(axis)
    return Value(x.node[(*(slice(None),) * place, slice(start, stop))], x.order)


@operation("slice")
def sliced(x: Value, axis: int = 0, start: int | None = None, end: int | None = None, step: int = 1) -> Value:
    """Every step-th place from start to end along an axis."""
    axis = x.axis(axis)
    start, end, _ = slice(start, end).indices(x.shape[axis])
    if step == 1:
        return _part(x, axis, start, end)
    return cat([_part(x, axis, i, i + 1) for i in range(start, end, step)], axis)


OPERATIONS["narrow"] = lambda x, axis, start, length: sliced(x, axis, start, start + length)


@operation("select")
def select(x: Value, axis: int, index: int) -> Value:
    """One place along an axis, which disappears."""
    axis = x.axis(axis)
    index %= x.shape[axis]
    place = x.order.index(axis)
    node = x.node[(*(slice(None),) * place, index)]
    return Value(node, tuple(i - (i > axis) for i in x.order if i != axis))


@operation("index_select")
def index_select(x: Value, axis: int, indices: Any) -> Value:
    """Places along an axis by a constant list."""
    if not is_tensor(indices) and not isinstance(indices, list):
        raise invalid("index_select by places that depend on the input")
    return cat([sliced(x, axis, int(i), int(i) + 1) for i in indices], axis)


@operation("index")
def index(x: Value, places: Sequence[Any]) -> Value:
    """x[.., list, ..] by constant places along one axis."""
    given = [(axis, p) for axis, p in enumerate(places) if p is not None]
    if len(given) != 1 or not is_tensor(given[0][1]) or given[0][1].ndim != 1:
        raise invalid("an index of several lists, or of places that depend on the input")
    axis, listed = given[0]
    listed = listed.nonzero().ravel() if str(listed.dtype) == "torch.bool" else listed
    return index_select(x, axis, [int(i) % x.shape[axis] for i in listed])


@operation("flip")
def flip(x: Value, axes: Sequence[int]) -> Value:
    """Axes backwards."""
    for axis in axes:
        axis = x.axis(axis)
        x = cat([_part(x, axis, i, i + 1) for i in range(x.shape[axis])[::-1]], axis)
    return x


@operation("cat", "concat")
def cat(values: Sequence[Any], axis: int = 0) -> Value:
    """One after the other along an axis."""
    nodes, order = aligned(values)
    return Value(G.concatenate(nodes, order.index(axis % len(order))), order)


@operation("stack")
def stack(values: Sequence[Any], axis: int = 0) -> Value:
    """Along a new axis."""
    g = graph_of(values)
    return cat([unsqueeze(value_of(v, g, "stack"), axis) for v in values], axis % (value_of(values[0], g, "stack").rank + 1))


@operation("split", "split_with_sizes")
def split(x: Value, sizes: Any, axis: int = 0) -> list[Value]:
    """Parts along an axis: of this size, or of these sizes."""
    axis = x.axis(axis)
    n = x.shape[axis]
    each = [min(sizes, n - i) for i in range(0, n, sizes)] if isinstance(sizes, int) else [int(s) for s in sizes]
    starts = [sum(each[:i]) for i in range(len(each))]
    return [_part(x, axis, a, a + m) for a, m in zip(starts, each)]


@operation("chunk")
def chunk(x: Value, count: int, axis: int = 0) -> list[Value]:
    """Parts of one size, the last of which may be smaller."""
    return split(x, -(-x.shape[x.axis(axis)] // count), axis)


@operation("unbind")
def unbind(x: Value, axis: int = 0) -> list[Value]:
    """The places along an axis."""
    return [select(x, axis, i) for i in range(x.shape[x.axis(axis)])]


def _filled(x: Value, shape: Sequence[int], value: float) -> Any:
    import torch
    return torch.full(tuple(int(n) for n in shape), value, dtype=torch.float64)


OPERATIONS.update({
    "zeros_like": lambda x, **_: _filled(x, x.shape, 0.0), "ones_like": lambda x, **_: _filled(x, x.shape, 1.0),
    "full_like": lambda x, value, **_: _filled(x, x.shape, value), "new_zeros": lambda x, shape, **_: _filled(x, shape, 0.0),
    "new_ones": lambda x, shape, **_: _filled(x, shape, 1.0),
    "new_full": lambda x, shape, value, **_: _filled(x, shape, value)})


@operation("sym_size")
def size(x: Value, axis: int) -> int:
    """Length of an axis."""
    return x.shape[axis]


# ---- reductions ----

def _axes(x: Value, axis: Any) -> list[int]:
    if axis is None or axis == []:
        return list(range(x.rank))
    return [x.axis(i) for i in ([axis] if isinstance(axis, int) else axis)]


def _kept(node: Node, x: Value, axes: Sequence[int], keepdim: bool) -> Value:
    """What a reduction over axes of x gave, in the order of the others, with axes of size 1 where wanted."""
    left = [i for i in x.order if i not in axes]
    rank = sorted(left)
    made = Value(node, tuple(rank.index(i) for i in left))
    return view(made, [1 if i in axes else n for i, n in enumerate(x.shape)]) if keepdim else made


def _reduction(reduce: Callable[[Node, list[int]], Node]) -> Callable[..., Value]:
    def function(x: Value, axis: Any = None, keepdim: bool = False, *, dtype: Any = None) -> Value:
        axes = _axes(x, axis)
        return _kept(reduce(x.node, [x.order.index(i) for i in axes]), x, axes, keepdim)
    return function


OPERATIONS.update({
    "sum": _reduction(lambda v, axes: v.sum(axes)), "mean": _reduction(lambda v, axes: v.mean(axes)),
    "amax": _reduction(lambda v, axes: v.max(axes)), "amin": _reduction(lambda v, axes: -(-v).max(axes))})


@operation("max", "min")
def largest(x: Value, axis: Any = None, keepdim: bool = False) -> Any:
    """The largest of all; or along an axis, with places that nobody may ask for. Of two tensors, the larger."""
    if isinstance(axis, Value):
        return OPERATIONS["maximum"](x, axis)
    values = OPERATIONS["amax"](x, axis, keepdim)
    return values if axis is None else [values, None]


OPERATIONS["min"] = lambda x, *rest: _negative(largest(OPERATIONS["neg"](x), *rest))


def _negative(result: Any) -> Any:
    return [OPERATIONS["neg"](result[0]), None] if isinstance(result, list) else OPERATIONS["neg"](result)


@operation("var", "std")
def variance(x: Value, axis: Any = None, unbiased: bool = True, keepdim: bool = False, *,
             correction: float | None = None) -> Value:
    """Mean square deviation; divided by count - correction."""
    if isinstance(axis, bool):
        axis, unbiased = None, axis
    axes = _axes(x, axis)
    count = math.prod(x.shape[i] for i in axes)
    less = correction if correction is not None else float(unbiased)
    deviation = sub(x, OPERATIONS["mean"](x, axes, True))
    return mul(OPERATIONS["mean"](mul(deviation, deviation), axes, keepdim), count / (count - less))


OPERATIONS["std"] = lambda *a, **k: elementwise(G.sqrt, variance(*a, **k))


@operation("linalg_vector_norm", "norm")
def norm(x: Value, ord: Any = 2, axis: Any = None, keepdim: bool = False, *, dtype: Any = None) -> Value:
    """Euclidean norm."""
    if ord not in (2, None):
        raise invalid(f"norm of order {ord}: the Euclidean one is written")
    return elementwise(G.sqrt, OPERATIONS["sum"](mul(x, x), axis, keepdim))


@operation("softmax", "_softmax")
def softmax(x: Value, axis: int, *_: Any, **__: Any) -> Value:
    """Along an axis."""
    return along(L.softmax, x, axis)


@operation("log_softmax", "_log_softmax")
def log_softmax(x: Value, axis: int, *_: Any, **__: Any) -> Value:
    """Along an axis."""
    return along(L.log_softmax, x, axis)


@operation("cumsum")
def cumsum(x: Value, axis: int, *, dtype: Any = None) -> Value:
    """Running sums along an axis, as a product with a triangle of ones."""
    import numpy as np
    return along(lambda v: v @ np.triu(np.ones((v.shape[-1],) * 2)), x, axis)


@operation("cumprod")
def cumprod(x: Value, axis: int, *, dtype: Any = None) -> Value:
    """Running products along an axis, place by place."""
    parts = [_part(x, x.axis(axis), i, i + 1) for i in range(x.shape[x.axis(axis)])]
    for i in range(1, len(parts)):
        parts[i] = mul(parts[i - 1], parts[i])
    return cat(parts, axis)


@operation("prod")
def prod(x: Value, axis: int | None = None, keepdim: bool = False, *, dtype: Any = None) -> Value:
    """The product along an axis, or of all."""
    if axis is None:
        x, axis = view(x, (-1,)), 0
    whole = sliced(cumprod(x, axis), axis, -1)
    return whole if keepdim else squeeze(whole, axis)


@operation("logsumexp")
def logsumexp(x: Value, axis: Any, keepdim: bool = False) -> Value:
    """Over one axis."""
    axes = _axes(x, axis)
    if len(axes) != 1:
        raise invalid(f"logsumexp over {len(axes)} axes at once")
    order = (*(i for i in x.order if i not in axes), *axes)
    return _kept(G.logsumexp(x.laid(order)), Value(x.laid(order), order), axes, keepdim)
