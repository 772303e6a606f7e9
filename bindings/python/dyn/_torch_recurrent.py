# SPDX-License-Identifier: BSD-3-Clause
"""PyTorch's recurrent layers and cells on Values. A layer that begins at 0 and of which only the outputs are wanted is the
library's own; what begins elsewhere, projects, rectifies, or is asked for its last cell is unrolled here."""
from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Callable, Sequence

from . import layers as L
from ._torch_arithmetic import OPERATIONS, add, cat, flip, linear, mul, select, split, stack, sub, transpose
from ._torch_layers import dropout
from ._torch_value import Value, graph_of, is_tensor, value_of
from .graph import Node

LAYERS: dict[str, Callable[..., Node]] = {"lstm": L.lstm, "gru": L.gru, "rnn_tanh": L.rnn}
GATES = {"lstm": 4, "gru": 3, "rnn_tanh": 1, "rnn_relu": 1}
_act = {name: OPERATIONS[name] for name in ("tanh", "relu", "sigmoid")}


# ---- one step: xw is the input's share of the gates, hu the state's ----

def _simple(name: str) -> Callable[..., tuple[Value, Any]]:
    return lambda xw, hu, h, c: (_act[name](add(xw, hu)), None)


def _gru(xw: Value, hu: Value, h: Any, c: Any) -> tuple[Value, Any]:
    width = hu.shape[-1] // 3
    (xr, xz, xn), (hr, hz, hn) = split(xw, width, -1), split(hu, width, -1)
    r, z = _act["sigmoid"](add(xr, hr)), _act["sigmoid"](add(xz, hz))
    n = _act["tanh"](add(xn, mul(r, hn)))
    return add(n, mul(z, sub(h, n))), None


def _lstm(xw: Value, hu: Value, h: Any, c: Any) -> tuple[Value, Value]:
    total = add(xw, hu)
    i, f, g, o = split(total, total.shape[-1] // 4, -1)
    c = add(mul(_act["sigmoid"](f), c), mul(_act["sigmoid"](i), _act["tanh"](g)))
    return mul(_act["sigmoid"](o), _act["tanh"](c)), c


STEPS: dict[str, Callable[..., tuple[Value, Any]]] = {
    "lstm": _lstm, "gru": _gru, "rnn_tanh": _simple("tanh"), "rnn_relu": _simple("relu")}


# ---- one layer in one direction ----

@dataclass
class _Weights:
    """W [G h, in] and U [G h, out], their biases, and P [out, h], which projects the outputs of an LSTM."""

    w: Value
    u: Value
    b: Any = None
    c: Any = None
    p: Any = None

    @classmethod
    def of(cls, given: Sequence[Any], biases: bool, g: Any) -> _Weights:
        values = [value_of(t, g, "a parameter") for t in given]
        return cls(*values) if biases else cls(values[0], values[1], p=values[2] if len(values) > 2 else None)


def _is_zero(x: Any) -> bool:
    return x is None or is_tensor(x) and not bool(x.any())


def _unrolled(kind: str, x: Value, weights: _Weights, h: Any, c: Any) -> tuple[Value, Any, Any]:
    """Outputs of all places, the last one and the last cell."""
    outputs = []
    inputs = linear(x, weights.w, weights.b)
    for t in range(x.shape[1]):
        h, c = STEPS[kind](select(inputs, 1, t), _share(x, weights, h), h, c)
        if weights.p is not None:
            h = linear(h, weights.p)
        outputs.append(h)
    return stack(outputs, 1), h, c


def _share(x: Value, weights: _Weights, h: Any) -> Value:
    return linear(value_of(h, x.node.graph, "a state"), weights.u, weights.c)


def _direction(kind: str, x: Value, weights: _Weights, h: Any, c: Any, whole: bool) -> tuple[Value, Any, Any]:
    if whole or kind not in LAYERS or weights.p is not None or not (_is_zero(h) and _is_zero(c)):
        return _unrolled(kind, x, weights, h, c)
    biases = [b.plain for b in (weights.b, weights.c) if b is not None]
    y = Value(LAYERS[kind](x.plain, weights.w.laid((1, 0)), weights.u.laid((1, 0)), *biases))
    return y, select(y, 1, -1), None


# ---- all layers ----

@dataclass
class _Call:
    """A call of torch's: kind, input, first states, weights, and how many layers and directions there are."""

    kind: str
    x: Value
    starts: Sequence[Any]
    weights: Sequence[Any]
    biases: bool
    layers: int
    p: float
    train: bool
    both: bool
    batch_first: bool

    def way(self, y: Value, i: int, back: bool, whole: bool) -> tuple[Value, Any, Any]:
        """Layer i in one direction."""
        number = (1 + self.both) * i + back
        each = len(self.weights) // (self.layers * (1 + self.both))
        weights = _Weights.of(self.weights[number * each:][:each], self.biases, y.node.graph)
        h, c = [select(s, 0, number) if isinstance(s, Value) else s[number] for s in (*self.starts, *self.starts)][:2]
        made, h, c = _direction(self.kind, flip(y, [1]) if back else y, weights, h, c, whole)
        return flip(made, [1]) if back else made, h, c

    def run(self, whole: bool) -> list[Any]:
        """Outputs of all places, last outputs of every layer, and where they are wanted last cells."""
        y, hs, cs = self.x if self.batch_first else transpose(self.x, 0, 1), [], []
        for i in range(self.layers):
            y = dropout(y, self.p, self.train and i > 0)
            ways = [self.way(y, i, back, whole) for back in (False, True)[:1 + self.both]]
            y = cat([w[0] for w in ways], 2) if self.both else ways[0][0]
            hs += [w[1] for w in ways]
            cs += [w[2] for w in ways]
        return [y if self.batch_first else transpose(y, 0, 1), stack(hs, 0), *([stack(cs, 0)] if whole else [])]


class _Results(list[Any]):
    """What an LSTM gives; its last cells are written when somebody asks."""

    def __init__(self, call: _Call) -> None:
        super().__init__(call.run(False))
        self._call = call

    def __getitem__(self, i: Any) -> Any:
        return self._call.run(True)[2] if i == 2 else super().__getitem__(i)


OPERATIONS["lstm"] = lambda x, starts, weights, *options: _Results(_Call("lstm", x, starts, weights, *options))
for _kind in ("gru", "rnn_tanh", "rnn_relu"):
    OPERATIONS[_kind] = lambda x, start, weights, *options, kind=_kind: _Call(kind, x, [start], weights, *options).run(False)


# ---- cells ----

def _cell(kind: str, x: Any, states: Sequence[Any], *weights: Any) -> list[Any]:
    g = graph_of([x, *states, *weights])
    found = _Weights.of([w for w in weights if w is not None], len([w for w in weights if w is not None]) == 4, g)
    x = value_of(x, g, "x")
    h, c = (*states, None)[:2]
    return list(STEPS[kind](linear(x, found.w, found.b), _share(x, found, h), value_of(h, g, "a state"), c))


OPERATIONS["lstm_cell"] = lambda x, states, *weights: _cell("lstm", x, states, *weights)
for _kind in ("gru", "rnn_tanh", "rnn_relu"):
    OPERATIONS[_kind + "_cell"] = lambda x, h, *weights, kind=_kind: _cell(kind, x, [h], *weights)[0]
