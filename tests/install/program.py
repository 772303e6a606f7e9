# SPDX-License-Identifier: BSD-3-Clause
"""A user's first minutes with an installed package: train on the data that it carries, measure, save, go on."""
import os
import tempfile

import numpy as np

import dyn

x, y = dyn.data.digits()
run = dyn.Run(dyn.mlp([64, 20, 10], seed=1), x, y, loss="cross_entropy", optimizer=dyn.Adam(1e-2))
run.train(steps=20, progress=False)
loss = run.history["loss"]
assert loss[-1] < loss[0], loss
with tempfile.TemporaryDirectory() as folder:
    path = os.path.join(folder, "run.npz")
    run.save(path)
    again = dyn.Run.load(path, x=x, y=y)
assert np.array_equal(run.theta, again.theta)

# The Hessian of (theta . x)^2 on one sample is 2 x x^T: its eigenvalue 2 |x|^2 = 50.
H = dyn.hessian(dyn.mlp([2, 1], bias=False), np.array([[3.0, 4.0]]), np.array([[0.0]]), loss="mse", theta=np.ones(2))
value = dyn.eigh(H, 1).values[0]
assert abs(value - 50) < 1e-6, value
print(f"dyn of {dyn.__file__}: loss {loss[0]:.3f} to {loss[-1]:.3f}")
