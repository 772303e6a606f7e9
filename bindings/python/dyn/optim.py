# SPDX-License-Identifier: BSD-3-Clause
"""Optimisers and learning rates, as descriptions to give to a run. The formulas stand in <dyn/optim.h>."""
from __future__ import annotations

import ctypes
import inspect
import math
from dataclasses import asdict, dataclass, field, replace
from typing import TYPE_CHECKING, Any, Callable, ClassVar, Literal, Mapping

import numpy as np
from numpy.typing import ArrayLike

from ._arrays import ints, pointer, vector
from ._lib import Handle, Options, callback, enum, function_pointer, lib, make, number, real, structs, text
from .context import current
from .errors import STATUS, invalid
from .graph import Graph, Node


if TYPE_CHECKING:
    from .model import Tensor


@dataclass(frozen=True)
class Rate:
    """A learning rate that changes; made by constant, step, exponential_decay, polynomial_decay, cosine,
    cosine_restarts, one_cycle or schedule. Lengths are in ticks of tick_steps steps.

    >>> dyn.cosine(1e-2, period=100).after_warmup(10).warmup
    10
    """

    rate: float
    kind: str = "constant"
    period: int = 0
    factor: float = 0.1
    floor: float = 0.0
    warmup: int = 0
    warmup_start: float = 0.0
    tick_steps: int = 1
    power: float = 1.0
    peak: float = 0.3
    period_factor: int = 1
    function: Callable[[int], float] | None = None

    def after_warmup(self, warmup: int, start: float = 0.0) -> Rate:
        """The same after a linear rise from start * rate to rate over so many ticks.

        >>> round(dyn.cosine(5e-3, 400, floor=1e-5).after_warmup(40, start=1 / 25).at(0), 6)    # multiplier 25
        0.0002
        """
        return replace(self, warmup=warmup, warmup_start=start)

    def at(self, step: int) -> float:
        """The rate of step number 0, 1, ..."""
        return GD(self).rate_at(step)

    def _fields(self) -> dict[str, Any]:
        fields = {name: getattr(self, name) for name in (
            "rate", "period", "factor", "floor", "warmup", "warmup_start", "tick_steps", "power", "peak",
            "period_factor")}
        return {**fields, "schedule": enum("rate", self.kind)}


def constant(rate: float) -> Rate:
    """Always the same.

    >>> dyn.GD(dyn.constant(0.1).after_warmup(100)).rate.warmup
    100
    """
    return Rate(rate)


def step(rate: float, period: int, factor: float = 0.1, floor: float = 0.0, tick_steps: int = 1) -> Rate:
    """rate * factor^(t // period), never below floor.

    >>> dyn.Adam(dyn.step(1e-3, period=500, factor=0.5)).rate.factor
    0.5
    """
    return Rate(rate, "step", period, factor, floor, tick_steps=tick_steps)


def exponential_decay(rate: float, factor: float, period: int = 1, floor: float = 0.0, tick_steps: int = 1) -> Rate:
    """rate * factor^(t / period), never below floor.

    >>> round(dyn.exponential_decay(1.0, 0.5, period=10).at(20), 6)
    0.25
    """
    return Rate(rate, "exponential", period, factor, floor, tick_steps=tick_steps)


def polynomial_decay(rate: float, period: int, power: float = 1.0, floor: float = 0.0, tick_steps: int = 1) -> Rate:
    """From rate down to floor in `period` ticks: floor + (rate - floor) (1 - t / period)^power; floor from then on.

    >>> round(dyn.polynomial_decay(1.0, period=10).at(5), 6)
    0.5
    """
    return Rate(rate, "polynomial", period, floor=floor, tick_steps=tick_steps, power=power)


def cosine(rate: float, period: int, floor: float = 0.0, tick_steps: int = 1) -> Rate:
    """From rate down to floor along half a cosine of `period` ticks; floor from then on.

    >>> dyn.Adam(dyn.cosine(1e-3, period=2000, floor=1e-5)).rate.kind
    'cosine'
    """
    return Rate(rate, "cosine", period, floor=floor, tick_steps=tick_steps)


