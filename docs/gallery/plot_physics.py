# SPDX-License-Identifier: BSD-3-Clause
"""
A differential equation as a loss
=================================

A network learns u'' + u = 0 with u(0) = 0 and u'(0) = 1 from the equation alone: each term is a function of nodes, with
derivatives by the input inside. The terms are recorded by name, and the sine comes out.
"""
import numpy as np
from matplotlib.figure import Figure

import dyn

u = dyn.mlp([1, 20, 1], activation="tanh", seed=1)


def equation(u, t):
    v = u(t)
    return dyn.residual(dyn.derivative(v, t, order=2) + v)[:, 0]**2


def start(u, t):
    return dyn.residual(u(t))[:, 0]**2


def slope(u, t):
    return dyn.residual(dyn.derivative(u(t), t) - 1)[:, 0]**2


inside, zero = np.linspace(0, 2 * np.pi, 60)[:, None], np.zeros((1, 1))
loss = dyn.Objective(equation, u, t=inside) + dyn.Objective(start, u, t=zero) + dyn.Objective(slope, u, t=zero)
run = dyn.Run(loss, optimizer=dyn.Adam(dyn.cosine(2e-2, period=8000)), record_every=20)
run.train(8000)
figure = dyn.plot(run)

# %%
# Against the sine, which it has never seen.
t = np.linspace(0, 2 * np.pi, 200)[:, None]
found = u(run.theta, t)[:, 0]
solution = Figure(figsize=(7, 2.6), layout="constrained")
ax = solution.subplots()
ax.plot(t, np.sin(t), color="#e07a1f", linewidth=3, alpha=0.5, label="sin t")
ax.plot(t, found, "--", color="#1f5fa8", label="network")
ax.set(xlabel="t")
_ = ax.legend()
print(f"largest difference: {np.abs(found - np.sin(t[:, 0])).max():.1e}")
assert np.abs(found - np.sin(t[:, 0])).max() < 1e-2
