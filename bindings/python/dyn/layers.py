# SPDX-License-Identifier: BSD-3-Clause
"""Layers: functions on nodes, named and ordered as in torch.nn.functional.

Features and channels are the last axis, samples the first: x is [n, features], [n, T, features], [n, H, W, channels].
Weights end with what they feed: linear [in, out], convolutions [k.., in / groups, out], embeddings [rows, features]."""
from __future__ import annotations

import math
from typing import Any, Callable, Sequence, Union

from ._arrays import ints
from ._lib import enum, lib
from .build import active
from .errors import shapes_differ
from .graph import Graph, Node

NO_NODE = -2**31            # DYN_NO_NODE
SAME = -1                   # DYN_SAME
Sizes = Union[int, Sequence[int]]


def _id(x: Node | None) -> int:
    return NO_NODE if x is None else x.id


def _made(x: Node, function: Callable[..., int], *arguments: Any) -> Node:
    return x.graph._node(function, *arguments)


# ---- products, look-up ----

def linear(x: Node, w: Node, bias: Node | None = None) -> Node:
    """x w + bias: x [.., in], w [in, out], bias [out], result [.., out].

    >>> g = dyn.Graph()
    >>> x, w = g.input("x", (1, 2)), g.input("w", (2, 1))
    >>> g.compile(dyn.linear(x, w))(x=[[1, 2]], w=[[3], [4]])
    array([[11.]])
    """
    return _made(x, lib.dyn_layer_linear, x.id, w.id, _id(bias))


def embedding(ids: Node, table: Node) -> Node:
    """Rows of table [rows, features] by indices ids [..]: [.., features]. An id outside the table gives NaN.

    >>> g = dyn.Graph()
    >>> ids, table = g.indices("ids", (2,)), g.input("table", (3, 1))
    >>> g.compile(dyn.embedding(ids, table))(ids=[2, 0], table=[[5], [6], [7]])
    array([[7.],
           [5.]])
    """
    return _made(ids, lib.dyn_layer_embedding, ids.id, table.id)


def feed_forward(x: Node, w1: Node, b1: Node | None, w2: Node, b2: Node | None, activation: str = "relu",
                 gate: Node | None = None) -> Node:
    """act(x w1 + b1) w2 + b2; with a gate (act(x gate) * (x w1 + b1)) w2 + b2: SwiGLU where act is "silu".

    >>> g = dyn.Graph()
    >>> x, w1, w2 = g.input("x", (2, 3)), g.parameter("w1", (3, 8)), g.parameter("w2", (8, 3))
    >>> dyn.feed_forward(x, w1, None, w2, None, activation="gelu").shape
    (2, 3)
    """
    return _made(x, lib.dyn_layer_feed_forward, x.id, w1.id, _id(b1), _id(gate), w2.id, _id(b2),
                 enum("activation", activation))


# ---- softmax ----

def softmax(x: Node, mask: Node | None = None) -> Node:
    """softmax over the last axis. Elements where the mask, which broadcasts to x, is 0 are left out; a row all of which is
    left out is 0.

    >>> g = dyn.Graph()
    >>> x = g.input("x", (2,))
    >>> g.compile(dyn.softmax(x))(x=[3, 3])
    array([0.5, 0.5])
    """
    return _made(x, lib.dyn_layer_softmax, x.id, _id(mask))


def log_softmax(x: Node) -> Node:
    """log softmax over the last axis, accurate for every x.

    >>> g = dyn.Graph()
    >>> x = g.input("x", (2,))
    >>> g.compile(dyn.log_softmax(x))(x=[1000, 0])
    array([    0., -1000.])
    """
    return _made(x, lib.dyn_layer_log_softmax, x.id)


# ---- norms ----

def layer_norm(x: Node, weight: Node | None = None, bias: Node | None = None, eps: float = 1e-5, axes: int = 1) -> Node:
    """(x - mean) / sqrt(var + eps) * weight + bias over the last `axes` axes; the variance is biased.

    >>> g = dyn.Graph()
    >>> x = g.input("x", (1, 2))
    >>> g.compile(dyn.layer_norm(x))(x=[[1, 3]]).round(3)
    array([[-1.,  1.]])
    """
    return _made(x, lib.dyn_layer_layer_norm, x.id, axes, _id(weight), _id(bias), eps)


def rms_norm(x: Node, weight: Node | None = None, eps: float = 1e-5) -> Node:
    """x / sqrt(mean x^2 + eps) * weight over the last axis.

    >>> g = dyn.Graph()
    >>> x = g.input("x", (1, 2))
    >>> g.compile(dyn.rms_norm(x))(x=[[1, 7]]).round(3)
    array([[0.2, 1.4]])
    """
    return _made(x, lib.dyn_layer_rms_norm, x.id, _id(weight), eps)


