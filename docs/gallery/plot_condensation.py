# SPDX-License-Identifier: BSD-3-Clause
"""
A hundred neurons do the work of four
=====================================

A hundred ReLU neurons learn a function of four kinks from a tiny start. They gather in one direction first, then in two, in
three: the network grows more complex in steps, and the loss falls from plateau to plateau (arXiv 2504.09484).
"""
import numpy as np

import dyn

relu = lambda x: np.maximum(x, 0.0)
x = np.linspace(-1, 1, 20)
y = -relu(x) + relu(2 * (x + 0.3)) - relu(1.5 * (x - 0.4)) + relu(0.5 * (x - 0.8))
net = dyn.mlp([1, 100, 1], activation="relu", output_bias=False, init=dyn.init.normal(1e-4), seed=1)
run = dyn.Run(net, x, y, optimizer=dyn.GD(0.1), record_every=10)
run.measure(dyn.Condensation(), at=("start", "log", "end"))
run.train(100_000)
figure = dyn.plot(run, log_steps=True)

# %%
# The same as an animation. Neurons that never see the data stay where they were, without amplitude.
animation = dyn.plots.animate(run)
print("directions:", *run["condensation"].effective)
assert run["condensation"].effective[-1] == 4
