# SPDX-License-Identifier: BSD-3-Clause
"""An optimiser of one's own: sign of an averaged gradient, decoupled decay; its preconditioned sharpness."""
import os
import tempfile

import numpy as np

import dyn

# ---- program ----
x, y = dyn.data.digits()
def averaged_sign(theta, g, rate, m):
    m = 0.9 * m + 0.1 * g
    return theta - rate * (dyn.sign(m) + 0.01 * theta), m
def step_per_slope(m):
    return 0.1 / 1.9 / dyn.maximum(abs(m), 1e-6)
own = dyn.Rule(1e-3, averaged_sign, preconditioner=step_per_slope)
run = dyn.Run(dyn.mlp([64, 20, 10], seed=1), x, y, optimizer=own)
sharpness = run.measure(dyn.Sharpness(k=1, tolerance=1e-6), every=20)
run.train(60)

# ---- check: the path is that of NumPy's arithmetic; the sharpness that of the dense matrix; a checkpoint goes on ----
loss, theta, m = run.objective, run.objective.initial(), 0.0
for k in range(60):
    m = 0.9 * m + 0.1 * loss.gradient(theta)[1]
    if k == 40:
        d = 0.1 / 1.9 / np.maximum(abs(m), 1e-6)
        H = loss.hessian(theta) @ np.eye(loss.size)
        largest = np.linalg.eigvalsh(np.sqrt(d)[:, None] * H * np.sqrt(d))[-1]
    theta = theta - 1e-3 * (np.sign(m) + 0.01 * theta)
assert np.max(abs(theta - run.theta)) < 1e-12
assert abs(run[sharpness].values[2, 0] / largest - 1) < 1e-6 and run[sharpness].threshold[2] == 2000
half = dyn.Run(dyn.mlp([64, 20, 10], seed=1), x, y, optimizer=own).train(30)
with tempfile.TemporaryDirectory() as folder:
    half.save(os.path.join(folder, "half.npz"))
    again = dyn.Run.load(os.path.join(folder, "half.npz"), x=x, y=y, optimizer=own).train(30)
assert np.array_equal(again.theta, run.theta)
