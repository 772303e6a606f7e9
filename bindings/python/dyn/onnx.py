# SPDX-License-Identifier: BSD-3-Clause
"""The network as an ONNX file: its graph, as it measures, primitive by primitive, for any number of samples."""
from __future__ import annotations

import ctypes
import importlib
import os
from typing import Any, Callable, Mapping, Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ._inspect import Primitive, primitives
from ._lib import enum, lib
from .errors import invalid
from .graph import Graph
from .model import Model


# ---- sizes that count samples ----

def _written(net: Model, n: int) -> tuple[dict[int, Primitive], int]:
    """The network for n samples, and its output."""
    with net._context:
        g = Graph()
    shape, dtype = (n, *net.input_shape), ctypes.c_int32()
    lib.dyn_model_input(net, 0, None, ctypes.byref(dtype))
    x = (g.indices if dtype.value == enum("dtype", "i64") else g.input)("x", shape)
    f = net(x)
    return primitives(g, [f]), f.id


def _per_sample(at_2: int, at_3: int) -> int:
    """0: a size that stays; k: k for each sample."""
    if at_2 == at_3:
        return 0
    if at_2 != 2 * (at_3 - at_2):
        raise invalid(f"a size is {at_2} for 2 samples and {at_3} for 3: it is no multiple of their number")
    return at_3 - at_2


# ---- writing ----

class _Writer:
    """ONNX nodes as they are written, and constants."""

    def __init__(self, onnx: Any, dtype: np.dtype[Any]) -> None:
        self.helper, self.numpy_helper = onnx.helper, onnx.numpy_helper
        self.dtype = dtype
        self.nodes: list[Any] = []
        self.constants: list[Any] = []
        self.names = 0
        self._samples = ""

    def op(self, kind: str, *inputs: str, **attributes: Any) -> str:
        """A node of one output."""
        self.names += 1
        out = f"{kind}_{self.names}"
        self.nodes.append(self.helper.make_node(kind, list(inputs), [out], **attributes))
        return out

    def constant(self, value: Any, name: str = "") -> str:
        """An array that the file holds."""
        self.names += 1
        name = name or f"constant_{self.names}"
        self.constants.append(self.numpy_helper.from_array(np.asarray(value), name))
        return name

    def number(self, value: float) -> str:
        """A number of the network's type."""
        return self.constant(np.asarray(np.clip(value, np.finfo(self.dtype).min, np.finfo(self.dtype).max), self.dtype))

    def ints(self, values: Sequence[int]) -> str:
        """A list of integers."""
        return self.constant(np.array(values, np.int64))

    def sizes(self, shape: Sequence[int], each: Sequence[int]) -> str:
        """The shape, of which axes with each > 0 count so many for every sample."""
        if not any(each):
            return self.ints(shape)
        if not self._samples:
            self._samples = self.op("Slice", self.op("Shape", "x"), self.ints([0]), self.ints([1]))
        parts = [self.op("Mul", self._samples, self.ints([k])) if k else self.ints([n]) for n, k in zip(shape, each)]
        return self.op("Concat", *parts, axis=0)


ELEMENTWISE = {"neg": "Neg", "exp": "Exp", "log": "Log", "tanh": "Tanh", "erf": "Erf", "sin": "Sin", "cos": "Cos",
               "sqrt": "Sqrt", "stop": "Identity", "identity": "Identity", "add": "Add", "sub": "Sub", "mul": "Mul",
               "div": "Div", "max": "Max"}
TESTS = {"gt": "Greater", "ge": "GreaterOrEqual", "eq": "Equal"}