def cosine_restarts(rate: float, period: int, factor: int = 1, floor: float = 0.0, tick_steps: int = 1) -> Rate:
    """cosine begun anew after `period` ticks, each cycle `factor` times as long as the last.

    >>> rate = dyn.cosine_restarts(1.0, period=10)
    >>> rate.at(0) == rate.at(10) == 1.0
    True
    """
    return Rate(rate, "restarts", period, floor=floor, tick_steps=tick_steps, period_factor=factor)


def one_cycle(rate: float, period: int, peak: float = 0.3, start: float = 1 / 25, end: float = 4e-6,
              tick_steps: int = 1) -> Rate:
    """Half a cosine from start * rate up to rate at tick peak * period - 1, another down to end * rate at tick
    period - 1; that from then on.

    >>> rate = dyn.one_cycle(1.0, period=100)
    >>> round(rate.at(0), 6), round(rate.at(29), 6)
    (0.04, 1.0)
    """
    return Rate(rate, "one_cycle", period, floor=end * rate, warmup_start=start, tick_steps=tick_steps, peak=peak)


def schedule(function: Callable[[int], float], tick_steps: int = 1) -> Rate:
    """A rate of your own: function(t) for tick t = 0, 1, ..., always the same for the same t.

    >>> dyn.GD(dyn.schedule(lambda t: 1 / (1 + t))).rate_at(4)
    0.2
    """
    return Rate(float(function(0)), "callback", tick_steps=tick_steps, function=function)


@dataclass(frozen=True)
class Optimizer:
    """What all optimisers have: the rate (a number or a Rate), weight decay (added to the gradient, or where the class
    says so decoupled), clipping of the whole gradient to the norm clip_norm (None: none), and sharpness awareness: with
    sam > 0 a step takes its gradient at theta + sam g / |g| (sam_adaptive: sam theta^2 g / | |theta| g |).
    groups: tensors whose steps differ, by patterns of their names: {"*.b": {"decay": 0}, "layer1.*": {"rate": 0.1},
        "embedding": "frozen"}; factors on rate and weight decay. The last group that takes a tensor counts. For runs.

    >>> dyn.GD(0.1, clip_norm=1.0, weight_decay=1e-4).clip_norm
    1.0
    """

    rate: float | Rate = 1e-3
    weight_decay: float = field(default=0.0, kw_only=True)
    clip_norm: float | None = field(default=None, kw_only=True)

    kind = "gd"
    _plain: ClassVar[bytes]     # the C struct without what it points to; of the object, and no field of it

    groups: Mapping[str, Mapping[str, float] | Literal["frozen"]] = field(default_factory=dict, kw_only=True, hash=False)
    sam: float = field(default=0.0, kw_only=True)
    sam_adaptive: bool = field(default=False, kw_only=True)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_plain", bytes(self._fixed()))
        self._options()     # refuses a wrong type here, where it is written
        if self.clip_norm is not None and not self.clip_norm > 0:
            raise invalid(f"clip_norm is {self.clip_norm}, must be above 0, or None")

    def _options(self, tensors: Mapping[str, Tensor] | None = None) -> Options:
        """The C struct; tensors: those of the model, for optimisers that treat matrices apart."""
        options: Options = structs["dyn_optimizer_options"].from_buffer_copy(self._plain)
        if isinstance(self.rate, Rate) and self.rate.function is not None:
            self._call_for_rate(options, self.rate.function)
        if self.groups:
            self._add_groups(options)
        return options

    def _fixed(self) -> Options:
        """The struct without what it points to."""
        rate = self.rate if isinstance(self.rate, Rate) else Rate(self.rate)
        options = structs["dyn_optimizer_options"]()
        lib.dyn_optimizer_defaults(enum("optimizer", self.kind), ctypes.byref(options))
        options.set(weight_decay=self.weight_decay, clip_norm=self.clip_norm, sam_rho=self.sam,
                    sam_adaptive=int(self.sam_adaptive), **rate._fields(), **self._own())
        return options

    def _add_groups(self, options: Options) -> None:
        """The groups as structs, which the options keep alive."""
        options.kept_groups = (_Group * len(self.groups))(*(_group(*pair) for pair in self.groups.items()))
        options.groups_count, options.groups = len(self.groups), ctypes.addressof(options.kept_groups)

    @staticmethod
    def _call_for_rate(options: Options, function: Callable[[int], float]) -> None:
        """Let the library ask a function of Python; the struct keeps the callback alive."""
        options.kept = callback(current(), "dyn_rate_fn", lambda _, tick: function(tick), failure=math.nan)
        options.rate_at = function_pointer(options.kept)

    def rate_at(self, step: int) -> float:
        """The learning rate of step number 0, 1, ..."""
        return Stepper(GD(self.rate), 1).rate(step)

    def _own(self) -> dict[str, Any]:
        """Fields of the kind of optimiser."""
        return {}

    def _described(self) -> dict[str, Any]:
        """The arguments that make it again."""
        return asdict(self)

    def limit(self) -> float:
        """Largest curvature of a quadratic that the optimiser stands at its first rate, with its preconditioner
        frozen: 2/rate for gradient descent. Units: 1 / rate."""
        context = current()
        return real(context, lib.dyn_sharpness_limit, context, ctypes.byref(self._options()))