def group_norm(x: Node, num_groups: int, weight: Node | None = None, bias: Node | None = None, eps: float = 1e-5) -> Node:
    """Each sample's channels in `num_groups` runs, each normalised over its channels and all places.

    >>> g = dyn.Graph()
    >>> dyn.group_norm(g.input("x", (5, 7, 4)), num_groups=2).shape
    (5, 7, 4)
    """
    return _made(x, lib.dyn_layer_group_norm, x.id, num_groups, _id(weight), _id(bias), eps)


# ---- convolution and pooling ----

def _sizes(value: Sizes, axes: int, what: str) -> Any:
    sizes = [value] * axes if isinstance(value, int) else [int(v) for v in value]
    if len(sizes) != axes:
        raise shapes_differ(f"{what} has {len(sizes)} entries for {axes} spatial axes")
    return ints(sizes)


def _paddings(value: Sizes | str, axes: int) -> Any:
    if isinstance(value, str):
        value = {"same": SAME, "valid": 0}[value]
    return _sizes(value, axes, "padding")


def _axes(x: Node, axes: int, function: str) -> None:
    if len(x.shape) != axes + 2:
        raise shapes_differ(f"{function}: x has shape {list(x.shape)}, expected [n, {axes} spatial, channels]")


def _example(call: str, axes: int, shape: tuple[int, ...], w: bool = False) -> str:
    """An example for a docstring: the shape that a layer makes of eight places along each axis."""
    x, kernel = (2, *(8,) * axes, 3), (*(3,) * axes, 3, 4)
    weight = f"""
        >>> w = g.parameter("w", {kernel})""" if w else ""
    return f"""

        >>> g = dyn.Graph()
        >>> x = g.input("x", {x}){weight}
        >>> dyn.{call}.shape
        {shape}"""


def _conv(axes: int) -> Callable[..., Node]:
    def conv(x: Node, w: Node, bias: Node | None = None, stride: Sizes = 1, padding: Sizes | str = 0,
             dilation: Sizes = 1, groups: int = 1) -> Node:
        _axes(x, axes, f"conv{axes}d")
        return _made(x, lib.dyn_layer_conv, x.id, w.id, _id(bias), _sizes(stride, axes, "stride"),
                     _paddings(padding, axes), _sizes(dilation, axes, "dilation"), groups)
    conv.__name__ = conv.__qualname__ = f"conv{axes}d"
    conv.__doc__ = f"""Convolution over {axes} spatial axes: x [n, spatial.., channels], w [k.., channels / groups, out].

        padding: zeros on either side, or "same" for ceil(length / stride) outputs, an odd zero to the right."""
    conv.__doc__ += _example(f"conv{axes}d(x, w, stride=2, padding=1)", axes, (2, *(4,) * axes, 4), w=True)
    return conv


def _conv_transpose(axes: int) -> Callable[..., Node]:
    def conv_transpose(x: Node, w: Node, bias: Node | None = None, stride: Sizes = 1, padding: Sizes = 0,
                       output_padding: Sizes = 0, groups: int = 1, dilation: Sizes = 1) -> Node:
        _axes(x, axes, f"conv_transpose{axes}d")
        return _made(x, lib.dyn_layer_conv_transpose, x.id, w.id, _id(bias), _sizes(stride, axes, "stride"),
                     _sizes(padding, axes, "padding"), _sizes(output_padding, axes, "output_padding"), groups,
                     _sizes(dilation, axes, "dilation"))
    conv_transpose.__name__ = conv_transpose.__qualname__ = f"conv_transpose{axes}d"
    conv_transpose.__doc__ = f"""The adjoint of conv{axes}d with in and out exchanged: w [k.., channels / groups, out].

        output_padding crops less at the end."""
    conv_transpose.__doc__ += _example(f"conv_transpose{axes}d(x, w)", axes, (2, *(10,) * axes, 4), w=True)
    return conv_transpose


def _pool(kind: str, axes: int) -> Callable[..., Node]:
    def max_pool(x: Node, kernel_size: Sizes, stride: Sizes | None = None, padding: Sizes = 0, dilation: Sizes = 1,
                 ceil_mode: bool = False) -> Node:
        _axes(x, axes, f"max_pool{axes}d")
        return _made(x, lib.dyn_layer_max_pool, x.id, *_windows(kernel_size, stride, padding, axes),
                     _sizes(dilation, axes, "dilation"), int(ceil_mode))

    def avg_pool(x: Node, kernel_size: Sizes, stride: Sizes | None = None, padding: Sizes = 0, ceil_mode: bool = False,
                 count_include_pad: bool = True) -> Node:
        _axes(x, axes, f"avg_pool{axes}d")
        return _made(x, lib.dyn_layer_avg_pool, x.id, *_windows(kernel_size, stride, padding, axes), int(ceil_mode),
                     int(count_include_pad))
    pool = max_pool if kind == "max" else avg_pool
    pool.__name__ = pool.__qualname__ = f"{kind}_pool{axes}d"
    pool.__doc__ = ("Largest of each window; the first of equal ones has the derivative." if kind == "max" else
                    "Mean of each window, with the zeros of the padding unless count_include_pad is False.")
    pool.__doc__ += _example(f"{kind}_pool{axes}d(x, 2)", axes, (2, *(4,) * axes, 3))
    return pool


