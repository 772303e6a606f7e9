# SPDX-License-Identifier: BSD-3-Clause
"""Networks of PyTorch's as models, and back. torch is imported when it is first used."""
from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any, Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from . import init as inits
from ._arrays import array
from ._torch_value import Order, Value, permuted
from .build import Build
from .errors import STATUS, class_of, error, invalid
from .graph import Node
from .init import Init
from .model import Indices, Model
from .naming import Entry, Naming, Part
from .objective import Objective

if TYPE_CHECKING:
    import torch


# ---- parameters ----

def _order(owner: Any, name: str, rank: int) -> Order:
    """The order of axes in which a parameter is kept: last what it feeds, as for every layer of the library."""
    from torch import nn
    turned = isinstance(owner, (nn.MultiheadAttention, nn.RNNBase)) and rank == 2 or isinstance(owner, nn.Linear)
    if turned and name.count("weight"):
        return (1, 0)
    if isinstance(owner, nn.modules.conv._ConvTransposeNd) and name == "weight" and owner.groups == 1:
        return (*range(2, rank), 0, 1)
    if isinstance(owner, nn.modules.conv._ConvNd) and name == "weight" and not owner.transposed:
        return (*range(2, rank), 1, 0)
    return tuple(range(rank))


def _own_init(owner: Any, name: str) -> Init | None:
    """How a parameter is drawn anew, where it is no weight or bias of the common kind."""
    from torch import nn
    if type(owner).__name__.endswith("Norm") or "Norm" in type(owner).__name__:
        return inits.zero() if name == "bias" else inits.constant(1.0)
    return inits.normal(1.0) if isinstance(owner, nn.Embedding) else None


class _Parameter:
    """A parameter of the module: where it is first met, and how it is kept."""

    def __init__(self, owner: Any, name: str, path: str, tensor: torch.Tensor) -> None:
        self.path, self.learns = path, tensor.requires_grad
        self.order = _order(owner, name, tensor.ndim)
        self.init = _own_init(owner, name)
        self.value = tensor.detach().numpy().transpose(self.order)

    def written(self, g: Build) -> Value:
        return Value(g.parameter(self.path, self.value.shape, self.init), self.order)


def _parameters(module: Any) -> tuple[list[_Parameter], dict[str, str]]:
    """Every parameter once, and for each of its names the first one."""
    first: dict[int, str] = {}
    found: list[_Parameter] = []
    names: dict[str, str] = {}
    for prefix, owner in module.named_modules(remove_duplicate=False):
        for name, tensor in owner.named_parameters(recurse=False):
            path = f"{prefix}.{name}" if prefix else name
            if id(tensor) not in first:
                first[id(tensor)] = path
                found.append(_Parameter(owner, name, path, tensor))
            names[path] = first[id(tensor)]
    if not found:
        raise invalid(f"{class_of(module)} has no parameters")
    return found, names


# ---- the example ----

def _example(module: Any, x: Any) -> tuple[Any, ...]:
    """Samples of each input as tensors, at least two."""
    import torch
    from torch import nn
    if x is None:
        layers = [m for m in module.modules() if list(m.parameters(recurse=False))]
        if not layers or not isinstance(layers[0], nn.Linear):
            raise invalid("from_torch needs samples x [n, ..] to know the sizes of the input: only a network that begins with "
                          "Linear does without")
        x = torch.zeros(2, layers[0].in_features)
    given = x if isinstance(x, tuple) else (x,)
    tensors = [a.detach().cpu() if isinstance(a, torch.Tensor) else torch.from_numpy(np.array(array(a, "x"))) for a in given]
    if any(t.ndim == 0 or len(t) != len(tensors[0]) or not len(t) for t in tensors):
        raise invalid(f"x has shapes {[list(t.shape) for t in tensors]}: the first axis of each counts the same samples")
    tensors = [t.double() if t.is_floating_point() else t if t.dtype is torch.bool else t.long() for t in tensors]
    return tuple(torch.cat([t, t])[:max(2, min(len(t), 4))] for t in tensors)


def _shapes(module: Any, example: Sequence[Any]) -> dict[str, tuple[int, ...]]:
    """Shapes of the inputs of one sample, by their names in forward."""
    import inspect
    import torch
    names = ["x"] if len(example) == 1 else list(inspect.signature(module.forward).parameters)[:len(example)]
    return {name: Indices(*t.shape[1:]) if t.dtype is torch.int64 else tuple(t.shape[1:])
            for name, t in zip(names, example)}


