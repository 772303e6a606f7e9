# SPDX-License-Identifier: BSD-3-Clause
"""Many trainings at once: runs of one network on one data set, with seeds, optimisers and starts of their own."""
from __future__ import annotations

import ctypes
import weakref
from typing import Any, Iterator, Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ._arrays import block, pointer
from ._lib import Handle, Options, callback, function_pointer, lib, make, structs
from ._run_view import RunView
from .errors import invalid, shapes_differ
from .init import Init
from .model import Model
from .objective import Objective
from .optim import Adam, Optimizer
from .run import Bar, interruptible, objective_of, run_options


class Replica(RunView):
    """One of many: everything a Run has but training."""

    def __init__(self, replicas: Replicas, i: int) -> None:
        super().__init__()
        self._as_parameter_ = ctypes.c_void_p(lib.dyn_replicas_run(replicas, i))
        self._context = replicas._context
        self.objective = replicas.objective


def _replicas_options(count: int, lists: dict[str, list[Options]]) -> Options:
    """dyn_replicas_options with lists of structs, which it keeps alive."""
    given = structs["dyn_replicas_options"](count=count)
    given._lists = lists
    given._arrays = {name: (type(values[0]) * len(values))(*values) for name, values in lists.items() if values}
    for name, array in given._arrays.items():
        setattr(given, name, ctypes.addressof(array))
        setattr(given, name[:-1] + "_count", len(array))
    return given


class Replicas(Handle):
    """`count` runs at step 0, trained one per core; each gives the same bits as a Run of its own.

    net, x, y, loss and options as for dyn.Run. One that becomes non-finite or fails touches no other.
    optimizer: one for all, or one for each.
    seeds: replica i starts as net.initial(seeds[i]); default: net.seed + i. theta [count, p]: the starts instead.
    init: one dyn.init rule for all (default: the network's), or one for each."""

    _free = "dyn_replicas_free"

    def __init__(self, net: Model | Objective, x: ArrayLike | None = None, y: ArrayLike | None = None,
                 loss: str = "mse", optimizer: Optimizer | Sequence[Optimizer] = Adam(), *, count: int,
                 seeds: Sequence[int] | None = None, init: Init | Sequence[Init] | None = None,
                 theta: ArrayLike | None = None, steps: int = 0, batch: int = 0, drop_last: bool = False,
                 seed: int = 0, record_every: int = 1, stop_loss: float = 0.0, stop_accuracy: float = 0.0,
                 accuracy_every: int = 0, **options: Any) -> None:
        self.objective = objective_of(net, x, y, loss, options)
        self._bar = Bar(False, 0)
        me = weakref.ref(self)
        progress = callback(self.objective._context, "dyn_progress_fn", lambda _, share, __: me()._bar.show(share))
        rules = run_options(steps, batch, drop_last, seed, record_every, stop_loss, stop_accuracy, accuracy_every)
        optimizers = [optimizer] if isinstance(optimizer, Optimizer) else list(optimizer)
        lists = {"optimizers": [o._options() for o in optimizers], "runs": [rules],
                 "inits": self._starts(count, seeds, init) if theta is None else []}
        given = _replicas_options(count, lists)
        given.progress = function_pointer(progress)
        if theta is not None:
            start = block(theta, (count, self.objective.size), "theta")
            given.theta = start.ctypes.data
        context = self.objective._context
        super().__init__(context, make(context, lib.dyn_replicas_create, self.objective, ctypes.byref(given)),
                         self.objective, progress)
        self._members = [Replica(self, i) for i in range(count)]

    def _starts(self, count: int, seeds: Sequence[int] | None, init: Init | Sequence[Init] | None) -> list[Options]:
        """Options that draw the start of each replica."""
        net = self.objective.model
        if net is None:
            raise invalid("an objective of functions needs theta")
        seeds = range(net.seed, net.seed + count) if seeds is None else seeds
        rules = [init or net.init] * count if init is None or isinstance(init, Init) else list(init)
        if not len(seeds) == len(rules) == count:
            raise shapes_differ(f"{len(seeds)} seeds and {len(rules)} rules of initialisation for {count} replicas")
        return [rule._options(seed) for rule, seed in zip(rules, seeds)]

    def __len__(self) -> int:
        return len(self._members)

    def __getitem__(self, i: int) -> Replica:
        """Replica i, which lives as long as this: its theta, history and measurements."""
        return self._members[i]

    def __iter__(self) -> Iterator[Replica]:
        return iter(self._members)

    def train(self, steps: int = 0, progress: bool | None = None) -> Replicas:
        """Train every replica for so many steps more, at most to its own end; 0: to its end. Ctrl-C stops after whole
        steps, and train() goes on. What a replica met is told by its `reason`. Returns the replicas."""
        self._bar = Bar(progress, 1.0, bar_format="{l_bar}{bar}| {elapsed}<{remaining}")
        try:
            with interruptible(self.stop):
                self._check(lib.dyn_replicas_train(self, steps))
        finally:
            self._bar.close()
        return self

    def stop(self) -> None:
        """Ask the training in progress to stop; from any thread."""
        lib.dyn_replicas_stop(self)

    @property
    def theta(self) -> NDArray[np.float64]:
        """Parameters of all replicas [count, p]."""
        theta = np.empty((len(self), self.objective.size))
        self._check(lib.dyn_replicas_results(self, pointer(theta), None))
        return theta

    @property
    def loss(self) -> NDArray[np.float64]:
        """The loss each evaluated last [count]; NaN before any step."""
        loss = np.empty(len(self))
        self._check(lib.dyn_replicas_results(self, None, pointer(loss)))
        return loss
