# SPDX-License-Identifier: BSD-3-Clause
"""A PyTorch module as a program of ATen's operations, by torch.export or torch.fx, and that program written as nodes."""
from __future__ import annotations

import contextlib
import warnings
from dataclasses import dataclass
from typing import Any, Iterator, Sequence

import torch
from torch import nn
from torch.utils import _pytree as pytree

from . import layers as L
from ._torch_arithmetic import OPERATIONS, add, div, mul, sub
from ._torch_layers import last, optional, second
from ._torch_value import Value, elementwise, value_of
from .build import Build
from .errors import Error, error, invalid
from .graph import sqrt

PARAMETER, BUFFER, INPUT = "parameter", "buffer", "input"


@dataclass
class Program:
    """The operations, what each of its leaves is (kind, name), and its buffers and constants by name."""

    graph: torch.fx.Graph
    leaves: list[tuple[str, str]]
    constants: dict[str, torch.Tensor]


# ---- attention, whose own forward moves the samples about ----

class _Attention(nn.MultiheadAttention):
    """MultiheadAttention written plainly: samples first, one path for every case."""

    def _projected(self, query: Any, key: Any, value: Any) -> list[Any]:
        if self.in_proj_weight is not None:
            weights: Any = self.in_proj_weight.chunk(3)
        else:
            weights = (self.q_proj_weight, self.k_proj_weight, self.v_proj_weight)
        biases: Any = (None,) * 3 if self.in_proj_bias is None else self.in_proj_bias.chunk(3)
        if query is key and key is value and self.in_proj_weight is not None:
            return list(nn.functional.linear(query, self.in_proj_weight, self.in_proj_bias).chunk(3, -1))
        return [nn.functional.linear(x, w, b) for x, w, b in zip((query, key, value), weights, biases)]

    def _bias(self, mask: Any) -> Any:
        if mask.dtype is not torch.bool:
            shown = mask
        else:
            shown = torch.zeros(mask.shape, dtype=torch.float64).masked_fill(mask, float("-inf"))
        return shown if mask.dim() != 3 else shown.reshape(-1, self.num_heads, *mask.shape[1:])

    def forward(self, query: Any, key: Any, value: Any, key_padding_mask: Any = None, need_weights: bool = True,
                attn_mask: Any = None, average_attn_weights: bool = True, is_causal: bool = False) -> Any:
        if self.bias_k is not None or self.add_zero_attn:
            raise invalid("MultiheadAttention with add_bias_kv or add_zero_attn")
        if not self.batch_first:
            same = query is key and key is value
            query = query.transpose(0, 1)
            key, value = (query, query) if same else (key.transpose(0, 1), value.transpose(0, 1))
        q, k, v = (x.unflatten(2, (self.num_heads, -1)).transpose(1, 2) for x in self._projected(query, key, value))
        scores = (q * self.head_dim**-0.5) @ k.transpose(-1, -2)
        if attn_mask is not None:
            scores = scores + self._bias(attn_mask)
        if key_padding_mask is not None:
            if key_padding_mask.dtype is torch.bool:
                scores = scores.masked_fill(key_padding_mask[:, None, None, :], float("-inf"))
            else:
                scores = scores + key_padding_mask[:, None, None, :]
        maps = nn.functional.dropout(scores.softmax(-1), self.dropout, self.training)
        y = self.out_proj((maps @ v).transpose(1, 2).flatten(2))
        weights = (maps.mean(1) if average_attn_weights else maps) if need_weights else None
        return (y if self.batch_first else y.transpose(0, 1)), weights


def prepare(module: nn.Module) -> None:
    """Make the copy of a user's module ready to be exported; what could not be written is refused by its place."""
    for name, part in module.named_modules():
        if type(part) is nn.MultiheadAttention:
            part.__class__ = _Attention
        if getattr(part, "momentum", 0) is None and getattr(part, "track_running_stats", False):
            raise invalid(f"{name} ({type(part).__name__}) with momentum=None: its moments are a mean over all steps")


# ---- export ----

@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """No warnings of the exporter's, none of the fused paths of evaluation; both as they were afterwards."""
    fused = torch.backends.mha.get_fastpath_enabled()
    torch.backends.mha.set_fastpath_enabled(False)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        torch.backends.mha.set_fastpath_enabled(fused)


def _by_export(module: nn.Module, example: tuple[torch.Tensor, ...]) -> tuple[Program, Any]:
    samples = torch.export.Dim("samples", min=2)
    made = torch.export.export(module, example, dynamic_shapes=tuple({0: samples} for _ in example), strict=False)
    return _of_export(made), made


def _of_export(made: Any) -> Program:
    kinds = {"PARAMETER": PARAMETER, "BUFFER": BUFFER, "CONSTANT_TENSOR": BUFFER, "USER_INPUT": INPUT}
    leaves = [(kinds[spec.kind.name], spec.target or spec.arg.name) for spec in made.graph_signature.input_specs]
    return Program(made.graph, leaves, {**made.state_dict, **made.constants})