class _Group(ctypes.Structure):
    """dyn_optimizer_group."""

    _fields_ = [("pattern", ctypes.c_char_p), ("rate", ctypes.c_double), ("decay", ctypes.c_double),
                ("frozen", ctypes.c_int32), ("reserved", ctypes.c_int32)]


def _group(pattern: str, given: Mapping[str, float] | str) -> _Group:
    if given != "frozen" and not (isinstance(given, Mapping) and set(given) <= {"rate", "decay"}):
        raise invalid(f'group {pattern!r} is {given!r}, must be "frozen" or have "rate" and "decay"')
    factors = {} if isinstance(given, str) else given
    return _Group(text(pattern, "the pattern of a group"), number(factors.get("rate", 1.0), "rate"),
                  number(factors.get("decay", 1.0), "decay"), int(given == "frozen"), 0)


@dataclass(frozen=True)
class GD(Optimizer):
    """Gradient descent: theta -= rate g.

    >>> dyn.GD(0.1).limit()
    20.0
    """


@dataclass(frozen=True)
class HeavyBall(Optimizer):
    """m = beta m + g, theta -= rate m. ema: m = beta m + (1 - beta) g.

    >>> round(dyn.HeavyBall(0.1, beta=0.9).limit(), 6)
    38.0
    """

    beta: float = 0.9
    ema: bool = field(default=False, kw_only=True)
    kind = "heavy_ball"

    def _own(self) -> dict[str, Any]:
        return {"beta1": self.beta, "ema": int(self.ema)}


@dataclass(frozen=True)
class Nesterov(Optimizer):
    """m = beta m + g, theta -= rate (g + beta m).

    >>> dyn.Nesterov(0.1).beta
    0.9
    """

    beta: float = 0.9
    kind = "nesterov"

    def _own(self) -> dict[str, Any]:
        return {"beta1": self.beta}


@dataclass(frozen=True)
class Adam(Optimizer):
    """Adam. eps_inside: sqrt(v + eps) instead of sqrt(v) + eps. init_from_gradient: m = g, v = g^2 at the start,
    without bias correction. amsgrad: the largest v so far in its place (before bias correction, as PyTorch has it).

    >>> dyn.Adam(1e-3, beta2=0.99).beta2
    0.99
    """

    beta1: float = 0.9
    beta2: float = 0.999
    eps: float = 1e-8
    eps_inside: bool = field(default=False, kw_only=True)
    bias_correction: bool = field(default=True, kw_only=True)
    init_from_gradient: bool = field(default=False, kw_only=True)
    amsgrad: bool = field(default=False, kw_only=True)
    kind = "adam"

    def _own(self) -> dict[str, Any]:
        return {"beta1": self.beta1, "beta2": self.beta2, "eps": self.eps,
                "eps_inside": int(self.eps_inside), "no_bias_correction": int(not self.bias_correction),
                "init_from_gradient": int(self.init_from_gradient), "amsgrad": int(self.amsgrad)}


