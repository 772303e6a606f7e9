# SPDX-License-Identifier: BSD-3-Clause
"""Losses of PyTorch's and JAX's models where they live: theta, loss, gradient and Hessian products are theirs, with their
types and devices, and every measurement that needs no model of this library works on them."""
from __future__ import annotations

import contextlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Callable, Iterator, Mapping, Sequence, cast

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ._arrays import vector
from .eigen import Eigenpairs, Which, eigh
from .errors import STATUS, class_of, error, invalid, shapes_differ
from .objective import Objective
from .operator import Operator
from .optim import Adam, Optimizer

if TYPE_CHECKING:
    import torch


@dataclass(frozen=True)
class Edge:
    """The preconditioner d [p] of a running optimiser and the threshold of its sharpness: a step is stable while the largest
    eigenvalue of d^(1/2) H d^(1/2) stays below threshold = 2 / rate. Factors of momentum and of groups are in d.

    >>> dyn.guests.Edge(np.ones(2), 20.0).threshold
    20.0
    """

    d: NDArray[np.float64]
    threshold: float


class Guest(Objective):
    """An objective whose model lives elsewhere: made by dyn.torch_objective or dyn.jax_objective.

    >>> import jax.numpy as jnp
    >>> bowl = dyn.jax_objective(lambda w: 3 * jnp.sum(w**2), jnp.ones(2))
    >>> float(bowl.sharpness().values.round(6)[0])
    6.0
    """

    _read: Callable[[], NDArray[np.float64]]
    _edge: Callable[..., Edge]

    def theta(self) -> NDArray[np.float64]:
        """The parameters as they are now, [p]."""
        return self._read()

    def edge(self, optimizer: Any, *more: Any) -> Edge:
        """Preconditioner and threshold of the optimiser that runs there, from its own state after the step taken last.

        Of PyTorch: a torch.optim optimiser. Of JAX: the state of optax.adam and its kin, and the same rule as dyn.Adam(..),
        whose numbers optax does not keep."""
        return self._edge(optimizer, *more)

    def preconditioned(self, edge: Edge, theta: ArrayLike | None = None) -> Operator:
        """d^(1/2) H d^(1/2), at theta [p] or where the parameters are."""
        H = self.hessian(self.theta() if theta is None else theta)
        return H.sandwiched(np.sqrt(vector(edge.d, self.size, "d")))

    def sharpness(self, edge: Edge | None = None, k: int = 1, *, theta: ArrayLike | None = None, which: Which = "largest",
                  tolerance: float = 1e-4) -> Eigenpairs:
        """The k largest eigenvalues of the Hessian, or of the preconditioned one that an optimiser feels (edge), with their
        residuals, where the parameters are now or at theta [p]."""
        if edge is not None:
            return eigh(self.preconditioned(edge, theta), k, which, tolerance)
        return eigh(self.hessian(self.theta() if theta is None else theta), k, which, tolerance)


def _guest(size: int, value: Any, gradient: Any, product: Any, read: Any, edge: Any) -> Guest:
    made = cast(Guest, Guest.from_functions(size, value, gradient, product))
    made._read, made._edge = read, edge
    return made


# ---- PyTorch ----

