# SPDX-License-Identifier: BSD-3-Clause
"""Hundreds of trainings over width, scale and seed on all cores, in a store; a heat map of the final rank."""
import os
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time

import matplotlib.pyplot  # noqa: F401
import numpy as np
import pandas  # noqa: F401

import dyn

folder = tempfile.TemporaryDirectory()
NAMED = [word for word in sys.argv[1:] if not word.startswith("-")]
STORE = NAMED[0] if NAMED else os.path.join(folder.name, "ranks.sqlite")
SCALES, SEEDS = (5, 16) if "--quick" in sys.argv else (17, 10)
begun = time.perf_counter()

# ---- program ----
x, y, probes = np.linspace(-1, 1, 40), np.sin(3 * np.linspace(-1, 1, 40)), np.random.default_rng(0).normal(0, 4, 200)
def experiment(width, scale, seed):
    net = dyn.mlp([1, width, 1], init=dyn.init.normal(scale), seed=seed)
    run = dyn.Run(net, x, y, optimizer=dyn.Adam(5e-3), steps=3000)
    run.measure(dyn.ModelRank(probes, tolerance=1e-9), at="end")
    return run
grid = dict(width=[10, 20, 40], scale=np.geomspace(1e-3, 1, SCALES), seed=range(SEEDS))
sweep = dyn.Sweep(experiment, grid, store=STORE).train()
dyn.plot(sweep.pivot("width", "scale", "rank"))

# ---- check: all cores were busy; losses, and ranks from singular values of the Jacobian, in closed form by NumPy ----
seconds = time.perf_counter() - begun
frame = sweep.frame()
share = frame["seconds"].sum() / seconds / dyn.current().threads
print(f"{len(sweep)} trainings in {seconds:.1f} s, {share:.0%} of {dyn.current().threads} cores")
assert (frame["status"] == "done").all() and (share > 0.85 or "--quick" in sys.argv)
for member in sweep:
    width = member.point["width"]
    w1, b1, w2, b2 = np.split(member.theta, [width, 2 * width, 3 * width])
    residual = np.tanh(np.outer(x, w1) + b1) @ w2 + b2 - y
    assert abs(np.mean(residual**2) / member.history["loss"][-1] - 1) < 1e-9
    hidden = np.tanh(np.outer(probes, w1) + b1)
    jacobian = np.hstack([(1 - hidden**2) * w2 * probes[:, None], (1 - hidden**2) * w2, hidden, np.ones((200, 1))])
    singular = np.linalg.svd(jacobian / np.linalg.norm(jacobian, axis=0), compute_uv=False)
    assert member["rank"].rank[0] == np.sum(singular > 1e-9 * singular[0])

# ---- check: killed by -9 and gone on with, the same bits; what fails is listed; another sweep's store is refused ----
if not NAMED:
    other = os.path.join(folder.name, "killed.sqlite")
    program = subprocess.Popen([sys.executable, __file__, other, *sys.argv[1:]])
    while not os.path.exists(other) or sum(m.status == "done" for m in dyn.Sweep.open(other)) < 5:
        time.sleep(0.02)
    program.send_signal(signal.SIGKILL)
    program.wait()
    again = dyn.Sweep(experiment, grid, store=other)
    assert 0 < again.frame()["status"].eq("done").sum() < len(sweep)
    for a, b in zip(sweep, again.train()):
        assert all(np.array_equal(a.arrays[name], b.arrays[name]) for name in a.arrays)
    with sqlite3.connect(other) as db:
        assert db.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    odd = dyn.Sweep(experiment, [dict(width=0, scale=1.0, seed=1), dict(width=1, scale=1.0, seed=1)]).train()
    assert [(m.point["width"], "width" in m.message) for m in odd.failed] == [(0, True)], odd.failed[0].message
    grid["seed"], y = [1], -y
    try:
        dyn.Sweep(experiment, grid, store=other)
        raise AssertionError("the store of another experiment was taken")
    except dyn.InvalidArgument as refused:
        assert "the store of another sweep" in str(refused)
