# SPDX-License-Identifier: BSD-3-Clause
"""A PyTorch module as a program of ATen's operations, by torch.export or torch.fx, and that program written as nodes."""
from __future__ import annotations

import contextlib
import io
import logging
import os
import traceback
import warnings
from dataclasses import dataclass
from typing import Any, Iterator, Sequence

import torch
from torch import nn
from torch.utils import _pytree as pytree

from . import _torch_recurrent, _torch_resize       # noqa: F401 -- whose operations enter the table
from . import layers as L
from ._torch_arithmetic import OPERATIONS, add, div, mul, sub
from ._torch_layers import last, optional, second
from ._torch_value import Value, elementwise, value_of
from .build import Build
from .errors import Error, error, invalid
from .graph import sqrt

DRAWN = {"randn": "normal", "rand": "uniform", "randn_like": "normal", "rand_like": "uniform"}
PARAMETER, BUFFER, INPUT = "parameter", "buffer", "input"


@dataclass
class Program:
    """The operations, what each of its leaves is (kind, name), and its buffers and constants by name."""

    graph: torch.fx.Graph
    leaves: list[tuple[str, str]]
    constants: dict[str, torch.Tensor]
    results: list[int] | None = None        # which of the program's outputs are forward's; None: all

    @property
    def draws(self) -> bool:
        """Whether it draws random numbers."""
        return any(n.op == "call_function" and _name(n.target) in DRAWN for n in self.graph.nodes)


# ---- export ----

def _is_causal(mask: Any, is_causal: bool | None = None, size: int | None = None) -> bool:
    """In place of a look into the mask, which a program cannot take: masks are added whatever they are."""
    return bool(is_causal)


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """No warnings and messages of the exporter's, no fused paths of evaluation, no looks into masks; all as it was afterwards."""
    fused, looks = torch.backends.mha.get_fastpath_enabled(), nn.modules.transformer._detect_is_causal_mask
    said = logging.root.manager.disable
    logging.disable(logging.CRITICAL)
    torch.backends.mha.set_fastpath_enabled(False)
    nn.modules.transformer._detect_is_causal_mask = _is_causal
    try:
        with warnings.catch_warnings(), contextlib.redirect_stderr(io.StringIO()):      # the exporter prints what it refuses
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.disable(said)
        torch.backends.mha.set_fastpath_enabled(fused)
        nn.modules.transformer._detect_is_causal_mask = looks


def _by_export(module: nn.Module, example: tuple[torch.Tensor, ...]) -> tuple[Program, Any]:
    samples = torch.export.Dim("samples", min=2)
    made = torch.export.export(module, example, dynamic_shapes=tuple({0: samples} for _ in example), strict=False)
    return _of_export(made), made


def _of_export(made: Any) -> Program:
    kinds = {"PARAMETER": PARAMETER, "BUFFER": BUFFER, "CONSTANT_TENSOR": BUFFER, "USER_INPUT": INPUT}
    leaves = [(kinds[spec.kind.name], spec.target or spec.arg.name) for spec in made.graph_signature.input_specs]
    results = [i for i, spec in enumerate(made.graph_signature.output_specs) if spec.kind.name == "USER_OUTPUT"]
    return Program(made.graph, leaves, {**made.state_dict, **made.constants}, results)


def _by_fx(module: nn.Module, example: tuple[torch.Tensor, ...], rules: Any = None) -> Program:
    from torch.fx.experimental.proxy_tensor import make_fx
    tensors = {**dict(module.named_parameters()), **dict(module.named_buffers())}
    names, leaves = list(tensors), [PARAMETER if isinstance(t, nn.Parameter) else BUFFER for t in tensors.values()]

    def forward(values: list[torch.Tensor], *inputs: torch.Tensor) -> Any:
        return torch.func.functional_call(module, dict(zip(names, values)), inputs)
    made = make_fx(forward, rules, tracing_mode="symbolic", pre_dispatch=True)(list(tensors.values()), *example)
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
            if "Constraints violated" in str(refused):
                raise _refusal(module, refused) from refused
            try:
                program = _by_fx(module, example)
                return _checked(_by_fx(module, example, _rules()) if unknown(program) else program)
            except Error:
                raise
            except Exception:
                raise _refusal(module, refused) from refused
        if unknown(program):
            apart = _apart(made)
            program = apart or program
    return _checked(program)


def _refusal(module: nn.Module, refused: Exception) -> Error:
    """What torch.export says, in short; where forward decides by numbers, the line that does."""
    own = [f for f in traceback.extract_tb(refused.__traceback__) if f"{os.sep}torch{os.sep}" not in f.filename
           and not f.filename.startswith((os.path.dirname(__file__), "<"))]
    place = f" at {own[-1].filename}:{own[-1].lineno} ({own[-1].line})" if own else ""
    if "data-dependent" in str(refused):
        return invalid(f"{type(module).__name__} chooses its way by the numbers that it is given{place}: a graph has one way; "
                       "torch.where takes both")
    if "Constraints violated" in str(refused):
        return invalid(f"{type(module).__name__} is written down for one number of samples: take x.shape[0], not len(x) or a "
                       f"number. torch.export says: {refused!s:.300}")
    return invalid(f"torch.export cannot write {type(module).__name__} down{place}: {refused!s:.600}")