@dataclass(frozen=True)
class AdamW(Adam):
    """Adam with decoupled weight decay: theta -= rate weight_decay theta in the same step.

    >>> dyn.AdamW(1e-3, weight_decay=0.1).weight_decay
    0.1
    """

    weight_decay: float = field(default=0.01, kw_only=True)
    kind = "adamw"


@dataclass(frozen=True)
class Adamax(Optimizer):
    """v = max(beta2 v, |g| + eps), theta -= rate m / ((1 - beta1^k) v).

    >>> dyn.Adamax().rate
    0.002
    """

    rate: float | Rate = 2e-3
    beta1: float = 0.9
    beta2: float = 0.999
    eps: float = 1e-8
    kind = "adamax"

    def _own(self) -> dict[str, Any]:
        return {"beta1": self.beta1, "beta2": self.beta2, "eps": self.eps}


@dataclass(frozen=True)
class NAdam(Optimizer):
    """Adam with Nesterov's momentum, which rises as mu_k = beta1 (1 - 0.96^(k momentum_decay) / 2).

    >>> dyn.NAdam(1e-3).momentum_decay
    0.004
    """

    rate: float | Rate = 2e-3
    beta1: float = 0.9
    beta2: float = 0.999
    eps: float = 1e-8
    momentum_decay: float = field(default=4e-3, kw_only=True)
    kind = "nadam"

    def _own(self) -> dict[str, Any]:
        return {"beta1": self.beta1, "beta2": self.beta2, "eps": self.eps, "momentum_decay": self.momentum_decay}


@dataclass(frozen=True)
class RMSprop(Optimizer):
    """v = beta v + (1 - beta) g^2, theta -= rate g / (sqrt(v) + eps). centered: v - w^2 in the place of v, w the
    average of the gradient. momentum: m = momentum m + g / (sqrt(v) + eps), theta -= rate m.

    >>> dyn.RMSprop(1e-3).beta
    0.99
    """

    beta: float = 0.99
    eps: float = 1e-8
    momentum: float = field(default=0.0, kw_only=True)
    centered: bool = field(default=False, kw_only=True)
    eps_inside: bool = field(default=False, kw_only=True)
    init_from_gradient: bool = field(default=False, kw_only=True)
    kind = "rmsprop"

    def _own(self) -> dict[str, Any]:
        return {"beta2": self.beta, "eps": self.eps, "eps_inside": int(self.eps_inside), "momentum": self.momentum,
                "centered": int(self.centered), "init_from_gradient": int(self.init_from_gradient)}


@dataclass(frozen=True)
class Adagrad(Optimizer):
    """v = v + g^2 from v = accumulator, theta -= rate g / (sqrt(v) + eps).

    >>> dyn.Adagrad().rate
    0.01
    """

    rate: float | Rate = 0.01
    eps: float = 1e-10
    accumulator: float = field(default=0.0, kw_only=True)
    eps_inside: bool = field(default=False, kw_only=True)
    kind = "adagrad"

    def _own(self) -> dict[str, Any]:
        return {"eps": self.eps, "accumulator": self.accumulator, "eps_inside": int(self.eps_inside)}


@dataclass(frozen=True)
class Adadelta(Optimizer):
    """v = beta v + (1 - beta) g^2, d = sqrt(m + eps) / sqrt(v + eps) g, m = beta m + (1 - beta) d^2,
    theta -= rate d.

    >>> dyn.Adadelta().beta
    0.9
    """

    rate: float | Rate = 1.0
    beta: float = 0.9
    eps: float = 1e-6
    kind = "adadelta"

    def _own(self) -> dict[str, Any]:
        return {"beta2": self.beta, "eps": self.eps}


@dataclass(frozen=True)
class Lion(Optimizer):
    """theta -= rate (sign(beta1 m + (1 - beta1) g) + weight_decay theta), then m = beta2 m + (1 - beta2) g. It has no
    preconditioner: it moves by the same amount at any curvature.

    >>> dyn.Lion().beta2
    0.99
    """

    rate: float | Rate = 1e-4
    beta1: float = 0.9
    beta2: float = 0.99
    kind = "lion"

    def _own(self) -> dict[str, Any]:
        return {"beta1": self.beta1, "beta2": self.beta2}


