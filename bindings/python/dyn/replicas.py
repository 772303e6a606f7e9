# SPDX-License-Identifier: BSD-3-Clause
"""Many trainings at once: runs of one network on one data set, with seeds, optimisers and starts of their own."""
from __future__ import annotations

import collections
import ctypes
import weakref
from typing import Any, Iterator, Literal, Sequence, Union, Unpack

import numpy as np
from numpy.typing import ArrayLike, NDArray

from . import init as inits
from . import optim
from ._arrays import block, pointer
from ._rows import table
from ._lib import Handle, Options, callback, function_pointer, integer, lib, make, structs
from ._run_view import RunView
from .errors import invalid, shapes_differ
from .init import Init
from .model import Model
from .objective import Objective
from .optim import Adam, Optimizer
from .run import TO_END, Bar, LossOf, RunOptions, objective_of, objective_options, own_options, run_options, validation_of


Rule = Union[Init, inits.Name]


class Replica(RunView):
    """One of many: everything a Run has but training.

    >>> many = dyn.Replicas(dyn.mlp([1, 5, 1]), [0.0, 1.0], [0.0, 1.0], count=2).train(10)
    >>> many[1].step, many[1].theta.shape
    (10, (16,))
    """

    def __init__(self, replicas: Replicas, i: int) -> None:
        super().__init__()
        self._as_parameter_ = ctypes.c_void_p(lib.dyn_replicas_run(replicas._handle, i))
        self._context = replicas._context
        self._objective = replicas.objective
        self._optimizer = replicas._optimizers[i % len(replicas._optimizers)]
        self._rules = replicas._rules
        self._owner = replicas._handle      # what this looks at goes with it


def _replicas_options(count: int, lists: dict[str, list[Options]]) -> Options:
    """dyn_replicas_options with lists of structs, which it keeps alive."""
    given = structs["dyn_replicas_options"](count=count)
    given._lists = lists
    given._arrays = {name: (type(values[0]) * len(values))(*values) for name, values in lists.items() if values}
    for name, array in given._arrays.items():
        setattr(given, name, ctypes.addressof(array))
        setattr(given, name[:-1] + "_count", len(array))
    return given


class _Set(Handle):
    _kind = "replicas"
    _unshared = "make them again, or save() one and Run.load() it"


