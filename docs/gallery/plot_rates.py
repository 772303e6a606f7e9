# SPDX-License-Identifier: BSD-3-Clause
"""
Thirty-two trainings at once
============================

The same start, thirty-two learning rates of gradient descent, all cores. Up to the edge a larger rate learns more in the
same number of steps; beyond it the loss is uneven, and at twice that a training diverges, without disturbing the others.
"""
import numpy as np
from matplotlib.figure import Figure

import dyn

x, y = dyn.data.digits()
net = dyn.mlp([64, 20, 10], seed=1)
rates = np.geomspace(1e-2, 0.5, 32)
many = dyn.Replicas(net, x[:300], y[:300], optimizer=[dyn.GD(rate) for rate in rates], count=32, seeds=[1] * 32).train(300)
final = np.array([run.history["loss"][-1] for run in many])

figure = Figure(figsize=(7, 3.2), layout="constrained")
ax = figure.subplots()
good = np.isfinite(final) & (final < 10)
ax.loglog(rates[good], final[good], "o-", color="#1f5fa8", label="loss after 300 steps")
ax.loglog(rates[~good], np.full(np.count_nonzero(~good), final[good].max()), "x", color="#c1121f", label="diverged")
ax.set(xlabel="learning rate", ylabel="loss")
ax.set_xticks([0.01, 0.02, 0.05, 0.1, 0.2, 0.5], ["0.01", "0.02", "0.05", "0.1", "0.2", "0.5"])
ax.set_yticks([0.2, 0.3, 0.4, 0.5], ["0.2", "0.3", "0.4", "0.5"])
ax.minorticks_off()
_ = ax.legend()

# %%
# The edge, from the curvature at the start.
first = dyn.eigh(dyn.hessian(net, x[:300], y[:300])).values[0]
print(f"2 / sharpness at the start: {2 / first:.3f}; the best rate: {rates[np.nanargmin(final)]:.3f}")
