# SPDX-License-Identifier: BSD-3-Clause
"""How a run was made, as a text for its checkpoint, and back: network, loss, optimiser, rules and measurements. What only
the user has (data, functions) is not in it; the library compares the loss that they make with the checkpoint's."""
from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import numpy as np

from . import _find, optim
from . import init as inits
from .errors import invalid

if TYPE_CHECKING:
    from .measure import Measurement
    from .model import Model
    from .objective import Objective


def plain(value: Any) -> Any:
    """Tuples as lists, NumPy's numbers and arrays as Python's: as they come back from JSON."""
    if isinstance(value, dict):
        return {key: plain(v) for key, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(v) for v in value]
    return value.tolist() if isinstance(value, (np.ndarray, np.generic)) else value


# ---- to text ----

def of_init(rule: inits.Init) -> dict[str, Any]:
    """A rule of initialisation."""
    return {"kind": rule.kind, "scale": rule.scale, "bias": None if rule.bias is None else of_init(rule.bias),
            "layer_scales": list(rule.layer_scales)}


def of_model(net: Model | None) -> dict[str, Any] | None:
    """A perceptron; a network of the user's function is None."""
    if net is None or net._perceptron is None:
        return None
    return dict(plain({**net._perceptron, "init": of_init(net.init), "seed": net.seed}))


def of_optimizer(optimizer: optim.Optimizer) -> dict[str, Any] | None:
    """An optimiser with its rate; one with functions of the user's is None."""
    if isinstance(optimizer, optim.Rule) or (isinstance(optimizer.rate, optim.Rate) and optimizer.rate.function):
        return None
    return dict(plain({"kind": optimizer.kind, **optimizer._described()}))


def of_run(objective: Objective, optimizer: optim.Optimizer, rules: dict[str, Any],
           measurements: list[dict[str, Any]]) -> str:
    """The whole run."""
    return json.dumps({"dyn": _find.VERSION, "model": of_model(objective.model), "loss": objective._loss,
                       "objective": plain(objective._given), "optimizer": of_optimizer(optimizer),
                       "run": plain(rules), "measurements": measurements})


def of_measurement(measurement: Measurement[Any], when: dict[str, Any]) -> dict[str, Any]:
    """A measurement with its schedule; the arguments of one that is a function are None."""
    return {"class": type(measurement).__name__, "name": measurement.name, "arguments": plain(measurement._arguments),
            "when": plain(when)}


# ---- from text ----

def init(found: dict[str, Any] | None) -> inits.Init | None:
    """The rule of initialisation."""
    if found is None:
        return None
    return inits.Init(found["kind"], found["scale"], init(found["bias"]), tuple(found["layer_scales"]))


def model(found: dict[str, Any] | None) -> Model:
    """The network, if it was a perceptron."""
    from .model import mlp
    if found is None:
        raise invalid("the network is a function of the user's, which a checkpoint cannot hold: give net=")
    given = dict(found)
    return mlp(**{**given, "init": init(given["init"])})


def without_start(found: dict[str, Any] | None) -> dict[str, Any] | None:
    """A network without how its parameters are drawn, which does not matter once they are."""
    return None if found is None else {key: value for key, value in found.items() if key not in ("init", "seed")}


def optimizer(found: dict[str, Any] | None) -> optim.Optimizer:
    """The optimiser."""
    if found is None:
        raise invalid("the optimiser has functions of the user's, which a checkpoint cannot hold: give optimizer=")
    given = dict(found)
    kind = optim.NAMED[given.pop("kind")]
    if isinstance(given.get("rate"), dict):
        given["rate"] = optim.Rate(**given["rate"])
    return kind(**given)


def compare(what: str, given: dict[str, Any] | None, found: dict[str, Any] | None) -> None:
    """Refuse what differs, with both values; one of the two may be unknown."""
    if given is None or found is None:
        return
    for key in {**found, **given}:
        if plain(given.get(key)) != found.get(key):
            raise invalid(f"{what} {key} is {plain(given.get(key))!r}, in the checkpoint it is {found.get(key)!r}")
