# SPDX-License-Identifier: BSD-3-Clause
"""JAX's primitives on nodes: a table of functions by their names in a jaxpr, whose operands are nodes or NumPy arrays, at
least one a node, and whose parameters are those of the equation."""
from __future__ import annotations

import math
from typing import Any, Callable, Sequence, TypeVar

import numpy as np

from . import graph as G
from . import layers as L
from .errors import invalid
from .graph import Node

F = TypeVar("F", bound=Callable[..., Any])
PRIMITIVES: dict[str, Callable[..., Any]] = {}


def primitive(*names: str) -> Callable[[F], F]:
    """Enter a function in the table under these names."""
    def enter(function: F) -> F:
        for name in names:
            PRIMITIVES[name] = function
        return function
    return enter


def graph_of(operands: Sequence[Any]) -> Any:
    """The graph of the first node."""
    return next(x.graph for x in operands if isinstance(x, Node))


def as_node(x: Any, g: Any) -> Node:
    """A constant as a node; axes along which it does not change are broadcast, not stored."""
    if isinstance(x, Node):
        return x
    a = np.asarray(x)
    if a.ndim == 0:
        return g.constant(float(a), ())     # type: ignore[no-any-return]
    thin = a[tuple(slice(0, 1) if step == 0 else slice(None) for step in a.strides)]
    if thin.size == 1:
        return g.constant(float(thin.ravel()[0]), a.shape)      # type: ignore[no-any-return]
    node: Node = g.constant(np.asarray(thin, np.float64))
    return node if thin.shape == a.shape else node.broadcast_to(a.shape)


def operands(*values: Any) -> list[Any]:
    """Nodes, and constants of one number as numbers."""
    g = graph_of(values)
    return [float(x) if not isinstance(x, Node) and np.ndim(x) == 0 else as_node(x, g) for x in values]


# ---- elementwise ----

def _elementwise(function: Callable[..., Node]) -> Callable[..., Node]:
    def rule(*values: Any, **_: Any) -> Node:
        made = function(*operands(*values))
        shape = np.broadcast_shapes(*(v.shape if isinstance(v, Node) else np.shape(v) for v in values))
        return made if made.shape == shape else made.broadcast_to(shape)
    return rule


def _either(function: Callable[[Any, Any], Node], turned: Callable[[Any, Any], Node]) -> Callable[..., Node]:
    """function(a, b), where b is a number and a node; turned(b, a) is the same where a is the number."""
    return _elementwise(lambda a, b: function(a, b) if isinstance(a, Node) else turned(b, a))


def _powered(x: Any, exponent: Any) -> Node:
    if not isinstance(exponent, Node):
        return x**exponent      # type: ignore[no-any-return]
    return G.exp(exponent * (math.log(x) if isinstance(x, float) else G.log(x)))


def _selected(condition: Any, *cases: Any, **_: Any) -> Node:
    if len(cases) != 2:
        raise invalid(f"select_n among {len(cases)}: two are written")
    g = graph_of([condition, *cases])
    return G.where(as_node(condition, g), *operands_of(g, cases[1], cases[0]))


def operands_of(g: Any, *values: Any) -> list[Node]:
    return [as_node(v, g) for v in values]


PRIMITIVES.update({name: _elementwise(getattr(G, name)) for name in
                   ("exp", "expm1", "log", "log1p", "tanh", "erf", "sin", "cos", "sqrt", "sign", "abs", "stop_gradient")})
