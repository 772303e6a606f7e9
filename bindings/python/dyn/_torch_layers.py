# SPDX-License-Identifier: BSD-3-Clause
"""PyTorch's layers on Values, entered in the table of _torch_arithmetic: convolutions and what else has channels take them
second, and keep them last in their node."""
from __future__ import annotations

import math
from typing import Any, Callable, Sequence

from . import graph as G
from . import layers as L
from ._torch_arithmetic import OPERATIONS, add, matmul, mul, operation, softmax, transpose
from ._torch_value import Value, channels_last, elementwise, graph_of, is_tensor, value_of
from .errors import invalid
from .graph import Node


def optional(x: Any, like: Value) -> Node | None:
    return None if x is None else value_of(x, like.node.graph, "a parameter").plain


def last(x: Value) -> Node:
    return x.laid(channels_last(x.rank))


def second(node: Node) -> Value:
    return Value(node, channels_last(len(node.shape)))


def _each(sizes: Any, axes: int) -> Any:
    """A size for each spatial axis, where one may stand for all."""
    if isinstance(sizes, str):
        return sizes
    sizes = [int(n) for n in ([sizes] if isinstance(sizes, int) else sizes)]
    return sizes * axes if len(sizes) == 1 else sizes


# ---- convolution ----

def _conv(axes: int) -> Callable[..., Value]:
    def conv(x: Value, w: Any, bias: Any = None, stride: Any = 1, padding: Any = 0, dilation: Any = 1, groups: int = 1) -> Value:
        kernel = value_of(w, x.node.graph, "weight").laid((*range(2, axes + 2), 1, 0))
        function = getattr(L, f"conv{axes}d")
        return second(function(last(x), kernel, optional(bias, x), _each(stride, axes), _each(padding, axes),
                                _each(dilation, axes), groups))
    return conv