class _Module:
    """Parameters of a module as one vector, and a loss of them."""

    def __init__(self, module: Any, loss: Callable[[], Any]) -> None:
        self.parameters = [p for p in module.parameters() if p.requires_grad]
        if not self.parameters:
            raise invalid(f"{class_of(module)} has no parameters that learn")
        self.sizes = [p.numel() for p in self.parameters]
        self.loss = loss
        self._at: NDArray[np.float64] | None = None     # where the graph of the gradient was made
        self._graph: Any = None

    def read(self) -> NDArray[np.float64]:
        return self.flat(self.parameters)

    def flat(self, tensors: Sequence[Any]) -> NDArray[np.float64]:
        return np.concatenate([t.detach().cpu().double().numpy().ravel() for t in tensors])

    def parts(self, v: NDArray[np.float64]) -> list[torch.Tensor]:
        """A vector as tensors like the parameters."""
        import torch
        pieces = np.split(np.array(v, np.float64), np.cumsum(self.sizes)[:-1])
        return [torch.from_numpy(a).reshape(p.shape).to(p) for a, p in zip(pieces, self.parameters)]

    @contextlib.contextmanager
    def at(self, theta: NDArray[np.float64]) -> Iterator[None]:
        """The module with these parameters; afterwards with its own again."""
        import torch
        from torch.nn.attention import SDPBackend, sdpa_kernel
        kept = [p.detach().clone() for p in self.parameters]
        with torch.enable_grad(), sdpa_kernel(SDPBackend.MATH):     # the one with second derivatives
            try:
                self._write(self.parts(theta))
                yield
            finally:
                self._write(kept)

    def _write(self, tensors: Sequence[Any]) -> None:
        for p, t in zip(self.parameters, tensors):
            p.data = t      # not in place: a graph that was made before keeps its numbers

    def _loss(self) -> Any:
        made = self.loss()
        if getattr(made, "shape", None) != () or not made.requires_grad:
            raise invalid(f"loss() gives {class_of(made)} of shape {list(getattr(made, 'shape', []))}, must be one number that "
                          "depends on the parameters")
        return made

    def value(self, theta: NDArray[np.float64]) -> float:
        import torch
        with self.at(theta), torch.no_grad():
            return float(self.loss())

    def gradient(self, theta: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        import torch
        with self.at(theta):
            made = self._loss()
            found = torch.autograd.grad(made, self.parameters, materialize_grads=True)
        return float(made), self.flat(found)

    def product(self, theta: NDArray[np.float64], V: NDArray[np.float64]) -> NDArray[np.float64]:
        """The gradient's graph is kept as long as theta stays."""
        import torch
        with self.at(theta):
            if self._at is None or not np.array_equal(self._at, theta):
                self._graph = torch.autograd.grad(self._loss(), self.parameters, create_graph=True, materialize_grads=True)
                self._at = np.array(theta)
            moving = [i for i, g in enumerate(self._graph) if g.requires_grad]
            return np.stack([self._column(moving, v) for v in V.T], axis=1)

    def _column(self, moving: Sequence[int], v: NDArray[np.float64]) -> NDArray[np.float64]:
        import torch
        along = self.parts(v)
        if not moving:
            return np.zeros(sum(self.sizes))
        return self.flat(torch.autograd.grad([self._graph[i] for i in moving], self.parameters, [along[i] for i in moving],
                                             retain_graph=True, materialize_grads=True))

    def edge(self, optimizer: torch.optim.Optimizer) -> Edge:
        """From the state of torch.optim."""
        name = type(optimizer).__name__
        if name not in _RULES:
            raise error(STATUS["enotsup"], f"torch.optim.{name} has no preconditioner here; there are {', '.join(_RULES)}")
        groups = {id(p): group for group in optimizer.param_groups for p in group["params"]}
        rate = float(optimizer.param_groups[0]["lr"])
        parts = []
        for p in self.parameters:
            if id(p) not in groups:
                parts.append(np.zeros(p.numel()))
                continue
            group, state = groups[id(p)], optimizer.state.get(p, {})
            if name != "SGD" and not state:
                raise error(STATUS["estate"], f"torch.optim.{name} has taken no step yet")
            d = _RULES[name](group, {k: _numbers(v) for k, v in state.items() if v is not None}, p.numel())
            parts.append(np.asarray(d) * float(group["lr"]) / rate)
        return Edge(np.concatenate(parts), 2 / rate)


def _numbers(x: Any) -> Any:
    """A tensor as float64, flat, or as a number."""
    if not hasattr(x, "detach"):
        return x
    a = x.detach().cpu().double().numpy()
    return a.ravel() if a.ndim else float(a)


def _decayed(group: Mapping[str, Any], decoupled: bool) -> float:
    return 2 / (2 - float(group["lr"]) * group["weight_decay"]) if decoupled and group["weight_decay"] else 1.0


def _adam(decoupled: bool) -> Callable[..., Any]:
    def rule(group: Mapping[str, Any], state: Mapping[str, Any], size: int) -> Any:
        b1, b2 = group["betas"]
        v = state["max_exp_avg_sq"] if group["amsgrad"] else state["exp_avg_sq"]
        own = decoupled or group.get("decoupled_weight_decay", False)
        return _decayed(group, own) * _adam_factors(v, state["step"], float(b1), float(b2), group["eps"])
    return rule


def _adam_factors(v: NDArray[np.float64], step: float, b1: float, b2: float, eps: float) -> NDArray[np.float64]:
    return np.asarray((1 - b1) / (1 + b1) / (1 - b1**step) / (np.sqrt(v / (1 - b2**step)) + eps), np.float64)


def _sgd(group: Mapping[str, Any], state: Mapping[str, Any], size: int) -> Any:
    b = group["momentum"]
    c = (1 + 2 * b) / (1 + b) if group["nesterov"] else (1 - group["dampening"] if b else 1.0) / (1 + b)
    return np.full(size, c)


def _rmsprop(group: Mapping[str, Any], state: Mapping[str, Any], size: int) -> Any:
    v = state["square_avg"] - (state["grad_avg"]**2 if group["centered"] else 0)
    return 1 / (1 + group["momentum"]) / (np.sqrt(v) + group["eps"])


def _adagrad(group: Mapping[str, Any], state: Mapping[str, Any], size: int) -> Any:
    return 1 / (1 + (state["step"] - 1) * group["lr_decay"]) / (np.sqrt(state["sum"]) + group["eps"])


def _adamax(group: Mapping[str, Any], state: Mapping[str, Any], size: int) -> Any:
    b1 = float(group["betas"][0])
    return (1 - b1) / (1 + b1) / (1 - b1**state["step"]) / state["exp_inf"]


_RULES: dict[str, Callable[..., Any]] = {"SGD": _sgd, "Adam": _adam(False), "AdamW": _adam(True), "Adamax": _adamax,
                                         "RMSprop": _rmsprop, "Adagrad": _adagrad}


def torch_objective(module: torch.nn.Module, loss: Callable[[], Any]) -> Guest:
    """A loss of a PyTorch module as an objective, without bringing the module here: theta [p] are its parameters that learn, one
    after the other as module.parameters() gives them, row-major.

    loss: a function without arguments, such as torch.optim's closures, that gives one number from the module and data of its
        own; it is to depend on the parameters alone, the same at every call. Type and device are the module's; the module is as
        it was after every call.

    Eigenpairs, traces, densities, landscapes and trainings take it as every objective; .sharpness(.edge(optimizer)) is what a
    running torch.optim optimiser feels, from its own moments, beside its threshold. Products are exact, by two backward passes.

    >>> import torch
    >>> module = torch.nn.Linear(2, 1)
    >>> x = torch.tensor([[1.0, 0.0], [0.0, 2.0]])
    >>> loss = dyn.torch_objective(module, lambda: (module(x)**2).mean())
    >>> loss.hessian(loss.theta()).dense()
    array([[1., 0., 1.],
           [0., 4., 2.],
           [1., 2., 2.]])
    """
    own = _Module(module, loss)
    return _guest(sum(own.sizes), own.value, own.gradient, own.product, own.read, own.edge)


# ---- JAX ----

def jax_objective(loss: Callable[..., Any], params: Any) -> Guest:
    """A loss of JAX's as an objective, without bringing its model here: theta [p] are the leaves of params, one after the other.

    loss: loss(params) gives one number. params: a tree of arrays, in whose types JAX computes; .theta() gives them back.

    Products are exact, the derivative of the gradient along a vector; all is compiled once by jax.jit. .edge(state, dyn.Adam(..))
    reads the moments of optax.adam's state.

    >>> import jax.numpy as jnp
    >>> loss = dyn.jax_objective(lambda p: jnp.sum(p["a"]**2 * p["b"]), {"a": jnp.ones(1), "b": jnp.ones(1)})
    >>> loss.hessian([1.0, 3.0]).dense()
    array([[6., 2.],
           [2., 0.]])
    """
    import jax
    from jax.flatten_util import ravel_pytree
    flat, unravel = ravel_pytree(params)
    own, dtype = np.asarray(flat, np.float64), flat.dtype

    def of_vector(theta: Any) -> Any:
        return loss(unravel(theta.astype(dtype)))
    slope = jax.grad(of_vector)
    value, both = jax.jit(of_vector), jax.jit(jax.value_and_grad(of_vector))
    columns = jax.jit(lambda theta, V: jax.vmap(lambda v: jax.jvp(slope, (theta,), (v,))[1], 1, 1)(V))
    if value(flat).shape != ():
        raise shapes_differ(f"loss(params) gives shape {list(value(flat).shape)}, must be one number")

    def gradient(theta: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        f, g = both(theta.astype(dtype))
        return float(f), np.asarray(g, np.float64)

    def product(theta: NDArray[np.float64], V: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.asarray(columns(theta.astype(dtype), V.astype(dtype)), np.float64)
    return _guest(own.size, lambda theta: float(value(theta.astype(dtype))), gradient, product, own.copy, _optax_edge)


def _optax_edge(state: Any, optimizer: Optimizer) -> Edge:
    """From the part of a state that counts steps and keeps second moments, as optax.adam's does."""
    import jax
    from jax.flatten_util import ravel_pytree
    if not isinstance(optimizer, Adam):
        raise error(STATUS["enotsup"], f"{class_of(optimizer)}: the states of Adam and its kin are read")
    found = [s for s in jax.tree_util.tree_leaves(state, is_leaf=lambda s: hasattr(s, "nu")) if hasattr(s, "nu")]
    if len(found) != 1:
        raise invalid(f"the state holds {len(found)} parts with second moments (nu), must hold one")
    own = optimizer._described()
    rate = float(own["rate"]) if isinstance(own["rate"], (int, float)) else optimizer.rate_at(int(found[0].count) - 1)
    v = np.asarray(ravel_pytree(found[0].nu)[0], np.float64)
    return Edge(_adam_factors(v, int(found[0].count), own["beta1"], own["beta2"], own["eps"]), 2 / rate)
