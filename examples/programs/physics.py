# SPDX-License-Identifier: BSD-3-Clause
"""Physics: u'' + u = 0 with u(0) = 0 and u'(0) = 1 by a tanh network, on point sets of different size; its spectrum."""
import numpy as np

import dyn

# ---- program ----
u = dyn.mlp([1, 10, 1], seed=1)
def equation(u, t):
    v = u(t)
    return (dyn.derivative(v, t, order=2) + v)[:, 0]**2
def start(u, t):
    return u(t)[:, 0]**2
def slope(u, t):
    return (dyn.derivative(u(t), t)[:, 0] - 1)**2
inside, zero = np.linspace(0, 2, 30).reshape(-1, 1), np.zeros((1, 1))
physics = dyn.Objective(equation, u, t=inside) + dyn.Objective(start, u, t=zero) + 2.0 * dyn.Objective(slope, u, t=zero)
run = dyn.Run(physics, optimizer=dyn.LBFGS(memory=50), gradient_tolerance=1e-10).train(20_000)
values = dyn.eigh(physics.hessian(run.theta), k=physics.size).values

# ---- check: the solution is sin; the spectrum is that of the matrix of gradient differences; terms have names ----
assert np.max(abs(u(run.theta, inside) - np.sin(inside))) < 1e-3
assert list(run.history)[4:] == ["equation", "start", "slope"]
assert list(physics.term_values(run.theta)) == ["equation", "start", "slope"]
assert run.reason == "gradient" and np.linalg.norm(physics.gradient(run.theta)[1]) <= 1e-10
def hessian_by_differences(theta, h=1e-4):
    columns = [(physics.gradient(theta + h * e)[1] - physics.gradient(theta - h * e)[1]) / (2 * h)
               for e in np.eye(physics.size)]
    return (np.array(columns) + np.array(columns).T) / 2
expected = np.linalg.eigvalsh(hessian_by_differences(run.theta))[::-1]
assert np.max(abs(np.sort(values)[::-1] - expected)) < 1e-6 * expected[0]


def laplace(u, s, t):                   # two variables; the check is the closed form of a tanh network
    v = u(dyn.concatenate([s, t], axis=1))
    return (dyn.derivative(v, s, order=2) + dyn.derivative(v, t, order=2))[:, 0]**2
s, t = np.random.default_rng(0).normal(size=(2, 40, 1))
net = dyn.mlp([2, 10, 1], seed=1)
flat = dyn.Objective(laplace, net, s=s, t=t)
W1, b1, W2, _ = net.views(net.initial()).values()
f = np.tanh(np.hstack([s, t]) @ W1 + b1)
assert abs(flat.value(net.initial()) / np.mean(((-2 * f * (1 - f**2) * (W1**2).sum(axis=0)) @ W2)**2) - 1) < 1e-12
assert flat.check_hessian(net.initial()).passed