def _by_fx(module: nn.Module, example: tuple[torch.Tensor, ...]) -> Program:
    from torch.fx.experimental.proxy_tensor import make_fx
    tensors = {**dict(module.named_parameters()), **dict(module.named_buffers())}
    names, leaves = list(tensors), [PARAMETER if isinstance(t, nn.Parameter) else BUFFER for t in tensors.values()]

    def forward(values: list[torch.Tensor], *inputs: torch.Tensor) -> Any:
        return torch.func.functional_call(module, dict(zip(names, values)), inputs)
    made = make_fx(forward, tracing_mode="symbolic", pre_dispatch=True)(list(tensors.values()), *example)
    inputs = [(INPUT, str(i)) for i in range(len(example))]
    held = {name: getattr(made, name) for name in dir(made) if name.startswith("_tensor_constant")}
    return Program(made.graph, [*zip(leaves, names), *inputs], {**tensors, **held})


def exported(module: nn.Module, example: tuple[torch.Tensor, ...]) -> Program:
    """The module's program in its present mode; what it does beyond the table is taken apart if torch knows how."""
    with _quiet():
        try:
            program, made = _by_export(module, example)
        except Error:
            raise
        except Exception as refused:
            try:
                return _checked(_by_fx(module, example))
            except Error:
                raise
            except Exception:
                raise invalid(f"torch.export cannot write {type(module).__name__} down: {refused!s:.600}") from refused
        if unknown(program):
            program = _apart(made) or program
    return _checked(program)


def _apart(made: Any) -> Program | None:
    """The program with operations that the table lacks taken apart, where torch can."""
    every: Any = torch.export.default_decompositions()
    rules = {op: f for op, f in every.items() if _name(op) not in OPERATIONS}
    try:
        return _of_export(made.run_decompositions(rules))
    except Exception:       # of any kind: torch's rules are its own
        return None


def _checked(program: Program) -> Program:
    missing = unknown(program)
    if missing:
        raise invalid("the module does what cannot be written yet: " + "; ".join(missing))
    return program


# ---- what is missing ----

def _name(target: Any) -> str:
    """ATen's name of an operation, without its overload and the _ of work in place."""
    if not hasattr(target, "_schema"):
        return getattr(target, "__name__", str(target))
    name: str = target._schema.name.split("::")[-1]
    return name[:-1] if name.endswith("_") and not name.startswith("__") else name


def _where(node: torch.fx.Node) -> str:
    """The submodule that an operation belongs to."""
    stack = list((node.meta.get("nn_module_stack") or {}).values())
    path, kind = stack[-1] if stack else ("", "")
    kind = kind if isinstance(kind, str) else kind.__name__
    return f" in {path.removeprefix('L__self__').lstrip('.') or 'the module'} ({kind.split('.')[-1]})" if kind else ""


def unknown(program: Program) -> list[str]:
    """Operations on what depends on inputs and parameters that the table lacks, in the order of the program."""
    live: set[Any] = set()
    missing: dict[str, str] = {}
    leaves = iter(program.leaves)
    for node in program.graph.nodes:
        if node.op == "placeholder":
            if next(leaves)[0] != BUFFER:
                live.add(node)
        elif node.op == "call_function" and live.intersection(node.all_input_nodes) and _name(node.target) != "sym_size":
            live.add(node)
            name = _name(node.target)
            if name not in OPERATIONS and name not in ("batch_norm", "getitem"):
                missing.setdefault(name, f"{name}{_where(node)}")
    return list(missing.values())


VIEWS = frozenset("""view reshape _unsafe_view view_as reshape_as flatten unflatten permute transpose swapaxes swapdims t
    numpy_T mT movedim unsqueeze squeeze expand expand_as slice narrow select split split_with_sizes chunk unbind getitem
    alias contiguous to detach""".split())


def _shared(node: torch.fx.Node) -> bool:
    """Whether work in place on a node changes other nodes that are still read: what it is a view of, or views of it."""
    source = node.args[0]
    if not isinstance(source, torch.fx.Node):
        return False
    if any(_name(user.target) in VIEWS for user in source.users if user is not node):
        return True
    while source.op == "call_function" and _name(source.target) in VIEWS and isinstance(source.args[0], torch.fx.Node):
        source = source.args[0]
        if len(source.users) > 1:
            return True
    return False


# ---- writing ----

