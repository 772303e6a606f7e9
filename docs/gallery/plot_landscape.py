# SPDX-License-Identifier: BSD-3-Clause
"""
Between two minima, and on the way to one
=========================================

The plane in which a training moves most with the trajectory in it, and the loss between two minima found from different starts:
on the straight line there is a barrier, on a curve with one bend there is none.
"""
import numpy as np
from matplotlib.figure import Figure

import dyn

x, y = dyn.data.digits()
x, y = x[:300], y[:300]
trajectory, ends = [], []
for seed in 1, 2:
    run = dyn.Run(dyn.mlp([64, 16, 10], seed=seed), x, y, "cross_entropy", optimizer=dyn.Adam(1e-2))
    if seed == 1:
        run.measure(lambda state: trajectory.append(state.theta.copy()), name="theta", every=5)
    ends.append(run.train(200).theta)
loss = run.objective

plane = dyn.trajectory_plane(trajectory)
low, high = plane.coordinates.min(0) - 1, plane.coordinates.max(0) + 1
around = dyn.landscape(loss, *plane.directions, theta=plane.centre, a=np.linspace(low[0], high[0], 25),
                       b=np.linspace(low[1], high[1], 25))
straight, bent = dyn.connect(loss, *ends, bends=0), dyn.connect(loss, *ends, max_evaluations=80)

figure = Figure(figsize=(8, 3.2), layout="constrained")
left, right = figure.subplots(1, 2)
dyn.plots.landscape(left, around, plane.coordinates)
dyn.plots.path(right, straight, bent)

# %%
# How much of the way lies in the plane, and how high the barriers are. A random walk would lie in it, too.
print(f"shares {plane.shares.round(3)}, barriers {straight.barrier:.3g} and {max(bent.barrier, 0):.3g}")
assert bent.barrier < 0.1 * straight.barrier