def _windows(size: Sizes, stride: Sizes | None, padding: Sizes, axes: int) -> tuple[Any, Any, Any]:
    return (_sizes(size, axes, "kernel_size"), _sizes(size if stride is None else stride, axes, "stride"),
            _sizes(padding, axes, "padding"))


def _adaptive(kind: str, axes: int) -> Callable[..., Node]:
    def pool(x: Node, output_size: Sizes) -> Node:
        _axes(x, axes, f"adaptive_{kind}_pool{axes}d")
        return _made(x, getattr(lib, f"dyn_layer_adaptive_{kind}_pool"), x.id, _sizes(output_size, axes, "output_size"))
    pool.__name__ = pool.__qualname__ = f"adaptive_{kind}_pool{axes}d"
    pool.__doc__ = ("output_size windows along each spatial axis; 1 pools whole channels."
                    + _example(f"adaptive_{kind}_pool{axes}d(x, 1)", axes, (2, *(1,) * axes, 3)))
    return pool


conv1d, conv2d, conv3d = map(_conv, (1, 2, 3))
conv_transpose1d, conv_transpose2d, conv_transpose3d = map(_conv_transpose, (1, 2, 3))
max_pool1d, max_pool2d, max_pool3d = (_pool("max", axes) for axes in (1, 2, 3))
avg_pool1d, avg_pool2d, avg_pool3d = (_pool("avg", axes) for axes in (1, 2, 3))
adaptive_avg_pool1d, adaptive_avg_pool2d, adaptive_avg_pool3d = (_adaptive("avg", axes) for axes in (1, 2, 3))
adaptive_max_pool1d, adaptive_max_pool2d, adaptive_max_pool3d = (_adaptive("max", axes) for axes in (1, 2, 3))


# ---- sequences ----

def arange(g: Graph, count: int) -> Node:
    """0, 1, .., count - 1 as a node [count] of the graph.

    >>> g = dyn.Graph()
    >>> dyn.arange(g, 4).shape
    (4,)
    """
    return g._node(lib.dyn_layer_arange, count)


def causal_mask(g: Graph, queries: int, keys: int | None = None) -> Node:
    """1 where query i sees key j <= i, else 0: [queries, keys].

    >>> g = dyn.Graph()
    >>> g.compile(dyn.causal_mask(g, 2))()
    array([[1., 0.],
           [1., 1.]])
    """
    return g._node(lib.dyn_layer_causal_mask, queries, queries if keys is None else keys)


def sinusoidal(g: Graph, length: int, width: int, base: float = 1e4) -> Node:
    """Positions sin, cos, sin, .. of t base^(-2 j / width): [length, width].

    >>> g = dyn.Graph()
    >>> g.compile(dyn.sinusoidal(g, 2, 2))().round(3)
    array([[0.   , 1.   ],
           [0.841, 0.54 ]])
    """
    return g._node(lib.dyn_layer_sinusoidal, length, width, base)


def rotary(x: Node, base: float = 1e4, interleaved: bool = False) -> Node:
    """x [.., T, width] with pair j at place t turned by t base^(-2 j / width); pairs are j and j + width / 2, or 2 j and
    2 j + 1 where interleaved.

    >>> g = dyn.Graph()
    >>> dyn.rotary(g.input("x", (1, 2, 7, 4))).shape
    (1, 2, 7, 4)
    """
    return _made(x, lib.dyn_layer_rotary, x.id, base, int(interleaved))


def split_heads(x: Node, heads: int) -> Node:
    """[.., T, heads * width] to [.., heads, T, width].

    >>> g = dyn.Graph()
    >>> dyn.split_heads(g.input("x", (5, 7, 8)), heads=2).shape
    (5, 2, 7, 4)
    """
    return _made(x, lib.dyn_layer_split_heads, x.id, heads)


def merge_heads(x: Node) -> Node:
    """[.., heads, T, width] to [.., T, heads * width].

    >>> g = dyn.Graph()
    >>> dyn.merge_heads(g.input("x", (5, 2, 7, 4))).shape
    (5, 7, 8)
    """
    return _made(x, lib.dyn_layer_merge_heads, x.id)