PRIMITIVES.update({
    "neg": _elementwise(lambda x: -x), "logistic": _elementwise(G.sigmoid), "square": _elementwise(lambda x: x**2),
    "rsqrt": _elementwise(lambda x: 1 / G.sqrt(x)), "exp2": _elementwise(lambda x: G.exp(math.log(2) * x)),
    "tan": _elementwise(lambda x: G.sin(x) / G.cos(x)), "erfc": _elementwise(lambda x: 1 - G.erf(x)),
    "sinh": _elementwise(lambda x: (G.expm1(x) - G.expm1(-x)) / 2), "not": _elementwise(lambda x: 1 - x),
    "cosh": _elementwise(lambda x: (G.exp(x) + G.exp(-x)) / 2),
    "is_finite": _elementwise(lambda x: (x - x).equal(0)), "atanh": _elementwise(lambda x: (G.log1p(x) - G.log1p(-x)) / 2),
    "add": _elementwise(lambda a, b: a + b), "add_any": _elementwise(lambda a, b: a + b),
    "sub": _elementwise(lambda a, b: a - b), "mul": _elementwise(lambda a, b: a * b), "div": _elementwise(lambda a, b: a / b),
    "and": _elementwise(lambda a, b: a * b), "or": _elementwise(G.maximum), "max": _elementwise(G.maximum),
    "min": _elementwise(lambda a, b: -G.maximum(-a, -b)), "pow": _elementwise(_powered),
    "xor": _elementwise(lambda a, b: (a - b)**2),
    "eq": _either(lambda a, b: a.equal(b), lambda a, b: a.equal(b)),
    "ne": _either(lambda a, b: 1 - a.equal(b), lambda a, b: 1 - a.equal(b)),
    "gt": _either(lambda a, b: a > b, lambda a, b: a < b), "ge": _either(lambda a, b: a >= b, lambda a, b: a <= b),
    "lt": _either(lambda a, b: a < b, lambda a, b: a > b), "le": _either(lambda a, b: a <= b, lambda a, b: a >= b),
    "select_n": _selected, "clamp": _elementwise(lambda low, x, high: -G.maximum(-G.maximum(x, low), -high))})
for _name in ("copy", "copy_p", "reduce_precision", "optimization_barrier", "sharding_constraint", "mesh_cast"):
    PRIMITIVES[_name] = lambda x, **_: x


@primitive("integer_pow")
def integer_pow(x: Node, *, y: int) -> Node:
    """x to a whole number."""
    return x**y


@primitive("convert_element_type")
def convert(x: Node, *, new_dtype: Any, **_: Any) -> Node:
    """Numbers stay real; masks are 0 and 1."""
    kind = np.dtype(new_dtype).kind
    if kind == "b":
        return 1 - x.equal(0)
    if kind != "f":
        raise invalid(f"a number that depends on the input as {new_dtype}: the graph has real numbers only")
    return x


# ---- shapes ----

@primitive("reshape")
def reshape(x: Node, *, new_sizes: Sequence[int], dimensions: Any = None, **_: Any) -> Node:
    """Row-major."""
    if dimensions is not None:
        raise invalid("reshape with an order of axes")
    return x.reshape(*new_sizes)


@primitive("squeeze")
def squeeze(x: Node, *, dimensions: Sequence[int]) -> Node:
    """Without these axes of size 1."""
    return x.reshape(*(n for i, n in enumerate(x.shape) if i not in [d % len(x.shape) for d in dimensions]))


@primitive("expand_dims")
def expand_dims(x: Node, *, dimensions: Sequence[int]) -> Node:
    """With axes of size 1 at these places."""
    sizes = iter(x.shape)
    return x.reshape(*(1 if i in dimensions else next(sizes) for i in range(len(x.shape) + len(dimensions))))


@primitive("broadcast_in_dim")
def broadcast_in_dim(x: Node, *, shape: Sequence[int], broadcast_dimensions: Sequence[int], **_: Any) -> Node:
    """Axis i becomes axis broadcast_dimensions[i]."""
    thin = [1] * len(shape)
    for n, place in zip(x.shape, broadcast_dimensions):
        thin[place] = n
    return x.reshape(*thin).broadcast_to(shape)


@primitive("transpose")
def transpose(x: Node, *, permutation: Sequence[int]) -> Node:
    """Axis i from axis permutation[i]."""
    return x.transpose(*permutation)


