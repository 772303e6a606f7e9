# SPDX-License-Identifier: BSD-3-Clause
"""A graph looked at node by node."""
from __future__ import annotations

import ctypes
from dataclasses import dataclass
from typing import Sequence

import numpy as np
from numpy.typing import NDArray

from ._arrays import view
from ._lib import call, enum, lib
from .graph import Graph, Node, NodeInfo


@dataclass(frozen=True)
class Primitive:
    """A node of a graph."""

    operation: str
    name: str
    values: NDArray[np.float64] | None
    number: float
    count: int
    attribute: tuple[int, ...]
    shape: tuple[int, ...]
    index: bool
    operands: tuple[int, ...]


def primitives(g: Graph, outputs: Sequence[Node]) -> dict[int, Primitive]:
    """The nodes that the outputs need, operands before results."""
    found: dict[int, Primitive] = {}
    left = [node.id for node in outputs]
    while left:
        i = left.pop()
        if i not in found:
            info = NodeInfo()
            call(g._context, lib.dyn_graph_inspect, g, i, ctypes.byref(info))
            shape = tuple(info.shape[:info.rank])
            values = None if not info.values else view(info.values, shape).copy()
            found[i] = Primitive(info.operation.decode(), (info.name or b"").decode(), values, info.number, info.count,
                                 tuple(info.attribute), shape, info.dtype == enum("dtype", "i64"),
                                 tuple(info.operand[:info.operands]))
            left += found[i].operands
    return {i: found[i] for i in sorted(found)}


def table_rows(g: Graph, output: Node) -> int:
    """Rows of the smallest table that the input "x" is looked up in; 0: it is in none."""
    nodes = primitives(g, [output])

    def source(i: int) -> str:
        while nodes[i].operands:
            i = nodes[i].operands[0]
        return nodes[i].name
    tables = [nodes[p.operands[0]].shape[p.attribute[0]] for p in nodes.values()
              if p.operation == "gather" and source(p.operands[1]) == "x"]
    return min(tables, default=0)