@dataclass(frozen=True)
class Sophia(Optimizer):
    """m = beta1 m + (1 - beta1) g, theta -= rate (clip(m / max(gamma h, eps), -1, 1) + weight_decay theta). h averages
    estimates of the Hessian's diagonal, one every curvature_every steps, each a Hessian product with random signs.

    >>> dyn.Sophia().curvature_every
    10
    """

    rate: float | Rate = 1e-4
    beta1: float = 0.96
    beta2: float = 0.99
    gamma: float = 0.01
    eps: float = 1e-12
    weight_decay: float = field(default=0.1, kw_only=True)
    curvature_every: int = field(default=10, kw_only=True)
    kind = "sophia"

    def _own(self) -> dict[str, Any]:
        return {"beta1": self.beta1, "beta2": self.beta2, "gamma": self.gamma, "eps": self.eps,
                "curvature_every": self.curvature_every}


@dataclass(frozen=True)
class Muon(Optimizer):
    """Matrices move by their momentum with singular values brought near 1, times sqrt(max(1, out / in)) (match_rms:
    times 0.2 sqrt(max(in, out))); all else, and the first and last matrix of a network, by AdamW at adam_rate.
    tensors: names of the matrices, where this choice is not wanted. Decay is decoupled. It has no preconditioner.

    >>> dyn.Muon(1e-2).momentum
    0.95
    """

    rate: float | Rate = 1e-3
    momentum: float = 0.95
    nesterov: bool = True
    iterations: int = 5
    adam_rate: float = field(default=1e-3, kw_only=True)
    beta1: float = field(default=0.9, kw_only=True)
    beta2: float = field(default=0.999, kw_only=True)
    eps: float = field(default=1e-8, kw_only=True)
    weight_decay: float = field(default=0.1, kw_only=True)
    match_rms: bool = field(default=False, kw_only=True)
    tensors: tuple[str, ...] | None = field(default=None, kw_only=True)
    kind = "muon"

    def _own(self) -> dict[str, Any]:
        return {"momentum": self.momentum, "nesterov": int(self.nesterov), "iterations": self.iterations,
                "adam_rate": self.adam_rate, "beta1": self.beta1, "beta2": self.beta2, "eps": self.eps,
                "match_rms": int(self.match_rms)}

    def _options(self, tensors: Mapping[str, Tensor] | None = None) -> Options:
        options = super()._options(tensors)
        chosen = self._matrices(tensors or {})
        flat = [number for t in chosen for number in (t.offset, math.prod(t.shape[:-1]), t.shape[-1])]
        options.kept_matrices = ints(flat)
        options.matrices_count = len(chosen)
        options.matrices = ctypes.addressof(options.kept_matrices) if chosen else None
        return options

    def _matrices(self, tensors: Mapping[str, Tensor]) -> list[Tensor]:
        """The tensors that are to move as matrices."""
        matrices = {name: t for name, t in tensors.items() if len(t.shape) >= 2}
        if self.tensors is None:
            return list(matrices.values())[1:-1]
        unknown = set(self.tensors) - set(matrices)
        if unknown:
            raise invalid(f"Muon: no matrix is called {', '.join(sorted(unknown))}; there are "
                          f"{', '.join(matrices) or 'none'}")
        return [t for name, t in matrices.items() if name in self.tensors]


@dataclass(frozen=True)
class SignGD(Optimizer):
    """theta -= rate sign(g). It has no preconditioner.

    >>> dyn.SignGD(1e-4).rate
    0.0001
    """

    kind = "sign"


