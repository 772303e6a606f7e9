# SPDX-License-Identifier: BSD-3-Clause
"""Experiments for the tests of sweeps, in a module of their own as other processes import them; run as a program it
trains a sweep until it is killed.

usage: sweeping.py STORE EXPERIMENT [SECONDS | mpi]     (SECONDS between checkpoints)"""
import os
import signal
import sys
import time

import numpy as np

import dyn
from support import wave

LONG = 300_000
POINTS = dict(width=[3, 6], rate=[1e-3, 1e-2], seed=range(3))


def trained(width, rate, seed, steps=200):
    """A run with a measurement at the end."""
    run = dyn.Run(dyn.mlp([1, width, 1], seed=seed), *wave(), optimizer=dyn.Adam(rate), batch=7, seed=seed, steps=steps)
    run.measure(lambda state: np.linalg.norm(state.theta), name="norm", at=("start", "log", "end"))
    return run


def long(width, rate, seed):
    """The same, for some seconds in all: members that end within .2 s are kept together."""
    return trained(width, rate, seed, steps=LONG)


def python(width, rate, seed):
    """A run that calls Python at every step."""
    run = dyn.Run(dyn.mlp([1, width, 1], seed=seed), *wave(), optimizer=dyn.Adam(rate), steps=50)
    run.measure(lambda state: state.loss, name="seen")
    run.measure(lambda state: os.getpid(), name="process", at="end")
    return run


def killed(width, rate, seed):
    """One of the points takes its process along, always."""
    if (width, rate, seed) == (6, 1e-3, 1):
        os.kill(os.getpid(), signal.SIGKILL)
    return python(width, rate, seed)


def murdered(width, rate, seed):
    """One of the points is killed at its first attempt."""
    flag = os.environ["DYN_TEST_FLAG"]
    if (width, rate, seed) == (6, 1e-3, 1) and not os.path.exists(flag):
        with open(flag, "w", encoding="utf-8"):
            os.kill(os.getpid(), signal.SIGKILL)
    return python(width, rate, seed)


def slow(width, rate, seed):
    """Numbers, after a while."""
    time.sleep(0.2)
    return {"sum": width + rate + seed, "vector": np.arange(width)}


if __name__ == "__main__":
    # a module that others import, not __main__, so that any process finds the experiment
    import sweeping
    experiment = getattr(sweeping, sys.argv[2])
    if sys.argv[3:] == ["mpi"]:
        from mpi4py.futures import MPIPoolExecutor
        with MPIPoolExecutor() as pool:
            dyn.Sweep(experiment, POINTS, store=sys.argv[1], executor=pool, workers=2).train()
    else:
        every = float(sys.argv[3]) if len(sys.argv) > 3 else None
        dyn.Sweep(experiment, POINTS, store=sys.argv[1]).train(checkpoint_every=every)
