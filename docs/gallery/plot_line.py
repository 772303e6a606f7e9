# SPDX-License-Identifier: BSD-3-Clause
"""
Along the line between two trainings
====================================

Two networks learn the same digits from different starts. Along the line between them in parameter space the loss rises to
a barrier; between two trainings that part only after a common beginning there is almost none.
"""
import numpy as np
from matplotlib.figure import Figure

import dyn

x, y = dyn.data.digits()
net = dyn.mlp([64, 50, 10], seed=1)


def trained(theta, seed, steps=200):
    run = dyn.Run(net, x, y, loss="cross_entropy", optimizer=dyn.Adam(3e-3), theta=theta, batch=100, seed=seed)
    return run.train(steps).theta


common = trained(net.initial(), seed=1)
pairs = {"different starts": (common, trained(net.initial(seed=2), seed=2)),
         "a common beginning": (trained(common, seed=3), trained(common, seed=4))}
loss = dyn.Objective(net, x, y, "cross_entropy")
along = np.linspace(-0.2, 1.2, 57)

figure = Figure(figsize=(7, 3.2), layout="constrained")
ax = figure.subplots()
barriers = []
for (name, (first, second)), colour in zip(pairs.items(), ("#c1121f", "#1f5fa8")):
    losses = loss.values((1 - along)[:, None] * first + along[:, None] * second)
    ax.plot(along, losses, color=colour, label=name)
    inside = (along >= 0) & (along <= 1)
    barriers.append(losses[inside].max() - max(losses[inside][0], losses[inside][-1]))
ax.axvline(0, color="#888888", linewidth=0.6)
ax.axvline(1, color="#888888", linewidth=0.6)
ax.set(xlabel="place on the line", ylabel="loss")
_ = ax.legend()
print("height of the barriers: %.4f and %.4f" % tuple(barriers))
assert barriers[0] > 20 * max(barriers[1], 1e-3)