@dataclass(frozen=True)
class Rule(Optimizer):
    """A rule of your own: step(theta, g, rate, *moments) gives theta after the step, and the moments after it, as nodes;
    all are vectors [p], but the number rate. It is compiled once: no step calls Python. Moments, at most three, begin at 0.
    g is clipped and has weight_decay theta in it. A parameter called k gets the number of the step, 1, 2, ...

    preconditioner: a function of moments after the step, by their names, and of rate and k if it asks for them, that gives
        d [p]: the step is stable while d^1/2 H d^1/2 stays below 2 / rate. dyn.Sharpness then measures it.

    >>> def heavy_ball(theta, g, rate, m):
    ...     m = 0.9 * m + g
    ...     return theta - rate * m, m
    >>> s = dyn.Stepper(dyn.Rule(0.1, heavy_ball), 2)
    >>> [round(t, 6) for _ in range(2) for t in s.step([1.0, 2.0], [3.0, -4.0]).tolist()]
    [0.7, 2.4, 0.43, 2.76]
    """

    step: Callable[..., Any] = field(kw_only=False, default=lambda theta, g, rate: theta - rate * g)
    preconditioner: Callable[..., Node] | None = field(default=None, kw_only=True)
    kind = "rule"

    @property
    def moments(self) -> tuple[str, ...]:
        """Names of the moments: what the step takes behind theta, g and rate."""
        return tuple(name for name in list(inspect.signature(self.step).parameters)[3:] if name != "k")

    def _options(self, tensors: Mapping[str, Tensor] | None = None) -> Options:
        options = super()._options(tensors)
        options.moments = len(self.moments)
        options.kept_rule = _rule(self._write_step)
        options.rule = function_pointer(options.kept_rule)
        if self.preconditioner is not None:
            options.kept_preconditioner = _rule(self._write_preconditioner)
            options.preconditioner = function_pointer(options.kept_preconditioner)
        return options

    def _write_step(self, theta: Node, g: Node, rate: Node, k: Node, moments: list[Node]) -> list[Node]:
        more = {"k": k} if "k" in inspect.signature(self.step).parameters else {}
        result = self.step(theta, g, rate, **dict(zip(self.moments, moments)), **more)
        nodes = [result] if isinstance(result, Node) else list(result)
        if len(nodes) != 1 + len(moments) or not all(isinstance(n, Node) for n in nodes):
            raise invalid(f"the step gives theta and {', '.join(self.moments) or 'no moments'} as nodes, not {result!r:.80}")
        return nodes

    def _write_preconditioner(self, theta: Node, g: Node, rate: Node, k: Node, moments: list[Node]) -> list[Node]:
        assert self.preconditioner is not None
        known = {**dict(zip(self.moments, moments)), "rate": rate, "k": k}
        wanted = list(inspect.signature(self.preconditioner).parameters)
        if not set(wanted) <= set(known):
            raise invalid(f"the preconditioner asks for {', '.join(wanted)}; there are {', '.join(known)}")
        return [self.preconditioner(**{name: known[name] for name in wanted})]


def _rule(write: Callable[..., list[Node]]) -> Any:
    """A dyn_rule_fn that lets `write` write."""
    context = current()

    def call(_: Any, address: int, given: int, out: int) -> None:
        g, nodes = Graph._borrow(context, address), structs["dyn_rule_view"].from_address(given)
        ids = (ctypes.c_int32 * nodes.moments).from_address(nodes.moment) if nodes.moments else ()
        theta, gradient, rate, k = (Node(g, i) for i in (nodes.theta, nodes.gradient, nodes.rate, nodes.step))
        for i, node in enumerate(write(theta, gradient, rate, k, [Node(g, i) for i in ids])):
            ctypes.c_int32.from_address(out + 4 * i).value = node.id
    return callback(context, "dyn_rule_fn", call, failure=STATUS["euser"])


@dataclass(frozen=True, init=False, repr=False)
class LBFGS(Optimizer):
    """Quasi-Newton steps from the last `memory` pairs; the line search meets the strong Wolfe conditions. Of runs on all
    samples, whose "rate" is then the length of the step that led to a row, and of dyn.minimise.

    >>> dyn.LBFGS(memory=50)
    LBFGS(memory=50)
    """

    memory: int = 20
    kind = "lbfgs"

    def __init__(self, memory: int = 20) -> None:
        object.__setattr__(self, "memory", memory)      # before what is written into the C struct
        super().__init__()

    def __repr__(self) -> str:
        return f"LBFGS(memory={self.memory})"

    def _own(self) -> dict[str, Any]:
        return {"memory": self.memory}

    def _described(self) -> dict[str, Any]:
        return {"memory": self.memory}


