# SPDX-License-Identifier: BSD-3-Clause
"""Tensors of a PyTorch program while it is written as nodes: nodes whose axes may stand in another order than PyTorch's, so
that what one layer with channels last hands to the next is not turned about in between."""
from __future__ import annotations

from typing import Any, Callable, Sequence

import numpy as np

from .errors import class_of, invalid
from .graph import Graph, Node

Order = tuple[int, ...]


def channels_last(rank: int) -> Order:
    """Samples, places, channels, where PyTorch has samples, channels, places."""
    return (0, *range(2, rank), 1)


def permuted(shape: Sequence[int], order: Order) -> tuple[int, ...]:
    """The shape with axis i from axis order[i]."""
    return tuple(shape[i] for i in order)


class Value:
    """A tensor of PyTorch's program. Axis i of the node is axis order[i] of the tensor."""

    def __init__(self, node: Node, order: Order | None = None) -> None:
        self.node = node
        self.order = tuple(range(len(node.shape))) if order is None else order

    @property
    def shape(self) -> tuple[int, ...]:
        """As PyTorch has it."""
        return permuted(self.node.shape, tuple(np.argsort(self.order)))

    @property
    def rank(self) -> int:
        """Number of axes."""
        return len(self.order)

    @property
    def plain(self) -> Node:
        """A node with PyTorch's order of axes."""
        return self.laid(tuple(range(self.rank)))

    def laid(self, order: Order) -> Node:
        """A node whose axis i is axis order[i] of the tensor."""
        axes = [self.order.index(i) for i in order]
        return self.node if axes == list(range(self.rank)) else self.node.transpose(*axes)

    def permute(self, axes: Sequence[int]) -> Value:
        """The tensor with axis i from axis axes[i]; the node stays."""
        return Value(self.node, tuple(list(axes).index(i) for i in self.order))

    def axis(self, i: int) -> int:
        """An axis counted from the front."""
        return i % self.rank


def is_tensor(x: Any) -> bool:
    """Whether x is a tensor of torch: one that depends on no input and no parameter."""
    import torch
    return isinstance(x, torch.Tensor)


def number_of(x: Any) -> Any:
    """A tensor of one number without axes as that number."""
    return x.item() if is_tensor(x) and x.ndim == 0 else x


def constant(g: Graph, x: Any) -> Value:
    """A tensor of torch as a node."""
    return Value(g.constant(x.detach().double().numpy()))


def value_of(x: Any, g: Graph, what: str) -> Value:
    """x as a Value of the graph g."""
    if isinstance(x, Value):
        return x
    if is_tensor(x):
        return constant(g, x)
    raise invalid(f"{what}: {class_of(x)} where a tensor is expected")


def graph_of(values: Sequence[Any]) -> Graph:
    """The graph of the first Value."""
    return next(v.node.graph for v in values if isinstance(v, Value))


def _as_rank(x: Value, rank: int, order: Order) -> Node:
    """x with axes of size 1 in front up to this rank, in this order."""
    if x.rank == rank:
        return x.laid(order)
    if order == tuple(range(rank)):
        return x.plain
    return Value(x.plain.reshape(*(1,) * (rank - x.rank), *x.shape)).laid(order)


def aligned(operands: Sequence[Any]) -> tuple[list[Any], Order]:
    """Operands that broadcast to each other as nodes in one order of axes, numbers as they are; and that order."""
    g = graph_of(operands)
    values = [x if isinstance(x, (int, float)) else value_of(x, g, "an operand") for x in map(number_of, operands)]
    rank = max(v.rank for v in values if isinstance(v, Value))
    order = next(v.order for v in values if isinstance(v, Value) and v.rank == rank)
    return [_as_rank(v, rank, order) if isinstance(v, Value) else v for v in values], order


def elementwise(function: Callable[..., Node], *operands: Any) -> Value:
    """A function of nodes and numbers, element by element."""
    nodes, order = aligned(operands)
    return Value(function(*nodes), order)


def along(function: Callable[[Node], Node], x: Value, axis: int) -> Value:
    """A function that works along the last axis of a node and keeps its shape, along this axis of the tensor."""
    axis = x.axis(axis)
    order = (*(i for i in x.order if i != axis), axis)
    return Value(function(x.laid(order)), order)