class Replicas:
    """`count` runs at step 0, trained one per core; each gives the same bits as a Run of its own.

    net, x, y, loss and options as for dyn.Run. One that becomes non-finite or fails touches no other.
    optimizer: one for all, or one for each.
    seeds: replica i starts as net.initial(seeds[i]); default: net.seed + i. theta [count, p]: the starts instead.
    init: one dyn.init rule for all (default: the network's), or one for each.

    >>> many = dyn.Replicas(dyn.mlp([1, 5, 1]), [0.0, 1.0], [0.0, 1.0], optimizer=dyn.GD(0.1), count=3, seeds=[5, 6, 7])
    >>> many.train(100).theta.shape
    (3, 16)
    """

    def __init__(self, net: Model | Objective, x: ArrayLike | None = None, y: ArrayLike | None = None,
                 loss: LossOf | None = None,
                 optimizer: Optimizer | optim.Name | Sequence[Optimizer | optim.Name] = Adam(), *, count: int,
                 seeds: Sequence[int] | None = None, init: Rule | Sequence[Rule] | None = None,
                 theta: ArrayLike | None = None, **options: Unpack[RunOptions]) -> None:
        count = integer(count, "count", least=1)
        own = own_options(options)
        if options.get("stream") is not None:
            raise invalid("a stream needs a run of its own, not replicas")
        self.objective = objective_of(net, x, y, loss, objective_options(options))
        self._bar = Bar(False, 0)
        me = weakref.ref(self)

        def show(_: Any, share: float, __: Any) -> None:
            replicas = me()
            if replicas is not None:
                replicas._bar.show(share)
        progress = callback(self.objective._context, "dyn_progress_fn", show, user=False)
        rules = run_options(self.objective, own)
        self.validation = validation_of(net, loss, options)
        rules.validation = None if self.validation is None else self.validation._as_parameter_.value
        self._optimizers = [optim.of(o) for o in ([optimizer] if isinstance(optimizer, (Optimizer, str)) else optimizer)]
        self._rules = own
        tensors = self.objective.model.tensors if self.objective.model else None
        moves = [o._options(tensors) for o in self._optimizers]
        lists = {"optimizers": moves, "runs": [rules],
                 "inits": self._starts(count, seeds, init) if theta is None else []}
        given = _replicas_options(count, lists)
        given.progress = function_pointer(progress)
        if theta is not None:
            start = block(theta, (count, self.objective.size), "theta")
            given.theta = start.ctypes.data
        context = self.objective._context
        self._context = context
        self._handle = _Set(context, make(context, lib.dyn_replicas_create, self.objective, ctypes.byref(given)),
                            self.objective, progress, moves)
        self._members = [Replica(self, i) for i in range(count)]

    def _starts(self, count: int, seeds: Sequence[int] | None, init: Rule | Sequence[Rule] | None) -> list[Options]:
        """Options that draw the start of each replica."""
        net = self.objective.model
        if net is None:
            raise invalid("an objective of functions needs theta")
        seeds = range(net.seed, net.seed + count) if seeds is None else seeds
        rules = [init or net.init] * count if init is None or isinstance(init, (Init, str)) else list(init)
        if not len(seeds) == len(rules) == count:
            raise shapes_differ(f"{len(seeds)} seeds and {len(rules)} rules of initialisation for {count} replicas")
        return [inits.of(rule)._options(seed) for rule, seed in zip(rules, seeds)]

    def __copy__(self) -> Any:
        return self._handle.__copy__()

    def __deepcopy__(self, memo: dict[int, Any]) -> Any:
        return self._handle.__copy__()

    def __reduce__(self) -> Any:
        return self._handle.__reduce__()

    def __repr__(self) -> str:
        reasons = collections.Counter(member.reason for member in self)
        return f"<dyn.Replicas {len(self)}: {', '.join(f'{n} {reason}' for reason, n in reasons.items())}>"

    def _repr_html_(self) -> str:
        return table({"replica": range(len(self)), "step": [m.step for m in self], "reason": [m.reason for m in self],
                      "loss": self.loss})

    def __len__(self) -> int:
        return len(self._members)

    def __getitem__(self, i: int) -> Replica:
        """Replica i: its theta, history and measurements."""
        return self._members[i]

    def __iter__(self) -> Iterator[Replica]:
        return iter(self._members)

    def train(self, steps: int | None = None, progress: bool | None = None, *,
              interrupt: Literal["raise", "return"] = "raise") -> Replicas:
        """Train every replica for so many steps more, at most to its own end; None: to its end. Ctrl-C ends it after whole
        steps with KeyboardInterrupt, or interrupt="return" returns then; train() goes on. What a replica met is told by
        its `reason`. Returns the replicas."""
        count = TO_END if steps is None else integer(steps, "steps", least=0)
        self._bar = Bar(progress, 1.0, bar_format="{l_bar}{bar}| {elapsed}<{remaining}")
        try:
            self._handle._call(lib.dyn_replicas_train, count)
        except KeyboardInterrupt:
            if interrupt == "raise":
                raise
        finally:
            self._bar.close()
        return self

    def stop(self) -> None:
        """Ask the training in progress to stop; from any thread."""
        lib.dyn_replicas_stop(self._handle)

    @property
    def theta(self) -> NDArray[np.float64]:
        """Parameters of all replicas [count, p]."""
        theta = np.empty((len(self), self.objective.size))
        self._handle._call(lib.dyn_replicas_results, pointer(theta), None)
        return theta

    @property
    def loss(self) -> NDArray[np.float64]:
        """The loss each evaluated last [count]; NaN before any step."""
        loss = np.empty(len(self))
        self._handle._call(lib.dyn_replicas_results, None, pointer(loss))
        return loss