NAMED: dict[str, type[Optimizer]] = {"gd": GD, "heavy_ball": HeavyBall, "nesterov": Nesterov, "adam": Adam, "adamw": AdamW,
                                     "rmsprop": RMSprop, "sign": SignGD, "adamax": Adamax,
                                     "nadam": NAdam, "adagrad": Adagrad, "adadelta": Adadelta, "lion": Lion,
                                     "sophia": Sophia, "muon": Muon, "lbfgs": LBFGS}
Name = Literal["gd", "heavy_ball", "nesterov", "adam", "adamw", "rmsprop", "sign", "adamax", "nadam", "adagrad",
               "adadelta", "lion", "sophia", "muon", "lbfgs"]


def of(optimizer: Optimizer | Name) -> Optimizer:
    """An optimiser, or what its name means with its defaults."""
    if isinstance(optimizer, Optimizer):
        return optimizer
    if not isinstance(optimizer, str) or optimizer not in NAMED:
        raise invalid(f"optimizer {optimizer!r} is not one of {', '.join(NAMED)}, nor a dyn.Optimizer such as "
                      "dyn.Adam(1e-3)")
    return NAMED[optimizer]()


class Stepper(Handle):
    """An optimiser stepped by hand on float64 vectors of `size` parameters; tensors: see Muon.

    >>> s = dyn.Stepper(dyn.Adam(0.1), 2)
    >>> [round(t, 6) for t in s.step([1.0, 2.0], [3.0, -4.0]).tolist()]         # the new theta
    [0.9, 2.1]
    """

    _kind = "optimizer"

    def __init__(self, optimizer: Optimizer, size: int, tensors: Mapping[str, Tensor] | None = None) -> None:
        context = current()
        options = optimizer._options(tensors)
        super().__init__(context, make(context, lib.dyn_optimizer_create, context, size, 0, ctypes.byref(options)),
                         options)
        self.size = size

    def step(self, theta: ArrayLike, gradient: ArrayLike) -> np.ndarray:
        """theta after a step with that gradient, both [size]."""
        new = np.array(vector(theta, self.size, "theta"))
        self._call(lib.dyn_optimizer_step, pointer(new), pointer(vector(gradient, self.size, "gradient")))
        return new

    def perturb(self, theta: ArrayLike, gradient: ArrayLike) -> np.ndarray:
        """With sam: where the gradient of the next step is to be taken."""
        out = np.empty(self.size)
        self._call(lib.dyn_optimizer_perturb, pointer(vector(theta, self.size, "theta")),
                   pointer(vector(gradient, self.size, "gradient")), pointer(out))
        return out

    def curvature(self, diagonal: ArrayLike) -> None:
        """Take an estimate of the Hessian's diagonal into Sophia's average."""
        self._call(lib.dyn_optimizer_curvature, pointer(vector(diagonal, self.size, "diagonal")))

    def preconditioner(self) -> tuple[np.ndarray, float]:
        """Diagonal d and factor c of the step taken last: it is stable while c d^1/2 H d^1/2 stays below threshold."""
        d, c = np.empty(self.size), ctypes.c_double()
        self._call(lib.dyn_optimizer_preconditioner, pointer(d), ctypes.byref(c))
        return d, c.value

    def moment(self, which: int) -> np.ndarray:
        """m, v or w (1, 2, 3) as they are."""
        out = np.empty(self.size)
        self._call(lib.dyn_optimizer_moment, which, pointer(out))
        return out

    def rate(self, step: int) -> float:
        """The learning rate of step number 0, 1, ..."""
        return float(lib.dyn_optimizer_rate(self, step))

    @property
    def threshold(self) -> float:
        """2 / rate of the step taken last."""
        return float(lib.dyn_optimizer_threshold(self))
