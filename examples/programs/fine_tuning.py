# SPDX-License-Identifier: BSD-3-Clause
"""Fine-tuning: all but the biases and the last layer stand still; the sharpness of what moves."""
import sys
import tempfile

import numpy as np

import dyn

# ---- program ----
steps = 100 if "--quick" in sys.argv else 1000
x, y = dyn.data.digits()
net = dyn.mlp([64, 100, 100, 10], seed=1)
old = dyn.Run(net, x[:900], y[:900], loss="cross_entropy", batch=64).train(steps).theta
run = dyn.Run(net.freeze("W1", "W2", theta=old), x[900:], y[900:], loss="cross_entropy", batch=64)
run.measure(dyn.Sharpness(k=1), every=50)
run.train(steps)
new = run.objective.model.expand(run.theta)

# ---- check: what is frozen is so bit by bit; the sharpness is that of the other coordinates of the whole Hessian ----
moves = np.r_[6400:6500, 16500:16600, 16600:17610]
still = np.setdiff1d(np.arange(net.size), moves)
assert np.array_equal(new[still], old[still]) and not np.array_equal(new[moves], old[moves])
assert run.objective.size == len(moves) and run.objective.value(run.theta) < run.history["loss"][0]
whole = dyn.hessian(net, x[900:], y[900:], loss="cross_entropy", theta=new)
v = np.zeros((net.size, 5))
v[moves] = np.random.default_rng(0).normal(size=(len(moves), 5))
assert np.allclose((whole @ v)[moves], run.objective.hessian(run.theta) @ v[moves], rtol=0, atol=1e-12)
decaying = dyn.AdamW(1e-2, weight_decay=0.1)
again = dyn.Run(net.freeze("W1", "W2", theta=old), x[900:], y[900:], "cross_entropy", decaying, batch=64).train(5)
assert np.array_equal(again.objective.model.expand(again.theta)[still], old[still])
again.save(path := tempfile.mktemp(suffix=".npz"))
with np.load(path) as stored:           # no moments of what is frozen
    assert stored["m"].size == stored["v"].size == len(moves)
