# SPDX-License-Identifier: BSD-3-Clause
"""Clip every entry of the gradient by its value, and by layers: rates of their own for bias and weights."""
import numpy as np

import dyn

x, y = dyn.data.digits()
net = dyn.mlp([64, 20, 10], seed=1)
rates = np.ones(net.size)
rates[np.concatenate([net.index("b1"), net.index("b2")])] = 2.0
def clipped(theta, g, rate):
    return theta - rate * rates * dyn.maximum(dyn.minimum(g, 1e-3), -1e-3)
run = dyn.Run(net, x, y, "cross_entropy", dyn.Rule(0.5, clipped)).train(50)
layered = dyn.Run(net, x, y, "cross_entropy", dyn.GD(0.5, groups={"b*": {"rate": 2.0}})).train(50)

# check: NumPy's steps on the library's gradients
loss, theta, other = run.objective, net.initial(), net.initial()
for _ in range(50):
    theta = theta - 0.5 * rates * np.clip(loss.gradient(theta)[1], -1e-3, 1e-3)
    other = other - 0.5 * rates * loss.gradient(other)[1]
assert np.abs(run.theta - theta).max() < 1e-12 and np.abs(layered.theta - other).max() < 1e-9
