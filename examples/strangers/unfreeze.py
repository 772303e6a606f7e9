# SPDX-License-Identifier: BSD-3-Clause
"""Gradual unfreezing: the head alone, then the layer below, then all, each with a smaller rate."""
import numpy as np

import dyn

x, y = dyn.data.digits()
net = dyn.mlp([64, 40, 40, 10], seed=1)
theta = dyn.Run(net, x[:900], y[:900], "cross_entropy", batch=50).train(150).theta
stages = [("W1", "b1", "W2", "b2"), ("W1", "b1"), ()]
path = [theta]
for frozen, rate in zip(stages, (3e-3, 1e-3, 3e-4)):
    part = net.freeze(*frozen, theta=theta) if frozen else net.start(theta)
    run = dyn.Run(part, x[900:], y[900:], "cross_entropy", dyn.Adam(rate), batch=50).train(60)
    theta = part.expand(run.theta) if frozen else run.theta
    path.append(theta)

# check: what is frozen stands still bit by bit, what is not moves; the loss falls in every stage
loss = dyn.Objective(net, x[900:], y[900:], loss="cross_entropy")
for (before, after), frozen in zip(zip(path, path[1:]), stages):
    moved = {name for name in net.tensors if not np.array_equal(net.views(before)[name], net.views(after)[name])}
    assert moved == set(net.tensors) - set(frozen), moved
values = [loss.value(theta) for theta in path]
print("loss by stage:", np.round(values, 4))
assert all(np.diff(values) < 0)
