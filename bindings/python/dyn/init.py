# SPDX-License-Identifier: BSD-3-Clause
"""How parameters are drawn. Each function gives an Init for dyn.mlp, dyn.Model.from_function and Model.initial.

fan_in and fan_out are the sizes that a weight sums over and feeds. A bias is drawn as the weights of its layer, unless
bias= gives another Init for all biases."""
from __future__ import annotations

import ctypes
from dataclasses import dataclass, replace
from typing import Literal, Mapping, Sequence

from ._lib import Options, enum, integer, number, structs, text
from .errors import invalid


@dataclass(frozen=True)
class Init:
    """A rule; made by the functions of this module.

    >>> rule = dyn.init.lecun().layers([1.0, 0.01])
    >>> rule.layer_scales
    (1.0, 0.01)
    """

    kind: str
    scale: float = 1.0
    bias: Init | None = None
    layer_scales: tuple[float, ...] = ()
    groups: tuple[tuple[str, Init], ...] = ()

    def tensors(self, rules: Mapping[str, Init]) -> Init:
        """The same with rules of their own for the tensors whose names match a pattern; the last that matches counts.

        >>> rule = dyn.init.power(0.5).tensors({"*.W[qk]": dyn.init.power(0.8), "embedding": dyn.init.normal(0.02)})
        >>> net = dyn.transformer(50, 8, width=64, init=rule)
        >>> tensors = net.views(net.initial())
        >>> bool(tensors["layer1.Wq"].std() < 0.04 < 0.12 < tensors["layer1.Wv"].std())
        True
        """
        return replace(self, groups=self.groups + tuple(rules.items()))

    def layers(self, scales: Sequence[float]) -> Init:
        """The same with a scale for each layer, from the first to the last."""
        return replace(self, layer_scales=tuple(scales))

    def _options(self, seed: int) -> Options:
        options = structs["dyn_init_options"](kind=enum("init", self.kind), scale=self.scale, seed=integer(seed, "seed", "u64"))
        if self.bias:
            options.bias_kind = enum("init", self.bias.kind)
            options.bias_scale = self.bias.scale
        if self.layer_scales:
            options.layers = len(self.layer_scales)
            scales = (ctypes.c_double * options.layers)(*(number(s, "a scale") for s in self.layer_scales))
            options.layer_scale = ctypes.addressof(scales)
            options._scales = scales        # the struct points to them
        if self.groups:
            options._groups = (_Group * len(self.groups))(*(_Group.of(*pair) for pair in self.groups))
            options.groups_count, options.groups = len(self.groups), ctypes.addressof(options._groups)
        return options


class _Group(ctypes.Structure):
    """dyn_init_group."""

    _fields_ = [("pattern", ctypes.c_char_p), ("kind", ctypes.c_int32), ("reserved", ctypes.c_int32),
                ("scale", ctypes.c_double)]

    @classmethod
    def of(cls, pattern: str, rule: Init) -> _Group:
        if not isinstance(rule, Init) or rule.bias or rule.layer_scales or rule.groups:
            raise invalid(f"the rule of {pattern!r} is {rule!r}, must be a plain one of dyn.init")
        return cls(text(pattern, "the pattern of a rule"), enum("init", rule.kind), 0, rule.scale)


def default(scale: float = 1.0, bias: Init | None = None) -> Init:
    """Uniform within scale/sqrt(fan_in), as PyTorch's Linear.

    >>> theta = dyn.mlp([100, 50, 1], init=dyn.init.default()).initial()
    >>> bool(abs(theta[:5000]).max() <= 0.1)
    True
    """
    return Init("default", scale, bias)


def normal(std: float, bias: Init | None = None) -> Init:
    """Normal of this standard deviation.

    >>> theta = dyn.mlp([100, 100, 1], init=dyn.init.normal(0.01)).initial()
    >>> bool(0.0098 < theta.std() < 0.0102)
    True
    """
    return Init("normal", std, bias)


def uniform(limit: float, bias: Init | None = None) -> Init:
    """Uniform in [-limit, limit].

    >>> theta = dyn.mlp([100, 100, 1], init=dyn.init.uniform(0.1)).initial()
    >>> bool(0.099 < abs(theta).max() <= 0.1)
    True
    """
    return Init("uniform", limit, bias)


def power(gamma: float, bias: Init | None = None) -> Init:
    """Normal of standard deviation fan_in^-gamma.

    >>> net = dyn.mlp([100, 100, 1], init=dyn.init.power(1.0))
    >>> bool(0.0098 < net.views(net.initial())["W1"].std() < 0.0102)
    True
    """
    return Init("power", gamma, bias)


