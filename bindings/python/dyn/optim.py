# SPDX-License-Identifier: BSD-3-Clause
"""Optimisers and learning rates, as descriptions to give to a run. The formulas stand in <dyn/optim.h>."""
from __future__ import annotations

import ctypes
from dataclasses import dataclass, field
from typing import Any, Literal

from ._lib import Options, enum, lib, real, structs
from .context import current
from .errors import invalid


@dataclass(frozen=True)
class Rate:
    """A learning rate that changes; made by constant, step or cosine. Lengths are in ticks of tick_steps steps."""

    rate: float
    schedule: str = "constant"
    period: int = 0
    factor: float = 0.1
    floor: float = 0.0
    warmup: int = 0
    warmup_start: float = 0.0
    tick_steps: int = 1

    def after_warmup(self, warmup: int, start: float = 0.0) -> Rate:
        """The same after a linear rise from start * rate to rate over so many ticks."""
        return Rate(self.rate, self.schedule, self.period, self.factor, self.floor, warmup, start, self.tick_steps)


def constant(rate: float) -> Rate:
    """Always the same."""
    return Rate(rate)


def step(rate: float, period: int, factor: float = 0.1, floor: float = 0.0, tick_steps: int = 1) -> Rate:
    """rate * factor^(t // period), never below floor."""
    return Rate(rate, "step", period, factor, floor, tick_steps=tick_steps)


def cosine(rate: float, period: int, floor: float = 0.0, tick_steps: int = 1) -> Rate:
    """From rate down to floor along half a cosine of `period` ticks; floor from then on."""
    return Rate(rate, "cosine", period, floor=floor, tick_steps=tick_steps)


@dataclass(frozen=True)
class Optimizer:
    """What all optimisers have: the rate (a number or a Rate), L2 weight decay, and clipping of the whole gradient
    to the norm clip_norm (None: no clipping)."""

    rate: float | Rate = 1e-3
    weight_decay: float = field(default=0.0, kw_only=True)
    clip_norm: float | None = field(default=None, kw_only=True)

    kind = "gd"

    def __post_init__(self) -> None:
        self._options()     # refuses a wrong type here, where it is written
        if self.clip_norm is not None and not self.clip_norm > 0:
            raise invalid(f"clip_norm is {self.clip_norm}, must be above 0, or None")

    def _options(self) -> Options:
        rate = self.rate if isinstance(self.rate, Rate) else Rate(self.rate)
        options = structs["dyn_optimizer_options"]()
        lib.dyn_optimizer_defaults(enum("optimizer", self.kind), ctypes.byref(options))
        options.set(
            rate=rate.rate, weight_decay=self.weight_decay, clip_norm=self.clip_norm,
            schedule=enum("rate", rate.schedule), period=rate.period, factor=rate.factor, floor=rate.floor,
            warmup=rate.warmup, warmup_start=rate.warmup_start, tick_steps=rate.tick_steps, **self._own())
        return options

    def _own(self) -> dict[str, Any]:
        """Fields of the kind of optimiser."""
        return {}

    def limit(self) -> float:
        """Largest curvature of a quadratic that the optimiser stands at its first rate, with its preconditioner
        frozen: 2/rate for gradient descent. Units: 1 / rate."""
        context = current()
        return real(context, lib.dyn_sharpness_limit, context, ctypes.byref(self._options()))


@dataclass(frozen=True)
class GD(Optimizer):
    """Gradient descent: theta -= rate g."""


@dataclass(frozen=True)
class HeavyBall(Optimizer):
    """m = beta m + g, theta -= rate m. ema: m = beta m + (1 - beta) g."""

    beta: float = 0.9
    ema: bool = field(default=False, kw_only=True)
    kind = "heavy_ball"

    def _own(self) -> dict[str, Any]:
        return {"beta1": self.beta, "ema": int(self.ema)}


@dataclass(frozen=True)
class Nesterov(Optimizer):
    """m = beta m + g, theta -= rate (g + beta m)."""

    beta: float = 0.9
    kind = "nesterov"

    def _own(self) -> dict[str, Any]:
        return {"beta1": self.beta}


@dataclass(frozen=True)
class Adam(Optimizer):
    """Adam. eps_inside: sqrt(v + eps) instead of sqrt(v) + eps. init_from_gradient: m = g, v = g^2 at the start,
    without bias correction."""

    beta1: float = 0.9
    beta2: float = 0.999
    eps: float = 1e-8
    eps_inside: bool = field(default=False, kw_only=True)
    bias_correction: bool = field(default=True, kw_only=True)
    init_from_gradient: bool = field(default=False, kw_only=True)
    kind = "adam"

    def _own(self) -> dict[str, Any]:
        return {"beta1": self.beta1, "beta2": self.beta2, "eps": self.eps,
                "eps_inside": int(self.eps_inside), "no_bias_correction": int(not self.bias_correction),
                "init_from_gradient": int(self.init_from_gradient)}


@dataclass(frozen=True)
class AdamW(Adam):
    """Adam with decoupled weight decay: theta -= rate weight_decay theta in the same step."""

    weight_decay: float = field(default=0.01, kw_only=True)
    kind = "adamw"


@dataclass(frozen=True)
class RMSprop(Optimizer):
    """v = beta v + (1 - beta) g^2, theta -= rate g / (sqrt(v) + eps)."""

    beta: float = 0.99
    eps: float = 1e-8
    eps_inside: bool = field(default=False, kw_only=True)
    init_from_gradient: bool = field(default=False, kw_only=True)
    kind = "rmsprop"

    def _own(self) -> dict[str, Any]:
        return {"beta2": self.beta, "eps": self.eps, "eps_inside": int(self.eps_inside),
                "init_from_gradient": int(self.init_from_gradient)}


@dataclass(frozen=True)
class SignGD(Optimizer):
    """theta -= rate sign(g)."""

    kind = "sign"


NAMED: dict[str, type[Optimizer]] = {"gd": GD, "heavy_ball": HeavyBall, "nesterov": Nesterov, "adam": Adam, "adamw": AdamW,
                                     "rmsprop": RMSprop, "sign": SignGD}
Name = Literal["gd", "heavy_ball", "nesterov", "adam", "adamw", "rmsprop", "sign"]


def of(optimizer: Optimizer | Name) -> Optimizer:
    """An optimiser, or what its name means with its defaults."""
    if isinstance(optimizer, Optimizer):
        return optimizer
    if not isinstance(optimizer, str) or optimizer not in NAMED:
        raise invalid(f"optimizer {optimizer!r} is not one of {', '.join(NAMED)}, nor a dyn.Optimizer such as "
                      "dyn.Adam(1e-3)")
    return NAMED[optimizer]()
