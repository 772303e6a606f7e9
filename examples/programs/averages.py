# SPDX-License-Identifier: BSD-3-Clause
"""Snapshots at log-spaced steps, averages of the parameters, the loss along the line between two runs."""
import os
import tempfile

import matplotlib.pyplot as plt
import numpy as np

import dyn

# ---- program ----
x, y = dyn.data.digits()
net = dyn.mlp([64, 30, 10])
def train(seed, steps=200):
    run = dyn.Run(net, x[:400], y[:400], "cross_entropy", dyn.Adam(5e-3), theta=net.initial(seed), batch=50, seed=seed,
                  steps=steps, ema=0.95, mean_from=steps // 2)
    run.measure(lambda state: state.theta, name="snapshots", at=("start", "log", "end"), per_decade=5)
    return run.train()
first, second = train(1), train(2)
line = np.linspace(first.mean, second.mean, 21)
barrier = first.objective.values(line)
plt.plot(np.linspace(0, 1, 21), barrier)

# ---- check: averages are those of the path, also after a stop; snapshots are on it; the values are the loss ----
ema, path = net.initial(1), [net.initial(1)]
with tempfile.TemporaryDirectory() as folder:
    run = dyn.Run(net, x[:400], y[:400], "cross_entropy", dyn.Adam(5e-3), theta=net.initial(1), batch=50, seed=1,
                  ema=0.95, mean_from=100)
    for t in range(1, 201):
        path.append(run.train(1).theta)
        ema = 0.95 * ema + 0.05 * path[-1]
        if t == 150:
            run.save(os.path.join(folder, "run.npz"))
            run = dyn.Run.load(os.path.join(folder, "run.npz"), x=x[:400], y=y[:400])
assert np.max(abs(run.ema - ema)) < 1e-13 and np.array_equal(run.ema, first.ema)
assert np.max(abs(run.mean - np.mean(path[100:], axis=0))) < 1e-13 and np.array_equal(run.mean, first.mean)
snapshots = first["snapshots"]
assert list(snapshots.steps) == [0, 1, 2, 3, 4, 6, 10, 16, 25, 40, 63, 100, 158, 200]
assert all(np.array_equal(v, path[t]) for t, v in zip(snapshots.steps, snapshots.values))
f = net(line[10], x[:400])
shifted = f - f.max(1, keepdims=True)
expected = np.mean(np.log(np.exp(shifted).sum(1)) - shifted[np.arange(400), np.argmax(y[:400], 1)])
assert abs(barrier[10] - expected) < 1e-12