def width_power(gamma: float, bias: Init | None = None) -> Init:
    """Normal of standard deviation m^-gamma, m the widest hidden width.

    >>> net = dyn.mlp([2, 100, 1], init=dyn.init.width_power(0.5))
    >>> bool(0.08 < net.initial().std() < 0.12)
    True
    """
    return Init("width_power", gamma, bias)


def lecun(scale: float = 1.0, bias: Init | None = None) -> Init:
    """Normal of standard deviation scale/sqrt(fan_in).

    >>> net = dyn.mlp([100, 100, 1], init=dyn.init.lecun())
    >>> bool(0.098 < net.views(net.initial())["W1"].std() < 0.102)
    True
    """
    return Init("lecun", scale, bias)


def xavier(scale: float = 1.0, bias: Init | None = None) -> Init:
    """Normal of standard deviation scale*sqrt(2/(fan_in + fan_out)).

    >>> net = dyn.mlp([100, 100, 1], init=dyn.init.xavier())
    >>> bool(0.098 < net.views(net.initial())["W1"].std() < 0.102)
    True
    """
    return Init("xavier", scale, bias)


def xavier_uniform(scale: float = 1.0, bias: Init | None = None) -> Init:
    """Uniform within scale*sqrt(6/(fan_in + fan_out)).

    >>> net = dyn.mlp([100, 50, 1], init=dyn.init.xavier_uniform())
    >>> bool(0.19 < abs(net.views(net.initial())["W1"]).max() <= 0.2)
    True
    """
    return Init("xavier_uniform", scale, bias)


def he(scale: float = 1.0, bias: Init | None = None) -> Init:
    """Normal of standard deviation scale*sqrt(2/fan_in).

    >>> net = dyn.mlp([200, 100, 1], init=dyn.init.he())
    >>> bool(0.098 < net.views(net.initial())["W1"].std() < 0.102)
    True
    """
    return Init("he", scale, bias)


def orthogonal(scale: float = 1.0, bias: Init | None = None) -> Init:
    """Orthonormal rows or columns, whichever are fewer, times scale; biases 0.

    >>> net = dyn.mlp([5, 3, 1], init=dyn.init.orthogonal())
    >>> W = net.views(net.initial())["W1"]
    >>> bool(np.allclose(W.T @ W, np.eye(3)))
    True
    """
    return Init("orthogonal", scale, bias)


def identity(scale: float = 1.0) -> Init:
    """Weights scale times the identity, of a convolution at the middle of its kernel; biases 0.

    >>> net = dyn.mlp([3, 3, 2], init=dyn.init.identity())
    >>> net.views(net.initial())["W2"].tolist()
    [[1.0, 0.0], [0.0, 1.0], [0.0, 0.0]]
    """
    return Init("identity", scale)


def uniform_power(s: float, bias: Init | None = None) -> Init:
    """Uniform in [-b, b], b = (6 / fan_in)^s: s = 1/2 is He's, s = 1 the small start of arXiv 2405.15302.

    >>> net = dyn.mlp([100, 100, 1], init=dyn.init.uniform_power(1.0))
    >>> bool(0.059 < abs(net.views(net.initial())["W1"]).max() <= 0.06)
    True
    """
    return Init("uniform_power", s, bias)


def zero() -> Init:
    """All zero.

    >>> dyn.mlp([1, 1], init=dyn.init.zero()).initial()
    array([0., 0.])
    """
    return Init("zero")


def constant(value: float) -> Init:
    """Every element has this value: gains 1.

    >>> dyn.mlp([1, 1], init=dyn.init.constant(2.0)).initial()[0].item()
    2.0
    """
    return Init("constant", value)


#: rules whose scale has a default, which can be given by their name alone
NAMED = {"default": default, "lecun": lecun, "xavier": xavier, "xavier_uniform": xavier_uniform, "he": he,
         "orthogonal": orthogonal, "identity": identity}
Name = Literal["default", "lecun", "xavier", "xavier_uniform", "he", "orthogonal", "identity", "zero"]


def of(rule: Init | Name | None) -> Init:
    """A rule, or what its name means with scale 1; None: default().

    >>> dyn.init.of("lecun").kind
    'lecun'
    """
    if rule is None:
        return default()
    if isinstance(rule, Init):
        return rule
    if rule == "zero":
        return zero()
    if not isinstance(rule, str) or rule not in NAMED:
        needs = "normal(std), uniform(limit), power(gamma), width_power(gamma), uniform_power(s)"
        raise invalid(f"init {rule!r} is not one of {', '.join(NAMED)}, zero, nor made by dyn.init, as {needs} are")
    return NAMED[rule]()
