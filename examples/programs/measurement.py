# SPDX-License-Identifier: BSD-3-Clause
"""A measurement of one's own, the angle between the gradients of two halves of the data, kept and drawn."""
import subprocess
import sys
import tempfile

import numpy as np

import dyn

# ---- program ----
x, y = dyn.data.digits()
net = dyn.mlp([64, 30, 10], seed=1)
halves = [dyn.Objective(net, x[i::2], y[i::2], loss="cross_entropy") for i in (0, 1)]
def angle(state):
    a, b = (half.gradient(state.theta)[1] for half in halves)
    return np.degrees(np.arccos(a @ b / np.sqrt((a @ a) * (b @ b))))
run = dyn.Run(net, x, y, loss="cross_entropy", optimizer=dyn.GD(0.1))
run.measure(angle, every=10, name="angle")
run.train(100)
run.save(path := tempfile.mktemp(suffix=".npz"))
dyn.plot(run).savefig(path + ".png")

# ---- check: what a fresh run reads is what was measured; the two gradients' mean is the run's ----
code = "import dyn, sys; x, y = dyn.data.digits(); print(*dyn.Run.load(sys.argv[1], x=x, y=y)['angle'].values.tolist())"
fresh = subprocess.run([sys.executable, "-c", code, path], capture_output=True, text=True, check=True).stdout
assert [float(word) for word in fresh.split()] == run["angle"].values.tolist()
again = dyn.Run.load(path, net, x, y, loss="cross_entropy", optimizer=dyn.GD(0.1))
assert np.array_equal(again["angle"].values, run["angle"].values)
assert list(again["angle"].steps) == list(range(0, 101, 10))
a, b = (half.gradient(run.theta)[1] * half.samples for half in halves)
assert np.allclose((a + b) / len(x), run.objective.gradient(run.theta)[1], rtol=0, atol=1e-13)
theta = net.initial()
a, b = (half.gradient(theta)[1] for half in halves)
assert abs(np.cos(np.radians(run["angle"].values[0])) - a @ b / np.linalg.norm(a) / np.linalg.norm(b)) < 1e-12