def _grouped_kernel(w: Value, groups: int) -> Node:
    """[in, out / groups, k..] as the library has it, [k.., in / groups, out]."""
    if groups == 1:
        return w.laid((*range(2, w.rank), 0, 1))
    rows, out, *k = w.shape
    apart = Value(w.plain.reshape(groups, rows // groups, out, *k))
    return apart.laid((*range(3, apart.rank), 1, 0, 2)).reshape(*k, rows // groups, groups * out)


def _conv_transpose(axes: int) -> Callable[..., Value]:
    def conv(x: Value, w: Any, bias: Any = None, stride: Any = 1, padding: Any = 0, output_padding: Any = 0,
             groups: int = 1, dilation: Any = 1) -> Value:
        kernel = _grouped_kernel(value_of(w, x.node.graph, "weight"), groups)
        function = getattr(L, f"conv_transpose{axes}d")
        return second(function(last(x), kernel, optional(bias, x), _each(stride, axes), _each(padding, axes),
                                _each(output_padding, axes), groups, _each(dilation, axes)))
    return conv


# ---- pooling ----

def _max_pool(axes: int) -> Callable[..., Value]:
    def pool(x: Value, size: Any, stride: Any = (), padding: Any = 0, dilation: Any = 1, ceil_mode: bool = False) -> Value:
        return second(getattr(L, f"max_pool{axes}d")(last(x), _each(size, axes), _each(stride, axes) or None,
                                                      _each(padding, axes), _each(dilation, axes), ceil_mode))
    return pool


def _avg_pool(axes: int) -> Callable[..., Value]:
    def pool(x: Value, size: Any, stride: Any = (), padding: Any = 0, ceil_mode: bool = False,
             count_include_pad: bool = True, divisor_override: Any = None) -> Value:
        if divisor_override is not None:
            raise invalid(f"average pooling with the divisor {divisor_override}: the size of the window divides")
        return second(getattr(L, f"avg_pool{axes}d")(last(x), _each(size, axes), _each(stride, axes) or None,
                                                      _each(padding, axes), ceil_mode, count_include_pad))
    return pool


def _adaptive(kind: str, axes: int) -> Callable[..., Any]:
    def pool(x: Value, size: Any) -> Any:
        made = second(getattr(L, f"adaptive_{kind}_pool{axes}d")(last(x), _each(size, axes)))
        return made if kind == "avg" else [made, None]
    return pool


for _axes in (1, 2, 3):
    OPERATIONS[f"conv{_axes}d"] = _conv(_axes)
    OPERATIONS[f"conv_transpose{_axes}d"] = _conv_transpose(_axes)
    OPERATIONS[f"max_pool{_axes}d"] = _max_pool(_axes)
    OPERATIONS[f"avg_pool{_axes}d"] = _avg_pool(_axes)
    for _kind in ("avg", "max"):
        OPERATIONS[f"adaptive_{_kind}_pool{_axes}d"] = _adaptive(_kind, _axes)


# ---- norms; batch norm, which has states, is the writer's ----

@operation("layer_norm")
def layer_norm(x: Value, shape: Sequence[int], weight: Any = None, bias: Any = None, eps: float = 1e-5, *_: Any) -> Value:
    """Over the last axes."""
    return Value(L.layer_norm(x.plain, optional(weight, x), optional(bias, x), eps, len(shape)))


@operation("rms_norm")
def rms_norm(x: Value, shape: Sequence[int], weight: Any = None, eps: float | None = None) -> Value:
    """Over the last axis; without eps that of float64."""
    if len(shape) != 1:
        raise invalid(f"rms_norm over {len(shape)} axes: the last one is normalised")
    return Value(L.rms_norm(x.plain, optional(weight, x), 2.0**-52 if eps is None else eps))


@operation("group_norm")
def group_norm(x: Value, groups: int, weight: Any = None, bias: Any = None, eps: float = 1e-5, *_: Any) -> Value:
    """Each sample's channels in runs."""
    return second(L.group_norm(last(x), groups, optional(weight, x), optional(bias, x), eps))


@operation("instance_norm")
def instance_norm(x: Value, weight: Any, bias: Any, mean: Any, var: Any, use_input: bool, momentum: float, eps: float,
                  *_: Any) -> Value:
    """Each sample's channel by its own moments."""
    if mean is not None or not use_input:
        raise invalid("instance_norm with running moments: it is written without")
    return group_norm(x, x.shape[1], weight, bias, eps)


@operation("bilinear")
def bilinear(x: Value, y: Value, w: Any, bias: Any = None) -> Value:
    """Sums of x_i w_oij y_j for each output o."""
    sides = [value_of(v, graph_of([x, y]), "an input") for v in (x, y)]
    flat = [OPERATIONS["reshape"](v, (-1, v.shape[-1])) for v in sides]
    pairs = mul(OPERATIONS["unsqueeze"](flat[0], 2), OPERATIONS["unsqueeze"](flat[1], 1))
    weight = OPERATIONS["flatten"](value_of(w, pairs.node.graph, "weight"), 1)
    made = OPERATIONS["linear"](OPERATIONS["flatten"](pairs, 1), weight, bias)
    shaped: Value = OPERATIONS["reshape"](made, (*sides[0].shape[:-1], weight.shape[0]))
    return shaped


# ---- look-up, dropout, random numbers ----

@operation("embedding")
def embedding(table: Value, ids: Any, padding: int = -1, *_: Any) -> Value:
    """Rows by ids; the row of the padding does not learn."""
    rows = table.plain
    if padding >= 0:
        import torch
        stays = torch.zeros(table.shape[0], 1)
        stays[padding] = 1
        rows = elementwise(G.where, value_of(stays, rows.graph, ""), Value(G.stop_gradient(rows)), Value(rows)).plain
    if not is_tensor(ids):
        return Value(L.embedding(ids.plain, rows))
    parts = [rows[int(i):int(i) + 1] for i in ids.ravel()]
    if ids.ndim and bool((ids.ravel().diff() == 1).all()):
        parts = [rows[int(ids.ravel()[0]):int(ids.ravel()[-1]) + 1]]
    return Value(G.concatenate(parts).reshape(*ids.shape, table.shape[1]))


@operation("dropout")
def dropout(x: Value, p: float, train: bool) -> Value:
    """Elements in training."""
    return Value(L.dropout(x.node, p), x.order) if train and p else x


OPERATIONS["native_dropout"] = lambda x, p, train: [dropout(x, p, train), None]


@operation("feature_dropout")
def feature_dropout(x: Value, p: float, train: bool) -> Value:
    """Whole channels in training."""
    return second(L.dropout(last(x), p, whole="channels")) if train and p else x


def _drawn(what: str) -> Callable[..., Value]:
    def draw(x: Value, *_: Any, **__: Any) -> Value:
        return Value(getattr(x.node.graph, what)(x.shape))
    return draw


OPERATIONS["randn_like"] = _drawn("normal")
OPERATIONS["rand_like"] = _drawn("uniform")


# ---- attention ----

def _repeated(x: Value, heads: int) -> Value:
    """Each of the heads of [n, h, T, d] for as many queries' heads."""
    n, h, T, d = x.shape
    node = x.plain.reshape(n, h, 1, T, d).broadcast_to((n, h, heads // h, T, d))
    return Value(node.reshape(n, heads, T, d))


def _masked(scores: Value, mask: Any) -> Value:
    """Scores of what is not seen at -inf; a mask of numbers is added."""
    import torch
    if is_tensor(mask) and mask.dtype is torch.bool:
        mask = torch.zeros(mask.shape, dtype=torch.float64).masked_fill(~mask, -math.inf)
    return add(scores, mask)


@operation("scaled_dot_product_attention")
def attention(q: Value, k: Value, v: Value, mask: Any = None, p: float = 0.0, causal: bool = False, *,
              scale: float | None = None, enable_gqa: bool = False) -> Value:
    """softmax(scale q k^T) v. A mask of booleans says what is seen, one of numbers is added to the scores."""
    if enable_gqa and k.shape[1] != q.shape[1]:
        k, v = _repeated(k, q.shape[1]), _repeated(v, q.shape[1])
    if mask is None and not p:
        return Value(L.scaled_dot_product_attention(q.plain, k.plain, v.plain, None, causal, scale))
    scores = mul(matmul(q, transpose(k, -1, -2)), 1 / math.sqrt(q.shape[-1]) if scale is None else scale)
    if causal:
        import torch
        mask = torch.ones(q.shape[-2], k.shape[-2], dtype=torch.bool).tril()
    return matmul(dropout(softmax(scores if mask is None else _masked(scores, mask), -1), p, True), v)