@primitive("concatenate")
def concatenate(*values: Any, dimension: int) -> Node:
    """One after the other."""
    return G.concatenate(operands_of(graph_of(values), *values), dimension)


@primitive("stack")
def stack(*values: Any, axis: int) -> Node:
    """Along a new axis."""
    return concatenate(*(expand_dims(v, dimensions=[axis]) for v in operands_of(graph_of(values), *values)), dimension=axis)


@primitive("slice")
def sliced(x: Node, *, start_indices: Sequence[int], limit_indices: Sequence[int], strides: Any) -> Node:
    """Places from start to limit along each axis, or every few."""
    x = x[tuple(slice(a, b) for a, b in zip(start_indices, limit_indices))]
    for axis, step in enumerate(strides or ()):
        x = x if step == 1 else taken(x, axis, range(0, x.shape[axis], step))
    return x


def taken(x: Node, axis: int, places: Sequence[int]) -> Node:
    """Places along an axis, runs of them at once."""
    parts: list[list[int]] = []
    for p in places:
        if parts and p == parts[-1][1]:
            parts[-1][1] = p + 1
        else:
            parts.append([p, p + 1])
    lead = (slice(None),) * axis
    return G.concatenate([x[(*lead, slice(a, b))] for a, b in parts], axis)


@primitive("rev")
def rev(x: Node, *, dimensions: Sequence[int]) -> Node:
    """Axes backwards."""
    for axis in dimensions:
        x = taken(x, axis, range(x.shape[axis])[::-1])
    return x


@primitive("split")
def split(x: Node, *, sizes: Sequence[int], axis: int) -> list[Node]:
    """Parts of these sizes."""
    ends = np.cumsum(sizes)
    return [x[(*(slice(None),) * axis, slice(int(b - n), int(b)))] for n, b in zip(sizes, ends)]


@primitive("dynamic_slice")
def dynamic_slice(x: Any, *starts: Any, slice_sizes: Sequence[int]) -> Node:
    """A window whose place is constant."""
    if any(isinstance(s, Node) for s in starts):
        raise invalid("dynamic_slice at a place that depends on the input")
    at = [min(max(int(s), 0), n - k) for s, n, k in zip(starts, x.shape, slice_sizes)]
    return x[tuple(slice(a, a + k) for a, k in zip(at, slice_sizes))]    # type: ignore[no-any-return]


@primitive("dynamic_update_slice")
def dynamic_update_slice(x: Any, part: Any, *starts: Any) -> Node:
    """x with a window at a constant place put in."""
    if any(isinstance(s, Node) for s in starts):
        raise invalid("dynamic_update_slice at a place that depends on the input")
    g = graph_of([x, part])
    shape = x.shape
    inner = part.shape
    at = [min(max(int(s), 0), n - k) for s, n, k in zip(starts, shape, inner)]
    inside = np.zeros(shape)
    inside[tuple(slice(a, a + k) for a, k in zip(at, inner))] = 1
    return G.where(g.constant(inside), as_node(part, g).pad(at, shape), as_node(x, g))


@primitive("pad")
def pad(x: Any, value: Any, *, padding_config: Sequence[tuple[int, int, int]]) -> Node:
    """A number before, after and between the places of each axis; below 0: places taken away."""
    x, value = as_node(x, graph_of([x, value])), float(value)
    inside = x.graph.constant(1.0, x.shape)
    for axis, (low, high, between) in enumerate(padding_config):
        x, inside = (_padded(v, axis, low, high, between) for v in (x, inside))
    return x if value == 0 else G.where(inside, x, value)


def _padded(x: Node, axis: int, low: int, high: int, between: int) -> Node:
    if between:
        x = _spread(x, axis, between + 1)
    cut = slice(max(-low, 0), x.shape[axis] - max(-high, 0))
    x = x[(*(slice(None),) * axis, cut)]
    shape = list(x.shape)
    before = [0] * len(shape)
    before[axis] = max(low, 0)
    shape[axis] += max(low, 0) + max(high, 0)
    return x.pad(before, shape) if tuple(shape) != x.shape else x


