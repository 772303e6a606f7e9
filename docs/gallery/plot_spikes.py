# SPDX-License-Identifier: BSD-3-Clause
"""
Adam's spikes are foretold
==========================

As the gradients shrink, Adam's second moments decay and its preconditioned Hessian grows, until its largest eigenvalue
crosses 2/η. When the gradient turns into that direction too, the loss jumps (arXiv 2506.04805).
"""
import numpy as np

import dyn

x = np.linspace(-np.pi, np.pi, 200)
net = dyn.mlp([1, 20, 1], activation="tanh", seed=1)
run = dyn.Run(net, x, np.sin(x) + np.sin(4 * x), optimizer=dyn.Adam(0.01))
run.measure(dyn.Sharpness(raw=False), every=1)
run.train(2300)
figure = dyn.plot(run)

# %%
# Every spike is preceded by a crossing.
spikes = dyn.spikes(run.history["loss"])
crossed = dyn.above(run["sharpness"].values[:, 0], run["sharpness"].threshold)
outcome = crossed.predict(spikes, lead=100)
print(outcome)
assert outcome.hits >= 2 and outcome.missed == 0