class Writer:
    """Writes a program into a build: parameters and inputs are Values, the rest is computed by torch."""

    def __init__(self, program: Program, g: Build, tensors: dict[str, Value], inputs: Sequence[Value],
                 moving: set[str]) -> None:
        self._program, self._g, self._moving = program, g, moving
        self._tensors, self._inputs = tensors, list(inputs)
        self._name: dict[torch.fx.Node, str] = {}

    def write(self) -> Value:
        """The value that the program returns."""
        values: dict[torch.fx.Node, Any] = {}
        leaves, inputs = iter(self._program.leaves), iter(self._inputs)
        for node in self._program.graph.nodes:
            if node.op == "placeholder":
                kind, self._name[node] = next(leaves)
                values[node] = next(inputs) if kind == INPUT else self._leaf(kind, self._name[node])
            elif node.op == "get_attr":
                values[node] = self._program.constants[node.target]
            elif node.op == "output":
                return _single(torch.fx.node.map_arg(node.args[0], values.__getitem__))
            else:
                values[node] = self._value(node, values)
        raise invalid("the module returns nothing")

    def _leaf(self, kind: str, name: str) -> Any:
        return self._tensors[name] if kind == PARAMETER else self._program.constants[name].clone()

    def _value(self, node: torch.fx.Node, values: dict[torch.fx.Node, Any]) -> Any:
        arguments: Any = torch.fx.node.map_arg((node.args, node.kwargs), values.__getitem__)
        positional, named = arguments
        if not hasattr(node.target, "_schema") or not any(isinstance(v, Value) for v in pytree.tree_leaves(arguments)):
            return node.target(*positional, **named)        # type: ignore[operator]
        name = _name(node.target)
        if node.target._schema.name.endswith("_") and _shared(node):
            raise invalid(f"{name}_{_where(node)}: work in place on what is viewed elsewhere; write it out of place")
        try:
            if name in ("eq", "ne") and isinstance(positional[0], Value) and positional[0].node.graph.is_index(positional[0].node):
                return self._token_is(name, *positional)
            if name == "batch_norm":
                return self._batch_norm(node, *positional)
            made: Any = OPERATIONS[name](*positional, **named)
            return made
        except Error as refused:
            raise error(refused.status, f"{name}{_where(node)}: {refused}") from None

    def _token_is(self, name: str, ids: Value, token: Any) -> Value:
        """Whether ids are a token, or are not: looked up in a table as long as the longest of the embeddings."""
        tables = [n.args[0] for n in self._program.graph.nodes if n.op == "call_function" and _name(n.target) == "embedding"]
        rows = max((self._tensors[self._name[t]].shape[0] for t in tables if t in self._name
                    and self._name[t] in self._tensors), default=0)
        if rows == 0 or not isinstance(token, (int, float)):
            raise invalid("integers compared with something else than a number, or without an embedding for them")
        table = torch.full((rows, 1), float(name == "ne"), dtype=torch.float64)
        if 0 <= int(token) < rows:
            table[int(token)] = float(name == "eq")
        found = L.embedding(ids.plain, value_of(table, self._g, "").plain)
        return Value(found.reshape(*ids.shape))

    def _batch_norm(self, node: torch.fx.Node, x: Value, weight: Any, bias: Any, mean: Any, var: Any, training: bool,
                    momentum: float, eps: float, *_: Any) -> Value:
        """By running moments, which move in training, where the module keeps them and learns them."""
        place = node.args[3]
        name = self._name[place].removesuffix(".running_mean") if isinstance(place, torch.fx.Node) else ""
        if name in self._moving:
            return second(L.batch_norm(last(x), optional(weight, x), optional(bias, x), momentum, eps, name=name))
        shape = [1, -1, *[1] * (x.rank - 2)]
        if training:
            axes = [i for i in range(x.rank) if i != 1]
            mean, var = OPERATIONS["mean"](x, axes, True), OPERATIONS["var"](x, axes, False, True)
        else:
            mean, var = mean.view(shape), var.view(shape)
        y = div(sub(x, mean), elementwise(sqrt, add(var, eps)) if training else (var + eps).sqrt())
        for function, tensor in ((mul, weight), (add, bias)):
            if tensor is not None:
                y = function(y, Value(value_of(tensor, self._g, "a parameter").plain.reshape(*shape)))
        return y


def _single(result: Any) -> Value:
    results = list(result) if isinstance(result, (tuple, list)) else [result]
    if len(results) != 1 or not isinstance(results[0], Value):
        raise invalid(f"the module returns {len(results)} tensors, a model one that depends on its input")
    return results[0]


def moving(program: Program) -> set[str]:
    """Batch norms of the program that take the moments of the batch and keep running ones."""
    nodes = iter(program.graph.nodes)
    names = {node: name for node, (_, name) in zip((n for n in nodes if n.op == "placeholder"), program.leaves)}
    norms = [n for n in program.graph.nodes if n.op == "call_function" and _name(n.target) == "batch_norm"]
    return {names[n.args[3]].removesuffix(".running_mean") for n in norms if n.args[5] and n.args[3] is not None}