def _spread(x: Node, axis: int, step: int) -> Node:
    """Zeros between the places."""
    s = x.shape
    apart = x.reshape(*s[:axis + 1], 1, *s[axis + 1:])
    wide = apart.pad([0] * len(apart.shape), (*s[:axis + 1], step, *s[axis + 1:]))
    whole = wide.reshape(*s[:axis], s[axis] * step, *s[axis + 1:])
    return whole[(*(slice(None),) * axis, slice(0, (s[axis] - 1) * step + 1))]


# ---- reductions ----

def _all_axes(function: Callable[[Node, list[int]], Node]) -> Callable[..., Node]:
    return lambda x, *, axes, **_: function(x, list(axes)) if axes else x


PRIMITIVES.update({
    "reduce_sum": _all_axes(lambda x, axes: x.sum(axes)), "reduce_max": _all_axes(lambda x, axes: x.max(axes)),
    "reduce_min": _all_axes(lambda x, axes: -(-x).max(axes)), "reduce_or": _all_axes(lambda x, axes: x.max(axes)),
    "reduce_and": _all_axes(lambda x, axes: -(-x).max(axes))})


@primitive("reduce_prod")
def reduce_prod(x: Node, *, axes: Sequence[int], **_: Any) -> Node:
    """Place by place."""
    for axis in sorted(axes, reverse=True):
        lead = (slice(None),) * axis
        made = x[(*lead, 0)]
        for i in range(1, x.shape[axis]):
            made = made * x[(*lead, i)]
        x = made
    return x


@primitive("cumsum")
def cumsum(x: Node, *, axis: int, reverse: bool) -> Node:
    """Running sums, as a product with a triangle of ones."""
    order = [*(i for i in range(len(x.shape)) if i != axis), axis]
    ones = np.ones((x.shape[axis],) * 2)
    made = x.transpose(*order) @ (np.tril(ones) if reverse else np.triu(ones))
    return made.transpose(*(int(i) for i in np.argsort(order)))


# ---- products ----

@primitive("dot_general")
def dot_general(a: Any, b: Any, *, dimension_numbers: Any, **_: Any) -> Node:
    """Sums over pairs of axes; axes of the batch in front."""
    (ca, cb), (ba, bb) = dimension_numbers
    g = graph_of([a, b])
    left, fa = _factor(as_node(a, g), ba, ca, last=True)
    right, fb = _factor(as_node(b, g), bb, cb, last=False)
    shape = (*(a.shape[i] for i in ba), *fa, *fb)
    made = left.matmul(right)
    return made if made.shape == shape else made.reshape(*shape)


def _factor(x: Node, batch: Sequence[int], summed: Sequence[int], last: bool) -> tuple[Node, list[int]]:
    """[batch.., free, summed], or summed before free, each of these one axis; and the free sizes."""
    free = [i for i in range(len(x.shape)) if i not in batch and i not in summed]
    order = [*batch, *free, *summed] if last else [*batch, *summed, *free]
    sizes = [x.shape[i] for i in free]
    k, m = math.prod(x.shape[i] for i in summed), math.prod(sizes)
    if order != list(range(len(order))):
        x = x.transpose(*order)
    shape = (*(x.shape[:len(batch)]), *((m, k) if last else (k, m)))
    return (x if x.shape == shape else x.reshape(*shape)), sizes


# ---- windows ----

def _sides(x: Node, axes: Sequence[int], padding: Sequence[tuple[int, int]], value: float = 0.0) -> Node:
    config = [(0, 0, 0)] * len(x.shape)
    for axis, (low, high) in zip(axes, padding):
        config[axis] = (low, high, 0)
    return pad(x, value, padding_config=config) if any(p != (0, 0) for p in padding) else x


