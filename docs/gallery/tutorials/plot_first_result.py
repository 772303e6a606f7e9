# SPDX-License-Identifier: BSD-3-Clause
"""
Ten minutes to a first result
=============================

Data, a network, a training that is measured, a figure, and a look at what the numbers say.
"""
import numpy as np

import dyn

# %%
# Data are NumPy arrays: a row per sample. The digits come with the package.
x, y = dyn.data.digits()
print("inputs", x.shape, "targets", y.shape)

# %%
# A network is a description with a seed. Its parameters are one vector, theta, and known by name.
net = dyn.mlp([64, 50, 10], activation="tanh", init=dyn.init.lecun(), seed=1)
print(net.size, "parameters:", {name: tensor.shape for name, tensor in net.tensors.items()})

# %%
# A run brings them together. What is measured, and when, is said before it starts; a measurement never changes the training.
run = dyn.Run(net, x[:1500], y[:1500], loss="cross_entropy", optimizer=dyn.Adam(5e-3), batch=250)
run.measure(dyn.Sharpness(k=2, tolerance=1e-3), every=20)
run.measure(dyn.Condensation(), at=("start", "log", "end"))
held = dyn.Objective(net, x[1500:], y[1500:], "cross_entropy")
run.measure(lambda state: held.accuracy(state.theta), name="validation_accuracy", every=20)
run.train(300)

# %%
# One figure of all that was measured.
figure = dyn.plot(run)

# %%
# Everything is there as arrays, too.
print(f"loss {run.history['loss'][0]:.3f} -> {run.history['loss'][-1]:.3f}, "
      f"validation accuracy {held.accuracy(run.theta):.3f}")
found = run["sharpness"]
print("largest eigenvalue of Adam's Hessian at the end:", found.values[-1, 0].round(1), "of the threshold", found.threshold[-1])
print("directions of the 50 neurons:", run["condensation"].effective[0], "->", run["condensation"].effective[-1])
assert held.accuracy(run.theta) > 0.9

# %%
# A run can be stopped, saved, and gone on with; it gives the same bits as one that never stopped. ``dyn.report`` writes one
# page with figures, evidence and numbers.
again = dyn.Run(net, x[:1500], y[:1500], loss="cross_entropy", optimizer=dyn.Adam(5e-3), batch=250).train(120).train(180)
assert np.array_equal(again.theta, run.theta)