def scaled_dot_product_attention(q: Node, k: Node, v: Node, attn_mask: Node | None = None, is_causal: bool = False,
                                 scale: float | None = None) -> Node:
    """softmax(scale q k^T) v: q [.., L, dk], k [.., S, dk], v [.., S, dv], result [.., L, dv].

    attn_mask: broadcasts to [.., L, S], 0 = not seen; a query that sees nothing gets 0. scale None: 1/sqrt(dk).

    >>> g = dyn.Graph()
    >>> q = g.input("q", (1, 1, 2, 1))
    >>> f = g.compile(dyn.scaled_dot_product_attention(q, q, q, is_causal=True))
    >>> f(q=[[[[0], [0]]]]).ravel()
    array([0., 0.])
    """
    return _made(q, lib.dyn_layer_scaled_dot_product_attention, q.id, k.id, v.id, _id(attn_mask), int(is_causal),
                 math.nan if scale is None else scale, None)


def _recurrent(cell: str, name: str, gates: int, text: str) -> Callable[..., Node]:
    def layer(x: Node, w: Node, u: Node, b: Node | None = None, c: Node | None = None) -> Node:
        return _made(x, lib.dyn_layer_recurrent, enum("cell", cell), x.id, w.id, u.id, _id(b), _id(c))
    layer.__doc__ = text + """

    x [n, T, in], w [in, G h], u [h, G h], b and c [G h]: all outputs [n, T, h]; the state is 0 at the start.
    """ + f"""
    >>> g = dyn.Graph()
    >>> x, w, u = g.input("x", (2, 5, 3)), g.parameter("w", (3, {4 * gates})), g.parameter("u", (4, {4 * gates}))
    >>> dyn.{name}(x, w, u).shape
    (2, 5, 4)
    """
    layer.__name__ = layer.__qualname__ = name
    return layer


rnn = _recurrent("simple", "rnn", 1, "Recurrent layer h' = tanh(x w + b + h u + c), G = 1, unrolled.")
gru = _recurrent("gru", "gru", 3, "Gated recurrent layer, gates r, z, n as PyTorch's GRU, G = 3, unrolled.")
lstm = _recurrent("lstm", "lstm", 4, "Long short-term memory, gates i, f, g, o as PyTorch's LSTM, G = 4, unrolled.")


# ---- layers of a model that is being written ----

def batch_norm(x: Node, weight: Node | None = None, bias: Node | None = None, momentum: float = 0.1, eps: float = 1e-5, *,
               name: str = "norm") -> Node:
    """Each channel normalised over samples and places: by the batch in training, which moves the running moments by the
    share `momentum`; by the running moments when measuring. These are states "<name>.mean" and "<name>.var" of the model.

    >>> def build(g, x):
    ...     return dyn.batch_norm(x @ g.parameter("W", (3, 2)))
    >>> net = dyn.Model.from_function(build, input_shape=(3,))
    >>> {name: state.tolist() for name, state in net.states.items()}
    {'norm.mean': [0.0, 0.0], 'norm.var': [1.0, 1.0]}
    """
    build = active("dyn.batch_norm")
    return build._node(lib.dyn_layer_batch_norm(build._build, name.encode(), x.id, _id(weight), _id(bias), momentum, eps))


def dropout(x: Node, p: float = 0.5, *, whole: str = "elements") -> Node:
    """In training each element is 0 with probability p, else x / (1 - p); when measuring x itself.

    whole: "elements"; "places", all channels of a place (whole tokens); "channels", a channel at all places.

    >>> def noisy(g, x):
    ...     return dyn.dropout(x @ g.parameter("w", (1, 1)), 0.5)
    >>> net = dyn.Model.from_function(noisy, input_shape=(1,))
    >>> net([2.0], [3.0]).ravel()       # when measuring nothing is dropped
    array([6.])
    """
    build = active("dyn.dropout")
    return build._node(lib.dyn_layer_dropout(build._build, x.id, p, enum("drop", whole)))


def dropout_variance(h: Node, w: Node, p: float = 0.5) -> Node:
    """Variance that dropout of h [n, neurons] gives the outputs h @ w, w [neurons, outputs], summed over them: [n]. Its mean
    is what dropout adds to a squared error in expectation; half of it the penalty R1 of arXiv 2207.05952.

    >>> g = dyn.Graph()
    >>> penalty = dyn.dropout_variance(g.input("h", (1, 2)), g.input("w", (2, 1)), 0.5)
    >>> g.compile(penalty)(h=[[1.0, 2.0]], w=[[3.0], [1.0]])
    array([13.])
    """
    return _made(h, lib.dyn_layer_dropout_variance, h.id, w.id, p)
