# SPDX-License-Identifier: BSD-3-Clause
"""
The digits at the edge of stability
===================================

A tanh network learns handwritten digits from a small start. Its neurons first gather on one line, then leave it for one
direction after the other, while the sharpness that Adam feels rises to its threshold and stays there.
"""
import dyn

x, y = dyn.data.digits()
net = dyn.mlp([64, 50, 50, 10], activation="tanh", init=dyn.init.power(gamma=2), seed=1)
run = dyn.Run(net, x, y, optimizer=dyn.Adam(2e-3), dtype="float32")
run.measure(dyn.Sharpness(tolerance=1e-3), every=10)
run.measure(dyn.Condensation(join_opposite=True), at=("start", "log", "end"))
run.train(1000)
figure = dyn.plot(run)

# %%
# The first eigenvalue at step 0 stands outside: Adam's second moments are still empty. From step 300 on it is within a
# tenth of 2/η, to which plain gradient descent would have to be steered by hand.
found = run["sharpness"]
late = found.values[found.steps >= 300, 0] / found.threshold[found.steps >= 300]
print(f"sharpness / threshold from step 300: {late.min():.2f} to {late.max():.2f}")
assert 0.8 < late.min() and late.max() < 1.1
