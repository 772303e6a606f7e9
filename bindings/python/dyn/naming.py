# SPDX-License-Identifier: BSD-3-Clause
"""PyTorch's names and layouts of the tensors of a model: a map, through which arrays go both ways as views."""
from __future__ import annotations

import ctypes
from typing import TYPE_CHECKING, Any, Mapping, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ._lib import call, lib
from .errors import STATUS, error, invalid, shapes_differ

if TYPE_CHECKING:
    from .model import Model

MAX_RANK = 8


class ExchangePart(ctypes.Structure):
    """dyn_exchange_part."""

    _fields_ = [("name", ctypes.c_char * 128), ("also", ctypes.c_char * 128), ("state", ctypes.c_int32),
                ("source", ctypes.c_int32), ("joined", ctypes.c_int32), ("flat", ctypes.c_int32), ("axes", ctypes.c_int32),
                ("rank", ctypes.c_int32), ("order", ctypes.c_int32 * MAX_RANK), ("split", ctypes.c_int64 * MAX_RANK),
                ("shape", ctypes.c_int64 * MAX_RANK)]


class Part(NamedTuple):
    """A tensor or a state of the model in one of PyTorch's: its axes, split, come there in this order; the last `flat` of
    them are one. split None: they are not split."""

    source: str
    order: tuple[int, ...]
    split: tuple[int, ...] | None = None
    flat: int = 1

    def theirs(self, ours: NDArray[Any]) -> NDArray[Any]:
        """In PyTorch's layout; a view where no axes are joined."""
        turned = (ours if self.split is None else ours.reshape(self.split)).transpose(self.order)
        return turned if self.flat == 1 else turned.reshape(*turned.shape[:-self.flat], -1)

    def ours(self, theirs: NDArray[Any]) -> NDArray[Any]:
        """The reverse, but for the split."""
        if self.split is not None:
            theirs = theirs.reshape([self.split[i] for i in self.order])
        return theirs.transpose(np.argsort(self.order))


class Entry(NamedTuple):
    """A tensor of PyTorch's: one part, or several along the axis `joined`."""

    parts: tuple[Part, ...]
    joined: int = 0

    def theirs(self, tensors: Mapping[str, NDArray[Any]]) -> NDArray[Any]:
        """A view, or where there is none a copy that cannot be written to, so that nothing is written in vain."""
        made = [part.theirs(tensors[part.source]) for part in self.parts]
        whole = made[0] if len(made) == 1 else np.concatenate(made, self.joined)
        if not np.shares_memory(whole, tensors[self.parts[0].source]):
            whole.flags.writeable = False
        return whole

    def ours(self, name: str, given: NDArray[Any], shapes: Mapping[str, tuple[int, ...]]) -> dict[str, NDArray[Any]]:
        """The tensors of the model from PyTorch's, whose shape is checked."""
        wanted = [np.empty(shapes[part.source], np.uint8) for part in self.parts]
        whole = self.theirs({part.source: blank for part, blank in zip(self.parts, wanted)})
        if given.shape != whole.shape:
            raise shapes_differ(f"{name} has shape {list(given.shape)}, expected {list(whole.shape)}")
        if not np.isfinite(given).all():
            raise error(STATUS["enonfinite"], f"number {int(np.argmin(np.isfinite(given)))} of {name} is not finite")
        sizes = [part.theirs(blank).shape[self.joined] if whole.ndim else 1 for part, blank in zip(self.parts, wanted)]
        pieces = np.split(given, np.cumsum(sizes)[:-1], self.joined) if len(self.parts) > 1 else [given]
        return {part.source: part.ours(piece).reshape(shapes[part.source]) for part, piece in zip(self.parts, pieces)}


class Naming(NamedTuple):
    """For PyTorch's names: tensors of the model, and its states."""

    tensors: Mapping[str, Entry]
    states: Mapping[str, Entry]

    def theirs(self, tensors: Mapping[str, NDArray[Any]], states: Mapping[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
        """Views in PyTorch's layout by PyTorch's names."""
        return {**{name: e.theirs(tensors) for name, e in self.tensors.items()},
                **{name: e.theirs(states) for name, e in self.states.items()}}

    def ours(self, given: Mapping[str, NDArray[Any]], shapes: Mapping[str, tuple[int, ...]]
             ) -> tuple[dict[str, NDArray[Any]], dict[str, NDArray[Any]]]:
        """Tensors and states of the model from PyTorch's; what is tied is taken from its first name."""
        found = self._known(given)
        made: list[dict[str, NDArray[Any]]] = [{}, {}]
        for into, entries in zip(made, self):
            for name, e in entries.items():
                if name in found and e.parts[0].source not in into:
                    into.update(e.ours(name, found[name], shapes))
        missing = [name for name, e in self.tensors.items() if any(part.source not in made[0] for part in e.parts)]
        if missing:
            raise invalid(f"missing: {', '.join(missing)}")
        return made[0], made[1]

    def _known(self, given: Mapping[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
        """Under the names here; refused is what is under none and is nothing that modules keep beside their tensors."""
        names = {**self.tensors, **self.states}
        short = {name.removeprefix(outer): name for outer in OUTER for name in names if name.startswith(outer)}
        found = {name if name in names else short.get(name, name): value for name, value in given.items()}
        other = [name for name in found if name not in names and not name.endswith(PASSED_OVER)]
        if other:
            raise invalid(f"not in the model: {', '.join(other)}; there are {', '.join(names)}")
        return {name: value for name, value in found.items() if name in names}


#: what an outer module puts before the names of an inner one, whose file may lack it
OUTER = ("transformer.", "model.")
#: ends of the names of what modules keep and no model has
PASSED_OVER = ("num_batches_tracked", ".attn.bias", ".attn.masked_bias", "rotary_emb.inv_freq")


def names_of(net: Model) -> Naming:
    """The map of a network: of the module it came from, of the module its family equals, else its own names."""
    if net._naming is not None:
        return net._naming
    sources = [*net.tensors, *net.states]
    found = [_entry(net, i) for i in range(len(sources))]
    maps: tuple[dict[str, Entry], dict[str, Entry]] = ({}, {})
    for source, info in zip(sources, found):
        k = range(info.axes)
        part = Part(source, tuple(info.order[i] for i in k), tuple(info.split[i] for i in k), info.flat)
        names = maps[info.state]
        name = info.name.decode()
        names[name] = Entry((*(names[name].parts if name in names else ()), part), max(info.joined, 0))
        if info.also:
            names[info.also.decode()] = Entry((part,))
    return Naming(*maps)


def _entry(net: Model, i: int) -> ExchangePart:
    info = ExchangePart()
    call(net._context, lib.dyn_exchange_entry, net, i, ctypes.byref(info))
    return info
