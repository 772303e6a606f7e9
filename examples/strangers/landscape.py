# SPDX-License-Identifier: BSD-3-Clause
"""The loss around a checkpoint, in a plane of two random directions scaled to the weights; the path of the training."""
import os
import tempfile

import numpy as np
from matplotlib.figure import Figure

import dyn

x, y = dyn.data.digits()
run = dyn.Run(dyn.mlp([64, 20, 10], seed=1), x, y, "cross_entropy", dyn.Adam(5e-3))
run.measure(lambda state: state.theta, name="path", every=5)
path = os.path.join(tempfile.mkdtemp(), "run.npz")
run.train(100).save(path)

again = dyn.Run.load(path, x=x, y=y)
a, b = (dyn.direction(again, seed=seed) for seed in (1, 2))
places = np.linspace(-1, 1, 11)
around = dyn.landscape(again, a, b, a=places, b=places)
plane = dyn.trajectory_plane(again["path"].values)
dyn.plots.landscape(Figure().subplots(), around)

# check: the middle is the loss of the checkpoint, a corner that of moved parameters; a plane holds most of the path
assert abs(around.losses[5, 5] - again.objective.value(again.theta)) < 1e-12
assert abs(around.losses[0, 10] - again.objective.value(again.theta - a + b)) < 1e-12
assert plane.shares.sum() > 0.9 and again.step == 100
