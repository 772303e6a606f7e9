# SPDX-License-Identifier: BSD-3-Clause
"""What a sweep will take, from a few of its members trained for some steps."""
from __future__ import annotations

import time
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from ..errors import STATUS, error
from ..run import Run, quiet
from .member import Experiment, one_thread

if TYPE_CHECKING:
    from .labels import Point

SAMPLES = 8             # members that are looked at
TRIAL_SECONDS = 0.05    # of training, for each of them


class Cost(NamedTuple):
    """What a sweep will take. bytes: memory of the largest member looked at; seconds: of a member, mean; total:
    seconds in all, on `workers` cores. Measurements at single steps are not counted.

    >>> def experiment(seed):
    ...     return dyn.Run(dyn.mlp([1, 3, 1], seed=seed), [0.0, 1.0], [0.0, 1.0], steps=1000)
    >>> cost = dyn.Sweep(experiment, dict(seed=range(10)), workers=2).cost()
    >>> cost.members, cost.workers, cost.bytes > 1000, cost.total == 5 * cost.seconds
    (10, 2, True, True)
    """

    members: int
    workers: int
    bytes: int
    seconds: float
    total: float

    def __str__(self) -> str:
        return (f"{self.members} members of {self.seconds:.3g} s on {self.workers} cores: {self.total:.3g} s in all, "
                f"{self.bytes * self.workers / 2**20:.3g} MiB at once")


def cost_of(experiment: Experiment, points: list[Point], workers: int) -> Cost:
    """From members evenly over the points."""
    chosen = sorted({round(i) for i in np.linspace(0, len(points) - 1, SAMPLES)}) if points else []
    looked = [_member(experiment, points[i]) for i in chosen]
    seconds = float(np.mean([s for _, s in looked])) if looked else 0.0
    return Cost(len(points), workers, max((b for b, _ in looked), default=0), seconds, len(points) * seconds / workers)


def _member(experiment: Experiment, point: Point) -> tuple[int, float]:
    """Bytes and seconds of one."""
    with one_thread() as context, quiet():
        empty, begun = context.bytes, time.perf_counter()
        run = experiment(**point)
        made = time.perf_counter() - begun
        if not isinstance(run, Run):
            raise error(STATUS["enotsup"], "an experiment that returns no run does its work when it is called: what it "
                        "costs is not known before")
        steps = run._rules.get("steps") or 0
        run.train(min(steps, 1), progress=False)
        first, taken, begun = run._context.bytes - (empty if run._context is context else 0), 1, time.perf_counter()
        while taken < steps - 1 and time.perf_counter() - begun < TRIAL_SECONDS:
            more = min(taken, steps - 1 - taken)
            run.train(more, progress=False)
            taken += more
        spent = (time.perf_counter() - begun) / taken
        rows = 8 * len(run.history) * (steps // run._rules.get("record_every", 1))
        return first + rows, made + spent * steps