# ---- a module in ----

def from_torch(module: torch.nn.Module, x: Any = None, *, output: int | None = None, seed: int = 0) -> Model:
    """A PyTorch module as a network, which begins with the module's parameters and buffers.

    x: samples [n, ..] that forward takes, a tensor or an array, or a tuple of them; of these only shapes matter, and whether
        they are integers. A module that begins with Linear needs none.
    output: which of several tensors that forward returns, from 0.

    Whatever forward does with its submodules is written by torch.export, once for training and once for measuring. Tensors
    have PyTorch's names; linear weights are kept [in, out], kernels [k.., in, out]. A parameter that is shared is one tensor;
    one without requires_grad is frozen; a batch norm left in evaluation while the module trains stays there. The input has
    PyTorch's layout. What cannot be written is named. The result is compared with the module's on x before it is returned.

        net = dyn.from_torch(module, images[:2])
        run = dyn.Run(net, images, labels, loss="cross_entropy", optimizer=dyn.Adam(1e-3), batch=64).train(1000)
        net.to_torch(run.theta, module, run.states)

    >>> import torch
    >>> net = dyn.from_torch(torch.nn.Sequential(torch.nn.Linear(2, 3), torch.nn.Tanh(), torch.nn.Linear(3, 1)))
    >>> {name: tensor.shape for name, tensor in net.tensors.items()}
    {'0.weight': (2, 3), '0.bias': (3,), '2.weight': (3, 1), '2.bias': (1,)}
    """
    import torch
    from ._torch_modules import prepare
    from ._torch_program import exported, moving
    if not isinstance(module, torch.nn.Module):
        raise invalid(f"module is {class_of(module)}, must be a torch.nn.Module")
    own = copy.deepcopy(module).cpu().double()
    for path, tensor in own.named_parameters():
        if not torch.isfinite(tensor.abs()).all():
            raise error(STATUS["enonfinite"], f"parameter {path} holds numbers that are not finite")
    prepare(own)
    example = _example(own, x)
    frozen = [p.path for p in _parameters(own)[0] if not p.learns]
    found, names = _parameters(own)
    for tensor in own.parameters():
        tensor.requires_grad_(True)
    training = exported(own if own.training else own.train(), example)
    measuring = exported(own.eval(), example)
    norms = moving(training)

    def build(g: Build, *nodes: Node, **named: Node) -> Node:
        from ._torch_program import Writer
        by_path = {p.path: p.written(g) for p in found}
        tensors = {name: by_path[path] for name, path in names.items()}
        inputs = [Value(node) for node in (*nodes, *named.values())]
        return Writer(training if g.training else measuring, g, tensors, inputs, norms, output).write().plain
    shapes = _shapes(own, example)
    net = Model.from_function(build, None, None, seed, **shapes)
    buffers = dict(own.named_buffers())
    states = {f"{norm}.{new}": f"{norm}.{old}" for norm in norms for new, old in (("mean", "running_mean"),
                                                                              ("var", "running_var"))}
    net = net.start(net.theta({p.path: p.value for p in found}), {s: buffers[b].numpy() for s, b in states.items()})
    orders = {p.path: tuple(int(i) for i in np.argsort(p.order)) for p in found}
    net._naming = Naming({name: Entry((Part(path, orders[path]),)) for name, path in names.items()},
                         {buffer: Entry((Part(state, (0,)),)) for state, buffer in states.items()})
    if not measuring.draws:
        _compare(net, own, example, output)
    return net.freeze(*frozen, theta=net.initial()) if frozen else net


def _compare(net: Model, module: Any, example: Sequence[Any], output: int | None) -> None:
    """Refuse a network that gives something else than the module."""
    import torch
    from torch.utils import _pytree as pytree
    with torch.no_grad():
        results = pytree.tree_leaves(module(*example))
    results = results if output is None else results[output:][:1]
    theirs = next(t for t in results if isinstance(t, torch.Tensor)).numpy()
    inputs = [(x.double() if x.dtype is torch.bool else x).numpy() for x in example]
    ours = Objective.map(net, *inputs).predict(net.initial())
    scale = max(1.0, float(np.abs(theirs).max(initial=0.0)))
    if ours.size != theirs.size or not np.allclose(ours.ravel(), theirs.ravel(), rtol=0, atol=1e-9 * scale, equal_nan=True):
        raise invalid(f"the network written for {class_of(module)} gives something else than the module on x: please report it")
