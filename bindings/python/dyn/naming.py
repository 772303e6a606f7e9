# SPDX-License-Identifier: BSD-3-Clause
"""PyTorch's names and layouts of the tensors of a model: a map, through which arrays go both ways as views."""
from __future__ import annotations

from typing import TYPE_CHECKING, Any, Mapping, NamedTuple

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from .model import Model


class Entry(NamedTuple):
    """A tensor of the model; its axis i is axis order[i] of PyTorch's."""

    tensor: str
    order: tuple[int, ...]


class Naming(NamedTuple):
    """For PyTorch's names: tensors of the model, and its states."""

    tensors: Mapping[str, Entry]
    states: Mapping[str, str]

    def theirs(self, tensors: Mapping[str, NDArray[Any]], states: Mapping[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
        """Views in PyTorch's layout by PyTorch's names."""
        found = {name: tensors[e.tensor].transpose(np.argsort(e.order)) for name, e in self.tensors.items()}
        return {**found, **{name: states[state] for name, state in self.states.items()}}

    def ours(self, given: Mapping[str, NDArray[Any]]) -> tuple[dict[str, NDArray[Any]], dict[str, NDArray[Any]]]:
        """Tensors and states of the model from PyTorch's; what is tied is taken from its first name."""
        tensors: dict[str, NDArray[Any]] = {}
        for name, e in self.tensors.items():
            if name in given:
                tensors.setdefault(e.tensor, np.asarray(given[name]).transpose(e.order))
        return tensors, {state: np.asarray(given[name]) for name, state in self.states.items() if name in given}


def names_of(net: Model) -> Naming:
    """The map of a network: of the module it came from, of nn.Sequential for a perceptron, else its own names."""
    if net._naming is not None:
        return net._naming
    shapes = {name: len(tensor.shape) for name, tensor in net.tensors.items()}
    theirs = {name: _of_perceptron(name) if net._perceptron is not None else name for name in shapes}
    plain = {theirs[name]: Entry(name, (1, 0) if net._perceptron is not None and rank == 2 else tuple(range(rank)))
             for name, rank in shapes.items()}
    return Naming(plain, {name: name for name in net.states})


def _of_perceptron(name: str) -> str:
    """Layers and activations take turns in nn.Sequential."""
    return f"{2 * (int(name[1:]) - 1)}.{'weight' if name[0] == 'W' else 'bias'}" if name[1:].isdigit() else name
