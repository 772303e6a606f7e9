# SPDX-License-Identifier: BSD-3-Clause
"""Indices that the data give (tokens) in a jaxpr: what JAX does with them before it looks something up, and the look-up."""
from __future__ import annotations

from typing import Any, Callable, NamedTuple, Sequence

import numpy as np

from . import layers as L
from ._jax_arithmetic import as_node, graph_of, taken
from .errors import invalid
from .graph import Node


class Indices(NamedTuple):
    """An input of indices. Axis i of the node is axis dims[i] of what stands for it here; the other axes repeat. shift: what was
    added."""

    node: Node
    shape: tuple[int, ...]
    dims: tuple[int, ...]
    shift: int = 0

    @classmethod
    def of(cls, node: Node) -> Indices:
        """An input as it is."""
        return cls(node, node.shape, tuple(range(len(node.shape))))

    def moved(self, shape: Sequence[int], places: Sequence[int]) -> Indices:
        """Axis i at place places[i] of a larger shape."""
        return self._replace(shape=tuple(shape), dims=tuple(places[d] for d in self.dims))


# Indices are at least 0: data outside of a table are refused when they are given.

def _compared(name: str, a: Any, b: Any) -> Any:
    """With 0, from which JAX counts backwards; or with 0, 1, .. along the last axis: one-hot rows, a node."""
    other, ids = (b, a) if isinstance(a, Indices) else (a, b)
    if isinstance(other, (Node, Indices)):
        raise invalid(f"{name} of indices with what depends on the input")
    if name in ("lt", "ge") and ids is a and not np.any(other) and ids.shift == 0:
        return np.broadcast_to(np.array(name == "ge"), ids.shape)
    ids = ids._replace(shape=np.broadcast_shapes(ids.shape, np.shape(other)))
    count = ids.shape[-1] if ids.shape else 0
    rows = np.broadcast_to(other, ids.shape)
    if name in ("eq", "ne") and len(ids.shape) - 1 not in ids.dims and (rows == np.arange(count)).all() and ids.shift == 0:
        one_hot = L.embedding(ids.node, as_node(np.eye(count), ids.node.graph))
        thin = [1] * len(ids.shape)
        for n, d in zip((*ids.node.shape, count), (*ids.dims, len(ids.shape) - 1)):
            thin[d] = n
        one_hot = one_hot.reshape(*thin).broadcast_to(ids.shape)
        return one_hot if name == "eq" else 1 - one_hot
    raise invalid(f"{name} of indices with something else than 0 or all classes")


def _selected(condition: Any, *cases: Any) -> Any:
    if isinstance(condition, Node) or not (np.all(condition) or not np.any(condition)):
        raise invalid("indices chosen by a condition")
    return cases[int(bool(np.all(condition)))]


def _broadcast(x: Indices, shape: Sequence[int], broadcast_dimensions: Sequence[int], **_: Any) -> Indices:
    return x.moved(shape, broadcast_dimensions)


def _reshaped(x: Indices, new_sizes: Sequence[int], **_: Any) -> Indices:
    """Axes of size 1 come and go; anything else reshapes the node."""
    kept = [i for i, n in enumerate(new_sizes) if n != 1]
    own = [i for i, n in enumerate(x.shape) if n != 1]
    if [new_sizes[i] for i in kept] != [x.shape[i] for i in own] or any(x.shape[d] == 1 for d in x.dims):
        if x.shape != x.node.shape:
            raise invalid("a reshape of indices that were broadcast")
        return Indices.of(x.node.reshape(*new_sizes))._replace(shift=x.shift)
    return x.moved(new_sizes, [kept[own.index(i)] if i in own else 0 for i in range(len(x.shape))])


def _squeezed(x: Indices, dimensions: Sequence[int]) -> Indices:
    return _reshaped(x, [n for i, n in enumerate(x.shape) if i not in dimensions])


RULES: dict[str, Callable[..., Any]] = {
    "lt": lambda a, b: _compared("lt", a, b), "ge": lambda a, b: _compared("ge", a, b),
    "eq": lambda a, b, **_: _compared("eq", a, b), "ne": lambda a, b, **_: _compared("ne", a, b),
    "add": lambda a, b: (a if isinstance(a, Indices) else b)._replace(shift=1), "select_n": _selected,
    "broadcast_in_dim": _broadcast, "reshape": _reshaped, "squeeze": _squeezed, "copy": lambda x: x}


def _convert(x: Indices, new_dtype: Any, **_: Any) -> Indices:
    if np.dtype(new_dtype).kind not in "iu":
        raise invalid("indices as numbers")
    return x


RULES["convert_element_type"] = _convert


# ---- look-up ----

def gather(table: Any, places: Any, *, dimension_numbers: Any, slice_sizes: Sequence[int], **_: Any) -> Node:
    """Rows along one axis, by constants or by indices of the data; all of every other axis."""
    n = dimension_numbers
    axes = list(n.start_index_map)
    whole = [i for i, k in enumerate(slice_sizes) if k == table.shape[i]]
    if n.operand_batching_dims or len(axes) != 1 or list(n.collapsed_slice_dims) != axes or slice_sizes[axes[0]] != 1 \
            or any(i not in whole for i in range(len(slice_sizes)) if i != axes[0]):
        raise invalid("gather of several indices at once, or of windows")
    axis, shape = axes[0], places.shape[:-1]
    if isinstance(places, Indices):
        found = _looked_up(table, places, axis)
    else:
        ids = np.clip(np.asarray(places)[..., 0].ravel(), 0, table.shape[axis] - 1)
        node = as_node(table, graph_of([table])) if not isinstance(table, Node) else table
        order = [axis, *(i for i in range(len(table.shape)) if i != axis)]
        rows = taken(node.transpose(*order), 0, [int(i) for i in ids])
        found = rows.reshape(*shape, *(table.shape[i] for i in order[1:]))
    return _placed(found, len(shape), n.offset_dims)


def _looked_up(table: Any, ids: Indices, axis: int) -> Node:
    if ids.shift or ids.dims != tuple(range(len(ids.node.shape))) or ids.shape[:-1] != ids.node.shape:
        raise invalid("a look-up by indices that were changed or broadcast before")
    node = as_node(table, ids.node.graph)
    order = [axis, *(i for i in range(len(node.shape)) if i != axis)]
    turned = node if axis == 0 else node.transpose(*order)
    inner = turned.shape[1:]
    rows = L.embedding(ids.node, turned if len(inner) == 1 else turned.reshape(turned.shape[0], -1))
    return rows if len(inner) == 1 else rows.reshape(*ids.node.shape, *inner)


def _placed(found: Node, batch: int, offset_dims: Sequence[int]) -> Node:
    """[indices.., slices..] with the axes of the slices at their places."""
    rank = len(found.shape)
    order: list[int] = []
    lead, inner = iter(range(batch)), iter(range(batch, rank))
    for i in range(rank):
        order.append(next(inner) if i in offset_dims else next(lead))
    return found if order == list(range(rank)) else found.transpose(*order)