class _Network:
    """The conversion of one network."""

    def __init__(self, w: _Writer, two: dict[int, Primitive], three: dict[int, Primitive],
                 tensors: Mapping[str, NDArray[Any]]) -> None:
        self.w, self.two, self.tensors = w, two, tensors
        self.each = {i: tuple(map(_per_sample, p.shape, q.shape)) for (i, p), q in zip(two.items(), three.values())}
        self.name: dict[int, str] = {}

    def write(self) -> None:
        """All nodes in their order."""
        for i, p in self.two.items():
            rule: Callable[..., str] | None = getattr(self, "_" + p.operation, None)
            inputs = [self.name[k] for k in p.operands]
            if p.operation in ELEMENTWISE:
                self.name[i] = self.w.op(ELEMENTWISE[p.operation], *inputs)
            elif p.operation in TESTS:
                test = self.w.op(TESTS[p.operation], *inputs)
                self.name[i] = self.w.op("Cast", test, to=self.w.helper.np_dtype_to_tensor_dtype(self.w.dtype))
            elif rule is None:
                raise invalid(f"{p.operation} has no form in ONNX here")
            else:
                self.name[i] = rule(i, p, *inputs)

    def _input(self, i: int, p: Primitive) -> str:
        if p.values is not None:
            return self.w.constant(p.values.astype(self.w.dtype))
        if p.name != "x" and p.name not in self.tensors:
            raise invalid("random numbers have no form in ONNX here")
        return "x" if p.name == "x" else self.w.constant(self.tensors[p.name].astype(self.w.dtype), p.name)

    def _constant(self, i: int, p: Primitive) -> str:
        return self.w.op("Expand", self.w.number(p.number), self.w.sizes(p.shape, self.each[i]))

    def _expm1(self, i: int, p: Primitive, x: str) -> str:
        return self.w.op("Sub", self.w.op("Exp", x), self.w.number(1))

    def _log1p(self, i: int, p: Primitive, x: str) -> str:
        return self.w.op("Log", self.w.op("Add", x, self.w.number(1)))

    def _powi(self, i: int, p: Primitive, x: str) -> str:
        return self.w.op("Pow", x, self.w.number(p.count))

    def _pow(self, i: int, p: Primitive, x: str) -> str:
        return self.w.op("Pow", x, self.w.number(p.number))

    def _select(self, i: int, p: Primitive, condition: str, a: str, b: str) -> str:
        return self.w.op("Where", self.w.op("Cast", condition, to=self.w.helper.TensorProto.BOOL), a, b)

    def _matmul(self, i: int, p: Primitive, a: str, b: str) -> str:
        sides = []
        for name, k, turned in zip((a, b), p.operands, p.attribute):
            r = len(self.two[k].shape)
            order = [*range(r - 2), r - 1, r - 2]
            sides.append(self.w.op("Transpose", name, perm=order) if turned else name)
        return self.w.op("MatMul", *sides)

    def _sum(self, i: int, p: Primitive, x: str) -> str:
        return self.w.op("ReduceSum", x, self.w.ints(p.attribute[:p.count]), keepdims=0)

    def _amax(self, i: int, p: Primitive, x: str) -> str:
        return self.w.op("ReduceMax", x, self.w.ints(p.attribute[:p.count]), keepdims=0)

    def _reshape(self, i: int, p: Primitive, x: str) -> str:
        return self.w.op("Reshape", x, self.w.sizes(p.shape, self.each[i]))

    def _broadcast(self, i: int, p: Primitive, x: str) -> str:
        own, sizes = p.operands[0], [1] * len(p.shape)
        each = [0] * len(p.shape)
        for k in range(p.count):
            sizes[p.attribute[k]] = self.two[own].shape[k]
            each[p.attribute[k]] = self.each[own][k]
        thin = self.w.op("Reshape", x, self.w.sizes(sizes, each))
        return self.w.op("Expand", thin, self.w.sizes(p.shape, self.each[i]))

    def _permute(self, i: int, p: Primitive, x: str) -> str:
        return self.w.op("Transpose", x, perm=list(p.attribute[:len(p.shape)]))

    def _cut(self, i: int, p: Primitive) -> list[int]:
        """Axes along which a part is shorter than the whole; the samples are not among them."""
        own = p.operands[0]
        axes = [k for k in range(len(p.shape)) if (p.shape[k], self.each[i][k]) != (self.two[own].shape[k], self.each[own][k])]
        if any(self.each[i][k] or self.each[own][k] for k in axes):
            raise invalid(f"{p.operation} along the samples has no form in ONNX here")
        return axes

    def _slice(self, i: int, p: Primitive, x: str) -> str:
        axes = self._cut(i, p)
        if not axes:
            return self.w.op("Identity", x)
        starts = [p.attribute[k] for k in axes]
        return self.w.op("Slice", x, self.w.ints(starts), self.w.ints([s + p.shape[k] for s, k in zip(starts, axes)]),
                         self.w.ints(axes))

    def _padded(self, x: str, before: Sequence[int], after: Sequence[int]) -> str:
        return self.w.op("Pad", x, self.w.ints([*before, *after]), self.w.number(0))

    def _pad(self, i: int, p: Primitive, x: str) -> str:
        axes, own = self._cut(i, p), self.two[p.operands[0]].shape
        before = [p.attribute[k] if k in axes else 0 for k in range(len(p.shape))]
        after = [p.shape[k] - own[k] - p.attribute[k] if k in axes else 0 for k in range(len(p.shape))]
        return self._padded(x, before, after)

    def _concat(self, i: int, p: Primitive, a: str, b: str) -> str:
        return self.w.op("Concat", a, b, axis=p.count)

    def _gather(self, i: int, p: Primitive, table: str, index: str) -> str:
        if p.attribute[0]:
            raise invalid("gather with leading axes has no form in ONNX here")
        return self.w.op("Gather", table, index, axis=0)

    def _unfold(self, i: int, p: Primitive, x: str) -> str:
        axis, start, stride, dilation, windows, size = p.attribute[:6]
        length, rank = self.two[p.operands[0]].shape[axis], len(p.shape) - 1
        places = start + stride * np.arange(windows)[:, None] + dilation * np.arange(size)
        before, after = max(0, -int(places.min())), max(0, int(places.max()) - length + 1)
        if before or after:
            zeros = [0] * rank
            x = self._padded(x, [*zeros[:axis], before, *zeros[axis + 1:]], [*zeros[:axis], after, *zeros[axis + 1:]])
        return self.w.op("Gather", x, self.w.constant(places.astype(np.int64) + before), axis=axis)

    def _fold(self, i: int, p: Primitive, x: str) -> str:
        """Windows and their elements are one axis, which a matrix of zeros and ones adds up to places."""
        axis, start, stride, dilation, windows, size = p.attribute[:6]
        places = start + stride * np.arange(windows)[:, None] + dilation * np.arange(size)
        matrix = (places.reshape(-1, 1) == np.arange(p.shape[axis])).astype(self.w.dtype)
        others = [k for k in range(len(p.shape)) if k != axis]
        behind = self.w.op("Transpose", x, perm=[*(k + (k > axis) for k in others), axis, axis + 1])
        each = [*(self.each[i][k] for k in others), 0]
        flat = self.w.op("Reshape", behind, self.w.sizes([*(p.shape[k] for k in others), len(matrix)], each))
        added = self.w.op("MatMul", flat, self.w.constant(matrix))
        return self.w.op("Transpose", added, perm=[int(k) for k in np.argsort([*others, axis])])


