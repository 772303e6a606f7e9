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
def loss(p):                             # the sum written out for complex parameters
    w, b, v, c = p[:10], p[10:20], p[20:30], p[30]
    h, h0 = np.tanh(inside * w + b), np.tanh(b)
    residual = h @ v + c - 2 * (h * (1 - h**2)) @ (v * w**2)
    return np.mean(residual**2) + (h0 @ v + c)**2 + 2 * ((1 - h0**2) @ (v * w) - 1)**2
def slopes(p):                           # exact derivatives, by complex steps
    return np.array([loss(p + 1e-30j * e).imag / 1e-30 for e in np.eye(31)])
def column(e, d=2e-3):
    near, far = (slopes(run.theta + k * d * e) - slopes(run.theta - k * d * e) for k in (1, 2))
    return (8 * near - far) / (12 * d)
expected = np.linalg.eigvalsh([column(e) for e in np.eye(31)])[::-1]
assert np.max(abs(np.sort(values)[::-1] - expected)) < 1e-8 * expected[0]

# ---- check: an equation in two variables, u_xx + u_yy = 0, whose left side is known for this network ----
def laplace(u, x, y):
    v = u(dyn.concatenate([x, y], axis=1))
    return (dyn.derivative(v, x, order=2) + dyn.derivative(v, y, order=2))[:, 0]**2
x, y = np.random.default_rng(0).normal(size=(2, 40, 1))
flat = dyn.Objective(laplace, plane := dyn.mlp([2, 10, 1], seed=2), x=x, y=y)
theta = plane.initial()
W, b, v, _ = plane.views(theta).values()
h = np.tanh(np.hstack([x, y]) @ W + b)
assert abs(flat.value(theta) - np.mean((2 * (h * (1 - h**2)) * (W**2).sum(axis=0) @ v)**2)) < 1e-12
assert flat.check_gradient(theta).passed and flat.check_hessian(theta).passed