def _rules() -> dict[Any, Any]:
    """Torch's rules that take apart what the table lacks."""
    every: Any = torch.export.default_decompositions()
    return {op: f for op, f in every.items() if _name(op) not in OPERATIONS and _name(op) not in WRITERS}


def _apart(made: Any) -> Program | None:
    """The program with operations that the table lacks taken apart, where torch can."""
    try:
        return _of_export(made.run_decompositions(_rules()))
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
            if name not in OPERATIONS and name not in WRITERS and name != "getitem":
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
                 moving: set[str], output: int | None) -> None:
        self._program, self._g, self._moving, self._output = program, g, moving, output
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
                return self._result(torch.fx.node.map_arg(node.args[0], values.__getitem__))
            else:
                values[node] = self._value(node, values)
        raise invalid("the module returns nothing")

    def _leaf(self, kind: str, name: str) -> Any:
        return self._tensors[name] if kind == PARAMETER else self._program.constants[name].clone()

    def _value(self, node: torch.fx.Node, values: dict[torch.fx.Node, Any]) -> Any:
        arguments: Any = torch.fx.node.map_arg((node.args, node.kwargs), values.__getitem__)
        positional, named = arguments
        name = _name(node.target)
        if name in ("randn", "rand"):
            return self._draw(name, [int(n) for n in positional[0]])
        if not hasattr(node.target, "_schema") or not any(isinstance(v, Value) for v in pytree.tree_leaves(arguments)):
            return node.target(*positional, **named)        # type: ignore[operator]
        if node.target._schema.name.endswith("_") and _shared(node):
            raise invalid(f"{name}_{_where(node)}: work in place on what is viewed elsewhere; write it out of place")
        try:
            return self._written(node, name, positional, named)
        except Error as refused:
            raise error(refused.status, f"{name}{_where(node)}: {refused}") from None

    def _written(self, node: torch.fx.Node, name: str, positional: Sequence[Any], named: dict[str, Any]) -> Any:
        first = positional[0] if positional else None
        if name in ("eq", "ne") and isinstance(first, Value) and first.node.graph.is_index(first.node):
            return self._token_is(name, *positional)
        if name in WRITERS:
            return WRITERS[name](self, node, *positional, **named)
        if isinstance(first, torch.Tensor) and first.is_floating_point() and first.ndim:
            positional = (value_of(first, self._g, name), *positional[1:])
        return OPERATIONS[name](*positional, **named)

    def _draw(self, name: str, shape: list[int]) -> Value:
        if not shape or shape[0] != self._g.samples:
            raise invalid(f"{name} of shape {shape}: random numbers are drawn for each sample, [{self._g.samples}, ..]")
        return Value(getattr(self._g, DRAWN[name])(shape))

    def _result(self, results: Any) -> Value:
        """The tensor that forward returns, the only one that depends on its input or the one of this number."""
        listed = list(results) if isinstance(results, (tuple, list)) else [results]
        if self._program.results is not None:
            listed = [listed[i] for i in self._program.results]
        found = listed if self._output is None else listed[self._output:][:1] if self._output >= 0 else []
        tensors = [v for v in found if isinstance(v, Value)]
        if len(tensors) != 1:
            depend = [i for i, v in enumerate(listed) if isinstance(v, Value)]
            raise invalid(f"the module returns {len(listed)} tensors, of which {depend} depend on the input and a model is "
                          "one: output= says which")
        return tensors[0]

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

    def _functional_batch_norm(self, node: torch.fx.Node, *arguments: Any) -> list[Any]:
        """The same where torch has taken a program apart: with moments, which nobody reads."""
        return [self._batch_norm(node, *arguments), None, None, None, None]

    def _measured_batch_norm(self, node: torch.fx.Node, x: Value, weight: Any, bias: Any, mean: Any, var: Any,
                             *rest: Any) -> list[Any]:
        return [self._batch_norm(node, x, weight, bias, mean, var, False, *rest), None, None]

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


#: operations that need to know more than their arguments
WRITERS: dict[str, Any] = {
    "batch_norm": Writer._batch_norm, "_native_batch_norm_legit_functional": Writer._functional_batch_norm,
    "_native_batch_norm_legit_no_training": Writer._measured_batch_norm}


def moving(program: Program) -> set[str]:
    """Batch norms of the program that take the moments of the batch and keep running ones."""
    nodes = iter(program.graph.nodes)
    names = {node: name for node, (_, name) in zip((n for n in nodes if n.op == "placeholder"), program.leaves)}
    norms = [n for n in program.graph.nodes if n.op == "call_function" and _name(n.target) in WRITERS
             and not _name(n.target).endswith("no_training")]
    return {names[n.args[3]].removesuffix(".running_mean") for n in norms if n.args[5] and n.args[3] is not None}