def to_onnx(net: Model, theta: ArrayLike, path: str | os.PathLike[str] | None = None, *,
            states: Mapping[str, ArrayLike] | None = None, dtype: Any = "float32", opset: int = 18) -> Any:
    """The network with parameters theta [p] as an ONNX model, also written to path: input "x" [n, ..], output "f", any n.

    states: running moments, run.states after training; None: as they begin. dtype: float32 or float64. It is the network
    as it measures, in the primitives of the graph. Needs the package onnx. Refused by name: networks of several inputs,
    random numbers.

    >>> import onnx
    >>> net = dyn.mlp([3, 5, 2], seed=1)
    >>> model = dyn.to_onnx(net, net.initial())
    >>> [node.name for node in model.graph.output]
    ['f']
    """
    onnx: Any = importlib.import_module("onnx")
    if int(lib.dyn_model_inputs(net)) != 1:
        raise invalid(f"the network has {lib.dyn_model_inputs(net)} inputs: one is written")
    kind = np.dtype(dtype)
    if kind not in (np.dtype("f4"), np.dtype("f8")):
        raise invalid(f"dtype {dtype!r} is neither float32 nor float64")
    (two, f), (three, _) = _written(net, 2), _written(net, 3)
    if [p.operation for p in two.values()] != [p.operation for p in three.values()]:
        raise invalid("the network is another function for another number of samples")
    w = _Writer(onnx, kind)
    tensors = {**net.views(np.array(theta, np.float64)), **net.states,
               **{name: np.asarray(value) for name, value in (states or {}).items()}}
    network = _Network(w, two, three, tensors)
    network.write()
    w.nodes.append(w.helper.make_node("Identity", [network.name[f]], ["f"]))
    return _finished(onnx, w, two, network.each[f], f, kind, path, opset)


def _finished(onnx: Any, w: _Writer, two: Mapping[int, Primitive], each: Sequence[int], f: int, kind: np.dtype[Any],
              path: Any, opset: int) -> Any:
    """The model around the nodes, checked, and written if wanted."""
    x = next(p for p in two.values() if p.name == "x")
    element = onnx.helper.np_dtype_to_tensor_dtype(kind)
    out = ["n" if k == 1 else None if k else s for s, k in zip(two[f].shape, each)]
    given = onnx.helper.make_tensor_value_info("x", onnx.TensorProto.INT64 if x.index else element,
                                               ["n", *x.shape[1:]])
    made = onnx.helper.make_tensor_value_info("f", element, out)
    model = onnx.helper.make_model(onnx.helper.make_graph(w.nodes, "network", [given], [made], w.constants),
                                   opset_imports=[onnx.helper.make_opsetid("", opset)], producer_name="libdyn")
    onnx.checker.check_model(model)
    if path is not None:
        onnx.save(model, os.fspath(path))
    return model