@primitive("conv_general_dilated")
def conv(x: Any, w: Any, *, window_strides: Sequence[int], padding: Sequence[tuple[int, int]], lhs_dilation: Sequence[int],
         rhs_dilation: Sequence[int], dimension_numbers: Any, feature_group_count: int, batch_group_count: int, **_: Any) -> Node:
    """A convolution of any layout, dilated on either side."""
    axes = len(window_strides)
    if batch_group_count != 1 or axes > 3:
        raise invalid(f"a convolution over {axes} axes with {batch_group_count} groups of samples")
    n = dimension_numbers
    g = graph_of([x, w])
    x = as_node(x, g).transpose(n.lhs_spec[0], *n.lhs_spec[2:], n.lhs_spec[1])
    w = as_node(w, g).transpose(*n.rhs_spec[2:], n.rhs_spec[1], n.rhs_spec[0])
    for axis, step in enumerate(lhs_dilation):
        x = _spread(x, axis + 1, step) if step > 1 else x
    x = _sides(x, range(1, axes + 1), padding)
    function = getattr(L, f"conv{axes}d")
    y = function(x, w, None, list(window_strides), [0] * axes, list(rhs_dilation), feature_group_count)
    places = (n.out_spec[0], *n.out_spec[2:], n.out_spec[1])
    return y.transpose(*(int(i) for i in np.argsort(places)))      # type: ignore[no-any-return]


def _pooled(kind: str, x: Node, window: Sequence[int], strides: Sequence[int], padding: Sequence[tuple[int, int]],
            dilations: Sequence[int]) -> Node:
    """Windows over up to three axes, the others before and behind as samples and channels."""
    axes = [i for i, (k, s, p) in enumerate(zip(window, strides, padding)) if (k, s, tuple(p)) != (1, 1, (0, 0))]
    if not axes:
        return x
    if len(axes) > 3:
        raise invalid(f"windows over {len(axes)} axes: at most 3 are written")
    others = [i for i in range(len(x.shape)) if i not in axes]
    before, behind = [i for i in others if i < axes[0]], [i for i in others if i > axes[0]]
    x = _sides(x, axes, [padding[i] for i in axes], -math.inf if kind == "max" else 0.0)
    order = [*before, *axes, *behind]
    turned = x.transpose(*order) if order != sorted(order) else x
    sizes = turned.shape
    flat = turned.reshape(math.prod(sizes[:len(before)]), *sizes[len(before):len(before) + len(axes)],
                          math.prod(sizes[len(before) + len(axes):]))
    k, s = [window[i] for i in axes], [strides[i] for i in axes]
    if kind == "max":
        y = getattr(L, f"max_pool{len(axes)}d")(flat, k, s, [0] * len(axes), [dilations[i] for i in axes])
    elif any(dilations[i] != 1 for i in axes):
        raise invalid("sums over dilated windows")
    else:
        y = getattr(L, f"avg_pool{len(axes)}d")(flat, k, s) * float(math.prod(k))
    whole = y.reshape(*sizes[:len(before)], *y.shape[1:-1], *sizes[len(before) + len(axes):])
    back = [int(i) for i in np.argsort(order)]
    return whole if back == sorted(back) else whole.transpose(*back)    # type: ignore[no-any-return]


def _window(kind: str) -> Callable[..., Node]:
    def rule(x: Node, *, window_dimensions: Sequence[int], window_strides: Sequence[int], padding: Any, base_dilation: Any,
             window_dilation: Any) -> Node:
        if any(d != 1 for d in base_dilation):
            raise invalid("windows over a dilated base")
        sign = -1.0 if kind == "min" else 1.0
        y = _pooled("sum" if kind == "sum" else "max", x * sign if kind == "min" else x, window_dimensions, window_strides,
                    padding, window_dilation)
        return y * sign if kind == "min" else y
    return rule


for _kind in ("max", "min", "sum"):
    PRIMITIVES[f"reduce_window_{_kind}"] = _window(_kind)
